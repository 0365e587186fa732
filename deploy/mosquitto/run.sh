#!/bin/sh
# Run Mosquitto, and have it read its users again whenever they change.
set -eu

users=/mosquitto/users/passwords
config=${1:-/mosquitto/config/mosquitto.conf}

# Any change counts: renamed into its place, or written twice within a second.
state() {
  stat -c %i:%y:%s "$users" 2>/dev/null || echo "$known"
}

# Before the broker reads them: what changes while it starts is then read again.
known=none
known=$(state)
mosquitto -c "$config" &
broker=$!
trap 'kill -TERM $broker' TERM INT

while kill -0 $broker 2>/dev/null; do
  sleep 1 &
  wait $! || true
  now=$(state)
  if [ "$now" != "$known" ]; then
    known=$now
    kill -HUP $broker
  fi
done
wait $broker
