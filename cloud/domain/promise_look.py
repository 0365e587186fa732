"""A reservation as it is looked at: what is known of its bay, and until when the bay is its driver's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloud.domain.evidence import Seen
from cloud.domain.reservations import PROMISED, Reservation
from cloud.domain.sessions import Session
from cloud.domain.terms import from_plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A reservation with what is known of its bay at one moment."""

    reservation: Reservation
    seen: Seen
    own: Session | None = None
    """The session it is charged by, as it stands."""
    slot_ends_at: datetime
    """Its own end, or that of the driver's next slot where it follows within the overstay's grace."""
    taken_up_at: datetime | None = None
    """When a later slot of the driver's began, by which they stand there since."""
    is_behind: bool = False
    """The station has more to tell than we know."""


def slot_end(reservation: Reservation, others: Sequence[Reservation]) -> datetime:
    """Return until when the bay is the driver's: slots of theirs that follow count.

    They follow where no overstay would have begun between.
    """
    ends_at, grace = reservation.ends_at, overstay_grace(reservation)
    for one in sorted(others, key=lambda other: other.starts_at):
        is_next = one.user_id == reservation.user_id and one.starts_at <= ends_at + grace
        if is_next and one.starts_at >= reservation.starts_at:
            ends_at = max(ends_at, one.ends_at)
    return ends_at


def taken_up_at(
    reservation: Reservation, others: Sequence[Reservation], now: datetime
) -> datetime | None:
    """Return when a later slot of the driver's began that does not follow the reservation's own."""
    ends_at = slot_end(reservation, others)
    later = (
        one.starts_at
        for one in others
        if one.user_id == reservation.user_id
        and one.status in PROMISED
        and ends_at < one.starts_at <= now
    )
    return min(later, default=None)


def overstay_grace(reservation: Reservation) -> timedelta:
    """Return how long a car may stay after slot and charging before it costs."""
    return timedelta(seconds=from_plain(reservation.terms).overstay_grace_s)
