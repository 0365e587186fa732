"""Who is in a bay, as one of its reservations sees it: pure and total.

The witnesses say that somebody is there, not who. A session names its driver; somebody who stands there
unplugged is taken for the driver for a while, if they came while the bay was kept for one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.evidence import Evidence, InBay, Seen
from cloud.domain.kept import is_kept, protected_from
from cloud.domain.reconcile import (
    AgentSays,
    ChargerSays,
    ConnectorSays,
    ReservationSays,
    SensorSays,
    SessionSays,
)
from cloud.domain.reservations import HERE, PROMISED, Reservation, Status
from cloud.domain.sessions import Session
from cloud.domain.terms import from_plain


@dataclass(frozen=True, slots=True)
class _Stander:
    since: datetime | None
    session: Session | None = None
    """That of their car, where it is known."""

    @property
    def is_named(self) -> bool:
        """Whether a session says who it is."""
        return self.session is not None and bool(self.session.token or self.session.user_id)


STILL_SPEAKING: Final = timedelta(minutes=30)
"""A session that is open and spoke so shortly before the bay was kept still goes on: meters are slow."""

_OPEN: Final = frozenset(SessionSays) - {SessionSays.NONE, SessionSays.ENDED}
_OUT: Final = frozenset({ConnectorSays.FAULTED, ConnectorSays.UNAVAILABLE})
_IDLE: Final = frozenset({ConnectorSays.FREE, ConnectorSays.RESERVED})
_AT_CABLE: Final = frozenset(ConnectorSays) - _OUT - _IDLE - {ConnectorSays.NOTHING}
_HAS_CHARGED: Final = frozenset({Status.CHARGING, Status.FINISHED, Status.OVERSTAYING})
_IN_SLOT: Final = frozenset({Status.CHARGING, Status.FINISHED})
"""Who overstays does so here: a session at another bay is another matter."""


def is_theirs(session: Session, reservation: Reservation) -> bool:
    """Whether a session is charged by the reservation's driver: by their token, or another of theirs."""
    if session.reservation_id is not None:
        return session.reservation_id == reservation.id
    return session.user_id is not None and session.user_id == reservation.user_id


def in_bay(
    seen: Evidence, reservation: Reservation, others: Sequence[Reservation], now: datetime
) -> Seen:
    """Say who is in the bay, for this reservation's sake.

    Args:
        seen: what the witnesses say.
        reservation: a live one.
        others: the live reservations of the bay beside it.
        now: our clock.
    """
    others = [one for one in others if not is_elsewhere(seen, one)]
    is_looked_at = seen.said.agent is AgentSays.HEARD and seen.said.sensor in _LOOKS
    return replace(
        _found(seen, reservation, others, now),
        unheard_since=seen.unheard_since,
        lost_at=None if is_looked_at else seen.unheard_since,
        linked_at=seen.linked_at,
    )


def _found(
    seen: Evidence, reservation: Reservation, others: Sequence[Reservation], now: datetime
) -> Seen:
    said = seen.said
    ours = _session_of(seen, reservation, others, now)
    if ours is not None:
        return Seen(InBay.OURS, ours.started_at, ours)
    away = _away(seen, reservation)
    if away is not None:
        return away
    if said.agent is not AgentSays.HEARD or said.charger in _UNHEARD:
        return Seen(InBay.UNKNOWN, seen.unheard_since or seen.found_since)
    if reservation.status in _HAS_CHARGED:
        return _after_charging(seen, reservation)
    if said.charger is ChargerSays.ABSENT or said.connector in _OUT:
        return Seen(InBay.OUT_OF_ORDER)
    return _before_charging(seen, reservation, others, now)


_UNHEARD: Final = frozenset({ChargerSays.SILENT, ChargerSays.NEVER_HEARD})
_LOOKS: Final = frozenset({SensorSays.EMPTY, SensorSays.OCCUPIED})


