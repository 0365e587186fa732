"""P12: what no sensor should publish, over a real broker to a running agent."""

import json
import socket
import struct
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from contracts.events import BayOccupancyChanged, SensorUnreadable
from tests.faults.abused import MB, Abused
from tests.support.brokers import CLOUD, SENSORS, Broker
from tests.support.ports import LOOPBACK
from tests.support.waiting import eventually, eventually_async

pytestmark = pytest.mark.real

TOPIC = "sensors/s-1"
UNREADABLE = {
    "no JSON": b"nonsense",
    "no UTF-8": b"\xff\xfe\xfd",
    "nothing": b"",
    "a list": b"[1,2]",
    "deep": b'{"occupied":' + b"[" * 10_000,
    "NaN": b'{"occupied":NaN}',
    "a number beyond all": b'{"occupied":1e999}',
    "of a wrong type": b'{"occupied":{"a":1}}',
    "nearly 1 MB": b'{"occupied":"' + b"x" * 1_000_000 + b'"}',
}


def field(data: bytes) -> bytes:
    """Return a text or blob as MQTT writes it."""
    return struct.pack("!H", len(data)) + data


def packet(kind: int, body: bytes) -> bytes:
    """Return an MQTT packet."""
    length, left = b"", len(body)
    while True:
        left, digit = divmod(left, 128)
        length += bytes([digit | (0x80 if left else 0)])
        if not left:
            return bytes([kind]) + length + body


class RawSensor:
    """Logs in as the sensors do, and publishes to any topic, allowed or not."""

    def __init__(self, broker: Broker) -> None:
        self._socket = socket.create_connection((LOOPBACK, broker.port), timeout=10)
        login = field(SENSORS.encode()) + field(broker.keys[SENSORS].encode())
        hello = field(b"MQTT") + bytes([4, 0xC2]) + struct.pack("!H", 60) + field(b"raw") + login
        self._socket.sendall(packet(0x10, hello))
        assert self._socket.recv(4) == b"\x20\x02\x00\x00"

    def publish(self, topic: bytes, payload: bytes) -> None:
        """Publish without waiting."""
        with suppress(OSError):
            self._socket.sendall(packet(0x30, field(topic) + payload))

    def close(self) -> None:
        """Hang up, once the broker has read all: it answers a ping or has hung up itself."""
        with suppress(OSError):
            self._socket.sendall(packet(0xC0, b""))
            self._socket.recv(2)
        self._socket.close()


def of_kind(abused: Abused, kind: type) -> list:
    """Return the facts of one kind that were told."""
    return [one for one in abused.cloud.facts() if type(one) is kind]


BAD_TOPICS = {
    "a wildcard": b"sensors/#",
    "a wildcard of one level": b"sensors/+/x",
    "nothing": b"",
    "NUL": b"sensors/\0",
    "no UTF-8": b"sensors/\xff",
    "65,535 bytes": b"sensors/" + b"x" * 65_527,
    "65,535 levels": b"/" * 65_535,
    "the broker's own": b"$SYS/broker/clients/total",
    "a shared one": b"$share/ingest/baywatt/1/x/events",
    "another's": b"baywatt/1/station/events",
}


def test_p12_what_is_published_to_no_topic_of_a_sensor_reaches_nobody(broker: Broker):
    with broker.client(SENSORS, "listening") as heard, broker.client(CLOUD, "cloud") as cloud:
        heard.subscribe(TOPIC)
        cloud.subscribe("baywatt/1/#")
        for what, topic in BAD_TOPICS.items():
            sensor = RawSensor(broker)
            sensor.publish(topic, b'{"occupied":true}')
            sensor.close()
            heard.publish(TOPIC, what.encode())

        eventually(lambda: len(heard.payloads()) >= len(BAD_TOPICS), what="a sensor's own words")
        assert heard.payloads() == [what.encode() for what in BAD_TOPICS]
        assert cloud.payloads() == []


async def test_p12_unreadable_payloads_are_told_once_and_cost_no_memory(abused: Abused):
    async def abuse(rounds: int, *, is_occupied: bool) -> None:
        """Publish all of them so often, and wait until the agent has read them."""
        for _ in range(rounds):
            for payload in UNREADABLE.values():
                sensor.publish(TOPIC, payload)
        good = {"occupied": is_occupied, "at": datetime.now(UTC).isoformat()}
        sensor.publish(TOPIC, json.dumps(good).encode())
        await eventually_async(
            lambda: (
                [one.is_occupied for one in of_kind(abused, BayOccupancyChanged)][-1:]
                == [is_occupied]
            ),
            within_s=60,  # what was told before goes first
            what="the sensor's good word",
        )

    with abused.broker.client(SENSORS, "abusing") as sensor:
        await abuse(5, is_occupied=True)
        before = abused.memory_bytes()
        await abuse(10, is_occupied=False)

    (unreadable,) = of_kind(abused, SensorUnreadable)
    grown = abused.memory_bytes() - before
    assert len(unreadable.sample) <= 256
    assert grown <= 4 * MB, f"{grown} bytes for {10 * len(UNREADABLE)} payloads"
    assert abused.errors() == []


async def test_p12_ten_thousand_sensors_nobody_knows_cost_the_agent_nothing(abused: Abused):
    with abused.broker.client(SENSORS, "crowd") as crowd:
        before, told = abused.memory_bytes(), len(abused.cloud.facts())
        for number in range(10_000):
            crowd.publish(f"sensors/stranger-{number}", b'{"occupied":true}', qos=0)
        crowd.publish("sensors/stranger", b'{"occupied":true}')

    grown = abused.memory_bytes() - before
    assert grown <= 2 * MB, f"{grown} bytes"
    assert abused.cloud.facts()[told:] == []
