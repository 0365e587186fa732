"""When a bay is kept for a reservation's driver, and whose it is now."""

from collections.abc import Sequence
from datetime import datetime

from cloud.domain.reservations import HERE, Reservation, Status
from cloud.domain.terms import from_plain


def protected_from(reservation: Reservation) -> datetime:
    """Return from when on the bay is for this driver alone."""
    return reservation.starts_at - from_plain(reservation.terms).protect


def is_kept(reservation: Reservation, now: datetime) -> bool:
    """Whether the bay is for this driver alone now; an expired hold keeps nothing."""
    if reservation.status in HERE:
        return True
    if not reservation.is_live or not protected_from(reservation) <= now < reservation.ends_at:
        return False
    return reservation.status is not Status.HELD or not is_hold_over(reservation, now)


def is_hold_over(reservation: Reservation, now: datetime) -> bool:
    """Whether the time to pay has passed."""
    until = reservation.held_until
    return reservation.status is Status.HELD and until is not None and until <= now


def current(reservations: Sequence[Reservation], now: datetime) -> Reservation | None:
    """Return whose the bay is now, else who comes next, of its live reservations in order."""
    here = (one for one in reservations if one.status in HERE)
    kept = (one for one in reservations if is_kept(one, now))
    to_come = (one for one in reservations if one.ends_at > now and not is_hold_over(one, now))
    return next(here, None) or next(kept, None) or next(to_come, None)
