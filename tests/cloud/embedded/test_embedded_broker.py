"""The embedded broker keeps the same promises whichever program it runs.

One suite for Mosquitto and for aedes: what the agent's uplink and the cloud's ingest build on.
"""

import os
import signal
import subprocess

import psutil
import pytest

from cloud.embedded.broker import BrokerConfig, BrokerUnavailable, EmbeddedBroker
from tests.support.brokers import acl_text
from tests.support.mqtt import MqttProbe, Refused
from tests.support.passwords import write_passwords
from tests.support.ports import LOOPBACK, free_port, is_listening
from tests.support.processes import PYTHON, Program, program_path
from tests.support.waiting import eventually

pytestmark = pytest.mark.real

USERS = {"cloud": "cloud-key", "sensors": "sensors-key", "station-a": "key-a", "station-b": "key-b"}


@pytest.fixture(params=["mosquitto", "aedes"])
def broker(request, tmp_path):
    with EmbeddedBroker(a_config(tmp_path, kind=request.param)) as one:
        yield one


def a_config(folder, **changes):
    write_passwords(folder / "passwords", USERS)
    (folder / "acl").write_text(acl_text())
    values = {
        "data_dir": folder,
        "passwords": folder / "passwords",
        "acl": folder / "acl",
        "port": 0,
    }
    return BrokerConfig(**values | changes)


def a_client(broker, user, client_id=None, **more):
    return MqttProbe(broker.port, client_id or user, login=(user, USERS[user]), **more)


def test_messages_of_one_sender_arrive_complete_and_in_order(broker):
    with a_client(broker, "cloud") as cloud, a_client(broker, "station-a") as station:
        cloud.subscribe("baywatt/1/+/events")
        sent = [str(number).encode() for number in range(2_000)]
        for payload in sent[:-1]:
            station.publish("baywatt/1/station-a/events", payload, qos=0)
        station.publish("baywatt/1/station-a/events", sent[-1])
        eventually(lambda: len(cloud.received) >= len(sent))

        assert cloud.payloads() == sent


def test_a_message_of_a_quarter_megabyte_passes_whole(broker):
    with a_client(broker, "cloud") as cloud, a_client(broker, "station-a") as station:
        cloud.subscribe("baywatt/1/+/events")
        payload = os.urandom(256 * 1024)
        station.publish("baywatt/1/station-a/events", payload)
        eventually(lambda: cloud.received)

        assert cloud.payloads() == [payload]


def test_a_second_login_with_the_same_client_id_takes_over(broker):
    old = a_client(broker, "station-a").connect()
    with a_client(broker, "station-a") as new, a_client(broker, "cloud") as cloud:
        eventually(lambda: old.disconnections == 1)
        old.close()
        cloud.subscribe("baywatt/1/+/link")
        new.publish("baywatt/1/station-a/link", b"new")
        eventually(lambda: cloud.received)

        assert cloud.payloads() == [b"new"]
        assert new.disconnections == 0


def test_the_last_will_of_a_torn_connection_is_told_and_retained(broker):
    will = ("baywatt/1/station-a/link", b"offline")
    with a_client(broker, "cloud") as cloud:
        cloud.subscribe("baywatt/1/+/link")
        station = a_client(broker, "station-a", will=will).connect()
        station.publish(will[0], b"online", retain=True)
        station.tear()
        eventually(lambda: cloud.payloads() == [b"online", b"offline"])

    with a_client(broker, "cloud") as late:
        late.subscribe("baywatt/1/+/link")
        eventually(lambda: late.payloads() == [b"offline"])

        assert late.received[0].retain


def test_the_last_will_of_a_silent_client_is_told_after_its_keepalive(broker):
    will = ("baywatt/1/station-a/link", b"offline")
    with a_client(broker, "cloud") as cloud:
        cloud.subscribe("baywatt/1/+/link")
        mute = Program("mute", [PYTHON, "-c", MUTE, str(broker.port), USERS["station-a"]])
        with mute.start(lambda: "in" in mute.log_text()):
            mute.freeze()
            eventually(lambda: cloud.payloads() == [will[1]])


MUTE = """
import sys, threading
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
client = Client(CallbackAPIVersion.VERSION2, "station-a")
client.username_pw_set("station-a", sys.argv[2])
client.will_set("baywatt/1/station-a/link", b"offline", 1, True)
client.on_connect = lambda *_: print("in", flush=True)
client.connect("127.0.0.1", int(sys.argv[1]), keepalive=2)
client.loop_forever()
"""


