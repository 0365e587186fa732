"""Whatever is found can be booked: searches and bookings have the same terms in mind."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.booking_rules import BookableBay, Desk, Plug, check_bay, check_window
from cloud.domain.booking_rules import Need as BookingNeed
from cloud.domain.errors import NotBookable
from cloud.domain.policy import Policy
from cloud.domain.reconcile import Status
from cloud.domain.terms import Blackout, OpenHours, Terms
from cloud.domain.windows import GRANULE, Window, floor
from cloud.services.booking_ports import FoundBay, FoundPlug
from cloud.services.surveys import Need, Survey
from tests.cloud.builders import NOON, STATION, a_station
from tests.cloud.services.town import CCS

DAY = timedelta(days=1)
ZONES = ["Europe/London", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
# the nights clocks are put on and back in London, and a dull day
BEGINNINGS = [NOON + timedelta(days=27, hours=6), NOON + timedelta(days=237, hours=6), NOON]

hours = st.builds(
    lambda day, opens, lasts: OpenHours(
        weekday=day, opens_min=15 * opens, closes_min=15 * min(opens + lasts, 192)
    ),
    st.integers(0, 6),
    st.integers(0, 95),
    st.integers(1, 96),
)


@st.composite
def situations(draw):
    """Return terms, a zone, an instant, a bay's status and what is taken of it."""
    now = draw(st.sampled_from(BEGINNINGS)) + timedelta(seconds=draw(st.integers(0, 20_000)))
    start = floor(now)
    blackouts = [
        Blackout(
            starts_at=start + draw(st.integers(0, 60)) * GRANULE,
            ends_at=start + draw(st.integers(61, 90)) * GRANULE,
            bay_id=draw(st.sampled_from([None, "b-1", "b-2"])),
        )
        for _ in range(draw(st.integers(0, 2)))
    ]
    terms = Terms(
        hours=tuple(draw(st.lists(hours, max_size=7))),
        blackouts=tuple(blackouts),
        min_s=900 * draw(st.integers(1, 4)),
        max_s=900 * draw(st.integers(4, 20)),
        buffer_s=900 * draw(st.integers(0, 2)),
        ahead_s=draw(st.integers(3_600, 200_000)),
        protect_s=draw(st.sampled_from([0, 900, 7_200])),
    )
    taken = [
        Window(start + first * GRANULE, start + (first + length) * GRANULE)
        for first, length in draw(
            st.lists(st.tuples(st.integers(-4, 90), st.integers(1, 12)), max_size=5)
        )
    ]
    return terms, draw(st.sampled_from(ZONES)), now, draw(st.sampled_from(list(Status))), taken


def survey_of(situation):
    terms, zone, now, status, taken = situation
    bay = FoundBay(
        bay_id="b-1",
        station_id=STATION,
        name="1",
        is_accessible=False,
        max_power_w=50_000,
        status=status,
        heard_at=now,
        expected_end_at=None,
        plugs=(FoundPlug(standard=CCS, is_dc=True, max_power_w=50_000),),
    )
    return Survey(
        stations={STATION: a_station(timezone=zone)},
        bays=[bay],
        terms={STATION: terms},
        taken={"b-1": taken},
        within=Window(floor(now), floor(now) + 4 * DAY),
        policy=Policy(),
        now=now,
    )


def may_book(situation, window):
    """Whether the booking desk would take it."""
    terms, zone, now, status, taken = situation
    desk = Desk(terms, ZoneInfo(zone), now)
    bay = BookableBay(
        bay_id="b-1", station_id=STATION, name="1", status=status, plugs=(Plug(CCS, 50_000),)
    )
    kept = Window(window.starts_at, window.ends_at + timedelta(seconds=terms.buffer_s))
    try:
        check_window(desk, window)
        check_bay(desk, window, bay, BookingNeed())
    except NotBookable:
        return False
    return not any(one.overlaps(kept) for one in taken)


@given(situations(), st.integers(1, 12), st.integers(0, 8))
def test_whatever_is_found_can_be_booked(situation, length, later):
    first = floor(situation[2]) + later * GRANULE
    need = Need(between=Window(first, first + DAY), duration=length * GRANULE, energy_wh=10_000)

    for slot in survey_of(situation).slots(need, 4):
        assert may_book(situation, slot.window), slot.window


@given(situations(), st.integers(1, 12))
def test_what_can_be_booked_at_a_free_bay_is_found(situation, length):
    terms, zone, now, _, taken = situation
    free = (terms, zone, now, Status.AVAILABLE, taken)
    duration, first = length * GRANULE, floor(now)
    need = Need(between=Window(first, first + DAY), duration=duration, energy_wh=10_000)
    found = list(survey_of(free).slots(need, 1))

    windows = [
        Window(first + n * GRANULE, first + n * GRANULE + duration) for n in range(DAY // GRANULE)
    ]
    possible = [one for one in windows if may_book(free, one)]
    assert [one.window for one in found] == possible[:1]


@pytest.mark.parametrize("status", list(Status))
def test_a_bay_that_is_offered_now_is_one_the_desk_gives_now(status):
    window = Window(NOON, NOON + 4 * GRANULE)
    need = Need(between=Window(NOON, NOON), duration=window.duration, energy_wh=10_000)
    situation = (Terms(), "UTC", NOON, status, [])
    is_found = bool(list(survey_of(situation).slots(need, 1)))

    assert is_found is (status in {Status.AVAILABLE, Status.RESERVED})
    if is_found:
        assert may_book(situation, window)
