"""F01-F05, F07-F09, F17: whatever is killed, whenever: nothing told is lost, nothing counts twice.

Fifty simulated chargers run sessions of a few seconds while parts are killed at random moments; then
the simulators' journal and the database are held against each other. `make test` kills two parts,
then everything, with the cloud as one process; `make faults` twenty times, with its processes apart;
FAULT_POINTS=200 as often as that. FAULT_SEED repeats a run.
"""

import asyncio
import os
from contextlib import contextmanager
from functools import partial
from random import Random, SystemRandom

import pytest

from simulator.journal import Entry, Kind
from tests.faults.crowd import CHARGERS, TOKENS, Crowd, Where, a_crowded_station
from tests.faults.ledger import Ledger
from tests.support.stack import Kind as StackKind
from tests.support.stack import Stack
from tests.support.waiting import eventually_async

SEED = int(os.environ.get("FAULT_SEED", SystemRandom().randrange(10_000)))
MANY = 20
PARTS = ["agent", "broker", "cloud", "database", "everything"]


class Victims:
    """How each part is killed, and brought back where nobody else does."""

    def __init__(self, stack: Stack, mariadb, agent) -> None:
        self._stack = stack
        self._mariadb = mariadb
        self._agent = agent

    async def kill(self, part: str) -> None:
        """Kill, and start again what has no keeper of its own."""
        if part == "everything":
            for one in PARTS[:-1]:
                self._kill(one)
            self._start("database")
            self._start("agent")
            await asyncio.to_thread(self._start, "cloud")
            return
        self._kill(part)
        await asyncio.to_thread(self._start, part)

    def _kill(self, part: str) -> None:
        match part:
            case "agent":
                self._agent.kill()
            case "broker":
                self._stack.broker.kill()
            case "cloud":
                self._stack.kill_cloud()
            case "database":
                self._mariadb.kill()

    def _start(self, part: str) -> None:
        match part:
            case "agent":
                self._agent.start()
            case "cloud":
                self._stack.start_cloud()
            case "database":
                self._mariadb.start()


@contextmanager
def running(kind: StackKind, databases, folder):
    """Run a stack for one campaign."""
    stack = Stack(folder, kind, databases.mariadb()).start()
    try:
        yield stack
    finally:
        stack.stop()


async def campaign(stack: Stack, mariadb, folder, points: list[str]) -> None:
    """Let a crowd in, kill the parts in the order of `points`, and compare."""
    random = Random(SEED)
    spec = a_crowded_station("crowd")
    station = stack.settle(spec, TOKENS)
    agent = stack.start_agent(station)
    stack.wait_until_known(station)
    port = int(agent.env["AGENT_OCPP_PORT"])
    where = Where(port, stack.sensors_url, station.charger_keys)
    victims = Victims(stack, mariadb, agent)
    async with Crowd(spec, where, folder, SEED) as crowd:
        begun = partial(crowd.count, Kind.SESSION_BEGUN)
        acknowledged = partial(crowd.count, Kind.ACKNOWLEDGED)
        await eventually_async(lambda: begun() >= CHARGERS, 60, "a busy crowd")
        for part in points:
            before = acknowledged()
            await asyncio.sleep(random.uniform(0.2, 2))
            await victims.kill(part)
            await eventually_async(
                lambda before=before: acknowledged() > before + 20, 30, f"life after {part}"
            )
        await crowd.go_home()
    await compare(Ledger(stack.database_url, station.station_id), crowd.entries(), points)


async def compare(ledger: Ledger, entries: list[Entry], points: list[str]) -> None:
    """Hold the database against the truth, once all has arrived."""

    def is_true() -> bool:
        wrong = ledger.differences(entries)
        assert not wrong, f"{len(wrong)} differences: " + "; ".join(map(str, wrong[:12]))
        return True

    await eventually_async(is_true, 60, f"the truth (FAULT_SEED={SEED}, killed: {points})")
    assert len(ledger.sessions()) >= CHARGERS
    ledger.close()


@pytest.mark.real
async def test_a_kill_at_any_moment_loses_nothing_and_doubles_nothing(databases, mariadb, tmp_path):
    points = [*Random(SEED).sample(PARTS[:-1], 2), "everything"]
    with running(StackKind.SERVED, databases, tmp_path) as stack:
        await campaign(stack, mariadb, tmp_path, points)


@pytest.mark.faults
@pytest.mark.parametrize("part", PARTS)
async def test_many_kills_at_any_moment_lose_nothing_and_double_nothing(
    databases, mariadb, tmp_path, part
):
    points = int(os.environ.get("FAULT_POINTS", MANY))
    with running(StackKind.PRODUCTION, databases, tmp_path) as stack:
        await campaign(stack, mariadb, tmp_path, [part] * points)
