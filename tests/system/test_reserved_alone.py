"""A slot during which the cloud is away: the reserved driver charges, another token does not."""

import asyncio
import json
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from tests.support.chaos import ChaosProxy
from tests.support.stack import TOKEN, Stack
from tests.support.waiting import eventually_async
from tests.system.acts import Acts, stamp
from tests.system.booking import Booker, early_in_a_quarter, next_slot
from tests.system.conftest import KINDS, a_database

pytestmark = pytest.mark.real

SPEED = 30
AWAY = timedelta(minutes=5)


@pytest.fixture(params=KINDS, ids=str)
def fast_stack(request, databases, tmp_path):
    kind = request.param
    clock = f"fast:{SPEED}:{stamp(datetime.now(UTC))}"
    made = Stack(tmp_path, kind, a_database(kind, databases), clock=clock)
    try:
        yield made.start()
    finally:
        made.stop()


async def test_while_the_cloud_is_away_the_reserved_driver_can_charge_and_another_token_cannot(
    fast_stack,
):
    stack, clock = fast_stack, fast_stack.clock
    station = stack.add_station("kept-alone")
    bay_id = next(iter(station.bays))
    async with ChaosProxy(stack.broker_port) as proxy:
        start = partial(stack.start_agent, station, broker_port=proxy.port)
        await asyncio.to_thread(start)
        await asyncio.to_thread(stack.wait_until_known, station)
        booker = await asyncio.to_thread(Booker.at, stack, "rae")
        async with charger_of(stack, station) as charger:
            await Acts(charger, clock).boot("Available", "Available")
            await see_empty_bays(stack, station)
            await early_in_a_quarter(clock)
            slot = next_slot(clock.now(), minutes=60)
            book = partial(booker.book, station.station_id, bay_id, **slot)
            reservation_id = await asyncio.to_thread(book)
            await eventually_async(lambda: planned(stack, station) == [reservation_id])
            first = await eventually_async(lambda: reserved(charger), what="ReserveNow")

        proxy.cut()
        starts_at = datetime.fromisoformat(slot["starts_at"])
        await clock.sleep((max(starts_at, clock.now() + AWAY) - clock.now()).total_seconds())
        async with charger_of(stack, station) as charger:
            acts = Acts(charger, clock)
            await acts.boot("Available", "Available")
            again = await eventually_async(lambda: reserved(charger), what="ReserveNow again")
            other = await acts.start(0, token=TOKEN)
            await acts.stop(other[0], 0)
            elsewhere = await acts.start(0, connector_id=2, token=TOKEN)
            number = again[0]["reservationId"]
            own = await acts.start(0, token=booker.token, reservation=number)
            await acts.meter(own[0], 2_000)
            proxy.mend()

            await eventually_async(
                lambda: booker.reservation(reservation_id)["session_id"],
                what="the session's reservation",
            )
            await acts.stop(own[0], 4_000)
            await acts.status("Available")

            await eventually_async(
                lambda: booker.reservation(reservation_id)["status"] == "FULFILLED",
                what="the end of the reservation",
            )
    found = booker.reservation(reservation_id)
    answer = await asyncio.to_thread(stack.get, f"/sessions/{found['session_id']}")
    session = answer["session"]
    assert first[0]["idTag"].casefold() == booker.token.casefold()
    assert first[0]["reservationId"] == number == found["number"]
    assert (other[1], elsewhere[1], own[1]) == ("Blocked", "Accepted", "Accepted")
    assert (session["bay_id"], session["reservation_id"]) == (bay_id, reservation_id)
    assert datetime.fromisoformat(session["started_at"]) >= starts_at
    assert session["energy_wh"] == 4_000


@asynccontextmanager
async def charger_of(stack: Stack, station):
    """Connect the station's charger, which keeps what it is asked to keep."""
    async with stack.charger(station) as charger:
        charger.answers["ReserveNow"] = lambda _: {"status": "Accepted"}
        yield charger


async def see_empty_bays(stack: Stack, station) -> None:
    """Have the sensors see nobody, and wait until that is known."""

    def is_free() -> bool:
        bays = stack.get(f"/stations/{station.station_id}")["station"]["bays"]
        return {one["status"] for one in bays} == {"AVAILABLE"}

    with stack.sensors() as sensors:
        for bay in station.bays:
            sensors.publish(f"sensors/{station.sensor_of(bay)}", b'{"occupied": false}')
        await eventually_async(is_free, what="free bays")


def planned(stack: Stack, station) -> list[str]:
    """Return the reservations the agent has on disk."""
    plan = stack.folder / station.station_id / "data" / "plan.json"
    return [one["reservation_id"] for one in json.loads(plan.read_text()).get("reservations", [])]


def reserved(charger) -> list[dict]:
    return [payload for action, payload in charger.asked if action == "ReserveNow"]
