"""The agent as a process, a real broker, and a cloud in a few lines: started, stopped and killed."""

import asyncio
import json
import signal
import socket

import pytest

from contracts import topics
from contracts.batch import Ack, AuthorizeAnswer, decode_batch
from contracts.commands import Command, ResetCharger
from contracts.events import AgentStarted, BayOccupancyChanged, CommandAnswered, CommandOutcome
from contracts.link import LinkStatus, decode_link
from contracts.wire import encode
from tests.support.mosquitto import Mosquitto
from tests.support.mqtt import MqttProbe
from tests.support.ports import free_port
from tests.support.processes import our_program
from tests.support.waiting import eventually

pytestmark = pytest.mark.real

STATION = "dundee"
STATION_FILE = """\
station: dundee
bays:
  - id: dundee-1
    charger: DD-1
    evse: 1
    sensors: [{id: gm-1, vendor: plain, topic: sensors/gm-1, silent_after_s: 3600}]
"""


class Cloud:
    """Keeps the cursor, answers every batch; `is_answering` False: it hears and says nothing."""

    def __init__(self, port):
        self.probe = MqttProbe(port, "cloud")
        self.epoch = self.cursor = 0
        self.facts = []
        self.heard = []
        self.subscriptions = 0
        self.links = []
        self.is_answering = True

    def __enter__(self):
        self.probe._client.on_message = self._take  # noqa: SLF001
        self.probe.connect()
        self.probe._client.on_connect = self._subscribe  # noqa: SLF001
        self.probe.subscribe(topics.events(STATION))
        self.probe.subscribe(topics.link(STATION))
        return self

    def __exit__(self, *_):
        self.probe.close()

    def _subscribe(self, *_):
        self.subscriptions += 1
        for topic in (topics.events(STATION), topics.link(STATION)):
            self.probe._client.subscribe(topic, 1)  # noqa: SLF001

    def _take(self, client, _data, message):
        if message.topic == topics.link(STATION):
            self.links.append(decode_link(message.payload).status)
            return
        batch = decode_batch(message.payload)
        self.heard += batch.events
        if not self.is_answering:
            return
        if batch.epoch > self.epoch:
            self.epoch, self.cursor = batch.epoch, 0
        if batch.first_seq <= self.cursor + 1:
            new = batch.events[self.cursor + 1 - batch.first_seq :]
            self.facts += new
            self.cursor += len(new)
        ack = Ack(station=STATION, epoch=self.epoch, committed_seq=self.cursor)
        client.publish(topics.acks(STATION), encode(ack), 0)
        for ask in batch.asks:
            answer = AuthorizeAnswer(station=STATION, ask_id=ask.ask_id, is_accepted=True)
            client.publish(topics.acks(STATION), encode(answer), 0)

    def changes_heard(self):
        """How many different changes came, acknowledged or not, however often."""
        changes = (fact for fact in self.heard if isinstance(fact, BayOccupancyChanged))
        return len({fact.observed_at for fact in changes})

    def occupancies(self):
        return [fact.is_occupied for fact in self.facts if isinstance(fact, BayOccupancyChanged)]


class Site:
    """An agent, its sensor, its broker and its cloud. Its clock is fast, so that debounce is short."""

    def __init__(self, broker, folder, speed=60):
        self.broker = broker
        file = folder / "station.yaml"
        file.write_text(STATION_FILE)
        self.agent = our_program(
            "station_agent",
            "run",
            env={
                "AGENT_STATION_FILE": str(file),
                "AGENT_DATA_DIR": str(folder / "data"),
                "AGENT_BROKER_URL": broker.url(),
                "AGENT_OCPP_HOST": "127.0.0.1",
                "AGENT_OCPP_PORT": "0",
                "AGENT_CLOCK": f"fast:{speed}:2026-11-22T12:00:00Z",
                "AGENT_LOG_FORMAT": "json",
            },
            log_dir=folder,
        )
        self.sensor = MqttProbe(broker.port, "sensor")

    def say(self, is_occupied):
        payload = json.dumps({"occupied": is_occupied}).encode()
        self.sensor._client.publish("sensors/gm-1", payload, 0)  # noqa: SLF001

    def start(self):
        ready = self.agent.log_text().count("agent.ready")
        self.agent.start(lambda: self.agent.log_text().count("agent.ready") > ready)

    def __enter__(self):
        self.sensor.connect()
        self.start()
        return self

    def __exit__(self, *_):
        self.sensor.close()
        self.agent.stop()


@pytest.fixture
def fresh_broker():
    made = Mosquitto().start()
    yield made
    made.remove()


def test_every_change_of_a_sensor_is_at_the_cloud(fresh_broker, tmp_path):
    with Cloud(fresh_broker.port) as cloud, Site(fresh_broker, tmp_path) as site:
        eventually(lambda: cloud.facts)
        for number in range(30):
            count = len(cloud.facts)
            site.say(number % 2 == 0)
            eventually(lambda count=count: len(cloud.facts) > count)

        assert cloud.occupancies() == [number % 2 == 0 for number in range(30)]


