"""The statuses of reservations: each pair is in the table or refused, and what is over stays over."""

from datetime import timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.errors import IllegalTransition
from cloud.domain.reservations import (
    HERE,
    LIVE,
    NEXT,
    OCPI,
    PROMISED,
    Happening,
    Status,
    advance,
    may,
)
from cloud.domain.terms import (
    Blackout,
    OpenHours,
    RefundStep,
    Terms,
    from_plain,
    frozen,
    refund_pct,
    to_plain,
)
from cloud.domain.windows import GRANULE, Window, ceiling, floor, granules
from tests.cloud.builders import NOON, a_reservation, after

OCPI_WORDS = {"PENDING", "RESERVED", "FULFILLED", "CANCELED", "NO_SHOW", "REJECTED", "FAILED"}


@pytest.mark.parametrize(("status", "happening"), list(product(Status, Happening)))
def test_every_pair_is_in_the_table_or_refused(status, happening):
    start = a_reservation(status=status)

    assert may(start, happening) is ((status, happening) in NEXT)
    if may(start, happening):
        moved = advance(start, happening, after(60))
        assert moved.status is NEXT[status, happening]
        assert moved.changed_version == start.changed_version + 1
        assert moved.reason == ("" if moved.is_live else happening)
        assert moved.status_at == (after(60) if moved.status is not status else NOON)
    else:
        with pytest.raises(IllegalTransition, match=f"is {status} does not allow: {happening}"):
            advance(start, happening, after(60))


def test_what_is_over_has_no_way_on():
    assert {status for status, _ in NEXT} == LIVE
    assert HERE < PROMISED < LIVE


def test_every_status_can_be_reached_from_a_hold():
    reached = {Status.HELD}
    while True:
        more = reached | {after for (before, _), after in NEXT.items() if before in reached}
        if more == reached:
            break
        reached = more

    assert reached == set(Status)


def test_every_status_has_a_word_of_ocpi():
    assert set(OCPI) == set(Status)
    assert set(OCPI.values()) == OCPI_WORDS


@given(st.lists(st.sampled_from(Happening), max_size=30))
def test_whatever_happens_only_the_table_is_followed(happenings):
    reservation = a_reservation()

    for number, happening in enumerate(happenings):
        before = reservation
        try:
            reservation = advance(reservation, happening, after(number))
        except IllegalTransition:
            assert (before.status, happening) not in NEXT
        else:
            assert before.is_live
            assert reservation.status is NEXT[before.status, happening]


def test_what_is_kept_lasts_for_the_buffer_longer():
    reservation = a_reservation(buffer_s=900)

    assert reservation.kept.ends_at - reservation.window.ends_at == timedelta(minutes=15)
    assert reservation.kept.starts_at == reservation.window.starts_at


@pytest.mark.parametrize(
    ("notice_s", "pct"), [(7_200, 100), (3_600, 100), (3_599, 50), (0, 50), (-1, 0)]
)
def test_the_longest_notice_that_fits_decides_what_comes_back(notice_s, pct):
    assert refund_pct(Terms(), timedelta(seconds=notice_s)) == pct


def test_shorter_notice_than_every_step_brings_nothing_back():
    terms = Terms(refunds=(RefundStep(before_s=3_600, refund_pct=80),))

    assert refund_pct(terms, timedelta(minutes=5)) == 0


def test_terms_survive_being_written_down():
    terms = Terms(
        hours=(OpenHours(weekday=0, opens_min=480, closes_min=1_500),),
        blackouts=(Blackout(starts_at=NOON, ends_at=after(3_600), bay_id="b-1", why="works"),),
        unbookable_bays=("b-2",),
        refunds=(RefundStep(before_s=60, refund_pct=10),),
        protect_s=60,
    )

    assert from_plain(to_plain(terms)) == terms
    assert from_plain(None) == Terms()
    assert from_plain({"min_s": 900, "invented": 1}) == Terms(min_s=900)


def test_a_reservation_keeps_of_the_terms_what_it_is_judged_by():
    terms = Terms(unbookable_bays=("b-2",), grace_s=60)

    kept = from_plain(frozen(terms))

    assert (kept.grace_s, kept.unbookable_bays) == (60, ())
    assert (kept.grace, kept.protect) == (timedelta(minutes=1), timedelta(minutes=15))


def test_windows_are_counted_in_granules():
    window = Window(after(60), after(1_801))

    assert list(granules(window)) == [NOON, NOON + GRANULE, NOON + 2 * GRANULE]
    assert (floor(after(60)), ceiling(after(60))) == (NOON, NOON + GRANULE)
    assert ceiling(NOON) == floor(NOON) == NOON
    assert not window.is_on_granules
    assert Window(NOON, NOON + GRANULE).is_on_granules
    assert window.shifted(GRANULE) == Window(after(960), after(2_701))
    assert window.holds(after(60))
    assert not window.holds(after(1_801))
