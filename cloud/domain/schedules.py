"""What a car that says what it needs is offered (OCPP 2.0.1, K15-K17)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

USUAL_POWER_W: Final = 22_000
"""Of a bay of which nobody said what it gives."""
LEAST_S: Final = 60
"""A departure nearer than this, or gone by, is no plan."""


@dataclass(frozen=True, slots=True)
class Need:
    """What a car said; null was not said."""

    max_power_w: float | None = None
    departs_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Offer:
    """So much power, for so long; null: until the session ends."""

    power_w: float
    duration_s: int | None


def offer(need: Need, bay_power_w: int, now: datetime) -> Offer:
    """Return all the bay gives and the car takes, until the car departs.

    Args:
        need: the car's.
        bay_power_w: what the bay gives; 0: nobody knows.
        now: the time.
    """
    most_w = float(bay_power_w or USUAL_POWER_W)
    power_w = most_w if need.max_power_w is None else min(most_w, need.max_power_w)
    return Offer(power_w, _duration_s(need.departs_at, now))


def _duration_s(departs_at: datetime | None, now: datetime) -> int | None:
    if departs_at is None:
        return None
    left_s = int((departs_at - now).total_seconds())
    return left_s if left_s >= LEAST_S else None
