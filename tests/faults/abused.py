"""An agent under abuse: its chargers, its memory, and another charger that must not notice."""

import itertools
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any, Final

import psutil

from contracts import topics
from contracts.batch import Ack, decode_batch
from contracts.commands import CallCharger, Command
from contracts.events import CommandAnswered
from contracts.keys import hash_key, new_salt
from contracts.plan import ChargerCredential, Plan, Registration
from contracts.topics import Channel
from contracts.wire import encode
from tests.integration.cloudlike import AGENT_KEY, CHARGER_KEY, STATION
from tests.support.brokers import CLOUD, SENSORS, Broker
from tests.support.mqtt import MqttProbe
from tests.support.ports import LOOPBACK, free_port, is_listening
from tests.support.processes import Program, our_program
from tests.support.raw_ocpp import RawCharger
from tests.support.waiting import eventually, eventually_async

MB: Final = 1_000_000
_CHARGERS: Final = 60
_SENSOR: Final = "sensors/s-1"


class Cloud:
    """The cloud's end of the wire: takes all facts in their order, and acknowledges them."""

    def __init__(self, probe: MqttProbe) -> None:
        self._probe = probe
        self._read = self._version = self._committed = 0
        self._facts: dict[int, Any] = {}
        probe.subscribe(topics.every(Channel.EVENTS))

    def facts(self) -> list[Any]:
        """Return all that was told, oldest first."""
        came = self._probe.received[self._read :]
        self._read += len(came)
        for batch in (decode_batch(one.payload) for one in came):
            self._facts |= dict(enumerate(batch.events, batch.first_seq))
            while self._committed + 1 in self._facts:
                self._committed += 1
            # never less than before, though batches come again: less means that we forgot
            ack = Ack(station=STATION, epoch=batch.epoch, committed_seq=self._committed)
            self._probe.publish(topics.acks(STATION), encode(ack), qos=0)
        return list(self._facts.values())

    def plan(self, registrations: Mapping[str, Registration]) -> None:
        """Give the station its standing orders: how each charger is to be taken in."""
        salt, self._version = new_salt(), self._version + 1
        key_hash = hash_key(salt, CHARGER_KEY)
        chargers = [
            ChargerCredential(
                charger_id=charger_id, salt=salt, key_hash=key_hash, registration=registration
            )
            for charger_id, registration in registrations.items()
        ]
        now = datetime.now(UTC)
        plan = Plan(station=STATION, version=self._version, issued_at=now, chargers=chargers)
        self._probe.publish(topics.plan(STATION), encode(plan), retain=True)

    def command(self, command_id: str, request: CallCharger, within_s: float) -> None:
        """Send a command."""
        now = datetime.now(UTC)
        command = Command(
            station=STATION,
            id=command_id,
            issued_at=now,
            expires_at=now + timedelta(seconds=within_s),
            request=request,
        )
        self._probe.publish(topics.commands(STATION), encode(command))


