"""The station that is offline: its agent was there a moment ago, and its line was cut."""

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from contracts import topics
from contracts.batch import Batch, Beat
from contracts.events import (
    AgentStarted,
    ChargerConnected,
    ConnectorState,
    ConnectorStateReported,
    Event,
)
from contracts.link import Link, LinkStatus
from contracts.wire import encode
from simulator.site import StationSpec

_VERSION: Final = "0.1.0"
_WITHIN_S: Final = 10


def appear_and_vanish(spec: StationSpec, host: str, port: int, key: str) -> None:
    """Be heard once as this station's agent, all chargers free, then fall silent without goodbye."""
    now = datetime.now(UTC)
    epoch = int(now.timestamp() * 1000)
    client = _client(spec.station_id, key)
    client.will_set(topics.link(spec.station_id), _link(spec, epoch, None), qos=1, retain=True)
    client.connect(host, port)
    client.loop_start()
    batch = Batch(
        station=spec.station_id,
        epoch=epoch,
        first_seq=1,
        sent_at=now,
        beat=Beat(agent_version=_VERSION),
        events=[*facts(spec, now)],
    )
    link = _link(spec, epoch, now)
    client.publish(topics.link(spec.station_id), link, qos=1, retain=True)
    told = client.publish(topics.events(spec.station_id), encode(batch), qos=1)
    told.wait_for_publish(_WITHIN_S)
    line = client.socket()
    client.loop_stop()
    if line is not None:
        line.shutdown(socket.SHUT_RDWR)
        line.close()


def facts(spec: StationSpec, now: datetime) -> list[Event]:
    """Return what the agent knew when it was last heard."""
    told: list[Event] = [AgentStarted(agent_version=_VERSION, observed_at=now)]
    for charger in spec.chargers:
        told.append(
            ChargerConnected(
                charger_id=charger.charger_id,
                ocpp_version=charger.version,
                security_profile=1,
                observed_at=now,
            )
        )
        told += [
            ConnectorStateReported(
                charger_id=charger.charger_id,
                evse_id=evse.evse_id,
                connector_id=outlet.connector_id,
                state=ConnectorState.FREE,
                observed_at=now,
            )
            for evse in charger.evses
            for outlet in evse.outlets
        ]
    return told


def _link(spec: StationSpec, epoch: int, sent_at: datetime | None) -> bytes:
    return encode(
        Link(
            station=spec.station_id,
            status=LinkStatus.ONLINE if sent_at else LinkStatus.OFFLINE,
            epoch=epoch,
            agent_version=_VERSION,
            sent_at=sent_at,
        )
    )


def _client(station_id: str, key: str) -> Any:
    new_client: Callable[..., Any] = paho.Client
    client = new_client(CallbackAPIVersion.VERSION2, client_id=station_id)
    client.username_pw_set(station_id, key)
    return client
