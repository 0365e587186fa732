"""What follows for a reservation from who is in its bay: pure, total, read from a table.

The table goes by where the reservation stands, by the phase of its slot and by who is in the bay
(`occupants.py`): see `promise_steps.py`. A no-show has to be seen; who is not sure does not pay
(ADR 0009).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.notices import NoticeKind
from cloud.domain.occupants import InBay, Seen, is_word_alone, protected_from
from cloud.domain.policy import Policy
from cloud.domain.promise_steps import IN_DANGER, LEADS_TO, TROUBLES, Step, phase, step_of
from cloud.domain.reservations import HERE, PROMISED, Happening, Reservation, Status, Trouble
from cloud.domain.sessions import Session, SessionState
from cloud.domain.sight import overstay_after_dark, was_dark
from cloud.domain.terms import from_plain

_TAKING_ENERGY: Final = frozenset({SessionState.CHARGING, SessionState.SUSPENDED_BY_CHARGER})

REMIND_BEFORE: Final = timedelta(minutes=10)
OVERSTAY_EVERY: Final = timedelta(minutes=15)
ANSWER_WITHIN: Final = timedelta(minutes=15)
"""So long after the start, or the trouble, a driver has to choose something else."""
TARGET_PCT: Final = 80.0
LOOK_AGAIN_AFTER: Final = timedelta(minutes=1)
"""A promise in danger is looked at so often: another bay may have come free."""
AT_LEAST_EVERY: Final = timedelta(hours=1)
"""What nothing is due for is looked at all the same."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows for a reservation."""

    step: Step
    happening: Happening | None = None
    trouble: Trouble = Trouble.NONE
    """How it is now."""
    is_doubted: bool = False
    arrived_at: datetime | None = None
    is_seen_there: bool = False
    """Who had only said that they are there was seen."""
    is_arrival_void: bool = False
    """Who came by the sensor's word was not the driver, or has left again."""
    session: Session | None = None
    """Which the reservation is charged by from now on."""
    left_at: datetime | None = None
    overstay_since: datetime | None = None
    notices: tuple[tuple[NoticeKind, str], ...] = ()
    """What the driver is told, each with its cause: the same cause is told once."""
    due_at: datetime
    """When time alone may change any of this; always after now."""


def slot_end(reservation: Reservation, others: Sequence[Reservation]) -> datetime:
    """Return until when the bay is the driver's: slots of theirs that follow count.

    They follow where no overstay would have begun between.
    """
    ends_at, grace = reservation.ends_at, _overstay_grace(reservation)
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


def judge(look: Look, policy: Policy, now: datetime) -> Verdict:
    """Say what follows for a live reservation; the same twice where nothing came between."""
    reservation = look.reservation
    step = _step(reservation, look.seen.who, now)
    ripe_at = RIPE_AT.get(step, _at_once)(look, policy, now)
    happening = LEADS_TO.get(step)
    is_ripe = ripe_at is not None and ripe_at <= now
    if happening is None or not is_ripe:
        happening = None
    if happening is Happening.OVERSTAYED and reservation.status is Status.OVERSTAYING:
        happening = None
    trouble = TROUBLES.get(step, Trouble.NONE)
    left_at = _left_at(look, step, now) if happening is Happening.CAR_LEFT else None
    return Verdict(
        step=step,
        happening=happening,
        trouble=trouble,
        is_doubted=_is_doubtful(reservation, step, now),
        arrived_at=look.seen.since or now if step in _ARRIVALS else None,
        is_seen_there=is_word_alone(reservation) and look.seen.who in _SOMEBODY,
        is_arrival_void=reservation.status is Status.BOOKED and look.seen.who in _NOBODY,
        session=look.seen.session if step is Step.MEET else None,
        left_at=left_at,
        overstay_since=_overstay_found(look, happening, left_at),
        notices=tuple(_notices(look, step, happening, now)),
        due_at=_due_at(look, trouble, ripe_at, policy, now),
    )


_ARRIVALS: Final = frozenset({Step.ARRIVAL, Step.CHECK_IN, Step.MEET})
_SOMEBODY: Final = frozenset({InBay.SOMEBODY, InBay.STILL_THERE, InBay.OWN_BEFORE})
_NOBODY: Final = frozenset({InBay.EMPTY, InBay.EMPTY_NOW, InBay.OUTSTAYING, InBay.STRANGER})


def give_up_at(reservation: Reservation) -> datetime | None:
    """Return until when somebody in danger can choose something else; null: is in none."""
    if reservation.trouble not in IN_DANGER or reservation.trouble_at is None:
        return None
    return max(reservation.starts_at, reservation.trouble_at) + ANSWER_WITHIN


