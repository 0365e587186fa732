"""The production broker's configuration starts a real Mosquitto, and keeps stations apart."""

import pytest

from tests.support.brokers import CLOUD, acl_text
from tests.support.mqtt import MqttProbe, Refused
from tests.support.passwords import write_passwords
from tests.support.ports import free_port, is_listening
from tests.support.processes import ROOT, Program
from tests.support.waiting import eventually

pytestmark = pytest.mark.real

FOLDER = ROOT / "deploy" / "mosquitto"
KEYS = {CLOUD: "cloud-key", "sensors": "sensors-key", "station-a": "key-a", "station-b": "key-b"}


class Production:
    """deploy/mosquitto on free ports of loopback, with its users in a folder of the test."""

    def __init__(self, folder):
        self.stations, self.house = free_port(), free_port()
        self.passwords = folder / "passwords"
        write_passwords(self.passwords, KEYS)
        (folder / "acl").write_text(acl_text())
        text = (FOLDER / "mosquitto.conf").read_text()
        for port, free in ((1883, self.stations), (1884, self.house)):
            assert f"\nlistener {port}\n" in text
            text = text.replace(f"\nlistener {port}\n", f"\nlistener {free} 127.0.0.1\n")
        text = text.replace("/mosquitto/users/", f"{folder}/") + "user root\n"
        (folder / "mosquitto.conf").write_text(text)
        script = (FOLDER / "run.sh").read_text().replace("/mosquitto/users/", f"{folder}/")
        (folder / "run.sh").write_text(script)
        command = ["sh", folder / "run.sh", folder / "mosquitto.conf"]
        self.program = Program("mosquitto", command, log_dir=folder)

    def start(self):
        self.program.start(lambda: is_listening(self.stations) and is_listening(self.house))


@pytest.fixture
def production(tmp_path):
    made = Production(tmp_path)
    with made.program:
        made.start()
        yield made


def login(user):
    return (user, KEYS[user])


def test_a_station_cannot_throw_another_one_off(production):
    with MqttProbe(production.stations, "station-a", login=login("station-a")) as victim:
        intruder = MqttProbe(production.stations, "station-a", login=login("station-b"))
        with intruder, MqttProbe(production.house, "c", login=login(CLOUD)) as cloud:
            cloud.subscribe("baywatt/1/+/events")
            victim.publish("baywatt/1/station-a/events", b"still here")
            intruder.publish("baywatt/1/station-b/events", b"as itself")
            eventually(lambda: len(cloud.received) >= 2)

            assert sorted(cloud.payloads()) == [b"as itself", b"still here"]
            assert victim.disconnections == 0


def test_the_clouds_processes_log_in_side_by_side(production):
    with (
        MqttProbe(production.house, "ingest", login=login(CLOUD)) as ingest,
        MqttProbe(production.house, "web", login=login(CLOUD)) as web,
    ):
        web.subscribe("baywatt/1/changes/+")
        ingest.publish("baywatt/1/changes/station-a", b"change")
        eventually(lambda: web.payloads() == [b"change"])

        assert (ingest.disconnections, web.disconnections) == (0, 0)


def test_nobody_comes_in_without_a_key(production):
    for port in (production.stations, production.house):
        with pytest.raises(Refused):
            MqttProbe(port, "station-a").connect()


def test_new_users_are_let_in_as_soon_as_the_file_changes(production):
    write_passwords(production.passwords, KEYS | {"station-c": "key-c"})

    def logs_in():
        with MqttProbe(production.stations, "station-c", login=("station-c", "key-c")) as probe:
            return probe.connections == 1

    assert eventually(logs_in)


def test_stopping_the_script_stops_the_broker(production):
    production.program.stop()

    eventually(lambda: not is_listening(production.stations))
