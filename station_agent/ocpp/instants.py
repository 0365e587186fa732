"""Chargers' timestamps: read leniently, held against our clock (QUIRKS 37, FAULTS T05)."""

from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

MAX_SKEW: Final = timedelta(seconds=60)
RIGHT: Final = timedelta()
"""What is to be added to the times of a clock that is right."""
_EARLIEST: Final = datetime(2015, 1, 1, tzinfo=UTC)
"""Clocks that were never set say 1970, 2000 or 2010."""


class Told(NamedTuple):
    """When something happened, as well as we can know it."""

    at: datetime
    oddity: str = ""
    """`clock_unusable` (ours is taken), `clock_skewed` (more than 60 s off), or empty."""
    is_late: bool = False
    """Happened before this connection began: kept by the charger and told later."""


def read_live(text: str | None, now: datetime) -> Told:
    """Read the time of a message that is sent as it happens; a skewed clock is replaced by ours."""
    at = _parse(text)
    if at is None:
        return Told(now) if text is None else Told(now, "clock_unusable")
    if abs(now - at) > MAX_SKEW:
        return Told(now, "clock_skewed")
    return Told(at)


def read_kept(
    text: str | None, now: datetime, connected_at: datetime, lag: timedelta = RIGHT
) -> Told:
    """Read the time of a message that may have waited in the charger for days.

    The past is believed; the future is not, and becomes our now.

    Args:
        text: as the charger wrote it.
        now: by our clock.
        connected_at: by our clock.
        lag: what its clock is known to be behind; passed over where that leads into the future.
    """
    at = _parse(text)
    if at is None:
        return Told(now, "clock_unusable")
    since = at - now + lag
    if lag and _EARLIEST - now <= since <= MAX_SKEW:
        happened_at = now + min(since, timedelta())
        return Told(happened_at, "clock_skewed", is_late=happened_at < connected_at - MAX_SKEW)
    if at - now > MAX_SKEW:
        return Told(now, "clock_skewed")
    if now - at <= MAX_SKEW:
        return Told(at)
    if at < connected_at - MAX_SKEW:
        return Told(at, is_late=True)
    return Told(at, "clock_skewed")


def read_planned(text: str | None) -> datetime | None:
    """Read when something is to be, or was said to begin; None: not said, or no time."""
    return _parse(text)


def write(at: datetime) -> str:
    """Return an instant as chargers can be trusted to read it: UTC, milliseconds, Z."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _parse(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text.strip())
        # Without a zone it is taken for UTC, which OCPP asks for; local time then shows as skew.
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at >= _EARLIEST else None