def _step(reservation: Reservation, who: InBay, now: datetime) -> Step:
    """Return what follows; that the owner took the bay away is not to be seen in it."""
    step = step_of(reservation.status, phase(reservation, now), who)
    is_withdrawn = reservation.trouble is Trouble.WITHDRAWN and reservation.status is Status.BOOKED
    return Step.WITHDRAWN if is_withdrawn and step is not Step.MEET else step


def _is_doubtful(reservation: Reservation, step: Step, now: datetime) -> bool:
    """Whether somebody who does not come is no no-show: who was told that the bay is lost may not."""
    trouble = TROUBLES.get(step, Trouble.NONE)
    is_silent = trouble is Trouble.SILENT and now >= reservation.starts_at
    return step is Step.DOUBT or trouble in IN_DANGER or is_silent


# --- when a step is ripe ---------------------------------------------------------------------------


def _choose_until(look: Look, policy: Policy, now: datetime) -> datetime | None:
    """See give_up_at."""
    del policy, now
    return give_up_at(look.reservation)


def _lost_at(look: Look, policy: Policy, now: datetime) -> datetime:
    """Return when a bay that is lost is given up: not while the driver can still choose."""
    return _choose_until(look, policy, now) or now


def _held_until(look: Look, policy: Policy, now: datetime) -> datetime | None:
    del policy, now
    return look.reservation.held_until


def _unheard_at(look: Look, policy: Policy, now: datetime) -> datetime:
    """Return from when on a silent station will not tell any more."""
    del now
    return look.reservation.ends_at + policy.unseen_after


def _sight_lost_at(look: Look, policy: Policy, now: datetime) -> datetime:
    """Return from when on nobody will tell any more when the car left."""
    return (look.seen.since or now) + policy.unseen_after


def _no_show_at(look: Look, policy: Policy, now: datetime) -> datetime:
    del policy
    return _once_told(look, now, now)


def _given_up_at(look: Look, policy: Policy, now: datetime) -> datetime:
    """Return from when on no fact is waited for any more that would say what became of the slot."""
    reservation = look.reservation
    doubted_at = reservation.doubted_at or reservation.ends_at
    ripe_at = max(reservation.ends_at, doubted_at) + policy.late_facts_after
    return _once_told(look, ripe_at, now)


def _once_told(look: Look, ripe_at: datetime, now: datetime) -> datetime:
    """Return the instant, or a later one while the station has more to tell."""
    return max(ripe_at, now + LOOK_AGAIN_AFTER) if look.is_behind else ripe_at


def _overstay_at(look: Look, policy: Policy, now: datetime) -> datetime | None:
    """Return when it can be said that staying costs: not before what was out of sight is told."""
    since, seen_at = _overstay_since(look), look.reservation.seen_again_at
    if since is None or look.seen.unheard_since is not None:
        return None
    told_at = since if seen_at is None else max(since, seen_at + policy.late_facts_after)
    return _once_told(look, told_at, now)


def _overstay_since(look: Look) -> datetime | None:
    """Return from when on staying costs; null while the car charges, or the charger makes it wait.

    And where a later slot of the driver's began before it would cost anything.
    """
    reservation, own = look.reservation, look.own
    if reservation.overstay_since is not None:
        return reservation.overstay_since
    if own is not None and own.state in _TAKING_ENERGY:
        return None
    ended_at = own and (own.charging_ended_at or own.ended_at)
    since = max(look.slot_ends_at, ended_at or look.slot_ends_at) + _overstay_grace(reservation)
    if look.taken_up_at is not None and look.taken_up_at <= since:
        return None
    return overstay_after_dark(reservation, since) if was_dark(reservation, look.seen) else since


def _overstay_grace(reservation: Reservation) -> timedelta:
    return timedelta(seconds=from_plain(reservation.terms).overstay_grace_s)


def _overstay_found(
    look: Look, happening: Happening | None, left_at: datetime | None
) -> datetime | None:
    """Return since when the car has overstayed, or had when it left while nobody could tell us."""
    reservation, seen = look.reservation, look.seen
    if happening is Happening.OVERSTAYED:
        return _overstay_since(look)
    if left_at is None or reservation.unseen_since is None or was_dark(reservation, seen):
        return None
    since = _overstay_since(look)
    is_watched = seen.since is not None and seen.who not in _UNWATCHED
    return since if is_watched and since is not None and since < left_at else None


_UNWATCHED: Final = frozenset({InBay.UNKNOWN, InBay.OUT_OF_ORDER})


