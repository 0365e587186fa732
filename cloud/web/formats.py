"""How ages and durations tick for a reader; for the rest see services/formats.py."""

import math
from datetime import date, datetime

from babel.dates import format_date

from cloud.services.formats import NOTHING, Formats, number, zone

__all__ = [
    "NOTHING",
    "Formats",
    "age",
    "day_at",
    "day_month",
    "duration",
    "number",
    "until",
    "weekday",
    "whole_day",
    "zone",
]

_MINUTE_S = 60
_HOUR_S = 3600
_DAY_S = 86_400


def age(at: datetime | None, now: datetime) -> tuple[str, int]:
    """Return the unit (a key of words.AGE) and the count of how long ago `at` was."""
    if at is None:
        return "never", 0
    elapsed_s = max(0, int((now - at).total_seconds()))
    for unit, length_s in (("d", _DAY_S), ("h", _HOUR_S), ("min", _MINUTE_S)):
        if elapsed_s >= length_s:
            return unit, elapsed_s // length_s
    return ("s", elapsed_s) if elapsed_s else ("now", 0)


def duration(seconds: int) -> str:
    """Return h:mm:ss, or m:ss below an hour."""
    hours, rest = divmod(max(0, seconds), _HOUR_S)
    minutes, seconds = divmod(rest, _MINUTE_S)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def until(at: datetime, now: datetime) -> str:
    """Return the time that is left, as a countdown shows it."""
    return duration(max(0, math.ceil((at - now).total_seconds())))


def weekday(language: str, day: date) -> str:
    """Return the short name of a day of the week."""
    return format_date(day, "EEE", locale=language)


def day_month(language: str, day: date) -> str:
    """Return a day without its year."""
    return format_date(day, "d. MMM" if language == "de" else "d MMM", locale=language)


def whole_day(language: str, day: date) -> str:
    """Return a day as a ticket shows it."""
    pattern = "EEEE, d. MMMM y" if language == "de" else "EEEE d MMMM y"
    return format_date(day, pattern, locale=language)


def day_at(at: datetime, timezone: str) -> date:
    """Return which day an instant is of, by the clock at the station."""
    return at.astimezone(zone(timezone)).date()
