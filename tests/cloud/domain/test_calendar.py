"""What can be booked when: equal to asking granule by granule, whatever the clocks do."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.calendar import (
    Calendar,
    Run,
    Slot,
    bookable,
    closed,
    merged,
    opened,
    runs,
    without,
)
from cloud.domain.terms import Blackout, OpenHours, Terms
from cloud.domain.windows import GRANULE, Window, granules
from tests.cloud.builders import NOON, after

LONDON, KOLKATA = ZoneInfo("Europe/London"), ZoneInfo("Asia/Kolkata")
LORD_HOWE, AZORES = ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Atlantic/Azores")
ZONES = [LONDON, KOLKATA, LORD_HOWE, AZORES, ZoneInfo("UTC"), ZoneInfo("America/New_York")]
# a week in which clocks are put on, one in which they are put back, a leap day, a dull one
BEGINNINGS = [
    datetime(2026, 3, 27, tzinfo=UTC),
    datetime(2026, 10, 23, tzinfo=UTC),
    datetime(2026, 4, 3, tzinfo=UTC),
    datetime(2028, 2, 27, tzinfo=UTC),
    datetime(2026, 6, 1, tzinfo=UTC),
]


def quarter(number: int) -> timedelta:
    return GRANULE * number


def hours(number: float) -> timedelta:
    return timedelta(hours=number)


def a_window(start: float, end: float) -> Window:
    """Return a window by hours after noon."""
    return Window(NOON + hours(start), NOON + hours(end))


# --- opening hours -------------------------------------------------------------------------------


def is_open_on_the_wall(at: datetime, week: list[OpenHours], zone: ZoneInfo) -> bool:
    """Whether a clock on the station's wall shows an opening hour: the rule, granule by granule."""
    local = at.astimezone(zone)
    minute, weekday = local.hour * 60 + local.minute, local.weekday()
    return not week or any(
        (one.weekday == weekday and one.opens_min <= minute < one.closes_min)
        or (one.weekday == (weekday - 1) % 7 and one.opens_min <= minute + 1440 < one.closes_min)
        for one in week
    )


@st.composite
def open_hours(draw):
    opens = draw(st.integers(0, 95))
    closes = draw(st.integers(opens + 1, 192))
    return OpenHours(
        weekday=draw(st.integers(0, 6)), opens_min=15 * opens, closes_min=min(15 * closes, 2880)
    )


@st.composite
def ranges(draw, most=96 * 5):
    begins = draw(st.sampled_from(BEGINNINGS)) + quarter(draw(st.integers(0, 96)))
    return Window(begins, begins + quarter(draw(st.integers(1, most))))


@given(st.lists(open_hours(), max_size=5), st.sampled_from(ZONES), ranges())
def test_open_is_what_the_clock_on_the_wall_says(week, zone, within):
    open_windows = opened(week, zone, within)

    for at in granules(within):
        is_open = any(one.holds(at) for one in open_windows)
        assert is_open is is_open_on_the_wall(at, week, zone), at
    assert all(one.starts_at < one.ends_at for one in open_windows)
    assert merged(open_windows) == open_windows


def test_where_clocks_go_back_the_hour_that_comes_twice_is_open_twice():
    # London, 25 October 2026: 01:00 to 02:00 comes twice
    week = [OpenHours(weekday=6, opens_min=60, closes_min=90)]
    night = Window(datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 25, 4, tzinfo=UTC))

    assert opened(week, LONDON, night) == [
        Window(night.starts_at, night.starts_at + hours(0.5)),
        Window(night.starts_at + hours(1), night.starts_at + hours(1.5)),
    ]


def test_where_clocks_go_on_the_hour_that_is_skipped_is_open_never():
    # London, 29 March 2026: 01:00 to 02:00 does not come
    week = [OpenHours(weekday=6, opens_min=60, closes_min=120)]
    day = Window(datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC))

    assert opened(week, LONDON, day) == []


def test_hours_past_midnight_belong_to_the_day_they_began():
    week = [OpenHours(weekday=4, opens_min=22 * 60, closes_min=26 * 60)]
    saturday = Window(datetime(2026, 6, 6, tzinfo=UTC), datetime(2026, 6, 7, tzinfo=UTC))

    assert opened(week, ZoneInfo("UTC"), saturday) == [
        Window(saturday.starts_at, saturday.starts_at + hours(2))
    ]


def test_an_instant_between_granules_is_judged_like_any_other():
    week = [OpenHours(weekday=6, opens_min=0, closes_min=1440)]
    begins = datetime(2026, 10, 25, 0, 7, tzinfo=UTC)
    within = Window(begins, begins + hours(30))

    # Sunday in London ends at midnight of winter time
    assert opened(week, LONDON, within) == [Window(begins, datetime(2026, 10, 26, tzinfo=UTC))]


# --- windows -------------------------------------------------------------------------------------

windows = st.lists(
    st.tuples(st.integers(-8, 40), st.integers(0, 12)).map(
        lambda pair: Window(after(900 * pair[0]), after(900 * (pair[0] + pair[1])))
    ),
    max_size=6,
)


def moments(them):
    return {at for one in them for at in granules(one)}


@given(windows)
def test_merged_windows_are_the_same_moments_in_order_and_apart(them):
    found = merged(them)

    assert moments(found) == moments(them)
    assert all(one.ends_at < two.starts_at for one, two in pairwise(found))


