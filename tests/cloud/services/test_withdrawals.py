"""R12: an owner takes a bay, or time, away: refused, or its drivers are seen to; none is forgotten."""

from dataclasses import replace

import pytest

from cloud.domain.errors import BookingsInTheWay
from cloud.domain.reservations import Status, Trouble
from cloud.domain.terms import Blackout, OpenHours, Terms
from cloud.services.booking_ports import Told
from cloud.services.withdrawals import Withdrawals
from tests.cloud.builders import BAY, NOON, STATION, after
from tests.cloud.services.bookings import HOUR, ME, OTHER_BAY, Bookings
from tests.cloud.services.rig import OWNER, a_rig

WITHOUT_FIRST = Terms(unbookable_bays=(BAY,))
CLOSED = Terms(blackouts=(Blackout(starts_at=NOON, ends_at=after(3 * HOUR)),))


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


def withdraw(bookings, terms, *, is_forced=False):
    withdrawals = Withdrawals(bookings.advancer)
    with bookings.rig.open_work() as work:
        work.terms.put(STATION, terms, NOON)
        changes = withdrawals.withdraw(
            work, STATION, terms, Told("withdrawn", OWNER), NOON, is_forced=is_forced
        )
        work.commit()
    return changes


def test_r12_a_bay_with_bookings_is_not_taken_away_unasked(bookings):
    booked = bookings.book()

    with pytest.raises(BookingsInTheWay, match="1 bookings") as refused:
        withdraw(bookings, WITHOUT_FIRST)

    assert refused.value.reservation_ids == [booked.reservation_id]
    assert bookings.reservation(booked.reservation_id).trouble is Trouble.NONE
    assert bookings.hold(start_s=5 * HOUR).bay_id == BAY


@pytest.mark.parametrize(
    "terms",
    [
        WITHOUT_FIRST,
        CLOSED,
        replace(CLOSED, blackouts=(replace(CLOSED.blackouts[0], bay_id=BAY),)),
        Terms(hours=(OpenHours(weekday=0, opens_min=0, closes_min=1_440),)),
    ],
)
def test_r12_forced_its_bookings_are_in_trouble_for_somebody_to_see_to(bookings, terms):
    booked = bookings.book()
    held = bookings.hold(start_s=2 * HOUR)
    bookings.heard.looked.clear()

    changes = withdraw(bookings, terms, is_forced=True)

    after_it = bookings.reservation(booked.reservation_id)
    assert (after_it.status, after_it.trouble) == (Status.BOOKED, Trouble.WITHDRAWN)
    assert after_it.trouble_at == NOON
    assert bookings.reservation(held.reservation_id).status is Status.FAILED
    assert bookings.heard.looked == [BAY, BAY]
    assert {one.subject for one in changes} == {booked.reservation_id, held.reservation_id}
    assert bookings.log(booked.reservation_id)[-1] == "withdrawn"
    assert bookings.slots() == bookings.expected_slots()


def test_r12_what_is_in_trouble_already_is_in_nobodys_way(bookings):
    bookings.book()
    withdraw(bookings, WITHOUT_FIRST, is_forced=True)

    assert withdraw(bookings, WITHOUT_FIRST) == []


def test_r12_flexible_bookings_move_aside_and_nobody_notices(bookings):
    flexible = bookings.book(bay_id=None)

    withdraw(bookings, Terms(unbookable_bays=(flexible.bay_id,)))

    moved = bookings.reservation(flexible.reservation_id)
    assert moved.bay_id == ({BAY, OTHER_BAY} - {flexible.bay_id}).pop()
    assert moved.trouble is Trouble.NONE
    assert bookings.slots() == bookings.expected_slots()


@pytest.mark.parametrize("terms", [CLOSED, Terms(unbookable_bays=(BAY, OTHER_BAY))])
def test_r12_flexible_bookings_without_any_bay_left_are_in_the_way(bookings, terms):
    bookings.book(bay_id=None)

    with pytest.raises(BookingsInTheWay):
        withdraw(bookings, terms)


@pytest.mark.parametrize("terms", [WITHOUT_FIRST, CLOSED])
def test_r12_a_hold_made_while_the_bay_was_taken_away_cannot_be_paid_for(bookings, terms):
    held = bookings.hold()
    with bookings.rig.open_work() as work:
        work.terms.put(STATION, terms, NOON)
        work.commit()

    assert not bookings.pay(held.reservation_id)
    assert bookings.reservation(held.reservation_id).status is Status.HELD


def test_r12_a_hold_at_a_station_that_takes_no_more_bookings_can_be_paid_for(bookings):
    held = bookings.hold()
    bookings.set_terms(is_bookable=False)

    assert bookings.pay(held.reservation_id)


def test_r12_a_station_that_takes_no_more_bookings_keeps_those_it_has(bookings):
    bookings.book()

    assert withdraw(bookings, Terms(is_bookable=False)) == []


def test_r12_other_bays_and_other_times_are_in_nobodys_way(bookings):
    bookings.book()
    later = Blackout(starts_at=after(2 * HOUR), ends_at=after(9 * HOUR))

    assert withdraw(bookings, Terms(unbookable_bays=(OTHER_BAY,), blackouts=(later,))) == []
    assert bookings.service.list(ME).reservations[0].trouble == ""
