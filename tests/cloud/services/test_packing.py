"""Flexible reservations: packed so that one more fits, and bound to a bay in time."""

from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.domain.errors import BayAlreadyBooked, NotBookable
from cloud.domain.windows import Window
from cloud.services.changing import NewTimes
from tests.cloud.builders import BAY, NOON, STATION, after
from tests.cloud.services.bookings import COMBO, HOUR, ME, OTHER_BAY, Bookings
from tests.cloud.services.rig import a_rig


@pytest.fixture
def rig(databases):
    made = a_rig(databases.sqlite())
    yield made
    made.engine.dispose()


@pytest.fixture
def bookings(rig):
    made = Bookings(rig)
    rig.execute("UPDATE bays SET status = 'AVAILABLE'")
    return made


@pytest.fixture
def drivers(bookings):
    """Return enough drivers, so that nobody's limit is in the way."""
    return [bookings.add_driver(f"u-{number}") for number in range(6)]


def bind(bookings, view):
    with bookings.rig.open_work() as work:
        found = work.reservations.by_ids([view.reservation_id])[view.reservation_id]
        changes = bookings.packer.bind(work, found, bookings.rig.clock.now())
        work.commit()
    return changes


def test_any_bay_means_a_bay_at_once_and_perhaps_another_later(bookings):
    held = bookings.hold(bay_id=None, standard=COMBO)

    assert held.is_flexible
    assert held.fixed_at == after(HOUR - 900)
    assert held.bay_id in {BAY, OTHER_BAY}
    assert bookings.slots() == bookings.expected_slots()


def test_shortly_before_the_start_any_bay_is_a_bay_for_good(bookings):
    held = bookings.hold(start_s=900, bay_id=None)

    assert not held.is_flexible
    assert held.fixed_at == NOON


def test_who_wants_a_certain_bay_gets_it_from_who_does_not(bookings, drivers):
    flexible = bookings.book(bay_id=None)
    version = bookings.plan_version()

    wanted = bookings.hold(bay_id=flexible.bay_id, viewer=drivers[0])

    moved = bookings.service.get(flexible.reservation_id, ME)
    assert {moved.bay_id, wanted.bay_id} == {BAY, OTHER_BAY}
    assert wanted.bay_id == flexible.bay_id
    assert moved.version == flexible.version + 1
    assert bookings.slots() == bookings.expected_slots()
    assert bookings.log(flexible.reservation_id)[-1] == "repacked"
    assert bookings.plan_version() == version + 1
    assert bookings.heard.freed_ == []


def test_a_station_that_looks_full_is_packed_anew(bookings, drivers):
    bookings.book(start_s=HOUR, bay_id=OTHER_BAY, viewer=drivers[0])
    flexible = bookings.book(start_s=2 * HOUR, bay_id=None, viewer=drivers[1])
    assert flexible.bay_id == BAY

    long = bookings.hold(start_s=HOUR, lasts_s=2 * HOUR, bay_id=None, viewer=drivers[2])

    assert long.bay_id == BAY
    assert bookings.service.get(flexible.reservation_id, drivers[1]).bay_id == OTHER_BAY
    assert bookings.slots() == bookings.expected_slots()


def test_those_who_move_aside_may_have_others_move_aside(bookings, drivers):
    # later than what is asked for, and so in its way only through who moves
    later = bookings.book(start_s=2 * HOUR, bay_id=OTHER_BAY, viewer=drivers[0])
    long = bookings.book(start_s=HOUR, lasts_s=2 * HOUR, bay_id=None, viewer=drivers[1])
    assert long.bay_id == BAY
    with pytest.raises(BayAlreadyBooked):
        bookings.hold(bay_id=BAY, viewer=drivers[2])
    bookings.service.cancel(drivers[0], later.reservation_id)
    later = bookings.book(start_s=2 * HOUR, bay_id=None, viewer=drivers[0])
    assert later.bay_id == OTHER_BAY

    bookings.hold(bay_id=BAY, viewer=drivers[2])

    assert bookings.service.get(long.reservation_id, drivers[1]).bay_id == OTHER_BAY
    assert bookings.service.get(later.reservation_id, drivers[0]).bay_id == BAY
    assert bookings.slots() == bookings.expected_slots()


