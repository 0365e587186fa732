"""The walk that docs/ARCHITECTURE.md tells is the way a real message takes through the real programs."""

import asyncio
import time

import pytest

from tests.architecture.walk import Step, walk
from tests.support.processes import ROOT
from tests.support.sse import Viewer
from tests.support.stack import Kind, Stack
from tests.support.waiting import eventually_async
from tests.system.acts import Acts

pytestmark = pytest.mark.real

_SERVED = 8
TRACING = ROOT / "tests" / "support" / "tracing"


@pytest.fixture
def traced(tmp_path):
    """A stack whose programs write down what they call of the files of the walk."""
    folder = tmp_path / "trace"
    folder.mkdir()
    env = {
        "PYTHONPATH": f"{TRACING}:{ROOT}",
        "BAYWATT_TRACE_TO": str(folder),
        "BAYWATT_TRACE_FILES": ":".join(sorted({step.file for step in walk()})),
    }
    stack = Stack(tmp_path, Kind.EMBEDDED, "", settings=env)
    try:
        yield stack.start(), folder, env
    finally:
        stack.stop()


async def test_one_status_notification_passes_these_functions_in_this_order(traced):
    stack, folder, env = traced
    station = stack.add_station("walk")
    stack.start_agent(station, **env)
    await asyncio.to_thread(stack.wait_until_known, station)
    url = f"{stack.url}/stations/{station.station_id}/events"
    async with Viewer(url) as viewer, stack.charger(station) as charger:
        acts = Acts(charger)
        await acts.boot("Available", "Available")
        await eventually_async(lambda: said_of(viewer, station, "connector_never_heard") is False)
        sent_ns = time.time_ns()
        await acts.status("Faulted", "GroundFailure")
        await eventually_async(lambda: said_of(viewer, station, "faulted"))
        seen_ns = time.time_ns()

    calls = calls_between(folder, sent_ns, seen_ns)
    steps = walk()
    served, published = steps[:_SERVED], [*steps[: _SERVED - 1], *steps[_SERVED:]]

    # whether the charger is answered first or the cloud told is chance
    assert missing(served, calls) == []
    assert missing(published, calls) == []


def said_of(viewer: Viewer, station, situation: str) -> bool | None:
    """Whether the station's first bay was last told to be so; None: nothing was told."""
    first = next(iter(station.bays))
    told = [one.data for one in viewer.named("bay") if one.data["bay_id"] == first]
    return told[-1]["situation"] == situation if told else None


def calls_between(folder, from_ns: int, to_ns: int) -> list[tuple[str, str]]:
    lines = [
        line.split() for one in folder.glob("*.trace") for line in one.read_text().splitlines()
    ]
    timed = sorted((int(at_ns), file, function) for at_ns, file, function in lines)
    return [(file, function) for at_ns, file, function in timed if from_ns <= at_ns <= to_ns]


def missing(steps: list[Step], calls: list[tuple[str, str]]) -> list[str]:
    """Return the steps that did not follow, in their order, on the ones before."""
    rest = iter(calls)
    return [
        f"{step.number}: {step.file} {step.function}"
        for step in steps
        if (step.file, step.function) not in rest
    ]


def test_a_step_out_of_order_would_be_found():
    a, b = Step(1, "a.py", "a"), Step(2, "b.py", "b")

    assert missing([a, b], [("a.py", "a"), ("x.py", "x"), ("b.py", "b")]) == []
    assert missing([b, a], [("a.py", "a"), ("b.py", "b")]) == ["1: a.py a"]
