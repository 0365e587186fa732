"""Series follow the clock on the wall; windows stay as long as they are (T07)."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from cloud.domain.series import MOST, Series, windows
from cloud.domain.windows import granules

EVERY_DAY = frozenset(range(7))
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def a_series(**more):
    known = {
        "weekdays": EVERY_DAY,
        "begins": time(8, 15),
        "duration": timedelta(hours=1),
        "first_day": date(2026, 3, 2),
        "count": 3,
    }
    return Series(**(known | more))


def starts(series, zone="UTC", earliest=LONG_AGO):
    return [one.starts_at for one in windows(series, ZoneInfo(zone), earliest)]


def test_it_has_the_weekdays_it_was_asked_for():
    found = starts(a_series(weekdays=frozenset({0, 2}), count=4))

    assert [at.day for at in found] == [2, 4, 9, 11]
    assert {(at.hour, at.minute) for at in found} == {(8, 15)}


def test_it_ends_with_its_last_day():
    assert len(starts(a_series(count=None, until=date(2026, 3, 5)))) == 4
    assert len(starts(a_series(count=2, until=date(2026, 3, 5)))) == 2
    assert starts(a_series(until=date(2026, 3, 1))) == []


def test_it_never_has_more_than_a_driver_could_want():
    assert len(starts(a_series(count=None))) == MOST
    assert len(starts(a_series(count=1_000))) == MOST


def test_it_never_goes_on_for_more_than_a_year():
    found = starts(a_series(weekdays=frozenset({0}), count=MOST))

    assert found[-1] <= datetime(2027, 3, 4, tzinfo=UTC)


def test_what_is_past_is_passed_over_and_not_counted():
    found = starts(a_series(), earliest=datetime(2026, 3, 3, 8, 30, tzinfo=UTC))

    assert [at.day for at in found] == [4, 5, 6]


@pytest.mark.parametrize(
    ("zone", "first_day", "begins", "expected"),
    [
        # the hour from one is left out on the 29th: half past one is then half past two
        ("Europe/London", date(2026, 3, 28), time(1, 30), ["01:30", "01:30", "00:30"]),
        ("America/New_York", date(2026, 3, 7), time(2, 30), ["07:30", "07:30", "06:30"]),
        ("Australia/Lord_Howe", date(2026, 10, 3), time(2, 0), ["15:30", "15:30", "15:00"]),
        # the hour comes twice: the first is meant
        ("Europe/London", date(2026, 10, 24), time(1, 30), ["00:30", "00:30", "01:30"]),
        ("America/New_York", date(2026, 10, 31), time(1, 30), ["05:30", "05:30", "06:30"]),
        ("Australia/Lord_Howe", date(2026, 4, 4), time(1, 45), ["14:45", "14:45", "15:15"]),
    ],
)
def test_t07_the_clock_on_the_wall_counts_where_clocks_change(zone, first_day, begins, expected):
    series = a_series(first_day=first_day, begins=begins)

    found = list(windows(series, ZoneInfo(zone), LONG_AGO))

    assert [f"{one.starts_at:%H:%M}" for one in found] == expected
    assert {one.duration for one in found} == {timedelta(hours=1)}
    assert all(one.is_on_granules for one in found)


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Asia/Kathmandu"])
def test_t07_no_two_windows_of_a_year_of_nights_overlap(zone):
    taken = [
        at
        for first in range(0, 366, MOST)
        for one in windows(
            a_series(
                first_day=date(2028, 1, 1) + timedelta(days=first),
                begins=time(0, 0),
                duration=timedelta(hours=22),
                count=MOST,
            ),
            ZoneInfo(zone),
            LONG_AGO,
        )
        for at in granules(one)
    ]

    # 2028 is a leap year; the campaign of seven runs past its end
    assert len(taken) == len(set(taken)) == 7 * MOST * 22 * 4


def test_t07_the_leap_day_is_a_day_like_any_other():
    found = starts(a_series(first_day=date(2028, 2, 28), count=3))

    assert [(at.month, at.day) for at in found] == [(2, 28), (2, 29), (3, 1)]
