"""What follows for a reservation from who is in its bay: pure, total, read from a table.

The table goes by where the reservation stands, by the phase of its slot and by who is in the bay
(`occupants.py`): see `promise_steps.py`. A no-show has to be seen; who is not sure does not pay
(ADR 0009).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.evidence import InBay
from cloud.domain.kept import protected_from
from cloud.domain.notices import NoticeKind
from cloud.domain.occupants import is_word_alone
from cloud.domain.overstays import left_at, overstay_found, overstay_since
from cloud.domain.policy import Policy
from cloud.domain.promise_look import Look
from cloud.domain.promise_notices import (
    OVERSTAY_EVERY,
    REMIND_BEFORE,
    missed_at,
    notices,
    quarters,
)
from cloud.domain.promise_steps import IN_DANGER, LEADS_TO, TROUBLES, Step, phase, step_of
from cloud.domain.reservations import Happening, Reservation, Status, Trouble
from cloud.domain.sessions import Session
from cloud.domain.terms import from_plain

ANSWER_WITHIN: Final = timedelta(minutes=15)
"""So long after the start, or the trouble, a driver has to choose something else."""
LOOK_AGAIN_AFTER: Final = timedelta(minutes=1)
"""A promise in danger is looked at so often: another bay may have come free."""
AT_LEAST_EVERY: Final = timedelta(hours=1)
"""What nothing is due for is looked at all the same."""


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
    gone_at = left_at(look, step, policy, now) if happening is Happening.CAR_LEFT else None
    return Verdict(
        step=step,
        happening=happening,
        trouble=trouble,
        is_doubted=_is_doubtful(reservation, step, now),
        arrived_at=look.seen.since or now if step in _ARRIVALS else None,
        is_seen_there=is_word_alone(reservation) and look.seen.who in _SOMEBODY,
        is_arrival_void=reservation.status is Status.BOOKED and look.seen.who in _NOBODY,
        session=look.seen.session if step is Step.MEET else None,
        left_at=gone_at,
        overstay_since=overstay_found(look, happening, gone_at, policy),
        notices=tuple(notices(look, step, happening, now)),
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
    since, seen_at = overstay_since(look, policy), look.reservation.seen_again_at
    if since is None or look.seen.unheard_since is not None:
        return None
    told_at = since if seen_at is None else max(since, seen_at + policy.late_facts_after)
    return _once_told(look, told_at, now)


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


# --- when to look again ----------------------------------------------------------------------------


def _due_at(
    look: Look, trouble: Trouble, ripe_at: datetime | None, policy: Policy, now: datetime
) -> datetime:
    reservation, unheard_since = look.reservation, look.seen.unheard_since
    seen_at = reservation.seen_again_at
    starts_at, ends_at = reservation.starts_at, reservation.ends_at
    next_quarter = (quarters(reservation, now) + 1) * OVERSTAY_EVERY
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
        missed_at(reservation) if is_word_alone(reservation) else None,
        None if seen_at is None else seen_at + policy.late_facts_after,
        None if unheard_since is None else unheard_since + policy.unseen_after,
        None if since is None else since + next_quarter,
        now + LOOK_AGAIN_AFTER if trouble in IN_DANGER and is_near else None,
        now + AT_LEAST_EVERY if trouble in IN_DANGER or now >= starts_at else None,
    )
    to_come = [at for at in instants if at is not None and at > now]
    return min(to_come, default=now + AT_LEAST_EVERY)
