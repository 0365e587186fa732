"""Charging schedules as steps of power, and when they are in force."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_VOLTAGE_V: Final = 230.0
_PHASES: Final = 3
_MOST: Final = 1e12
_TOLERANCE: Final = 1.001
"""Amperes and watts of the same limit differ by rounding."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Power over time: from each start on, in seconds, so many watts."""

    starts_s: Sequence[float]
    """Ascending."""
    limits_w: Sequence[float]

    def at(self, second: float) -> float | None:
        """Return the power at a moment; None: nothing is said of it yet."""
        place = bisect_right(self.starts_s, second) - 1
        return None if place < 0 else self.limits_w[place]

    def later(self, by_s: float) -> "Steps":
        """Return the same steps, counted from a moment so much earlier."""
        return Steps([one + by_s for one in self.starts_s], self.limits_w)


@dataclass(frozen=True, slots=True)
class Span:
    """When a charging profile is in force."""

    valid_from: datetime | None = None
    valid_until: datetime | None = None
    begins_at: datetime | None = None
    """None: with each session."""
    lasts: timedelta | None = None
    """None: as long as it is valid."""
    again_after: timedelta | None = None
    """What recurs begins anew so much later, before and after `begins_at`."""

    def since(self, session_began_at: datetime, now: datetime) -> datetime | None:
        """Return since when it has been in force; None: it is not."""
        start = self.begins_at or session_began_at
        if self.again_after is not None:
            start = now - (now - start) % self.again_after
        since = max(start, self.valid_from or start)
        is_over = self.lasts is not None and start + self.lasts <= now
        is_over |= self.valid_until is not None and self.valid_until <= now
        return None if is_over or now < since else since


def bounded(number: float) -> float:
    """Return a number from a charger as one that can be reckoned with."""
    return float(min(max(number, 0), _MOST))


def watts(limit: float, phases: int | None, *, is_current: bool) -> float:
    """Return a limit in watts; of a current for each phase at the mains' voltage."""
    limit = bounded(limit)
    return limit * _VOLTAGE_V * min(phases or _PHASES, _PHASES) if is_current else limit


def exceeds(drawn: Steps, offered: Steps) -> bool:
    """Whether anywhere more is drawn than was offered (OCPP 2.0.1 K15.FR.12)."""
    moments = sorted({*drawn.starts_s, *offered.starts_s})
    for moment in moments:
        draws, may_draw = drawn.at(moment), offered.at(moment)
        if draws is not None and may_draw is not None and draws > may_draw * _TOLERANCE:
            return True
    return False
