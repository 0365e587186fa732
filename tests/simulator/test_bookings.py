"""Guests who book: they come early, in time, late, not at all, and find somebody else in their bay."""

from datetime import UTC, datetime, timedelta

import pytest

from simulator.bookings import Booker, Guest, Habit, PaperDesk, Wish, next_slot
from simulator.clock import VirtualClock
from simulator.drivers import block
from simulator.journal import Kind, MemoryJournal
from simulator.scenarios import scenario
from simulator.scenarios.stations import CORNER
from simulator.site import build
from simulator.world import World
from tests.simulator.builders import MONDAY, a_car
from tests.simulator.fakes import FakeCsms
from tests.simulator.test_scenarios import played

GUEST = Guest("g@sim.example", "secret", "GUEST01")
MINUTE = timedelta(minutes=1)
BAY = "sim-corner-1"


class House:
    """A station in virtual time, its chargers before a central system, and a desk of paper."""

    def __init__(self):
        self.journal = MemoryJournal()
        self.world = World(VirtualClock(MONDAY), 1, self.journal)
        self.site = build(self.world, CORNER, lambda _: None)
        for charger in self.site.chargers.values():
            schema = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}[charger.spec.version]
            FakeCsms(schema).connect(charger.line)
        self.desk = PaperDesk(self.world, [self.site])
        self.starts_at = MONDAY + 30 * MINUTE
        self.ends_at = MONDAY + 75 * MINUTE

    def wish(self, **more):
        known = {"station_id": "sim-corner", "bay_id": BAY}
        return Wish(**known | {"starts_at": self.starts_at, "ends_at": self.ends_at} | more)

    def guest(self, **habit):
        car = a_car(limit_pct=90)
        made = Booker(self.world, self.site, self.desk, GUEST, car, Habit(**habit))
        made.book(self.wish())
        return made

    def said(self):
        lines = (one.body["what"] for one in self.journal.of(Kind.DRIVER))
        return list(lines)

    def stood(self, bay_id=BAY):
        """When somebody stood in a bay: pairs of instants, in minutes after Monday's eight."""
        of_bay = [one for one in self.journal.of(Kind.OCCUPANCY) if one.bay_id == bay_id]
        return [round((one.at - MONDAY) / MINUTE) for one in of_bay]


@pytest.fixture
def house():
    return House()


@pytest.mark.parametrize(
    ("habit", "stood"),
    [
        ({}, [30, 73]),
        ({"comes_s": -600, "goes_s": -900}, [20, 60]),
        ({"comes_s": 720}, [42, 73]),
        ({"goes_s": 1_500}, [30, 100]),
        ({"comes_s": None}, []),
    ],
    ids=["in time", "early", "late", "overstays", "no-show"],
)
def test_guests_come_and_go_by_their_habit(house, habit, stood):
    guest = house.guest(**habit)
    house.world.run_for(3 * 3_600)

    assert house.stood() == stood
    assert (guest.left_at is not None) is bool(stood)
    begun = [one.token for one in house.journal.of(Kind.SESSION_BEGUN)]
    assert begun == ["GUEST01"] * bool(stood)


def test_a_guest_whose_bay_is_taken_is_sent_to_an_equal_one(house):
    guest = house.guest()
    house.world.after(25 * 60, lambda: block(house.world, house.site.bays[BAY], "van", None))
    house.world.run_for(3 * 3_600)

    assert guest.promise.bay_id == "sim-corner-2"
    assert house.stood("sim-corner-2") == [30, 73]
    assert "is sent to another bay" in house.said()


def test_a_guest_who_finds_every_equal_bay_taken_waits_and_gives_up(house):
    for name in (BAY, "sim-corner-2"):
        block(house.world, house.site.bays[name], f"van in {name}", None)
    guest = house.guest(patience_s=180)
    house.world.run_for(3 * 3_600)

    assert house.said().count("finds somebody else there") == 3
    assert house.said()[-1] == "gives up"
    assert guest.left_at is None
    looked = []
    house.desk.look(GUEST, guest.promise, looked.append)
    house.world.run_for(1)
    assert not looked[0].is_live


def test_a_guest_who_is_told_that_there_is_no_bay_goes_home(house):
    over = []
    guest = house.guest()
    guest.then = lambda: over.append(house.world.now())
    house.world.run_for(60)
    house.desk.cancel(GUEST, guest.promise)
    house.world.run_for(3 * 3_600)

    assert house.said()[-1] == "is told that there is no bay"
    assert over == [house.starts_at]


def test_a_guest_who_finds_nothing_does_not_come(house):
    house.guest()
    late = house.guest()
    over = []
    late.then = lambda: over.append(house.world.now())
    house.world.run_for(3 * 3_600)

    assert late.promise is None
    assert late.came_at is None
    assert over == [MONDAY]
    assert "finds nothing" in house.said()


def test_no_two_guests_are_promised_one_bay_at_one_time(house):
    got = []
    for wish in (
        house.wish(),
        house.wish(),
        house.wish(bay_id=None, standard="IEC_62196_T2"),
        house.wish(bay_id=None, standard="IEC_62196_T2"),
        house.wish(starts_at=house.ends_at, ends_at=house.ends_at + 30 * MINUTE),
    ):
        house.desk.book(GUEST, wish, got.append)
    house.world.run_for(1)

    assert [one and one.bay_id for one in got] == [BAY, None, "sim-corner-2", None, BAY]


@pytest.mark.parametrize(
    ("now", "starts"),
    [("08:00", "08:15"), ("08:10", "08:15"), ("08:14", "08:30"), ("23:50", "00:00")],
)
def test_slots_begin_on_quarters_of_an_hour(now, starts):
    at = datetime.fromisoformat(f"2026-01-05T{now}:00").replace(tzinfo=UTC)
    starts_at, ends_at = next_slot(at, 3 * MINUTE, 45 * MINUTE)

    assert f"{starts_at:%H:%M}" == starts
    assert ends_at - starts_at == 45 * MINUTE
    assert starts_at - at >= 3 * MINUTE


@pytest.mark.parametrize("name", ["no_show", "early_bird", "latecomer", "overstay", "squatter"])
def test_the_stories_of_bookings_play_to_their_end(name):
    entries, stage, _, _ = played(name)
    said = [one.body["what"] for one in entries if one.kind is Kind.DRIVER]

    assert "has booked" in said
    if name == "no_show":
        assert not any(one.kind is Kind.SESSION_BEGUN for one in entries)
    else:
        assert said[-1] == "leaves"
    assert ("is sent to another bay" in said) is (name == "squatter")
    assert scenario(name).duration_s > 0
    assert not any(bay.is_occupied for bay in stage.site.bays.values())


@pytest.mark.slow
def test_the_guest_who_overstays_has_charged_enough_before():
    entries, _, _, _ = played("overstay")
    ended = next(one for one in entries if one.kind is Kind.SESSION_ENDED)
    left = next(
        one for one in entries if one.kind is Kind.OCCUPANCY and not one.body["is_occupied"]
    )
    begun = next(one for one in entries if one.kind is Kind.SESSION_BEGUN)
    energy_wh = ended.register_wh - begun.register_wh

    assert 0 < energy_wh < 5_000
    assert left.at - begun.at > timedelta(minutes=65)