@given(windows, st.integers(1, 30))
def test_what_is_left_is_what_no_other_has(them, length):
    whole = Window(NOON, NOON + quarter(length))
    left = without(whole, them)

    assert moments(left) == moments([whole]) - moments(them)
    assert left == merged(left)


@given(windows, windows, st.integers(1, 6), st.integers(0, 3), st.data())
def test_starts_are_those_a_window_fits_at_each_tried(shut, taken, length, buffer, data):
    calendar = Calendar(tuple(merged(shut)), tuple(merged(taken)))
    earliest = NOON + timedelta(minutes=data.draw(st.integers(-74, 60)))
    latest = earliest + quarter(data.draw(st.integers(-2, 40)))
    starts = list(calendar.starts(quarter(length), quarter(buffer), earliest, latest))

    tried = [NOON + quarter(n) for n in range(-20, 60)]
    assert starts == [
        at
        for at in tried
        if earliest <= at <= latest
        and calendar.is_free(Window(at, at + quarter(length)), quarter(buffer))
    ]


def test_a_window_fits_exactly_between_two_others():
    calendar = Calendar(taken=(a_window(0, 1), a_window(2, 3)))

    assert calendar.is_free(a_window(1, 2))
    assert not calendar.is_free(a_window(1, 2), buffer=GRANULE)
    assert list(calendar.starts(hours(1), timedelta(0), NOON, NOON + hours(1.5))) == [
        NOON + hours(1)
    ]


def test_a_buffer_may_reach_into_the_night():
    calendar = Calendar(closed=(a_window(1, 12),))

    assert calendar.is_free(a_window(0, 1), buffer=GRANULE)


# --- terms ---------------------------------------------------------------------------------------


@given(
    st.lists(open_hours(), max_size=3),
    st.sampled_from(ZONES),
    ranges(most=96 * 3),
    st.lists(
        st.tuples(st.integers(-10, 96), st.integers(1, 50), st.sampled_from([None, "b-1", "b-2"])),
        max_size=4,
    ),
)
def test_closed_is_what_the_terms_close_for_this_bay(week, zone, within, blacked):
    blackouts = tuple(
        Blackout(
            starts_at=within.starts_at + quarter(start),
            ends_at=within.starts_at + quarter(start + length),
            bay_id=bay,
        )
        for start, length, bay in blacked
    )
    terms = Terms(hours=tuple(week), blackouts=blackouts)
    shut = closed("b-1", terms, zone, within)

    for at in granules(within):
        is_black = any(
            one.starts_at <= at < one.ends_at for one in blackouts if one.bay_id in {None, "b-1"}
        )
        is_shut = is_black or not is_open_on_the_wall(at, week, zone)
        assert any(one.holds(at) for one in shut) is is_shut, at


@pytest.mark.parametrize("terms", [Terms(is_bookable=False), Terms(unbookable_bays=("b-1",))])
def test_what_is_for_walk_ins_only_is_never_open(terms):
    within = a_window(0, 24)

    assert closed("b-1", terms, LONDON, within) == (within,)


def test_a_bay_that_is_not_named_stays_bookable():
    terms = Terms(unbookable_bays=("b-2",))

    assert closed("b-1", terms, LONDON, a_window(0, 24)) == ()


def test_bookings_lie_between_the_running_granule_and_as_far_ahead_as_one_may():
    within = bookable(Terms(ahead_s=3_600), after(601))

    assert within == Window(NOON, after(4_201))


# --- runs ----------------------------------------------------------------------------------------


@st.composite
def calendars(draw):
    return Calendar(tuple(merged(draw(windows))), tuple(merged(draw(windows))))


@pytest.mark.slow
@given(st.lists(calendars(), max_size=3), st.integers(1, 40), st.integers(-5, 20))
def test_runs_are_every_granule_asked_by_itself(them, length, ahead):
    within = Window(NOON, NOON + quarter(length))
    open_for = Window(NOON + quarter(2), NOON + quarter(20 + ahead))
    found = runs(them, within, open_for)

    said = {at: one for one in found for at in granules(Window(one.starts_at, one.ends_at))}
    assert sorted(said) == list(granules(within))
    for at, run in said.items():
        assert (run.slot, run.bays_free) == slot_of(them, at, open_for), at
    kinds = [(one.slot, one.bays_free) for one in found]
    assert all(one != two for one, two in pairwise(kinds))


def slot_of(them, at, open_for):
    granule = Window(at, at + GRANULE)
    can_be = open_for.starts_at <= at and granule.ends_at <= open_for.ends_at
    open_bays = [
        one for one in them if can_be and not any(shut.overlaps(granule) for shut in one.closed)
    ]
    free = [one for one in open_bays if not any(taken.overlaps(granule) for taken in one.taken)]
    if free:
        return Slot.FREE, len(free)
    return (Slot.TAKEN if open_bays else Slot.CLOSED), 0


def test_a_taken_part_of_a_granule_takes_it():
    calendar = Calendar(taken=(Window(after(60), after(120)),))

    assert runs([calendar], a_window(0, 0.5), a_window(0, 24)) == [
        Run(NOON, after(900), Slot.TAKEN, 0),
        Run(after(900), after(1800), Slot.FREE, 1),
    ]
