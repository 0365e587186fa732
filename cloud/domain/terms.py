"""On which terms a station can be booked: its owner's, frozen into each reservation."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHours:
    """Opening hours of one weekday in the station's own time; minutes since midnight.

    `closes_min` may be up to 2880: past midnight into the next day.
    """

    weekday: int
    """0 is Monday."""
    opens_min: int
    closes_min: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Blackout:
    """When nothing can be booked; without a bay the whole station."""

    starts_at: datetime
    ends_at: datetime
    bay_id: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundStep:
    """Canceled at least so long before the start, so much of the reservation's price comes back."""

    before_s: int
    refund_pct: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The terms of one station; whoever sets none gets these. Durations are whole seconds."""

    is_bookable: bool = True
    hours: tuple[OpenHours, ...] = ()
    """Empty: always open."""
    blackouts: tuple[Blackout, ...] = ()
    unbookable_bays: tuple[str, ...] = ()
    """Bays for walk-ins only."""
    min_s: int = 30 * 60
    max_s: int = 4 * 3600
    buffer_s: int = 0
    """Kept free after each slot; whole granules."""
    ahead_s: int = 60 * 24 * 3600
    """How far ahead can be booked."""
    hold_s: int = 10 * 60
    max_live_per_driver: int = 3
    """Live reservations one driver may have at this station."""
    max_live_in_series: int = 20
    """And so many more, of series."""
    protect_s: int = 15 * 60
    """The bay is RESERVED, and refused to others, from so long before the start."""
    grace_s: int = 15 * 60
    """After so long, seen empty, it is a no-show."""
    confirm_s: int = 3 * 60
    """Somebody who stands there unplugged for so long without a word is somebody else."""
    fix_s: int = 15 * 60
    """A flexible reservation is bound to its bay so long before its start."""
    overstay_grace_s: int = 10 * 60
    """After the end of charging and of the slot, whichever comes last, before a fee."""
    overstay_per_minute_minor: int = 0
    no_show_fee_minor: int = 0
    """Beside the tariff's RESERVATION_EXPIRES."""
    is_charger_witness: bool = False
    """Where a bay has no sensor, a connector nobody plugged into proves that nobody came."""
    refunds: tuple[RefundStep, ...] = (
        RefundStep(before_s=3600, refund_pct=100),
        RefundStep(before_s=0, refund_pct=50),
    )
    """The first step that fits counts, the longest notice first."""

    @property
    def protect(self) -> timedelta:
        """Return `protect_s` as a duration."""
        return timedelta(seconds=self.protect_s)

    @property
    def grace(self) -> timedelta:
        """Return `grace_s` as a duration."""
        return timedelta(seconds=self.grace_s)


def refund_pct(terms: Terms, notice: timedelta) -> int:
    """Return how much of the price comes back, in percent, for so long a notice (0 after the start)."""
    if notice < timedelta(0):
        return 0
    for step in sorted(terms.refunds, key=lambda one: one.before_s, reverse=True):
        if notice >= timedelta(seconds=step.before_s):
            return step.refund_pct
    return 0


def to_plain(terms: Terms) -> dict[str, Any]:
    """Return the terms as plain JSON data; `from_plain` reads them back."""
    given = asdict(terms).items()
    data = {name: list(value) if isinstance(value, tuple) else value for name, value in given}
    for one in data["blackouts"]:
        one["starts_at"] = one["starts_at"].isoformat()
        one["ends_at"] = one["ends_at"].isoformat()
    return data


def frozen(terms: Terms) -> dict[str, Any]:
    """Return what a reservation keeps of its station's terms: all but the calendar."""
    data = to_plain(terms)
    for name in ("hours", "blackouts", "unbookable_bays"):
        del data[name]
    return data


def from_plain(data: Mapping[str, Any] | None) -> Terms:
    """Read terms from plain data; what is missing has its default, what is unknown is passed over."""
    known = {name: value for name, value in (data or {}).items() if name in _NAMES}
    if "hours" in known:
        known["hours"] = tuple(OpenHours(**one) for one in known["hours"])
    if "blackouts" in known:
        known["blackouts"] = tuple(_blackout(**one) for one in known["blackouts"])
    if "unbookable_bays" in known:
        known["unbookable_bays"] = tuple(known["unbookable_bays"])
    if "refunds" in known:
        known["refunds"] = tuple(RefundStep(**one) for one in known["refunds"])
    return Terms(**known)


_NAMES = frozenset(Terms.__dataclass_fields__)


def _blackout(starts_at: str, ends_at: str, **more: Any) -> Blackout:
    return Blackout(
        starts_at=datetime.fromisoformat(starts_at), ends_at=datetime.fromisoformat(ends_at), **more
    )
