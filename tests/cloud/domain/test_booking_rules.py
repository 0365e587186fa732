"""What can be booked: each refusal names its field, what is, and what would be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cloud.domain.booking_rules import (
    BookableBay,
    Desk,
    Need,
    Plug,
    check_arrival,
    check_bay,
    check_move,
    check_window,
    fitting,
)
from cloud.domain.errors import IllegalTransition, NotBookable
from cloud.domain.reservations import Status
from cloud.domain.terms import Blackout, OpenHours, Terms
from cloud.domain.windows import Window
from tests.cloud.builders import NOON, a_reservation, after

HOUR, DAY = 3_600, 86_400
LONDON = ZoneInfo("Europe/London")
CCS = "IEC_62196_T2_COMBO"
BAY = BookableBay(
    bay_id="b-1",
    station_id="s-1",
    name="1",
    plugs=(Plug(CCS, 150_000), Plug("CHADEMO", 50_000)),
)


def a_desk(now=NOON, zone=LONDON, **terms):
    return Desk(Terms(**terms), zone, now)


def a_window(start_s=HOUR, lasts_s=HOUR):
    return Window(after(start_s), after(start_s + lasts_s))


def every_day(opens_h, closes_h):
    return tuple(
        OpenHours(weekday=day, opens_min=opens_h * 60, closes_min=closes_h * 60) for day in range(7)
    )


@pytest.mark.parametrize(
    ("terms", "window", "field", "says"),
    [
        ({"is_bookable": False}, a_window(), "station_id", "just come"),
        ({}, Window(after(HOUR), after(HOUR)), "ends_at", "ends after it begins"),
        ({}, Window(after(2 * HOUR), after(HOUR)), "ends_at", "ends after it begins"),
        ({}, a_window(HOUR + 60), "starts_at", "Sun 01 Mar 13:00 or Sun 01 Mar 13:15"),
        ({}, a_window(HOUR, HOUR + 1), "ends_at", "Sun 01 Mar 14:00 or Sun 01 Mar 14:15"),
        (
            {},
            a_window(-900),
            "starts_at",
            "11:45 is past: the first slot begins at Sun 01 Mar 12:00",
        ),
        ({"ahead_s": DAY}, a_window(DAY), "ends_at", "bookings end by Mon 02 Mar 12:00"),
        ({}, a_window(HOUR, 900), "ends_at", "15 min is too short: a booking is at least 30 min"),
        ({}, a_window(HOUR, 16_200), "ends_at", "4 h 30 min is too long: a booking is at most 4 h"),
        ({"min_s": 0}, a_window(HOUR, 900), None, ""),
        ({"hours": every_day(8, 14)}, a_window(HOUR), None, ""),
        ({"hours": every_day(8, 14)}, a_window(5_400), "ends_at", "closes at Sun 01 Mar 14:00"),
        (
            {"hours": every_day(14, 20)},
            a_window(HOUR),
            "starts_at",
            "closed on Sun 01 Mar 13:00; it is open from Sun 01 Mar 14:00 to Sun 01 Mar 20:00",
        ),
        (
            {"hours": (OpenHours(weekday=0, opens_min=0, closes_min=0),)},
            a_window(HOUR),
            "starts_at",
            "closed on Sun 01 Mar 13:00.",
        ),
        (
            {"blackouts": (Blackout(starts_at=after(0), ends_at=after(2 * HOUR), why="works"),)},
            a_window(HOUR),
            "starts_at",
            r"station cannot be booked \(works\) from Sun 01 Mar 12:00 to Sun 01 Mar 14:00",
        ),
        (
            {"blackouts": (Blackout(starts_at=after(0), ends_at=after(HOUR)),)},
            a_window(HOUR),
            None,
            "",
        ),
    ],
)
def test_a_window_fits_the_terms_or_is_refused_in_words(terms, window, field, says):
    desk = a_desk(**terms)

    if field is None:
        check_window(desk, window)
        return
    with pytest.raises(NotBookable, match=says) as refused:
        check_window(desk, window)
    assert refused.value.subject == field


def test_the_granule_that_runs_can_still_be_booked():
    check_window(a_desk(now=after(899)), a_window(0))


def test_of_a_window_that_runs_only_the_end_is_looked_at():
    desk = a_desk(now=after(HOUR + 60))

    check_window(desk, a_window(0, 2 * HOUR), is_begun=True)
    with pytest.raises(NotBookable, match="first end to be had is Sun 01 Mar 13:15"):
        check_window(desk, a_window(0, HOUR), is_begun=True)


def test_hours_past_midnight_are_hours_of_the_day_before():
    nights = (OpenHours(weekday=5, opens_min=22 * 60, closes_min=30 * 60),)
    desk = a_desk(zone=ZoneInfo("UTC"), hours=nights, now=NOON - timedelta(days=1))

    # 1 March 2026 is a Sunday: Saturday's night lasts until six
    check_window(desk, Window(NOON - timedelta(hours=9), NOON - timedelta(hours=6)))
    with pytest.raises(NotBookable):
        check_window(desk, Window(NOON - timedelta(hours=7), NOON - timedelta(hours=5)))


@pytest.mark.parametrize(
    ("day", "opens", "is_open"),
    [
        # on 29 March 2026 clocks in London go from one to two: eight is at seven UTC
        (29, 7, True),
        (28, 7, False),
        (28, 8, True),
    ],
)
def test_opening_hours_follow_the_clock_on_the_wall(day, opens, is_open):
    starts_at = datetime(2026, 3, day, opens, tzinfo=UTC)
    desk = a_desk(hours=every_day(8, 20))
    window = Window(starts_at, starts_at + timedelta(hours=1))

    if is_open:
        check_window(desk, window)
    else:
        with pytest.raises(NotBookable):
            check_window(desk, window)


@pytest.mark.parametrize(
    ("terms", "bay", "need", "field", "says"),
    [
        ({"unbookable_bays": ("b-1",)}, {}, {}, "bay_id", "for those who just come"),
        ({}, {}, {"standard": CCS, "min_power_w": 150_000}, None, ""),
        ({}, {}, {"standard": "CHADEMO", "min_power_w": 60_000}, "min_power_w", "at most 50 kW"),
        ({}, {}, {"standard": "IEC_62196_T2"}, "standard", f"it has: CHADEMO, {CCS}"),
        ({}, {"plugs": ()}, {"standard": CCS}, "standard", "none that is known"),
        ({}, {"plugs": ()}, {}, None, ""),
        (
            {"blackouts": (Blackout(starts_at=NOON, ends_at=after(DAY), bay_id="b-1"),)},
            {},
            {},
            "bay_id",
            "This bay cannot be booked from",
        ),
        (
            {"blackouts": (Blackout(starts_at=NOON, ends_at=after(DAY), bay_id="b-2"),)},
            {},
            {},
            None,
            "",
        ),
        ({}, {"status": "OUTOFORDER"}, {}, "bay_id", "can be booked from Mon 02 Mar 12:00"),
        ({}, {"status": "INOPERATIVE"}, {}, "bay_id", "out of order"),
        ({}, {"status": "UNKNOWN"}, {}, None, ""),
        ({"protect_s": 2 * HOUR}, {"status": "UNKNOWN"}, {}, "bay_id", "from Sun 01 Mar 14:00"),
        ({}, {"status": "CHARGING"}, {}, None, ""),
    ],
)
def test_a_bay_fits_the_car_and_the_terms_or_is_refused_in_words(terms, bay, need, field, says):
    desk, wanted, asked = a_desk(**terms), replace(BAY, **bay), Need(**need)

    if field is None:
        check_bay(desk, a_window(), wanted, asked)
        return
    with pytest.raises(NotBookable, match=says) as refused:
        check_bay(desk, a_window(), wanted, asked)
    assert refused.value.subject == field


@pytest.mark.parametrize("status", ["CHARGING", "BLOCKED"])
def test_a_bay_somebody_stands_in_cannot_be_had_at_once(status):
    desk, bay = a_desk(now=after(60)), replace(BAY, status=status)

    with pytest.raises(NotBookable, match=r"Somebody stands .* from Sun 01 Mar 12:15"):
        check_bay(desk, a_window(0), bay, Need())
    check_bay(desk, a_window(900), bay, Need())


def test_a_bay_out_of_order_can_be_booked_for_another_day():
    check_bay(a_desk(), a_window(DAY), replace(BAY, status="OUTOFORDER"), Need())


def test_the_weakest_bay_that_suffices_comes_first():
    bays = [
        replace(BAY, bay_id="strong", plugs=(Plug(CCS, 300_000),)),
        replace(BAY, bay_id="weak", plugs=(Plug(CCS, 50_000),)),
        replace(BAY, bay_id="fair", plugs=(Plug(CCS, 100_000),)),
    ]

    found = fitting(a_desk(), a_window(), bays, Need(standard=CCS, min_power_w=60_000))

    assert [bay.bay_id for bay in found] == ["fair", "strong"]


def test_where_no_bay_would_do_the_reason_is_said():
    with pytest.raises(NotBookable, match="no IEC_62196_T2"):
        fitting(a_desk(), a_window(), [BAY], Need(standard="IEC_62196_T2"))
    with pytest.raises(NotBookable, match="no bays"):
        fitting(a_desk(), a_window(), [], Need())


@pytest.mark.parametrize("status", [Status.FINISHED, Status.OVERSTAYING, Status.CANCELED])
def test_once_charged_or_over_nothing_can_be_changed(status):
    reservation = a_reservation(status=status)
    longer = Window(reservation.starts_at, reservation.ends_at + timedelta(hours=1))

    with pytest.raises(IllegalTransition):
        check_move(a_desk(), reservation, longer)


@pytest.mark.parametrize("status", [Status.ARRIVED, Status.CHARGING])
def test_who_is_there_can_only_change_the_end(status):
    reservation = a_reservation(status=status)

    check_move(a_desk(), reservation, Window(reservation.starts_at, after(2 * DAY)))
    with pytest.raises(IllegalTransition, match="only the end"):
        check_move(a_desk(), reservation, a_window(2 * DAY))


@pytest.mark.parametrize(
    ("now_s", "start_s", "says"),
    [
        (0, 6 * HOUR, None),
        (900, 6 * HOUR, None),
        (901, 6 * HOUR, "too late to begin later than Sun 01 Mar 13:15"),
        (901, HOUR, None),
        (4_500, HOUR, "The slot has begun at Sun 01 Mar 13:15"),
        (4_500, 6 * HOUR, "The slot has begun"),
    ],
)
def test_the_start_moves_later_only_while_canceling_costs_nothing(now_s, start_s, says):
    desk, booked = a_desk(now=after(now_s)), a_reservation(status=Status.BOOKED)

    if says is None:
        check_move(desk, booked, a_window(start_s))
        return
    with pytest.raises(NotBookable, match=says):
        check_move(desk, booked, a_window(start_s))


def test_arrival_is_from_when_the_bay_is_kept_until_the_slot_is_over():
    booked = a_reservation(status=Status.BOOKED)

    with pytest.raises(IllegalTransition, match="from Sun 01 Mar 13:00"):
        check_arrival(a_desk(now=after(HOUR - 1)), booked)
    check_arrival(a_desk(now=after(HOUR)), booked)
    check_arrival(a_desk(now=after(8_099)), booked)
    with pytest.raises(IllegalTransition, match="ended at Sun 01 Mar 14:15"):
        check_arrival(a_desk(now=after(8_100)), booked)
