"""When a reading counts as news: live or retained, dated or not. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

FAST_CLOCK: Final = timedelta(seconds=60)
"""A device's clock may be this much ahead; beyond that ours is used."""

UNBOUNDED_AGE: Final = timedelta(days=1)
"""How old a dated reading may be where silence has no bound."""


class Use(StrEnum):
    """What to do with a verdict."""

    BELIEVE = "believe"
    IGNORE = "ignore"
    DOUBT = "doubt"
    """It contradicts what we know, and may be older or newer: neither is to be trusted."""
    TOO_OLD = "too_old"


def dated(observed_at: datetime | None, now: datetime) -> datetime:
    """Return when a reading was taken, by the device's clock if that can be."""
    if observed_at is None or observed_at > now + FAST_CLOCK:
        return now
    return min(observed_at, now)


def use_of(
    *,
    is_retained: bool,
    observed_at: datetime | None,
    silent_after_s: float | None,
    is_contradiction: bool,
    now: datetime,
) -> Use:
    """Return what a verdict is good for.

    A retained message was published some time, perhaps yesterday: only its own date makes it fresh.
    Without one it is not believed; and where it contradicts what is known, it shows that something
    was missed.
    """
    bound = UNBOUNDED_AGE if silent_after_s is None else timedelta(seconds=silent_after_s)
    is_outdated = observed_at is not None and now - observed_at > bound
    if not is_retained:
        return Use.TOO_OLD if is_outdated else Use.BELIEVE
    if observed_at is not None:
        return Use.IGNORE if is_outdated else Use.BELIEVE
    return Use.DOUBT if is_contradiction else Use.IGNORE