def _leave_at(look: Look, policy: Policy, now: datetime) -> datetime:
    """Return when an empty bay counts as left: it has stayed so, and the session is over."""
    own, since = look.own, look.seen.since
    empty_at = now if since is None else since + policy.left_after
    if look.seen.who is InBay.STRANGER:
        empty_at = now
    if own is not None and own.is_open:
        return max(empty_at, own.said_at + policy.unstopped_after)
    if look.reservation.status is Status.ARRIVED:
        # whoever said that they are there may have charged, and nobody has told us yet
        return max(empty_at, _given_up_at(look, policy, now))
    return empty_at


RIPE_AT: Final[dict[Step, Callable[[Look, Policy, datetime], datetime | None]]] = {
    Step.EXPIRE: _held_until,
    Step.STOLEN: _choose_until,
    Step.OCCUPIED: _choose_until,
    Step.OUT: _choose_until,
    Step.WITHDRAWN: _choose_until,
    Step.LOSE: _lost_at,
    Step.NO_SHOW: _no_show_at,
    Step.NEVER_SEEN: _given_up_at,
    Step.STILL_SILENT: _unheard_at,
    Step.STAY: _overstay_at,
    Step.LEAVE: _leave_at,
    Step.LOSE_SIGHT: _sight_lost_at,
}
"""From when on a step does what it leads to; null: nobody knows yet. All others: at once."""


def _at_once(look: Look, policy: Policy, now: datetime) -> datetime:
    del look, policy
    return now


def _left_at(look: Look, step: Step, now: datetime) -> datetime:
    """Return when the car left, by the best witness: not before its session's end, not after now.

    Where nobody saw it go it left when it was last seen, and a later slot of the driver's own that
    began meanwhile is what it has stood there by since.
    """
    reservation, own, unseen_since = look.reservation, look.own, look.reservation.unseen_since
    over_at = (own.ended_at or own.said_at) if own else reservation.arrived_at
    instants = [at for at in (over_at, look.seen.since) if at is not None]
    left_at = min(max(instants, default=now), now)
    is_unseen = step is Step.LOSE_SIGHT or was_dark(reservation, look.seen)
    if unseen_since is not None and is_unseen:
        left_at = min(left_at, max(unseen_since, over_at or unseen_since))
    return left_at if look.taken_up_at is None else min(left_at, look.taken_up_at)


# --- what is told ----------------------------------------------------------------------------------


def _notices(
    look: Look, step: Step, happening: Happening | None, now: datetime
) -> Iterable[tuple[NoticeKind, str]]:
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
    if look.seen.who is InBay.SAID_SO and now >= _missed_at(reservation):
        yield NoticeKind.NOT_SEEN, f"not_seen/{slot}"
    quarters = _quarters(reservation, now) if step is Step.STAY and _is_watched(look) else 0
    if quarters:
        yield NoticeKind.OVERSTAY_CONTINUES, f"overstay_continues/{name}/{quarters}"


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


def _missed_at(reservation: Reservation) -> datetime:
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


def _quarters(reservation: Reservation, now: datetime) -> int:
    """Return for how many whole quarters of an hour the car has overstayed."""
    since = reservation.overstay_since
    is_on = reservation.status is Status.OVERSTAYING and since is not None
    return int((now - since) / OVERSTAY_EVERY) if is_on and since else 0


# --- when to look again ----------------------------------------------------------------------------


def _due_at(
    look: Look, trouble: Trouble, ripe_at: datetime | None, policy: Policy, now: datetime
) -> datetime:
    reservation, unheard_since = look.reservation, look.seen.unheard_since
    seen_at = reservation.seen_again_at
    starts_at, ends_at = reservation.starts_at, reservation.ends_at
    quarters = (_quarters(reservation, now) + 1) * OVERSTAY_EVERY
    since = reservation.overstay_since
    is_near = now >= protected_from(reservation)
    instants = (
        reservation.fixed_at if reservation.is_flexible else None,
        protected_from(reservation),
        starts_at - REMIND_BEFORE,
        starts_at,
        starts_at + from_plain(reservation.terms).grace,
        ends_at - REMIND_BEFORE,
        ends_at,
        look.seen.recheck_at,
        ripe_at,
        _missed_at(reservation) if is_word_alone(reservation) else None,
        None if seen_at is None else seen_at + policy.late_facts_after,
        None if unheard_since is None else unheard_since + policy.unseen_after,
        None if since is None else since + quarters,
        now + LOOK_AGAIN_AFTER if trouble in IN_DANGER and is_near else None,
        now + AT_LEAST_EVERY if trouble in IN_DANGER or now >= starts_at else None,
    )
    to_come = [at for at in instants if at is not None and at > now]
    return min(to_come, default=now + AT_LEAST_EVERY)
