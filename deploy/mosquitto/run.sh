#!/bin/sh
# Run Mosquitto, and have it read its users again whenever they change.
set -eu

users=/mosquitto/users/passwords
config=${1:-/mosquitto/config/mosquitto.conf}

mosquitto -c "$config" &
broker=$!
trap 'kill -TERM $broker' TERM INT

known=$(stat -c %Y:%s "$users")
while kill -0 $broker 2>/dev/null; do
  sleep 1 &
  wait $! || true
  now=$(stat -c %Y:%s "$users" 2>/dev/null || echo "$known")
  if [ "$now" != "$known" ]; then
    known=$now
    kill -HUP $broker
  fi
done
wait $broker
