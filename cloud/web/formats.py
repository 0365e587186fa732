"""How ages and durations tick for a reader; for the rest see services/formats.py."""

from datetime import datetime

from cloud.services.formats import NOTHING, Formats, number, zone

__all__ = ["NOTHING", "Formats", "age", "duration", "number", "zone"]

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