def test_a_full_station_is_full(bookings, drivers):
    for number in range(2):
        bookings.book(bay_id=None, viewer=drivers[number])

    with pytest.raises(BayAlreadyBooked) as refused:
        bookings.hold(bay_id=None, viewer=drivers[2])

    assert refused.value.subject == STATION
    assert len(refused.value.alternatives) == 5
    assert len(bookings.all()) == 2


def test_who_has_come_is_not_moved(bookings, drivers):
    flexible = bookings.book(bay_id=None)
    bookings.rig.clock.pass_by(timedelta(seconds=HOUR - 900))
    bookings.service.check_in(ME, flexible.reservation_id)

    with pytest.raises(BayAlreadyBooked):
        bookings.hold(bay_id=flexible.bay_id, viewer=drivers[0])


def test_a_flexible_reservation_moves_to_another_time_in_whatever_bay(bookings, drivers):
    flexible = bookings.book(bay_id=None)
    bookings.book(start_s=3 * HOUR, bay_id=flexible.bay_id, viewer=drivers[0])

    moved = bookings.service.change(
        ME, flexible.reservation_id, NewTimes(starts_at=after(3 * HOUR))
    )

    assert moved.bay_id != flexible.bay_id
    assert moved.is_flexible
    assert moved.fixed_at == after(3 * HOUR - 900)
    assert bookings.slots() == bookings.expected_slots()


def test_who_names_a_bay_is_flexible_no_more(bookings):
    flexible = bookings.book(bay_id=None)

    bay_id = ({BAY, OTHER_BAY} - {flexible.bay_id}).pop()
    moved = bookings.service.change(ME, flexible.reservation_id, NewTimes(bay_id=bay_id))

    assert (moved.is_flexible, moved.fixed_at, moved.bay_id) == (False, None, bay_id)


def test_in_time_it_is_bound_to_its_bay(bookings):
    flexible = bookings.book(bay_id=None)

    assert bind(bookings, flexible) == ()
    bookings.rig.clock.pass_by(timedelta(seconds=HOUR - 900))
    bind(bookings, flexible)

    bound = bookings.reservation(flexible.reservation_id)
    assert (bound.is_flexible, bound.bay_id) == (False, flexible.bay_id)
    assert bookings.log(flexible.reservation_id)[-1] == "bound"
    assert bind(bookings, flexible) == ()


def test_it_is_bound_to_another_bay_if_its_own_is_out_of_order(bookings):
    flexible = bookings.book(bay_id=None)
    bookings.rig.execute(f"UPDATE bays SET status = 'OUTOFORDER' WHERE id = '{flexible.bay_id}'")
    bookings.rig.clock.pass_by(timedelta(seconds=HOUR - 900))

    bind(bookings, flexible)

    bound = bookings.reservation(flexible.reservation_id)
    assert bound.bay_id != flexible.bay_id
    assert not bound.is_flexible
    assert bookings.slots() == bookings.expected_slots()
    assert bookings.heard.freed_ == [(STATION, Window(flexible.starts_at, flexible.ends_at))]


def test_where_no_bay_is_in_order_it_stays_where_it_is(bookings):
    flexible = bookings.book(bay_id=None)
    bookings.rig.execute("UPDATE bays SET status = 'OUTOFORDER'")
    bookings.rig.clock.pass_by(timedelta(seconds=HOUR - 900))

    bind(bookings, flexible)

    assert bookings.reservation(flexible.reservation_id).bay_id == flexible.bay_id


def test_a_bay_without_the_plug_is_no_choice(bookings, drivers):
    bookings.rig.execute("UPDATE connectors SET standard = 'CHADEMO' WHERE evse_id = 2")
    bookings.book(bay_id=None, standard=COMBO, viewer=drivers[0])

    with pytest.raises(BayAlreadyBooked):
        bookings.hold(bay_id=None, standard=COMBO, viewer=drivers[1])
    with pytest.raises(NotBookable):
        bookings.hold(bay_id=None, standard="IEC_62196_T2", viewer=drivers[1])
    assert len(bookings.rig.rows(tables.reservations)) == 1
