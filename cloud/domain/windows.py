"""Windows of time as they can be booked: half-open, on the quarter of an hour."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

GRANULE: Final = timedelta(minutes=15)
"""The step bookings are made in; one row of `bay_slot` each. Quarter hours are so in every zone."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """`[starts_at, ends_at)`, aware UTC."""

    starts_at: datetime
    ends_at: datetime

    @property
    def duration(self) -> timedelta:
        """Return how long it is; negative where it ends before it starts."""
        return self.ends_at - self.starts_at

    @property
    def is_on_granules(self) -> bool:
        """Whether both ends are on a granule."""
        return floor(self.starts_at) == self.starts_at and floor(self.ends_at) == self.ends_at

    def overlaps(self, other: "Window") -> bool:
        """Whether the two share a moment."""
        return self.starts_at < other.ends_at and other.starts_at < self.ends_at

    def holds(self, at: datetime) -> bool:
        """Whether the instant lies in it."""
        return self.starts_at <= at < self.ends_at

    def shifted(self, by: timedelta) -> "Window":
        """Return the window as much later."""
        return Window(self.starts_at + by, self.ends_at + by)


def floor(at: datetime) -> datetime:
    """Return the start of the granule the instant lies in."""
    return at - (at - _EPOCH) % GRANULE


def ceiling(at: datetime) -> datetime:
    """Return the instant, or the start of the next granule."""
    down = floor(at)
    return down if down == at else down + GRANULE


def granules(window: Window) -> Iterator[datetime]:
    """Return the starts of all granules the window touches, in order."""
    at = floor(window.starts_at)
    while at < window.ends_at:
        yield at
        at += GRANULE
