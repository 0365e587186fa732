"""Bookings as drivers live them, by a fast clock: a whole visit with its receipt, and the van."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pytest

from tests.support.stack import Kind, Stack
from tests.support.waiting import eventually, eventually_async
from tests.system.acts import Acts, stamp
from tests.system.booking import Booker, early_in_a_quarter, next_slot

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("booking-stories")]

SPEED = 60
PRICES = {
    "name": "By the hour and the kilowatt-hour",
    "currency": "GBP",
    "tax_included": "YES",
    "elements": [
        {
            "price_components": [{"type": "FLAT", "price": "1.00", "vat": "20"}],
            "restrictions": {"reservation": "RESERVATION"},
        },
        {"price_components": [{"type": "ENERGY", "price": "0.55", "vat": "20", "step_size": 1}]},
    ],
}
TERMS = {"min_s": 900, "overstay_grace_s": 60, "overstay_per_minute_minor": 25, "hold_s": 3600}
"""As patient as a machine needs that has stalled: an hour is a minute here."""


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """An embedded house whose clock runs sixty times as fast."""
    clock = f"fast:{SPEED}:{stamp(datetime.now(UTC))}"
    settings = {"CLOUD_SWEEP_INTERVAL_S": "20"}
    made = Stack(tmp_path_factory.mktemp("town"), Kind.EMBEDDED, "", clock=clock, settings=settings)
    try:
        yield made.start()
    finally:
        made.stop()


class Scene:
    """A station with two bays, its prices and terms, and what stands there."""

    def __init__(self, town: Stack, name: str, confirm_s: int) -> None:
        self.town = town
        self.station = town.add_station(name)
        tariff = town.post("/tariffs", PRICES)
        answer = town.api.put(f"/stations/{name}/tariff", json={"key": tariff["key"]})
        assert answer.is_success, answer.text
        terms = town.get(f"/stations/{name}/terms")
        body = terms["terms"]
        answer = town.api.put(
            f"/stations/{name}/terms", json=body | TERMS | {"confirm_s": confirm_s}
        )
        assert answer.is_success, answer.text
        self.agent = town.start_agent(self.station, AGENT_AUTHORIZE_WAIT_S="600")
        town.wait_until_known(self.station)
        self._stands: dict[str, bool] = {}

    @property
    def name(self) -> str:
        return self.station.station_id

    def occupy(self, sensors, bay_id: str, *, is_occupied: bool) -> None:
        self._stands[bay_id] = is_occupied
        payload = b'{"occupied": %s}' % str(is_occupied).lower().encode()
        sensors.publish(f"sensors/{self.station.sensor_of(bay_id)}", payload)

    @asynccontextmanager
    async def telling(self):
        """The sensors' connection; each tells every half a minute what it sees."""
        with self.town.sensors() as sensors:

            async def tell() -> None:
                while True:
                    await self.town.clock.sleep(30)
                    for bay_id, is_occupied in list(self._stands.items()):
                        self.occupy(sensors, bay_id, is_occupied=is_occupied)

            task = asyncio.create_task(tell(), name="sensors")
            try:
                yield sensors
            finally:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    def status(self, bay_id: str) -> str:
        return self.town.bay(self.name, bay_id)["status"]

    async def wait_for(self, bay_id: str, status: str) -> None:
        await eventually_async(lambda: self.status(bay_id) == status, what=f"{bay_id} {status}")


async def book(town: Stack, scene: Scene, driver: str, bay_id: str, minutes: int = 15):
    """Book the next slot in threads: HTTP here is synchronous."""
    booker = await asyncio.to_thread(Booker.at, town, driver)
    await early_in_a_quarter(town.clock)
    slot = next_slot(town.clock.now(), minutes)
    name = await asyncio.to_thread(lambda: booker.book(scene.name, bay_id, **slot))
    return booker, name