def test_a_goodbye_is_no_last_will(broker):
    with a_client(broker, "cloud") as cloud:
        cloud.subscribe("baywatt/1/+/link")
        with a_client(broker, "station-a", will=("baywatt/1/station-a/link", b"offline")):
            pass
        with a_client(broker, "station-b") as other:
            other.publish("baywatt/1/station-b/link", b"mark")
        eventually(lambda: cloud.received)

        assert cloud.payloads() == [b"mark"]


def test_retained_messages_reach_later_subscribers_and_are_cleared_by_an_empty_one(broker):
    topic = "baywatt/1/station-a/plan"
    with a_client(broker, "cloud") as cloud:
        cloud.publish(topic, b"first", retain=True)
        cloud.publish(topic, b"second", retain=True)
        with a_client(broker, "station-a") as station:
            station.subscribe(topic)
            eventually(lambda: station.payloads() == [b"second"])
        cloud.publish(topic, b"", retain=True)
        with a_client(broker, "station-a") as station:
            station.subscribe(topic)
            cloud.publish(topic, b"live")
            eventually(lambda: station.received)

            assert station.payloads() == [b"live"]


REFUSED = [
    ("station-a", "baywatt/1/station-b/events"),
    ("station-a", "baywatt/1/station-b/link"),
    ("station-a", "baywatt/1/station-a/plan"),
    ("station-a", "baywatt/1/station-a/acks"),
    ("station-a", "baywatt/1/availability/station-a"),
    ("station-a", "baywatt/1/changes/station-a"),
    ("station-a", "zigbee2mqtt/bay-1"),
    ("sensors", "baywatt/1/station-a/events"),
    ("sensors", "baywatt/1/station-a/commands"),
    ("station-a", "elsewhere"),
]


@pytest.mark.parametrize("retain", [False, True])
def test_what_a_user_may_not_write_reaches_nobody(broker, retain):
    with a_client(broker, "cloud") as cloud, a_client(broker, "station-b") as other:
        for probe in (cloud, other):
            for topic in ("baywatt/1/#", "zigbee2mqtt/#", "elsewhere", "#"):
                probe.subscribe(topic)
        for user, topic in REFUSED:
            with a_client(broker, user) as client:
                client.publish(topic, b"forged", retain=retain)
        with a_client(broker, "station-a") as station:
            station.publish("baywatt/1/station-a/events", b"mark")
        eventually(lambda: b"mark" in cloud.payloads())

        assert b"forged" not in cloud.payloads() + other.payloads()


def test_a_refused_last_will_reaches_nobody(broker):
    with a_client(broker, "cloud") as cloud:
        cloud.subscribe("baywatt/1/#")
        forged = ("baywatt/1/station-b/link", b"forged")
        a_client(broker, "station-a", will=forged).connect().tear()
        with a_client(broker, "station-b") as other:
            other.publish("baywatt/1/station-b/events", b"mark")
        eventually(lambda: b"mark" in cloud.payloads())

        assert b"forged" not in cloud.payloads()


def test_a_station_hears_its_own_topics_and_the_sensors_only_even_by_wildcard(broker):
    with a_client(broker, "station-a") as station, a_client(broker, "cloud") as cloud:
        for topic in ("#", "baywatt/1/+/plan", "baywatt/1/station-b/commands", "$SYS/#"):
            station.subscribe(topic)
        for topic in ("plan", "commands", "acks"):
            cloud.publish(f"baywatt/1/station-b/{topic}", b"foreign")
        cloud.publish("baywatt/1/changes/station-a", b"foreign")
        with a_client(broker, "sensors") as sensors:
            sensors.publish("zigbee2mqtt/bay-1", b"reading")
        cloud.publish("baywatt/1/station-a/plan", b"plan")
        eventually(lambda: b"plan" in station.payloads())

        assert set(station.payloads()) == {b"reading", b"plan"}


@pytest.mark.parametrize(
    "login",
    [None, ("station-a", "wrong"), ("station-a", ""), ("nobody", "key-a"), ("station-b", "key-a")],
)
def test_who_has_no_key_is_refused(broker, login):
    with pytest.raises(Refused):
        MqttProbe(broker.port, "station-a", login=login).connect()


