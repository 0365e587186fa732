"""The connection to real brokers: MQTT 5 or 3.1.1, logins, TLS, crashes and networks gone bad."""

import asyncio
import ssl
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from paho.mqtt.enums import MQTTProtocolVersion

from contracts.clock import FastClock, SystemClock
from station_agent.broker_address import broker_address
from station_agent.mqtt import MqttConnection, Will, backoff_s
from tests.support.chaos import ChaosProxy, Way
from tests.support.mosquitto import Mosquitto
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.real


class Listener:
    """What the connection told."""

    def __init__(self):
        self.events = []
        self.messages = []
        self.refusals = []
        self.connection = None

    def connected(self):
        self.events.append("connected")

    def disconnected(self):
        self.events.append("disconnected")

    def leaving(self):
        self.connection.publish("sensors/bye", b"bye")

    def refused(self, reason):
        self.refusals.append(reason)

    def received(self, message):
        self.messages.append((message.topic, message.payload, message.is_retained))


@asynccontextmanager
async def connected(address, *, topics=("sensors/in",), clock=None, will=None, is_up=True):
    listener = Listener()
    connection = MqttConnection(
        address, "dundee", clock or SystemClock(), topics=topics, receiver=listener, will=will
    )
    listener.connection = connection
    running = asyncio.create_task(connection.run())
    try:
        if is_up:
            await eventually_async(lambda: connection.is_up)
        yield connection, listener
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def address_of(broker, user="sensors"):
    return broker_address(broker.url(user))


async def probe_received(probe, payload):
    await eventually_async(lambda: payload in probe.payloads())


async def test_messages_go_both_ways_whatever_the_broker_speaks(broker):
    with broker.client("sensors", "probe") as probe:
        probe.subscribe("sensors/out")
        async with connected(address_of(broker)) as (connection, listener):
            assert connection.publish("sensors/out", b"hello")
            await probe_received(probe, b"hello")
            probe.publish("sensors/in", b"there")
            await eventually_async(lambda: listener.messages)

            assert listener.messages == [("sensors/in", b"there", False)]
            assert listener.events == ["connected"]


async def test_a_retained_message_is_marked_so(broker):
    with broker.client("sensors", "probe") as probe:
        probe.publish("sensors/in", b"old", retain=True)
        async with connected(address_of(broker)) as (_, listener):
            await eventually_async(lambda: listener.messages)

            assert listener.messages == [("sensors/in", b"old", True)]


async def test_a_goodbye_is_said_and_is_no_last_will(broker):
    with broker.client("sensors", "probe") as probe:
        probe.subscribe("sensors/bye")
        probe.subscribe("sensors/will")
        will = Will("sensors/will", lambda: b"gone")
        async with connected(address_of(broker), will=will) as (_, listener):
            pass
        await probe_received(probe, b"bye")

        assert probe.payloads() == [b"bye"]
        assert listener.events == ["connected", "disconnected"]


async def test_after_a_crash_of_the_broker_it_is_back_and_subscribed(broker):
    async with connected(address_of(broker)) as (connection, listener):
        broker.kill()
        await eventually_async(lambda: "connected" in listener.events[2:])
        with broker.client("sensors", "probe") as probe:
            await eventually_async(lambda: connection.is_up)
            probe.publish("sensors/in", b"again")
            await eventually_async(lambda: ("sensors/in", b"again", False) in listener.messages)


async def test_a_wrong_password_is_refused_and_said(broker):
    broker.keys["sensors"] = "not-this"
    async with connected(address_of(broker), is_up=False) as (connection, listener):
        await eventually_async(lambda: listener.refusals)

        assert not connection.is_up
        assert not connection.publish("sensors/out", b"x")
        assert listener.events == []


async def test_a_broker_that_speaks_mqtt_5_is_spoken_to_so(open_mosquitto):
    async with connected(broker_address(open_mosquitto.url())) as (connection, _):
        assert connection._version is MQTTProtocolVersion.MQTTv5  # noqa: SLF001


async def test_nobody_there_is_tried_again_until_somebody_is():
    broker = Mosquitto()
    async with connected(broker_address(broker.url()), is_up=False) as (connection, listener):
        await asyncio.sleep(0)
        broker.start()
        await eventually_async(lambda: connection.is_up)

        assert listener.refusals == []
    broker.remove()


@pytest.mark.parametrize("ways", [(), (Way.DOWN,)])
async def test_a_half_open_connection_is_noticed(open_mosquitto, ways, monkeypatch):
    """N02 and N03, ten times as fast as on the wall."""
    monkeypatch.setattr("station_agent.mqtt._MIN_KEEPALIVE_S", 1)
    clock = FastClock(10, datetime.now(UTC))
    async with ChaosProxy(open_mosquitto.port) as proxy:
        address = broker_address(f"mqtt://127.0.0.1:{proxy.port}")
        async with connected(address, clock=clock) as (_, listener):
            proxy.half_open(*ways)
            await eventually_async(lambda: "disconnected" in listener.events, 20)
            proxy.mend()
            await eventually_async(lambda: listener.events[-1] == "connected", 20)


async def test_answers_that_are_no_mqtt_at_all_are_survived():
    """N06: a captive portal answers everything with a page."""
    pages = []

    async def portal(reader, writer):
        pages.append(await reader.read(100))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n<html>please pay</html>")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(portal, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        address = broker_address(f"mqtt://127.0.0.1:{port}")
        async with connected(address, is_up=False) as (connection, listener):
            await eventually_async(lambda: len(pages) >= 3, 20)

            assert not connection.is_up
            assert listener.events == []


@pytest.fixture(scope="module")
def authority():
    return trustme.CA()


@pytest.fixture
def tls_broker(authority, tmp_path):
    certificate = authority.issue_cert("127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    key.write_bytes(certificate.private_key_pem.bytes())
    broker = Mosquitto(extra=f"certfile {chain}\nkeyfile {key}").start()
    yield broker
    broker.remove()


def tls_address(broker, folder: Path, authority):
    trusted = folder / "ca.pem"
    trusted.write_bytes(authority.cert_pem.bytes())
    address = broker_address(f"mqtts://127.0.0.1:{broker.port}")
    return type(address)(address.host, address.port, is_tls=True, ca_file=trusted)


async def test_under_tls_large_messages_pass_whole(tls_broker, authority, tmp_path):
    address = tls_address(tls_broker, tmp_path, authority)
    big = b"x" * 200_000
    async with connected(address, topics=["sensors/echo"]) as (connection, listener):
        for _ in range(5):
            assert connection.publish("sensors/echo", big)
        await eventually_async(lambda: len(listener.messages) == 5)

        assert {payload for _, payload, _ in listener.messages} == {big}


async def test_a_broker_whose_certificate_we_do_not_trust_gets_nothing(tls_broker, tmp_path):
    """N07."""
    address = tls_address(tls_broker, tmp_path, trustme.CA())
    async with connected(address, is_up=False) as (connection, listener):
        await eventually_async(lambda: listener.refusals)

        assert ssl.SSLCertVerificationError.__name__ in listener.refusals[0]
        assert not connection.is_up


@pytest.mark.parametrize(
    ("failures", "longest_s"), [(0, 1), (1, 1), (2, 2), (3, 4), (9, 10), (10_000, 10)]
)
def test_attempts_are_spread_and_never_more_than_ten_seconds_apart(failures, longest_s):
    delays = [backoff_s(failures) for _ in range(200)]

    assert longest_s / 2 <= min(delays) < max(delays) <= longest_s