def is_elsewhere(seen: Evidence, reservation: Reservation) -> bool:
    """Whether the driver charges at another bay, and not at this one."""
    is_away = any(one.reservation_id == reservation.id for one in seen.elsewhere)
    return is_away and reservation.status in _IN_SLOT and not _is_on(seen, reservation)


def _away(seen: Evidence, reservation: Reservation) -> Seen | None:
    """Say since when the driver's car is at another bay, or was until its session ended."""
    if is_elsewhere(seen, reservation):
        session = next(one for one in seen.elsewhere if one.reservation_id == reservation.id)
        return Seen(InBay.ELSEWHERE, session.started_at, session)
    own = own_session(seen, reservation)
    if own is None or own.bay_id in {None, reservation.bay_id}:
        return None
    return Seen(InBay.EMPTY, own.said_at)


def _is_on(seen: Evidence, reservation: Reservation) -> bool:
    """Whether a session of the driver's goes on in this bay."""
    newest = seen.session
    is_open = newest is not None and seen.said.session in _OPEN
    return is_open and newest is not None and is_theirs(newest, reservation)


def _session_of(
    seen: Evidence, reservation: Reservation, others: Sequence[Reservation], now: datetime
) -> Session | None:
    """Return the driver's session that goes on, or one the reservation does not know of yet."""
    if reservation.status in _HAS_CHARGED:
        return seen.session if _is_on(seen, reservation) else None
    told = [seen.session] if seen.session is not None else []
    charged = {one.session_id for one in others}
    theirs = [
        one
        for one in (*told, *seen.late_sessions)
        if is_theirs(one, reservation) and one.id not in charged
    ]
    return next((one for one in theirs if _is_new(one, seen, reservation, now)), None)


def _is_new(session: Session, seen: Evidence, reservation: Reservation, now: datetime) -> bool:
    """Whether a session of the driver's meets the reservation: not one of days ago (FAULTS T04)."""
    from_at = protected_from(reservation)
    if session.started_at >= reservation.ends_at:
        return False
    if session.reservation_id is not None or session.started_at >= from_at:
        return True
    # a walk-in of theirs, from before the bay was kept: it counts if it reaches into the slot
    if session.ended_at is not None:
        return session.ended_at > reservation.starts_at
    is_on = session is seen.session and seen.said.session in _OPEN
    is_lately = session.said_at > from_at - STILL_SPEAKING
    return is_on and is_lately and now >= reservation.starts_at


def _after_charging(seen: Evidence, reservation: Reservation) -> Seen:
    """Say whether the car is still there once its session is over."""
    said = seen.said
    newest = seen.session
    own = own_session(seen, reservation)
    if newest is not None and not is_theirs(newest, reservation):
        came_at = own.started_at if own else reservation.arrived_at or reservation.starts_at
        if newest.started_at > came_at:
            return Seen(InBay.STRANGER, newest.started_at)
    is_changed = own is not None and _has_changed(seen, own.said_at)
    if said.sensor is SensorSays.OCCUPIED and is_changed:
        return Seen(InBay.STRANGER, seen.occupied_since)
    is_only_cable = said.sensor is SensorSays.EMPTY and is_changed
    if said.sensor is SensorSays.OCCUPIED or (said.connector in _AT_CABLE and not is_only_cable):
        return Seen(InBay.STILL_THERE)
    if said.sensor is SensorSays.EMPTY:
        return Seen(InBay.EMPTY, seen.occupied_since)
    if said.connector in _IDLE:
        is_seen = said.sensor is SensorSays.ABSENT
        return Seen(InBay.EMPTY if is_seen else InBay.UNSEEN, seen.plugged_since)
    is_out = said.connector in _OUT
    return Seen(InBay.OUT_OF_ORDER if is_out else InBay.UNKNOWN, seen.found_since)


