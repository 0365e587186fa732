"""How a reservation stands, as its page says it: which phase, by when what, and what it would cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from cloud.domain.billing import overstay_minutes
from cloud.domain.promise_steps import IN_DANGER
from cloud.domain.terms import Terms, from_plain
from cloud.services.reservation_views import ReservationView


class Phase(StrEnum):
    """What its driver has to know first."""

    CODE = "code"
    PAY = "pay"
    PAYING = "paying"
    """The bank was asked and has not answered."""
    LAPSED = "lapsed"
    """The time to confirm and pay is over, and nobody has said so yet."""
    BOOKED = "booked"
    KEPT = "kept"
    """The bay is kept for the driver already."""
    AWAITED = "awaited"
    """The slot has begun, the driver has not come."""
    ENDANGERED = "endangered"
    """Something stands between the driver and the bay."""
    ARRIVED = "arrived"
    CHARGING = "charging"
    FINISHED = "finished"
    OVERSTAYING = "overstaying"
    FULFILLED = "fulfilled"
    CANCELED = "canceled"
    NO_SHOW = "no_show"
    REJECTED = "rejected"
    FAILED = "failed"


CHANGEABLE: Final = frozenset(
    {Phase.BOOKED, Phase.KEPT, Phase.AWAITED, Phase.ARRIVED, Phase.CHARGING}
)
"""When the end can be another one."""
STEPS_S: Final = (1800, 900, -900)
"""By how much the end can be put off or brought forward with one tap."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A reservation at one instant."""

    reservation: ReservationView
    phase: Phase
    now: datetime

    @property
    def terms(self) -> Terms:
        """On which it was made."""
        return from_plain(self.reservation.terms)

    @property
    def quote(self) -> Mapping[str, Any]:
        """What was shown before it was held."""
        return self.reservation.quote or {}

    @property
    def is_coming(self) -> bool:
        """Whether it is booked and its driver is not there yet."""
        return self.reservation.state == "booked"

    @property
    def kept_from(self) -> datetime:
        """From when the bay is refused to others, and one can check in."""
        return self.reservation.starts_at - self.terms.protect

    @property
    def come_by(self) -> datetime:
        """Who has not come by then is a no-show, if the bay was seen empty."""
        return self.reservation.starts_at + self.terms.grace

    @property
    def leave_by(self) -> datetime:
        """Until when nobody pays for staying, however early charging was over."""
        return self.reservation.ends_at + timedelta(seconds=self.terms.overstay_grace_s)

    @property
    def can_cancel(self) -> bool:
        """Whether it can be given up: before its driver has come."""
        return self.is_coming or self.phase in {Phase.CODE, Phase.PAY}

    @property
    def can_check_in(self) -> bool:
        """Whether "I am here" can be said."""
        is_on = self.kept_from <= self.now < self.reservation.ends_at
        return self.is_coming and is_on

    @property
    def can_move(self) -> bool:
        """Whether it can begin at another time."""
        return self.is_coming and self.now < self.reservation.starts_at

    @property
    def new_ends(self) -> list[tuple[int, datetime]]:
        """By how many minutes the end can be changed, and to when."""
        if self.phase not in CHANGEABLE:
            return []
        found = []
        for step_s in STEPS_S:
            ends_at = self.reservation.ends_at + timedelta(seconds=step_s)
            lasts_s = (ends_at - self.reservation.starts_at).total_seconds()
            if self.terms.min_s <= lasts_s <= self.terms.max_s and ends_at > self.now:
                found.append((step_s // 60, ends_at))
        return found

    @property
    def cancel_minor(self) -> int:
        """What is paid if it is canceled now."""
        if not self.is_coming:
            return 0
        notice_s = (self.reservation.starts_at - self.now).total_seconds()
        for step in sorted(self.quote.get("refunds", ()), key=lambda one: -one["before_s"]):
            if notice_s >= step["before_s"]:
                return int(step["kept_minor"])
        return int(self.quote.get("reservation_minor", 0))

    @property
    def free_until(self) -> datetime | None:
        """Until when canceling costs nothing; null: it never did, or does no more."""
        free_s = [one["before_s"] for one in self.quote.get("refunds", ()) if not one["kept_minor"]]
        until = self.reservation.starts_at - timedelta(seconds=min(free_s)) if free_s else None
        return until if until is not None and until > self.now else None

    @property
    def overstay_minor(self) -> int:
        """What staying too long costs by now, each minute that was begun."""
        since = self.reservation.overstay_since
        if since is None:
            return 0
        until = self.reservation.left_at or self.now
        return overstay_minutes(since, until) * self.terms.overstay_per_minute_minor

    @property
    def changes_at(self) -> datetime | None:
        """When what is said here is no longer so, by the clock alone."""
        marks = [self.kept_from, self.reservation.starts_at, self.come_by, self.reservation.ends_at]
        marks += [self.free_until] if self.free_until else []
        return min((one for one in marks if one > self.now), default=None)


@dataclass(frozen=True, slots=True)
class Refund:
    """Canceled until then, so much of the reservation's price is kept."""

    until: datetime
    kept_minor: int
    is_start: bool


def refunds(quote: Mapping[str, Any], starts_at: datetime, now: datetime) -> list[Refund]:
    """Return what canceling costs from now on, step by step, those alike as one."""
    found: list[Refund] = []
    for step in sorted(quote.get("refunds", ()), key=lambda one: -one["before_s"]):
        until = starts_at - timedelta(seconds=step["before_s"])
        if until <= now:
            continue
        if found and found[-1].kept_minor == step["kept_minor"]:
            found.pop()
        found.append(Refund(until, step["kept_minor"], is_start=until == starts_at))
    return found


def standing(reservation: ReservationView, now: datetime, *, is_paying: bool = False) -> Standing:
    """Return how a reservation stands.

    Args:
        reservation: as it was just read.
        now: the instant.
        is_paying: a payment for it is under way.
    """
    return Standing(reservation, _phase(reservation, now, is_paying=is_paying), now)


def _phase(reservation: ReservationView, now: datetime, *, is_paying: bool) -> Phase:
    if reservation.state == "held":
        return _held(reservation, now, is_paying=is_paying)
    if reservation.trouble in IN_DANGER and reservation.state in {"booked", "arrived"}:
        return Phase.ENDANGERED
    if reservation.state == "booked":
        if now >= reservation.starts_at:
            return Phase.AWAITED
        is_kept = now >= reservation.starts_at - from_plain(reservation.terms).protect
        return Phase.KEPT if is_kept else Phase.BOOKED
    return Phase(reservation.state)


def _held(reservation: ReservationView, now: datetime, *, is_paying: bool) -> Phase:
    if is_paying:
        return Phase.PAYING
    if reservation.held_until is not None and now >= reservation.held_until:
        return Phase.LAPSED
    return Phase.PAY if reservation.is_confirmed else Phase.CODE
