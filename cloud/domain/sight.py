"""Whether the car of a reservation is being watched: what nobody saw is nobody's overstay (ADR 0009)."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from cloud.domain.evidence import InBay, Seen
from cloud.domain.policy import Policy
from cloud.domain.reservations import HERE, Reservation, Status

_SEEN_THERE: Final = frozenset(
    {InBay.OURS, InBay.SOMEBODY, InBay.STILL_THERE, InBay.OWN_BEFORE, InBay.ELSEWHERE}
)


def followed(
    reservation: Reservation, seen: Seen, policy: Policy, now: datetime, *, is_behind: bool
) -> Reservation:
    """Return the reservation with since when its car is out of sight, and from when it is not."""
    if not is_to_watch(reservation, now):
        return reservation
    if seen.lost_at is not None:
        since = reservation.unseen_since or seen.lost_at
        return replace(reservation, unseen_since=since, seen_again_at=None)
    if reservation.unseen_since is None:
        return reservation
    if reservation.seen_again_at is None:
        return replace(reservation, seen_again_at=now)
    is_told = now >= reservation.seen_again_at + policy.late_facts_after and not is_behind
    is_there = reservation.status is Status.BOOKED or seen.who in _SEEN_THERE
    if is_told and is_there and _is_judged(reservation, now):
        return _in_sight(reservation, seen, policy)
    return reservation


def is_to_watch(reservation: Reservation, now: datetime) -> bool:
    """Whether its driver is there, or may be without our knowing."""
    is_due = reservation.status is Status.BOOKED and now >= reservation.starts_at
    return is_due or reservation.status in HERE


def _is_judged(reservation: Reservation, now: datetime) -> bool:
    """Whether no overstay is still to be judged by what was out of sight."""
    return reservation.overstay_since is not None or now < reservation.ends_at


def _in_sight(reservation: Reservation, seen: Seen, policy: Policy) -> Reservation:
    """Return the reservation of a car that has stayed; what was dark counts for no overstay."""
    since = reservation.overstay_since
    if since is not None and was_dark(reservation, seen, policy):
        since = overstay_after_dark(reservation, since)
    return replace(reservation, unseen_since=None, seen_again_at=None, overstay_since=since)


def overstay_after_dark(reservation: Reservation, since: datetime) -> datetime:
    """Return since when an overstay would count had it not been for the time in the dark."""
    unseen_since, seen_at = reservation.unseen_since, reservation.seen_again_at
    if unseen_since is None or seen_at is None:
        return since
    return since + (seen_at - unseen_since) if since < unseen_since else max(since, seen_at)


def was_dark(reservation: Reservation, seen: Seen, policy: Policy) -> bool:
    """Whether nobody kept what went on in the bay meanwhile.

    The charger, or all, began anew; or it was for so long that facts are not kept.
    """
    since, seen_at = reservation.unseen_since, reservation.seen_again_at
    if since is None:
        return False
    is_long = seen_at is not None and seen_at - since >= policy.unseen_after
    return is_long or (seen.linked_at is not None and seen.linked_at > since)