def test_clients_reconnect_after_a_crash_of_the_broker(broker):
    first = broker.pid
    with a_client(broker, "cloud") as cloud:
        os.kill(first, signal.SIGKILL)
        eventually(lambda: cloud.connections == 2)
        cloud.subscribe("baywatt/1/+/events")
        with a_client(broker, "station-a") as station:
            station.publish("baywatt/1/station-a/events", b"again")
        eventually(lambda: cloud.payloads() == [b"again"])

        assert broker.pid != first


def test_a_reload_admits_new_users_and_throws_out_those_whose_key_changed(broker, tmp_path):
    with a_client(broker, "station-a") as changed, a_client(broker, "station-b") as kept:
        write_passwords(tmp_path / "passwords", USERS | {"station-a": "new", "station-c": "key-c"})
        broker.reload()
        eventually(lambda: changed.disconnections)

        with MqttProbe(broker.port, "station-c", login=("station-c", "key-c")) as new:
            assert new.connections == 1
        with pytest.raises(Refused):
            MqttProbe(broker.port, "station-a", login=("station-a", "key-a")).connect()
        assert kept.disconnections == 0


def test_the_broker_listens_on_loopback_only(broker):
    listening = [
        one.laddr.ip
        for one in psutil.net_connections("tcp")
        if one.status == psutil.CONN_LISTEN and one.laddr.port == broker.port
    ]

    assert listening == [LOOPBACK]


def test_stop_ends_the_broker(broker):
    pid = broker.pid
    broker.stop()

    assert not psutil.pid_exists(pid)
    assert not is_listening(broker.port)


@pytest.mark.parametrize("kind", ["mosquitto", "aedes"])
def test_the_broker_dies_with_who_started_it(tmp_path, kind):
    config = a_config(tmp_path, kind=kind, port=free_port())
    parent = Program("parent", [PYTHON, "-c", PARENT, kind, str(tmp_path), str(config.port)])
    parent.start(lambda: is_listening(config.port))
    parent.kill()

    eventually(lambda: not is_listening(config.port))


PARENT = """
import sys, threading
from pathlib import Path
from cloud.embedded.broker import BrokerConfig, EmbeddedBroker
kind, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
EmbeddedBroker(BrokerConfig(data_dir=folder, passwords=folder / "passwords",
    acl=folder / "acl", port=port, kind=kind)).start()
threading.Event().wait()
"""


@pytest.mark.parametrize("kind", ["mosquitto", "aedes"])
def test_a_busy_port_is_refused_with_the_setting_to_change(tmp_path, kind):
    with EmbeddedBroker(a_config(tmp_path, kind=kind)) as first:
        second = EmbeddedBroker(a_config(tmp_path, kind=kind, port=first.port))

        with pytest.raises(BrokerUnavailable, match="CLOUD_EMBEDDED_BROKER_PORT"):
            second.start()


def test_a_broken_file_is_told_with_the_brokers_own_words(tmp_path):
    config = a_config(tmp_path, kind="aedes", acl=tmp_path / "no-such-file")

    with pytest.raises(BrokerUnavailable, match="no-such-file"):
        EmbeddedBroker(config).start()


def test_aedes_refuses_a_client_id_that_belongs_to_another_station(tmp_path):
    with EmbeddedBroker(a_config(tmp_path, kind="aedes")) as broker:
        with a_client(broker, "station-a"), a_client(broker, "station-a", "station-a.sensors"):
            pass
        for foreign in ("station-b", "station-a-2", "anything"):
            with pytest.raises(Refused):
                a_client(broker, "station-a", foreign).connect()


def test_without_mosquitto_and_node_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr("cloud.embedded.broker._find", lambda _: None)
    monkeypatch.setattr("cloud.embedded.broker._node_of_the_wheel", lambda: None)

    with pytest.raises(BrokerUnavailable, match=r"install mosquitto, or Node\.js"):
        EmbeddedBroker(a_config(tmp_path))


@pytest.mark.parametrize("kind", ["mosquitto", "aedes"])
def test_the_passwords_may_be_those_mosquitto_passwd_writes(tmp_path, kind):
    config = a_config(tmp_path, kind=kind)
    config.passwords.write_text("station-a:key-a\n")
    subprocess.run([program_path("mosquitto_passwd"), "-U", config.passwords], check=True)

    with EmbeddedBroker(config) as broker, a_client(broker, "station-a") as station:
        assert station.connections == 1