def _has_changed(seen: Evidence, since: datetime | None) -> bool:
    """Whether the sensors changed their verdict after that: a car left, whatever became of its cable.

    Sensors that said empty all the while a car charged do not see it, and prove nothing.
    """
    at = seen.occupied_since
    return seen.said.sensor in _LOOKS and at is not None and since is not None and at > since


def own_session(seen: Evidence, reservation: Reservation) -> Session | None:
    """Return the session the reservation is charged by, as far as it is known."""
    told = (seen.session, *seen.late_sessions)
    return next((one for one in told if one and one.id == reservation.session_id), None)


def _before_charging(
    seen: Evidence, reservation: Reservation, others: Sequence[Reservation], now: datetime
) -> Seen:
    said, stander = seen.said, _stander(seen)
    if stander is not None and _is_own_before(stander, reservation, others):
        return Seen(InBay.OWN_BEFORE, stander.since)
    if _is_driver_still_there(seen, reservation):
        return Seen(InBay.STILL_THERE, seen.occupied_since)
    if stander is not None:
        return _placed(stander, reservation, others, now)
    if said.connector is ConnectorSays.NOTHING:
        return Seen(InBay.UNKNOWN, seen.found_since)
    is_witnessed = said.sensor is SensorSays.ABSENT and _trusts_charger(reservation)
    if said.sensor is not SensorSays.EMPTY and not is_witnessed:
        return Seen(InBay.UNSEEN)
    return _empty(seen, reservation, now)


def _trusts_charger(reservation: Reservation) -> bool:
    return from_plain(reservation.terms).is_charger_witness


def _is_own_before(
    stander: _Stander, reservation: Reservation, others: Sequence[Reservation]
) -> bool:
    """Whether it is the driver themselves who has come for an earlier slot of theirs."""
    mine = [
        one
        for one in others
        if one.user_id == reservation.user_id
        and one.status in HERE
        and one.starts_at < reservation.starts_at
    ]
    if stander.session is None or not stander.is_named:
        return bool(mine)
    return any(is_theirs(stander.session, one) for one in mine)


def _is_driver_still_there(seen: Evidence, reservation: Reservation) -> bool:
    """Whether the driver charges here before their time, or did and the car has stayed."""
    session = seen.session
    if session is None:
        return False
    # also by a slot of theirs that is over: whoever it is, it is their own car
    is_own = session.user_id is not None and session.user_id == reservation.user_id
    if not is_own and not is_theirs(session, reservation):
        return False
    # who comes back to a cable of theirs is welcome: their own car is the likeliest
    return seen.said.session in _OPEN or _has_stayed(seen, session)


def _has_stayed(seen: Evidence, session: Session) -> bool:
    """Whether the car of the newest session, which is over, is still there."""
    said = seen.said
    is_only_cable = said.sensor is SensorSays.EMPTY and _has_changed(seen, session.said_at)
    is_there = said.connector in _AT_CABLE or said.sensor is SensorSays.OCCUPIED
    return said.session is SessionSays.ENDED and is_there and not is_only_cable


def _stander(seen: Evidence) -> _Stander | None:
    """Return who is there: named by their session, where there is one."""
    said, session = seen.said, seen.session
    if session is not None and said.session in _OPEN:
        return _Stander(session.started_at, session)
    if session is not None and _has_stayed(seen, session):
        is_another = _has_changed(seen, session.said_at)
        return (
            _Stander(seen.occupied_since) if is_another else _Stander(session.started_at, session)
        )
    has_changed = _has_changed(seen, seen.plugged_since)
    if said.connector in _AT_CABLE and not has_changed:
        return _Stander(seen.plugged_since)
    return _Stander(seen.occupied_since) if said.sensor is SensorSays.OCCUPIED else None


