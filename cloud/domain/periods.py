"""Months, years and days as people ask for them: by the clock at the station, whole days."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from typing import Final

_DAY: Final = timedelta(days=1)


class Period(StrEnum):
    """Periods that have a name."""

    THIS_MONTH = "this_month"
    LAST_MONTH = "last_month"
    THIS_YEAR = "this_year"
    LAST_YEAR = "last_year"


@dataclass(frozen=True, slots=True)
class Days:
    """From the first day to the last, both included; null: without an end on that side."""

    first: date | None = None
    last: date | None = None


def days_of(period: Period, today: date) -> Days:
    """Return the days of a period, those to come included."""
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    match period:
        case Period.THIS_MONTH:
            return Days(month, _month_after(month) - _DAY)
        case Period.LAST_MONTH:
            return Days((month - _DAY).replace(day=1), month - _DAY)
        case Period.THIS_YEAR:
            return Days(year, year.replace(month=12, day=31))
        case Period.LAST_YEAR:
            return Days(year.replace(year=year.year - 1), year - _DAY)


def _month_after(month: date) -> date:
    return (month + 31 * _DAY).replace(day=1)


def instants(days: Days, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """Return the half-open span of these days in a zone, in UTC."""
    after = None if days.last is None else days.last + _DAY
    return _midnight(days.first, zone), _midnight(after, zone)


def _midnight(day: date | None, zone: tzinfo) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), zone).astimezone(UTC)
