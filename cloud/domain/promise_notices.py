"""What a driver is told on the way, each with its cause: the same cause is told once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.evidence import InBay
from cloud.domain.notices import NoticeKind
from cloud.domain.promise_look import Look
from cloud.domain.promise_steps import Step
from cloud.domain.reservations import HERE, Happening, Reservation, Status
from cloud.domain.sessions import Session, SessionState
from cloud.domain.terms import from_plain

REMIND_BEFORE: Final = timedelta(minutes=10)
OVERSTAY_EVERY: Final = timedelta(minutes=15)
TARGET_PCT: Final = 80.0


def notices(
    look: Look, step: Step, happening: Happening | None, now: datetime
) -> Iterable[tuple[NoticeKind, str]]:
    """Say what the driver is told now; of an overstay only while their car is seen."""
    reservation = look.reservation
    name = reservation.id
    if happening is not None and happening in _TOLD:
        session = look.seen.session or look.own
        of_session = f"/{session.id}" if session and happening in _OF_SESSION else ""
        yield _TOLD[happening], f"{_TOLD[happening]}/{name}{of_session}"
    slot = f"{name}/{reservation.starts_at:%Y%m%dT%H%M}"
    if _is_to_be_reminded(reservation, now):
        yield NoticeKind.REMINDER, f"reminder/{slot}"
    remind_at = reservation.ends_at - REMIND_BEFORE
    if reservation.status in HERE and remind_at <= now < reservation.ends_at:
        yield NoticeKind.SLOT_ENDING, f"slot_ending/{name}/{reservation.ends_at:%Y%m%dT%H%M}"
    own = look.own
    if reservation.status is Status.CHARGING and own is not None and has_reached_target(own):
        yield NoticeKind.TARGET_REACHED, f"target_reached/{name}/{own.id}"
    if look.seen.who is InBay.SAID_SO and now >= missed_at(reservation):
        yield NoticeKind.NOT_SEEN, f"not_seen/{slot}"
    over = quarters(reservation, now) if step is Step.STAY and _is_watched(look) else 0
    if over:
        yield NoticeKind.OVERSTAY_CONTINUES, f"overstay_continues/{name}/{over}"


_TOLD: Final[dict[Happening, NoticeKind]] = {
    Happening.PLUGGED_IN: NoticeKind.SESSION_STARTED,
    Happening.SESSION_ENDED: NoticeKind.SESSION_ENDED,
    Happening.OVERSTAYED: NoticeKind.OVERSTAY_STARTED,
}
"""What the driver hears on the way; of the end, advancing.py tells."""
_OF_SESSION: Final = frozenset({Happening.PLUGGED_IN, Happening.SESSION_ENDED})


def _is_to_be_reminded(reservation: Reservation, now: datetime) -> bool:
    """Whether the slot begins in ten minutes, and was not just booked."""
    remind_at = reservation.starts_at - REMIND_BEFORE
    is_new = reservation.booked_at is not None and reservation.booked_at > remind_at
    is_time = remind_at <= now < reservation.starts_at
    return reservation.status is Status.BOOKED and is_time and not is_new


def missed_at(reservation: Reservation) -> datetime:
    """Return when who said that they are there ought to have been seen."""
    confirm = timedelta(seconds=from_plain(reservation.terms).confirm_s)
    return (reservation.arrived_at or reservation.starts_at) + confirm


def _is_watched(look: Look) -> bool:
    """Whether the car is seen to stay now, and by no later slot of its driver's."""
    is_heard = look.seen.unheard_since is None and look.reservation.unseen_since is None
    return is_heard and look.taken_up_at is None


def has_reached_target(session: Session) -> bool:
    """Whether the battery is as full as fast charging makes it, or the car wants no more."""
    is_full = session.soc_pct is not None and session.soc_pct >= TARGET_PCT
    return is_full or session.state == SessionState.SUSPENDED_BY_CAR


def quarters(reservation: Reservation, now: datetime) -> int:
    """Return for how many whole quarters of an hour the car has overstayed."""
    since = reservation.overstay_since
    is_on = reservation.status is Status.OVERSTAYING and since is not None
    return int((now - since) / OVERSTAY_EVERY) if is_on and since else 0