def _placed(
    stander: _Stander, reservation: Reservation, others: Sequence[Reservation], now: datetime
) -> Seen:
    """Say whether who stands there is the driver before, perhaps ours, or a stranger."""
    since = stander.since
    earlier = [
        one
        for one in others
        if one.status in PROMISED and one.starts_at < reservation.starts_at and is_kept(one, now)
    ]
    if any(now < one.ends_at for one in earlier):
        return Seen(InBay.BEFORE, since, recheck_at=min(one.ends_at for one in earlier))
    if earlier:
        return Seen(InBay.OUTSTAYING, since)
    if reservation.status is Status.ARRIVED and not stander.is_named:
        return Seen(InBay.SOMEBODY, since)
    if since is None or since < protected_from(reservation):
        return Seen(InBay.OUTSTAYING, since)
    confirm_at = since + timedelta(seconds=from_plain(reservation.terms).confirm_s)
    if stander.is_named or now >= confirm_at:
        return Seen(InBay.STRANGER, since)
    return Seen(InBay.SOMEBODY, since, recheck_at=confirm_at)


def _empty(seen: Evidence, reservation: Reservation, now: datetime) -> Seen:
    """Say whether the bay has been empty all the time that counts: through the grace.

    Who says that they are there has the grace from then on to be seen.
    """
    is_sensed = seen.said.sensor is SensorSays.EMPTY
    is_said = is_sensed and is_word_alone(reservation)
    changed_at = seen.occupied_since if is_sensed else seen.plugged_since
    awaited_since = seen.found_since if seen.is_awaited else None
    said_at = reservation.arrived_at if is_said else None
    instants = (reservation.starts_at, changed_at, awaited_since, said_at)
    since = max(at for at in instants if at is not None)
    grace = from_plain(reservation.terms).grace
    proven_at = since + grace
    is_due = now >= min(reservation.starts_at + grace, reservation.ends_at)
    if is_due and (reservation.doubted_at is not None or now < proven_at):
        return Seen(InBay.EMPTY_NOW, since, recheck_at=proven_at)
    return Seen(InBay.SAID_SO if is_said else InBay.EMPTY, since, recheck_at=proven_at)


def seen_by(reservation: Reservation) -> datetime:
    """Return until when who says that they are there has to be seen."""
    said_at = reservation.arrived_at or reservation.starts_at
    return max(reservation.starts_at, said_at) + from_plain(reservation.terms).grace


def is_word_alone(reservation: Reservation) -> bool:
    """Whether only the driver says that they have come: they were not seen yet."""
    return reservation.status is Status.ARRIVED and reservation.arrived_by == "app"


def reservation_word(
    seen: Evidence, reservation: Reservation | None, others: Sequence[Reservation], now: datetime
) -> tuple[ReservationSays, datetime | None]:
    """Return what the reservation says of the bay, and when time alone may change it."""
    if reservation is None:
        return ReservationSays.NONE, None
    if not is_kept(reservation, now):
        return ReservationSays.NONE, protected_from(reservation)
    if reservation.status in HERE:
        if is_elsewhere(seen, reservation):
            return ReservationSays.AWAITED, reservation.ends_at
        return ReservationSays.MET, None
    found = in_bay(seen, reservation, others, now)
    is_held = reservation.status is Status.HELD
    instants = (found.recheck_at, reservation.ends_at, reservation.held_until if is_held else None)
    word = _SAYS.get(found.who, ReservationSays.AWAITED)
    return word, min(at for at in instants if at is not None and at > now)


_SAYS: Final[dict[InBay, ReservationSays]] = {
    InBay.OURS: ReservationSays.MET,
    InBay.STILL_THERE: ReservationSays.MET,
    InBay.SOMEBODY: ReservationSays.ARRIVING,
    InBay.OWN_BEFORE: ReservationSays.MET,
    InBay.BEFORE: ReservationSays.TAKEN,
    InBay.OUTSTAYING: ReservationSays.TAKEN,
    InBay.STRANGER: ReservationSays.TAKEN,
}
"""Whoever is not named here is nobody: the bay is awaited."""
