"""Months and years as people mean them, by the clock where they were."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from cloud.domain.periods import Days, Period, days_of, instants

NEW_YEARS_DAY, LEAP_DAY, LAST_DAY = date(2026, 1, 1), date(2028, 2, 29), date(2026, 12, 31)


@pytest.mark.parametrize(
    ("period", "today", "first", "last"),
    [
        (Period.THIS_MONTH, NEW_YEARS_DAY, date(2026, 1, 1), date(2026, 1, 31)),
        (Period.LAST_MONTH, NEW_YEARS_DAY, date(2025, 12, 1), date(2025, 12, 31)),
        (Period.THIS_YEAR, NEW_YEARS_DAY, date(2026, 1, 1), date(2026, 12, 31)),
        (Period.LAST_YEAR, NEW_YEARS_DAY, date(2025, 1, 1), date(2025, 12, 31)),
        (Period.THIS_MONTH, LEAP_DAY, date(2028, 2, 1), date(2028, 2, 29)),
        (Period.LAST_YEAR, LEAP_DAY, date(2027, 1, 1), date(2027, 12, 31)),
        (Period.THIS_MONTH, LAST_DAY, date(2026, 12, 1), date(2026, 12, 31)),
        (Period.LAST_MONTH, LAST_DAY, date(2026, 11, 1), date(2026, 11, 30)),
    ],
)
def test_a_period_is_whole_days(period, today, first, last):
    assert days_of(period, today) == Days(first, last)


@pytest.mark.parametrize("length", ["month", "year"])
@pytest.mark.parametrize("day", [date(2028, 1, 1) + timedelta(31 * n) for n in range(13)])
def test_a_period_ends_where_the_next_begins(length, day):
    before, this = (days_of(Period(f"{which}_{length}"), day) for which in ("last", "this"))

    assert before.last + timedelta(days=1) == this.first
    assert this.first <= day <= this.last


def test_a_day_has_the_hours_its_clock_gives_it():
    london = ZoneInfo("Europe/London")
    spring = Days(date(2026, 3, 29), date(2026, 3, 29))
    since, until = instants(spring, london)

    assert (since, until) == (
        datetime(2026, 3, 29, tzinfo=UTC),
        datetime(2026, 3, 29, 23, tzinfo=UTC),
    )


def test_an_open_end_stays_open():
    assert instants(Days(), UTC) == (None, None)
    assert instants(Days(first=date(2026, 3, 1)), UTC) == (datetime(2026, 3, 1, tzinfo=UTC), None)
