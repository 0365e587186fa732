"""Whether the car of a reservation was watched, and what the time in the dark counts for."""

from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.domain.evidence import InBay, Seen
from cloud.domain.policy import Policy
from cloud.domain.reservations import LIVE, Status
from cloud.domain.sight import followed, was_dark
from tests.cloud.builders import NOON, a_reservation, after

POLICY = Policy()
THERE = Seen(InBay.STILL_THERE)
LOST = Seen(InBay.UNKNOWN, lost_at=after(-90), unheard_since=after(-90))


def charged(**more):
    """From eleven to noon."""
    return a_reservation(**({"start_s": -3600, "status": Status.FINISHED} | more))


def seen_again(**more):
    return charged(**({"unseen_since": after(-90), "seen_again_at": after(600)} | more))


def told(reservation, seen=THERE, at=NOON, *, is_behind=False):
    return followed(reservation, seen, POLICY, at, is_behind=is_behind)


@pytest.mark.parametrize("status", sorted(LIVE))
def test_only_who_has_come_or_may_have_can_get_out_of_sight(status):
    lost = told(charged(status=status), LOST)

    assert lost.unseen_since == (None if status is Status.HELD else after(-90))
    assert told(charged(status=status)) == charged(status=status)


def test_who_has_not_come_is_out_of_sight_only_in_their_slot():
    booked = charged(status=Status.BOOKED, ends_at=after(3600))

    assert told(booked, LOST, after(-3601)) == booked
    lost = told(told(booked, LOST, after(-3600)))
    assert lost.seen_again_at == NOON
    assert told(lost, Seen(InBay.EMPTY), after(600)) == booked


def test_out_of_sight_is_since_it_first_was_and_until_the_bay_is_seen_again():
    lost = told(charged(), LOST)
    later = told(lost, replace(LOST, lost_at=after(300)), after(400))
    back = told(later, at=after(600))
    lost_again = told(back, replace(LOST, lost_at=after(610)), after(700))

    assert (later.unseen_since, later.seen_again_at) == (after(-90), None)
    assert back == seen_again()
    assert (lost_again.unseen_since, lost_again.seen_again_at) == (after(-90), None)


def test_a_car_is_in_sight_again_once_all_is_told_and_it_is_there():
    over = seen_again(status=Status.OVERSTAYING, overstay_since=after(-300))
    at = after(600) + POLICY.late_facts_after

    assert told(over, at=at - timedelta(seconds=1)) == over
    assert told(over, at=at, is_behind=True) == over
    assert told(over, Seen(InBay.EMPTY), at) == over
    assert told(over, at=at) == replace(over, unseen_since=None, seen_again_at=None)


def test_who_was_out_of_sight_at_the_end_of_the_slot_stays_so_until_it_is_judged():
    at = after(600) + POLICY.late_facts_after

    assert told(seen_again(), at=at) == seen_again()
    assert told(seen_again(ends_at=after(9000)), at=at).unseen_since is None


@pytest.mark.parametrize(
    ("linked_s", "since_s"),
    [
        (-100, -300),
        # in the dark for 690 s
        (-80, 390),
    ],
)
def test_what_was_dark_is_no_overstay(linked_s, since_s):
    over = seen_again(status=Status.OVERSTAYING, overstay_since=after(-300))
    there = Seen(InBay.STILL_THERE, linked_at=after(linked_s))

    assert was_dark(over, there, POLICY) is (linked_s > -90)
    assert told(over, there, after(1200)).overstay_since == after(since_s)


def test_nothing_was_dark_where_nothing_was_lost_or_no_charger_is():
    assert not was_dark(charged(), Seen(InBay.EMPTY, linked_at=NOON), POLICY)
    assert not was_dark(seen_again(), Seen(InBay.EMPTY), POLICY)


def test_what_is_told_of_no_more_was_dark_whoever_looked():
    long_ago = after(-90) + POLICY.unseen_after

    assert was_dark(seen_again(seen_again_at=long_ago), Seen(InBay.EMPTY), POLICY)
    assert not was_dark(seen_again(seen_again_at=after(600)), Seen(InBay.EMPTY), POLICY)
