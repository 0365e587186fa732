"""From when on a car that stays costs, and when it left: by what somebody saw (ADR 0009)."""

from datetime import datetime
from typing import Final

from cloud.domain.evidence import InBay
from cloud.domain.policy import Policy
from cloud.domain.promise_look import Look, overstay_grace
from cloud.domain.promise_steps import Step
from cloud.domain.reservations import Happening
from cloud.domain.sessions import SessionState
from cloud.domain.sight import overstay_after_dark, was_dark

_TAKING_ENERGY: Final = frozenset({SessionState.CHARGING, SessionState.SUSPENDED_BY_CHARGER})


def overstay_since(look: Look, policy: Policy) -> datetime | None:
    """Return from when on staying costs; null while the car charges, or the charger makes it wait.

    And where a later slot of the driver's began before it would cost anything.
    """
    reservation, own = look.reservation, look.own
    if reservation.overstay_since is not None:
        return reservation.overstay_since
    if own is not None and own.state in _TAKING_ENERGY:
        return None
    ended_at = own and (own.charging_ended_at or own.ended_at)
    since = max(look.slot_ends_at, ended_at or look.slot_ends_at) + overstay_grace(reservation)
    if was_dark(reservation, look.seen, policy):
        # who stands there now may have come since: what was seen empty is nobody's overstay
        since = max(overstay_after_dark(reservation, since), look.seen.since or since)
    is_taken_up = look.taken_up_at is not None and look.taken_up_at <= since
    return None if is_taken_up else since


def overstay_found(
    look: Look, happening: Happening | None, left_at: datetime | None, policy: Policy
) -> datetime | None:
    """Return since when the car has overstayed, or had when it left while nobody could tell us."""
    reservation, seen = look.reservation, look.seen
    if happening is Happening.OVERSTAYED:
        return overstay_since(look, policy)
    if left_at is None or reservation.unseen_since is None or was_dark(reservation, seen, policy):
        return None
    since = overstay_since(look, policy)
    is_watched = seen.since is not None and seen.who not in _UNWATCHED
    return since if is_watched and since is not None and since < left_at else None


_UNWATCHED: Final = frozenset({InBay.UNKNOWN, InBay.OUT_OF_ORDER})


def left_at(look: Look, step: Step, policy: Policy, now: datetime) -> datetime:
    """Return when the car left, by the best witness: not before its session's end, not after now.

    Where nobody saw it go it left when it was last seen, and a later slot of the driver's own that
    began meanwhile is what it has stood there by since.
    """
    reservation, own, unseen_since = look.reservation, look.own, look.reservation.unseen_since
    over_at = (own.ended_at or own.said_at) if own else reservation.arrived_at
    instants = [at for at in (over_at, look.seen.since) if at is not None]
    left_at = min(max(instants, default=now), now)
    is_unseen = step is Step.LOSE_SIGHT or was_dark(reservation, look.seen, policy)
    if unseen_since is not None and is_unseen:
        left_at = min(left_at, max(unseen_since, over_at or unseen_since))
    return left_at if look.taken_up_at is None else min(left_at, look.taken_up_at)
