"""What is booked in the demonstration's driver's name is kept by her car, once; at Lochee a van is faster."""

from datetime import timedelta

from simulator.clock import VirtualClock
from simulator.demo import city
from simulator.demo.appointments import Appointments
from simulator.journal import MemoryJournal
from simulator.site import build
from simulator.world import World


class OneList:
    """The API, as far as it is asked: always the same list."""

    def __init__(self, *reservations):
        self._reservations = list(reservations)

    def get(self, _path):
        return {"reservations": self._reservations}


class SameDesk:
    """See Desk: the bay stays where it was."""

    def look(self, _guest, promise, then):
        then(promise)

    def check_in(self, _guest, _promise):
        pass


def a_booking(world, bay_id, *, in_s=600):
    starts_at = world.now() + timedelta(seconds=in_s)
    return {
        "reservation_id": "r-1",
        "station_id": bay_id.rpartition("-")[0],
        "bay_id": bay_id,
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(minutes=15)).isoformat(),
        "state": "booked",
        "is_live": True,
    }


def a_city():
    world = World(VirtualClock(), 1, MemoryJournal())
    sites = [build(world, spec, lambda _: None) for spec in (city.LOCHEE, city.OLYMPIA)]
    return world, {bay_id: bay for one in sites for bay_id, bay in one.bays.items()}, sites


async def test_her_car_comes_when_the_slot_begins_and_leaves_a_little_late():
    world, bays, sites = a_city()
    bay = bays["dundee-olympia-1"]
    appointments = Appointments(world, sites, SameDesk(), ("", 0))
    listed = OneList(a_booking(world, "dundee-olympia-1"))

    for _ in range(3):
        await appointments.look(listed)
    world.run_for(590)
    was_early = bay.is_occupied
    world.run_for(60)
    is_there = bay.stands_there
    world.run_for(900)
    is_late = bay.is_occupied
    world.run_for(300)

    assert not was_early
    assert is_there == "Dora's crossover"
    assert is_late
    assert not bay.is_occupied


async def test_at_lochee_the_van_is_faster_also_in_a_slot_that_has_begun():
    world, bays, sites = a_city()
    appointments = Appointments(world, sites, SameDesk(), ("", 0))

    await appointments.look(OneList(a_booking(world, "dundee-lochee-2", in_s=-120)))
    world.run_for(30)

    assert bays["dundee-lochee-2"].stands_there == "white van"