async def test_a_booking_from_the_hold_to_the_receipt_to_the_cent(town):
    scene = await asyncio.to_thread(Scene, town, "high-street", 3600)
    first, second = scene.station.bays
    async with town.charger(scene.station) as charger:
        acts = Acts(charger, town.clock)
        await acts.boot("Available", "Available")
        async with scene.telling() as sensors:
            for bay in (first, second):
                scene.occupy(sensors, bay, is_occupied=False)
            await scene.wait_for(first, "AVAILABLE")

            booker, name = await book(town, scene, "dora", first)
            await scene.wait_for(first, "RESERVED")
            await scene.wait_for(second, "AVAILABLE")

            scene.occupy(sensors, first, is_occupied=True)
            refused = await charger.call("Authorize", {"idTag": "04DEADBEEF0001"})
            transaction_id, verdict = await acts.start(10_000, token=booker.token)
            await acts.status("Charging")
            await town.clock.sleep(60)
            await acts.meter(transaction_id, 10_120)
            await eventually_async(
                lambda: booker.reservation(name)["state"] == "charging", what="a charge"
            )
            await town.clock.sleep(60)
            await acts.stop(transaction_id, 10_200)
            await acts.status("Available")
            await eventually_async(
                lambda: booker.reservation(name)["state"] == "overstaying", what="an overstay"
            )
            await town.clock.sleep(150)
            scene.occupy(sensors, first, is_occupied=False)
            await eventually_async(lambda: booker.reservation(name)["status"] == "FULFILLED")
            await scene.wait_for(first, "AVAILABLE")

    receipt = await asyncio.to_thread(booker.receipt_of, name)
    over = booker.reservation(name)
    overstay_s = (
        datetime.fromisoformat(over["left_at"]) - datetime.fromisoformat(over["overstay_since"])
    ).total_seconds()
    minutes = -int(-overstay_s // 60)
    by_kind = {one["kind"]: one["total_minor"] for one in receipt["lines"]}

    assert (refused["idTagInfo"]["status"], verdict) == ("Invalid", "Accepted")
    assert receipt["energy_wh"] == 200
    assert minutes >= 2
    assert by_kind == {"RESERVATION": 100, "ENERGY": 11, "OVERSTAY": 25 * minutes}
    assert receipt["total_minor"] == 111 + 25 * minutes == over["due_minor"]
    assert paid(booker, name) == receipt["total_minor"]
    await eventually_async(lambda: told_all(booker), what="all notices")


def told_all(booker: Booker) -> bool:
    wanted = {"booked", "session_started", "session_ended", "overstay_started", "receipt"}
    missing = wanted - booker.kinds_told()
    assert not missing, missing
    return True


def paid(booker: Booker, name: str) -> int:
    """Return what the bank has taken and not given back, once it is what was due."""
    due = booker.reservation(name)["due_minor"]

    def is_taken() -> bool:
        payments = booker.get(f"/reservations/{name}/payments")["payments"]
        total = sum(one["captured_minor"] - one["refunded_minor"] for one in payments)
        assert total == due, payments
        return True

    eventually(is_taken, what="the money")
    return due


def rules(town: Stack, scene: Scene) -> set[str]:
    """Return which alerts there are of a bay somebody else stands in."""
    alerts = town.get("/alerts", status="active", limit=200)["alerts"]
    told = {one["rule"] for one in alerts if one["station_id"] == scene.name}
    return told & {"stolen_bay", "blocked_bay"}


async def test_a_van_takes_the_bay_first_and_the_driver_is_moved_within_30_s(town):
    scene = await asyncio.to_thread(Scene, town, "low-street", 60)
    first, second = scene.station.bays
    async with town.charger(scene.station) as charger:
        acts = Acts(charger, town.clock)
        await acts.boot("Available", "Available")
        async with scene.telling() as sensors:
            for bay in (first, second):
                scene.occupy(sensors, bay, is_occupied=False)
            await scene.wait_for(first, "AVAILABLE")
            # the van is there before the driver's time begins, and stays
            scene.occupy(sensors, first, is_occupied=True)
            await scene.wait_for(first, "BLOCKED")
            booker, name = await book(town, scene, "dirk", first)
            paid_for = booker.reservation(name)
            await eventually_async(
                lambda: booker.reservation(name)["bay_id"] == second, what="a move"
            )
            moved = booker.reservation(name)
            await scene.wait_for(second, "RESERVED")
            await scene.wait_for(first, "BLOCKED")
            await eventually_async(lambda: rules(town, scene), what="an alert")

            transaction_id, verdict = await acts.start(0, connector_id=2, token=booker.token)
            await acts.stop(transaction_id, 1_000)
            scene.occupy(sensors, second, is_occupied=False)

    log = town.get(f"/reservations/{name}/log")["entries"]
    assert moved["moved_from"] == first
    assert verdict == "Accepted"
    assert "moved" in booker.kinds_told()
    assert moved["quote"]["total_minor"] <= paid_for["quote"]["total_minor"]
    assert [one["what"] for one in log]
