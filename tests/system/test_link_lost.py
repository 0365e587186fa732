"""Ten minutes without the cloud, by a fast clock: charging goes on, the bays are UNKNOWN, nothing is lost."""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest

from tests.support.chaos import ChaosProxy
from tests.support.sse import Viewer
from tests.support.stack import TOKEN, Stack
from tests.support.waiting import eventually_async
from tests.system.acts import Acts, stamp
from tests.system.conftest import KINDS, a_database

pytestmark = pytest.mark.real

SPEED = 30
CUT = timedelta(minutes=10)
STALE = timedelta(seconds=90)


@pytest.fixture(params=KINDS, ids=str)
def fast_stack(request, databases, tmp_path):
    kind = request.param
    origin = stamp(datetime.now(UTC))
    clock = f"fast:{SPEED}:{origin}"
    made = Stack(tmp_path, kind, a_database(kind, databases), clock=clock)
    try:
        yield made.start()
    finally:
        made.stop()


async def test_ten_minutes_without_the_cloud_cost_nothing_but_the_news(fast_stack):
    clock = fast_stack.clock
    station = fast_stack.add_station("far-away")
    first, second = station.bays
    async with ChaosProxy(fast_stack.broker_port) as proxy:
        start = partial(fast_stack.start_agent, station, broker_port=proxy.port)
        agent = await asyncio.to_thread(start)
        await asyncio.to_thread(fast_stack.wait_until_known, station)
        url = f"{fast_stack.url}/stations/{station.station_id}/events"
        async with Viewer(url) as viewer, fast_stack.charger(station) as charger:
            acts = Acts(charger, clock)
            await acts.boot("Available", "Available")
            with fast_stack.sensors() as sensors:
                for bay in station.bays:
                    sensors.publish(f"sensors/{station.sensor_of(bay)}", b'{"occupied": false}')
                await eventually_async(
                    lambda: {first, second} <= bays_shown(viewer, "AVAILABLE"), what="free bays"
                )

            proxy.cut()
            cut_at = clock.now()
            charged = [await charge(acts, number * 10_000) for number in range(1, 4)]
            refused = await acts.start(0, connector_id=2, token="NOBODY")
            await eventually_async(
                lambda: bays_shown(viewer, "UNKNOWN") == {first, second}, what="unknown bays"
            )
            await clock.sleep((cut_at + CUT - clock.now()).total_seconds())
            charged.append(await charge(acts, 50_000))
            proxy.mend()

            await eventually_async(lambda: len(ended_sessions(fast_stack)) >= 4)
            await eventually_async(
                lambda: first in bays_shown(viewer, "AVAILABLE"), what="a free bay"
            )

    assert promises(viewer)
    assert max(promises(viewer)) <= STALE
    assert refused[1] == "Invalid"
    told = sorted(ended_sessions(fast_stack), key=lambda one: one["started_at"])
    assert [one["energy_wh"] for one in told if one["energy_wh"]] == charged
    assert all(before["ended_at"] <= after["started_at"] for before, after in pairwise(told[:4]))
    assert agent.is_running


async def charge(acts: Acts, register_wh: int) -> int:
    """Charge by a token the station knows; returns the energy."""
    transaction_id, verdict = await acts.start(register_wh, token=TOKEN)
    assert verdict == "Accepted"
    await acts.status("Charging")
    await acts.meter(transaction_id, register_wh + 400)
    await acts.stop(transaction_id, register_wh + 1_000)
    await acts.status("Available")
    return 1_000


def promises(viewer: Viewer) -> list[timedelta]:
    """Return for how long after the station was last heard each thing told was to be believed."""
    told = [one.data for one in (*viewer.named("bay"), *viewer.named("heard"))]
    return [
        datetime.fromisoformat(one["valid_until"]) - datetime.fromisoformat(one["heard_at"])
        for one in told
        if one["valid_until"]
    ]


def bays_shown(viewer: Viewer, status: str) -> set[str]:
    """Return the bays last told to be so."""
    last = {one.data["bay_id"]: one.data["status"] for one in viewer.named("bay")}
    return {bay for bay, said in last.items() if said == status}


def ended_sessions(stack: Stack) -> list[dict]:
    return [one for one in stack.get("/sessions", limit=50)["sessions"] if not one["is_live"]]
