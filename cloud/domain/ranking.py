"""Which bay is best for a need: one cost in minutes of the driver's, or nearest first.

How long a charge takes follows from the bay's power, the car's and a taper; how dear it is to wait, to
drive and to pay is said in `Weights`. All the less, the better; each part can only add to the cost.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from cloud.domain.calendar import Calendar
from cloud.domain.money import exponent
from cloud.domain.reconcile import Status
from cloud.domain.windows import GRANULE, Window, floor

TAPER_SHARE: Final = 0.2
"""Of a charge with direct current the last part is slow: nobody has told us how full the battery is."""
TAPERED_POWER: Final = 0.4
"""At about this part of the power before (see estimates.py)."""
USUAL_ENERGY_WH: Final = 20_000
"""What a car is taken to need where its driver did not say."""
USUAL_POWER_W: Final = 7_400
"""What a plug gives of which nobody has said more: one phase of 32 A."""

_HOUR_S: Final = 3600
_SOON: Final = timedelta(hours=1)
_BROKEN: Final = timedelta(days=1)
"""See booking_rules.MENDED_WITHIN."""
_UNUSABLE: Final[dict[str, timedelta]] = {
    Status.AVAILABLE: timedelta(0),
    Status.RESERVED: timedelta(0),
    Status.CHARGING: _SOON,
    Status.BLOCKED: _SOON,
    Status.UNKNOWN: _SOON,
    Status.OUTOFORDER: _BROKEN,
    Status.INOPERATIVE: _BROKEN,
}
"""For how long a bay that now has this status is promised to nobody new. RESERVED is kept for
somebody, whose window the calendar knows; a bay nobody has news of is not free now."""


class Order(StrEnum):
    """What counts as best."""

    COST = "cost"
    NEAREST = "nearest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What the parts of the cost weigh, in minutes of the driver's."""

    per_waiting_minute: float = 1.0
    per_charging_minute: float = 0.5
    """There is something else to do meanwhile."""
    per_km: float = 3.0
    """There and back through a town at 40 km/h."""
    per_major: float = 4.0
    """A pound, a euro: an hour is worth 15 of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Car:
    """What the car takes, as far as its driver says; 0: as much as the bay gives."""

    max_dc_w: int = 0
    max_ac_w: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A bay and a window somebody could have."""

    station_id: str
    bay_id: str
    window: Window
    distance_m: float
    price_minor: int
    currency: str
    charging_s: int
    wait_s: int
    """From the start wanted to this one's; never negative."""
    max_power_w: int
    bays_free: int = 1
    """How many bays of its station would do for a window like this: its capacity."""


DEFAULT_WEIGHTS: Final = Weights()


def cost(one: Candidate, weights: Weights = DEFAULT_WEIGHTS) -> float:
    """Return what a candidate costs, in minutes of the driver's."""
    return (
        weights.per_waiting_minute * one.wait_s / 60
        + weights.per_charging_minute * one.charging_s / 60
        + least_cost(one.distance_m, weights)
        + weights.per_major * one.price_minor / float(10 ** exponent(one.currency))
    )


def least_cost(distance_m: float, weights: Weights = DEFAULT_WEIGHTS) -> float:
    """Return what nothing so far away can cost less than."""
    return weights.per_km * distance_m / 1000


def by_cost(one: Candidate) -> tuple[Any, ...]:
    """Sort by this: the cheapest first."""
    return cost(one), *_name(one)


def by_distance(one: Candidate) -> tuple[Any, ...]:
    """Sort by this: who need not wait first, then the nearest, then the largest: bays, and power."""
    return (
        one.wait_s > 0,
        one.distance_m,
        -one.bays_free,
        -one.max_power_w,
        one.wait_s,
        *_name(one),
    )


KEYS: Final[dict[Order, Callable[[Candidate], Any]]] = {
    Order.COST: by_cost,
    Order.NEAREST: by_distance,
}


def varied(candidates: Iterable[Candidate], most: int) -> list[Candidate]:
    """Return the cheapest of each bay, and only where bays are few their other times; by cost."""
    of_bay: dict[str, int] = defaultdict(int)
    turns = []
    for one in sorted(candidates, key=by_cost):
        turns.append((of_bay[one.bay_id], one))
        of_bay[one.bay_id] += 1
    # sorting keeps the order of what is equal: by cost within each turn
    turns.sort(key=lambda pair: pair[0])
    return sorted((one for _, one in turns[:most]), key=by_cost)


def charging_s(energy_wh: int, bay_power_w: int, car_power_w: int, *, is_dc: bool) -> int:
    """Return how long a charge takes; at direct current its last part is slow.

    Args:
        energy_wh: what is to be added.
        bay_power_w: what the bay gives; 0: nobody knows.
        car_power_w: what the car takes; 0: as much as the bay gives.
        is_dc: whether it is direct current; with the alternating current of a car's own charger the
            battery is never the limit.
    """
    powers = [power for power in (bay_power_w, car_power_w) if power > 0]
    full_s = energy_wh * _HOUR_S / min(powers, default=USUAL_POWER_W)
    slow = TAPER_SHARE / TAPERED_POWER + (1 - TAPER_SHARE) if is_dc else 1.0
    return round(full_s * slow)


def usual_energy_wh(power_w: int, duration: timedelta) -> int:
    """Return what a car is taken to need that comes for so long, at a bay of this power."""
    return min(USUAL_ENERGY_WH, int(power_w * duration.total_seconds()) // _HOUR_S)


def usable_from(status: str, expected_end_at: datetime | None, now: datetime) -> datetime:
    """Return from when a bay can be counted on, by how it is now.

    One where a car charges is counted on once the charge is expected to end, if that is known.
    """
    is_charging = status == Status.CHARGING
    if is_charging and expected_end_at is not None:
        return max(expected_end_at, floor(now) + GRANULE)
    for_now = _UNUSABLE.get(status, _SOON)
    return now + for_now if for_now else floor(now)


def next_starts(
    calendar: Calendar, duration: timedelta, buffer: timedelta, between: Window, most: int
) -> list[datetime]:
    """Return a few starts: first such whose windows do not overlap each other, then others.

    Args:
        calendar: the bay's.
        duration: of the window.
        buffer: kept free after it.
        between: the first and the last instant it may start at.
        most: how many to return.
    """
    apart: list[datetime] = []
    others: list[datetime] = []
    for at in calendar.starts(duration, buffer, between.starts_at, between.ends_at):
        if len(apart) == most:
            break
        is_apart = not apart or at >= apart[-1] + duration
        (apart if is_apart else others).append(at)
    return [*apart, *others][:most]


def _name(one: Candidate) -> tuple[str, str, Window]:
    return one.station_id, one.bay_id, one.window
