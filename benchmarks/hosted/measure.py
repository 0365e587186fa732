"""The rows H1 to H6: 5,000 chargers of 100 stations on one process (FAULTS L01 and L02).

The baseline of these rows is the promise itself, so that a ratio of 1 is just kept. Chargers, broker
and the cloud's end share the machine with the agent.
"""

import asyncio
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil
import uvloop
from rich.console import Console

from benchmarks.hosted.cloud import Cloud
from benchmarks.hosted.crowd import Crowd, Tally, knock
from benchmarks.hosted.home import KEY, Size, charger_ids, make_home
from benchmarks.ocpp_message import free_port, wait_for_port
from benchmarks.row import Row
from tests.support.mosquitto import Mosquitto

STORM_S: Final = 60.0
BASE_MB: Final = 150.0
KB_A_CHARGER: Final = 60.0
REFUSED_MS: Final = 1.0
_DELIVERED_WITHIN_S: Final = 60.0
_MEMORY_EVERY_S: Final = 1.0

TOLD: Final = {
    "StartTransaction": "SessionStarted",
    "StopTransaction": "SessionEnded",
    "BootNotification": "ChargerBooted",
    "StatusNotification": "ConnectorStateReported",
    "MeterValues": "MeterSampled",
}
"""What a charger is answered for, and the fact of which the cloud must hear then."""


@dataclass(slots=True)
class Outcome:
    """What was seen."""

    size: Size
    idle_mb: float = 0
    most_mb: float = 0
    full_mb: float = 0
    """With all chargers there, after the storm."""
    storm_s: float = 0
    storm_cpu_s: float = 0
    steady_cpu_ratio: float = 0
    tally: Tally | None = None
    told: int = 0
    heard: int = 0
    turned_away: int = 0
    refused_ms: float = 0

    @property
    def kb_a_charger(self) -> float:
        """Return what a connected charger adds."""
        return (self.full_mb - self.idle_mb) * 1024 / self.size.chargers


def measure(console: Console, size: Size | None = None) -> list[Row]:
    """Return the rows; the figures behind them are printed."""
    size = size or Size()
    with console.status(f"{size.chargers:,} chargers of {size.stations} stations, one process"):
        outcome = run(size)
    console.print(_figures(outcome))
    return _rows(outcome)


def run(size: Size) -> Outcome:
    """Measure with servers of our own."""
    with ExitStack() as stack:
        broker = Mosquitto(extra="max_inflight_messages 0").start()
        stack.callback(broker.remove)
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        env = make_home(home, size, ocpp_port=port, broker_port=broker.port)
        command = [sys.executable, "-m", "station_agent", "run"]
        agent = psutil.Popen(command, env=dict(psutil.Process().environ()) | env)
        stack.callback(agent.wait, 60)
        stack.callback(agent.terminate)
        wait_for_port(port, 120)
        return uvloop.run(_measured(Outcome(size), agent, port, broker.port))


async def _measured(outcome: Outcome, agent: psutil.Popen, port: int, broker: int) -> Outcome:
    size = outcome.size
    everybody = [one for number in range(size.stations) for one in charger_ids(size, number)]
    cloud, crowd = Cloud(broker), Crowd(port, everybody, KEY)
    async with asyncio.TaskGroup() as tasks:
        served = tasks.create_task(cloud.connection.run())
        await knock(port, ["nobody"], "wrong")  # answered once all stations are served
        await asyncio.sleep(size.settle_s)
        outcome.idle_mb = _rss_mb(agent)
        watching = tasks.create_task(_watch_memory(outcome, agent))
        outcome.storm_cpu_s, outcome.storm_s = await _cpu(agent, crowd.arrive)
        crowd.tally.latencies_ms.clear()
        await asyncio.sleep(size.settle_s)
        outcome.full_mb = _rss_mb(agent)
        cpu_s, _ = await _cpu(agent, lambda: _alive(crowd, size))
        outcome.steady_cpu_ratio = cpu_s / size.seconds
        beating = tasks.create_task(crowd.live(1))
        cpu_s, turned_away = await _cpu(agent, lambda: knock(port, everybody, "wrong"))
        outcome.turned_away = int(turned_away)
        outcome.refused_ms = cpu_s * 1000 / size.chargers
        await beating
        await _delivered(outcome, crowd.tally, cloud)
        await crowd.leave()
        watching.cancel()
        served.cancel()
    outcome.tally = crowd.tally
    return outcome


