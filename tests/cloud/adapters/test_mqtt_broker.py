"""The cloud's connection to its broker: heard, shared, and up again after everything."""

import threading

import pytest

from cloud.adapters.mqtt import MqttBroker, Subscription, broker_address
from contracts import topics
from tests.support.brokers import CLOUD
from tests.support.waiting import eventually

pytestmark = pytest.mark.real


class Heard:
    """What a connection heard."""

    def __init__(self):
        self.messages = []
        self.connections = 0

    def take(self, topic, payload):
        self.messages.append((topic, payload))

    def connected(self):
        self.connections += 1


@pytest.fixture
def cloud(broker):
    broker.add_station("here", "here-key")
    heard = Heard()
    made = MqttBroker(
        broker_address(broker.url(CLOUD)),
        "cloud-test",
        subscriptions=[Subscription(topics.every(topics.Channel.EVENTS), topics.INGEST_GROUP)],
        on_message=heard.take,
        on_connected=heard.connected,
    )
    made.heard = heard
    made.start()
    eventually(lambda: made.is_connected)
    yield made
    made.stop()


def test_what_stations_say_is_heard_and_what_we_say_is_too(broker, cloud):
    with broker.client("here") as station:
        station.subscribe(topics.acks("here"))
        eventually(lambda: station.publish(topics.events("here"), b"hello") or cloud.heard.messages)
        eventually(lambda: cloud.publish(topics.acks("here"), b"heard", False) or station.received)

    assert cloud.heard.messages[0] == (topics.events("here"), b"hello")
    assert station.received[0].payload == b"heard"


def test_what_is_retained_is_there_for_who_comes_later(broker, cloud):
    cloud.publish(topics.plan("here"), b"plan", True)
    with broker.client("here") as station:
        station.subscribe(topics.plan("here"))
        eventually(lambda: station.received)

    assert station.received[0].payload == b"plan"


def test_a_broker_that_crashes_is_connected_to_again_and_heard_again(broker, cloud):
    broker.kill()
    eventually(lambda: cloud.heard.connections >= 2)
    with broker.client("here") as station:
        eventually(lambda: station.publish(topics.events("here"), b"again") or cloud.heard.messages)

    assert cloud.heard.messages[0][1] == b"again"


def test_it_stops_at_once_connected_or_not(broker, cloud):
    lost = MqttBroker(broker_address("mqtt://127.0.0.1:1"), "nobody")
    lost.start()
    lost.stop()
    cloud.stop()

    assert not any(thread.name.startswith("mqtt ") for thread in threading.enumerate())
    cloud.publish(topics.acks("here"), b"nobody hears", False)


def test_a_wrong_password_is_tried_again_with_patience(broker):
    url = broker.url(CLOUD).replace("cloud-key", "wrong")
    stranger = MqttBroker(broker_address(url), "stranger")
    stranger.start()
    gate = threading.Event()
    gate.wait(1)
    is_in = stranger.is_connected
    stranger.stop()

    assert not is_in
