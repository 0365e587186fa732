"""Series: the same hours again and again, by the clock at the station."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cloud.domain.booking_rules import wall
from cloud.domain.windows import Window

MOST: Final = 60
"""Windows one series may have."""
_HORIZON: Final = timedelta(days=366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """When a driver wants to come, week by week; ends by `count`, by `until`, or by both."""

    weekdays: frozenset[int]
    """0 is Monday."""
    begins: time
    """By the clock at the station; one that is left out when clocks are put forward is as much
    later, of one that comes twice the first is meant."""
    duration: timedelta
    """As it passes: a window across a change of clocks is as long as any other."""
    first_day: date
    count: int | None = None
    until: date | None = None
    """The last day that may have one."""


def windows(series: Series, zone: ZoneInfo, earliest: datetime) -> Iterator[Window]:
    """Yield the windows of a series in order; at most `MOST`, within a year of the first day.

    Those that would begin before `earliest` are passed over and not counted.
    """
    most = MOST if series.count is None else min(series.count, MOST)
    last = series.first_day + _HORIZON
    if series.until is not None:
        last = min(last, series.until)
    day, found = series.first_day, 0
    while day <= last and found < most:
        starts_at = wall(day, series.begins.hour * 60 + series.begins.minute, zone)
        if day.weekday() in series.weekdays and starts_at >= earliest:
            yield Window(starts_at, starts_at + series.duration)
            found += 1
        day += timedelta(days=1)