def test_it_says_hello_and_goodbye_and_leaves_nothing_behind(fresh_broker, tmp_path):
    with Cloud(fresh_broker.port) as cloud, Site(fresh_broker, tmp_path) as site:
        eventually(lambda: cloud.links == [LinkStatus.ONLINE])
        code = site.agent.stop()

        assert code == 0
        eventually(lambda: cloud.links == [LinkStatus.ONLINE, LinkStatus.OFFLINE])
        assert "Traceback" not in site.agent.log_text()


def test_killed_again_and_again_it_loses_nothing_and_tells_nothing_twice(fresh_broker, tmp_path):
    """F01, F04."""
    said = []
    with Cloud(fresh_broker.port) as cloud, Site(fresh_broker, tmp_path) as site:
        for kill in range(4):
            eventually(lambda k=kill: len(cloud.facts) == len(said) + k + 1, 15)
            cloud.is_answering = kill % 2 == 0
            for _ in range(4):
                is_occupied = not (said and said[-1])
                site.say(is_occupied)
                said.append(is_occupied)
                eventually(lambda: cloud.changes_heard() == len(said), 15)
            site.agent.kill()
            cloud.is_answering = True
            site.start()
        eventually(lambda: len(cloud.facts) == len(said) + 5, 15)
        starts = [fact for fact in cloud.facts if isinstance(fact, AgentStarted)]

        assert cloud.occupancies() == said
        assert len(starts) == 5


def test_a_killed_broker_loses_nothing(fresh_broker, tmp_path):
    """F05, F06."""
    with Cloud(fresh_broker.port) as cloud, Site(fresh_broker, tmp_path) as site:
        eventually(lambda: cloud.facts)
        for number in range(6):
            site.say(number % 2 == 0)
            eventually(lambda n=number: len(cloud.occupancies()) == n + 1, 15)
            if number % 2:
                fresh_broker.kill()
                fresh_broker.start()
                restarts = number // 2 + 1
                eventually(lambda n=restarts: site.sensor.connections > n, 15)
                eventually(lambda n=restarts: cloud.subscriptions == n, 15)
                eventually(lambda n=restarts: connections_of(site) == 2 + 2 * n, 15)
                assert cloud.links[-1] is LinkStatus.ONLINE

        assert cloud.occupancies() == [True, False] * 3


def connections_of(site):
    """How often the agent's two connections were made."""
    return site.agent.log_text().count("mqtt.connected")


def test_a_command_is_answered_once_though_it_comes_twice(fresh_broker, tmp_path):
    with Cloud(fresh_broker.port) as cloud, Site(fresh_broker, tmp_path, speed=1) as site:
        eventually(lambda: cloud.facts)
        now = cloud.facts[0].observed_at
        command = encode(
            Command(
                station=STATION,
                id="c1",
                issued_at=now,
                expires_at=now.replace(year=now.year + 1),
                request=ResetCharger(charger_id="DD-1"),
            )
        )
        for _ in range(2):
            cloud.probe.publish(topics.commands(STATION), command)
        eventually(lambda: any(isinstance(fact, CommandAnswered) for fact in cloud.facts))
        site.say(True)
        eventually(cloud.occupancies)
        answers = [fact for fact in cloud.facts if isinstance(fact, CommandAnswered)]

        assert [fact.outcome for fact in answers] == [CommandOutcome.CHARGER_OFFLINE]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "AGENT_DATA_DIR: "),
        ({"AGENT_BROKER_URL": "localhost"}, "AGENT_BROKER_URL: a broker's address is mqtt://"),
        ({"AGENT_OCPP_PORT": "{port}"}, "chargers cannot be served on 127.0.0.1:{port}: "),
        ({"AGENT_STATION_FILE": "/nowhere.yaml"}, "/nowhere.yaml: No such file or directory"),
    ],
)
def test_what_a_person_must_mend_is_said_in_a_line(fresh_broker, tmp_path, wrong, said):
    port = str(fresh_broker.port)
    with Site(fresh_broker, tmp_path) as site:
        mine = {"AGENT_DATA_DIR": str(tmp_path / "other")} if wrong else {}
        env = site.agent.env | mine | {k: v.format(port=port) for k, v in wrong.items()}
        with our_program("station_agent", "run", env=env, name="second") as second:
            second.start()

            assert second.wait_for_end(30) == 2
            assert said.format(port=port) in second.log_text()
            assert "Traceback" not in second.log_text()


def test_systemd_is_told_when_it_is_ready_alive_and_stopping(fresh_broker, tmp_path):
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(address)
        notify.settimeout(20)
        site = Site(fresh_broker, tmp_path)
        site.agent.env |= {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "200000"}
        with site:
            told = {notify.recv(100) for _ in range(4)}
            site.agent.send_signal(signal.SIGTERM)
            while b"STOPPING=1" not in told:
                told.add(notify.recv(100))

    assert told == {b"READY=1", b"WATCHDOG=1", b"STOPPING=1"}


def test_metrics_are_on_loopback(fresh_broker, tmp_path):
    port = free_port()
    site = Site(fresh_broker, tmp_path)
    site.agent.env |= {"AGENT_METRICS_PORT": str(port)}
    with site:
        page = asyncio.run(fetch(port))

    for name in (
        "baywatt_agent_outbox_depth",
        "baywatt_agent_disk_short 0.0",
        "baywatt_agent_cloud_on",
    ):
        assert name in page


async def fetch(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
    page = await reader.read()
    writer.close()
    await writer.wait_closed()
    return page.decode()
