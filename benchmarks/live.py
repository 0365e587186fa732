"""How soon a change is on a live page: sensor to station stream, MeterValues to session stream.

The embedded stack as real processes. The baseline of these rows is the promise itself (250 ms for
the median, 1 s for the worst of a hundred), so that a ratio of 1 is just in time.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from benchmarks.row import Row
from tests.support.sse import LiveEvent, Viewer
from tests.support.stack import Kind, Stack, Station
from tests.system.acts import Acts

CHANGES: Final = 100
MEDIAN_MS: Final = 250
WORST_MS: Final = 1_000
_QUIET_S: Final = 3.2
"""A bay's next change is told at once when it was quiet for 3 s."""


def measure(console: Console) -> list[Row]:
    """Return median and worst of a hundred changes, both ways in."""
    with (
        console.status("Live: sensor to station page, meter values to session page"),
        tempfile.TemporaryDirectory() as folder,
        ExitStack() as exits,
    ):
        stack = Stack(Path(folder), Kind.EMBEDDED, "")
        exits.callback(stack.stop)
        stack.start()
        station = stack.add_station("bench", chargers=10)
        stack.start_agent(station)
        stack.wait_until_known(station)
        sensor_ms = asyncio.run(_sensor_changes(stack, station))
        meter_ms = asyncio.run(_meter_values(stack, station))
    return [
        *_rows("L1", "sensor's change to station stream", sensor_ms),
        *_rows("L2", "MeterValues to session stream", meter_ms),
    ]


def _rows(name: str, what: str, taken_ms: list[float]) -> list[Row]:
    return [
        _row(f"{name}a", f"{what}, median", statistics.median(taken_ms), MEDIAN_MS),
        _row(f"{name}b", f"{what}, worst of {len(taken_ms)}", max(taken_ms), WORST_MS),
    ]


def _row(name: str, what: str, ours: float, promised: float) -> Row:
    return Row(
        id=name, what=what, unit="ms", ours=ours, baseline=promised, bound="at_most", target=1
    )


async def _sensor_changes(stack: Stack, station: Station) -> list[float]:
    """Return the milliseconds from a publish to its event; bays take turns."""
    bay_ids = list(station.bays)
    taken_ms = []
    url = f"{stack.url}/stations/{station.station_id}/events"
    with stack.sensors() as sensors:
        async with AsyncExitStack() as chargers, Viewer(url) as viewer:
            for charger_id in station.charger_ids:
                charger = await chargers.enter_async_context(stack.charger(station, charger_id))
                await Acts(charger).boot("Available", "Available")
            for number in range(CHANGES):
                bay_id = bay_ids[number % len(bay_ids)]
                is_occupied = (number // len(bay_ids)) % 2 == 0
                payload = json.dumps({"occupied": is_occupied}).encode()
                if number % len(bay_ids) == 0:
                    await asyncio.sleep(_QUIET_S)
                began = time.monotonic()
                sensors.publish(f"sensors/{station.sensor_of(bay_id)}", payload, qos=0)

                def tells(event: LiveEvent, bay_id: str = bay_id) -> bool:
                    return event.name == "bay" and event.data["bay_id"] == bay_id

                taken_ms.append(await _until(viewer, began, tells))
    return taken_ms


async def _meter_values(stack: Stack, station: Station) -> list[float]:
    """Return the milliseconds from a charger's call to its event on the session's stream."""
    taken_ms = []
    async with stack.charger(station) as charger:
        acts = Acts(charger)
        await acts.boot("Preparing", "Available")
        transaction_id, _ = await acts.start(1_000)
        session_id = await _session_id(stack)
        url = f"{stack.url}/sessions/{session_id}/events"
        async with Viewer(url, stack.login_header()) as viewer:
            for number in range(1, CHANGES + 1):
                began = time.monotonic()
                power_w = 11_000 + number
                await acts.meter(transaction_id, 1_000, power_w)

                def tells(event: LiveEvent, power_w: int = power_w) -> bool:
                    return event.name == "session" and event.data["power_w"] == power_w

                taken_ms.append(await _until(viewer, began, tells))
    return taken_ms


async def _session_id(stack: Stack) -> str:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found: dict[str, Any] = await asyncio.to_thread(stack.get, "/sessions", live="true")
        if found["sessions"]:
            return str(found["sessions"][0]["session_id"])
        await asyncio.sleep(0.05)
    raise TimeoutError("the session is not shown")


async def _until(viewer: Viewer, began: float, tells: Callable[[LiveEvent], bool]) -> float:
    """Return how many milliseconds after `began` the awaited event came.

    Raises:
        TimeoutError: it did not within 10 s.
    """
    seen = len(viewer.events)
    while time.monotonic() < began + 10:
        for event in viewer.events[max(0, seen - 5) :]:
            if event.at_s >= began and tells(event):
                return (event.at_s - began) * 1000
        await asyncio.sleep(0.002)
    raise TimeoutError("a change never came")