@dataclass
class Abused:
    """A running agent; each test takes chargers nobody had before."""

    broker: Broker
    cloud: Cloud
    agent: Program
    charger_ids: list[str]
    _free: Iterator[str] = field(init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        """Nobody is taken yet."""
        self._free = itertools.cycle(self.charger_ids)

    def charger(
        self, *offers: str, charger_id: str = "", is_compressed: bool = False
    ) -> RawCharger:
        """Return a charger, not yet connected: the next one, or the one named."""
        charger_id = charger_id or next(self._free)
        port = int(self.agent.env["AGENT_OCPP_PORT"])
        return RawCharger(port, charger_id, CHARGER_KEY, *offers, is_compressed=is_compressed)

    def register(self, charger_id: str, registration: Registration) -> None:
        """Say how one charger's next BootNotification is to be answered."""
        all_of_them = dict.fromkeys(self.charger_ids, Registration.ACCEPTED)
        self.cloud.plan(all_of_them | {charger_id: registration})

    def memory_bytes(self) -> int:
        """Return what the agent holds of the machine's memory."""
        return psutil.Process(self.agent.pid).memory_info().rss

    def errors(self) -> list[str]:
        """Return what the agent logged as an error, and tracebacks."""
        lines = self.agent.log_text().splitlines()
        return [line for line in lines if "[error" in line or line.startswith("Traceback")]

    def facts(self, kind: type, charger_id: str) -> list[Any]:
        """Return what the cloud was told of a charger of a kind, oldest first."""
        return [
            one
            for one in self.cloud.facts()
            if type(one) is kind and getattr(one, "charger_id", "") == charger_id
        ]

    def ask(self, charger_id: str, action: str, payload: dict[str, Any], within_s: float) -> str:
        """Have a charger called; returns the command's id."""
        command_id = f"abuse-{next(self._numbers)}"
        request = CallCharger(charger_id=charger_id, action=action, payload=payload)
        self.cloud.command(command_id, request, within_s)
        return command_id

    async def answer_to(self, command_id: str) -> CommandAnswered:
        """Wait until a command ended."""

        def found() -> list[CommandAnswered]:
            told = [one for one in self.cloud.facts() if type(one) is CommandAnswered]
            return [one for one in told if one.command_id == command_id]

        return (await eventually_async(found, 15, f"the end of {command_id}"))[0]


@contextmanager
def an_abused_agent(folder: Path) -> Iterator[Abused]:
    """Run an agent with many chargers and one sensor, and play its cloud."""
    broker = Broker("mosquitto", folder / "broker").start()
    broker.add_station(STATION, AGENT_KEY)
    charger_ids = [f"ABUSED-{number:02d}" for number in range(1, _CHARGERS + 1)]
    agent = _agent(broker, folder, charger_ids)
    try:
        with broker.client(CLOUD, "played-cloud") as probe:
            cloud = Cloud(probe)
            cloud.plan(dict.fromkeys(charger_ids, Registration.ACCEPTED))
            port = int(agent.env["AGENT_OCPP_PORT"])
            agent.start(lambda: is_listening(port))
            eventually((folder / "data" / "plan.json").exists, what="the plan on disk")
            yield Abused(broker, cloud, agent, charger_ids)
    finally:
        agent.stop()
        broker.stop()


async def latencies_s(charger: RawCharger, count: int = 60) -> list[float]:
    """Return how long the answers to heartbeats take, one after another."""
    taken = []
    for number in range(count):
        began = time.perf_counter()
        await charger.call("Heartbeat", {}, f"beat-{number}")
        taken.append(time.perf_counter() - began)
    return taken


def p99(values: list[float]) -> float:
    """Return the 99th percentile."""
    return quantiles(values, n=100, method="inclusive")[98]


def _agent(broker: Broker, folder: Path, charger_ids: list[str]) -> Program:
    file = folder / "station.yaml"
    chargers = "".join(f"  - id: {one}\n" for one in charger_ids)
    bay = (
        f"  - id: {STATION}-1\n    charger: {charger_ids[0]}\n    evse: 1\n    sensors:\n"
        f"      - id: s-1\n        vendor: plain\n        topic: {_SENSOR}\n"
    )
    file.write_text(f"station: {STATION}\nchargers:\n{chargers}bays:\n{bay}")
    env = {
        "AGENT_STATION_FILE": str(file),
        "AGENT_DATA_DIR": str(folder / "data"),
        "AGENT_BROKER_URL": f"mqtt://{LOOPBACK}:{broker.port}",
        "AGENT_BROKER_KEY": AGENT_KEY,
        "AGENT_SENSOR_BROKER_URL": broker.url(SENSORS),
        "AGENT_OCPP_HOST": LOOPBACK,
        "AGENT_OCPP_PORT": str(free_port()),
        "AGENT_UPLINK_TIMEOUT_S": "1",
        "AGENT_BEAT_INTERVAL_S": "1",
        "AGENT_CALL_TIMEOUT_S": "1",
        "AGENT_AUTHORIZE_WAIT_S": "0.1",
    }
    return our_program("station_agent", "run", env=env, name="abused-agent")
