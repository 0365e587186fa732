"""Fifty simulated chargers at one station, whose drivers come and go every few seconds."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Final, Self

from contracts.clock import SystemClock
from simulator.bays import Bay
from simulator.broker import SensorBroker
from simulator.chargers.charger import Behaviour
from simulator.chargers.dialer import Address
from simulator.chargers.manners import Manners
from simulator.drivers import Driver, Visit
from simulator.journal import Entry, FileJournal, Kind, read
from simulator.running import connect_all, dial
from simulator.site import Post, Site, StationSpec, Temper, build, station
from simulator.vehicles import Standard, a_car
from simulator.world import World
from tests.support.ports import LOOPBACK
from tests.support.waiting import eventually_async

CHARGERS: Final = 50
TOKENS: Final = [f"CROWD{number:05d}" for number in range(CHARGERS)]
_PAUSE_S: Final = 1
_TEMPER: Final = Temper(
    behaviour=Behaviour(sample_s=1.0),
    manners=Manners(answer_timeout_s=5, retry_after_s=1),
)


def a_crowded_station(station_id: str) -> StationSpec:
    """Return the station: half of its chargers speak the older version."""
    posts = tuple(
        Post("1.6" if number % 2 else "2.0.1", 50, plugs=(Standard.CCS,), sensor="plain")
        for number in range(CHARGERS)
    )
    return station(station_id, "Crowded", station_id.upper(), posts)


@dataclass(frozen=True)
class Where:
    """What the crowd is let loose on."""

    agent_port: int
    broker_url: str
    keys: Mapping[str, str]
    """By charger."""


class CountingJournal(FileJournal):
    """A journal that knows how many lines of each kind it has."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.counts: Counter[Kind] = Counter()

    def write(self, entry: Entry) -> None:
        """See Journal.write."""
        super().write(entry)
        self.counts[entry.kind] += 1


class Crowd:
    """The chargers at work, and the journal of what was true."""

    def __init__(self, spec: StationSpec, where: Where, folder: Path, seed: int) -> None:
        self.journal_path = folder / "journal.jsonl"
        self._journal = CountingJournal(self.journal_path)
        self.world = World(SystemClock(), seed, self._journal)
        self._sensors = SensorBroker(where.broker_url, f"crowd-{seed}")
        self.site: Site = build(self.world, spec, self._sensors.publish, lambda _: _TEMPER)
        self._dialled = dial(
            self.world,
            list(self.site.chargers.values()),
            lambda one: Address(f"ws://{LOOPBACK}:{where.agent_port}", where.keys[one.charger_id]),
        )
        self._is_open = True
        self._busy: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        self._sensors.__enter__()
        self.site.power_on_sensors()
        for number, bay in enumerate(self.site.bays.values()):
            self.world.after(1 + number * 0.1, lambda bay=bay, n=number: self._invite(bay, n))
        self._tasks = [
            asyncio.create_task(connect_all(self._dialled), name="crowd's sockets"),
            asyncio.create_task(self.world.run(), name="crowd's world"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._sensors.__exit__(None, None, None)
        self._journal.close()

    async def go_home(self, within_s: float = 90) -> None:
        """Let nobody come any more, and wait until all are gone and all that was kept is told."""
        self._is_open = False
        await eventually_async(lambda: not self._busy, within_s, "everybody gone home")
        await eventually_async(self._is_all_told, within_s, "every queue of a charger empty")

    def entries(self) -> list[Entry]:
        """Return the truth so far."""
        return list(read(self.journal_path))

    def count(self, kind: Kind) -> int:
        """Return how often something was told so far."""
        return self._journal.counts[kind]

    def _is_all_told(self) -> bool:
        return all(one.line.backlog == 0 for one in self.site.chargers.values())

    def _invite(self, bay: Bay, number: int) -> None:
        if not self._is_open:
            return
        chance = self.world.random("visit", bay.spec.bay_id, self.world.now())
        self._busy.add(bay.spec.bay_id)
        visit = _a_visit(chance, TOKENS[number])
        Driver(self.world, bay, visit, lambda: self._left(bay, number)).arrive()

    def _left(self, bay: Bay, number: int) -> None:
        self._busy.discard(bay.spec.bay_id)
        self.world.after(_PAUSE_S, lambda: self._invite(bay, number))


def _a_visit(chance: Random, token: str) -> Visit:
    car = a_car(chance, name="a car", standard=Standard.CCS, soc_pct=20)
    return Visit(car, token, stay_s=chance.uniform(3, 8), steps_s=(0.3, 0.3, 0.3))