async def _alive(crowd: Crowd, size: Size) -> float:
    await crowd.live(size.seconds)
    return size.seconds


async def _cpu(agent: psutil.Popen, work: Callable[[], Awaitable[float]]) -> tuple[float, float]:
    """Return the CPU seconds the agent took meanwhile, and what the work said."""
    before = _cpu_s(agent)
    said = await work()
    return _cpu_s(agent) - before, said


def _cpu_s(agent: psutil.Popen) -> float:
    times = [one.cpu_times() for one in _all_of(agent)]
    return float(sum(one.user + one.system for one in times))


async def _delivered(outcome: Outcome, tally: Tally, cloud: Cloud) -> None:
    """Wait until the cloud heard of all that was answered, or does not in time."""
    outcome.told = sum(tally.answered[action] for action in TOLD)
    for _ in range(int(_DELIVERED_WITHIN_S)):
        outcome.heard = sum(
            min(cloud.facts[fact], tally.answered[action]) for action, fact in TOLD.items()
        )
        if outcome.heard == outcome.told:
            return
        await asyncio.sleep(1)


async def _watch_memory(outcome: Outcome, agent: psutil.Popen) -> None:
    while True:
        outcome.most_mb = max(outcome.most_mb, _rss_mb(agent))
        await asyncio.sleep(_MEMORY_EVERY_S)


def _rss_mb(agent: psutil.Popen) -> float:
    return float(sum(one.memory_info().rss for one in _all_of(agent))) / 2**20


def _all_of(agent: psutil.Popen) -> list[psutil.Process]:
    return [agent, *agent.children()]


def _figures(outcome: Outcome) -> str:
    tally = outcome.tally or Tally()
    figures = {
        "storm": f"{outcome.storm_s:.1f} s, {outcome.storm_cpu_s:.1f} s of CPU",
        "not let in": f"{tally.refused:,} at first, {tally.dropped:,} later",
        "memory": f"{outcome.idle_mb:.0f} MB idle, {outcome.full_mb:.0f} MB with all chargers",
        "a charger": f"{outcome.kb_a_charger:.1f} KB; {outcome.most_mb:.0f} MB at the most",
        "steady": f"{outcome.steady_cpu_ratio * 100:.1f} % of a core",
        "answers": f"p99 {tally.p99_ms:,.0f} ms, {max(tally.latencies_ms, default=0):,.0f} ms at most",
        "calls": f"{tally.asked.total():,} made, {tally.answered.total():,} answered",
        "facts": f"{outcome.told:,} answered for, {outcome.heard:,} heard by the cloud",
        "wrong keys": f"{outcome.turned_away:,} turned away, {outcome.refused_ms:.2f} ms each",
    }
    return "\n".join(f"{name:>10}: {text}" for name, text in figures.items())


def _rows(outcome: Outcome) -> list[Row]:
    size, tally = outcome.size, outcome.tally or Tally()
    crowd = f"{size.chargers:,} chargers of {size.stations} stations"
    allowed_mb = BASE_MB * size.processes + KB_A_CHARGER * size.chargers / 1024
    return [
        _at_most("H1", f"{crowd}: reconnect storm, last one booted", "s", outcome.storm_s, STORM_S),
        _at_most("H2", f"{crowd}: memory of the process", "MB", outcome.most_mb, allowed_mb),
        _at_most("H3", f"{crowd}: memory a charger", "KB", outcome.kb_a_charger, KB_A_CHARGER),
        _all(
            "H4", f"{crowd}: calls answered", "calls", tally.answered.total(), tally.asked.total()
        ),
        _all(
            "H5", f"{crowd}: answered, and heard by the cloud", "facts", outcome.heard, outcome.told
        ),
        _at_most("H6", f"{crowd}: CPU of a wrong key", "ms", outcome.refused_ms, REFUSED_MS),
    ]


def _at_most(name: str, what: str, unit: str, ours: float, promised: float) -> Row:
    return Row(
        id=name, what=what, unit=unit, ours=ours, baseline=promised, bound="at_most", target=1
    )


def _all(name: str, what: str, unit: str, ours: float, wanted: float) -> Row:
    return Row(
        id=name, what=what, unit=unit, ours=ours, baseline=wanted, bound="at_least", target=1
    )
