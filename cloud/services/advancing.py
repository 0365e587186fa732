"""One way for everybody to move a reservation on, so that what follows is the same whoever does.

Who judges bays (keeping.py) moves reservations on too: it is given one that does not look at the bay
again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.calendar import closed
from cloud.domain.notices import NoticeKind
from cloud.domain.reauthorisation import Holding, is_far, pay_until
from cloud.domain.reservations import PROMISED, Happening, Reservation, Status, advance
from cloud.domain.windows import Window, floor
from cloud.services import formats
from cloud.services.booking_ports import Told
from cloud.services.change_views import Change
from cloud.services.collaborators import Keeping, Notice, Settling, Telling, Waiting
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.notices import about
from cloud.services.ports import UnitOfWork
from cloud.services.reservation_changes import changes_of

PLANNED_AHEAD: Final = timedelta(days=3)
"""How far ahead the plan tells agents of reservations."""

TOLD_AS: Final[dict[Happening, NoticeKind]] = {
    Happening.CANCELED_BY_DRIVER: NoticeKind.CANCELED,
    Happening.PAYMENT_DECLINED: NoticeKind.CANCELED,
    Happening.CANCELED_BY_OPERATOR: NoticeKind.FAILED,
    Happening.SEEN_EMPTY_AFTER_GRACE: NoticeKind.NO_SHOW,
    Happening.BAY_LOST: NoticeKind.FAILED,
    Happening.NEVER_SEEN: NoticeKind.FAILED,
}
"""What the driver of a paid reservation hears of its end. Of a good one, the receipt tells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advancer:
    """See Advancing and Paid."""

    settling: Settling
    waiting: Waiting
    telling: Telling
    keeping: Keeping | None = None
    """Null: whoever calls looks at the bay by itself."""
    holding: Holding = field(default_factory=Holding)

    def advance(
        self,
        work: UnitOfWork,
        reservation: Reservation,
        happening: Happening,
        told: Told,
        now: datetime,
    ) -> Sequence[Change]:
        """See Advancing.advance."""
        after = advance(reservation, happening, now)
        if not after.is_live:
            after = self.settling.settle(work, after, now)
        work.reservations.put(after, told, now)
        if reservation.status in PROMISED and happening in TOLD_AS:
            self._tell(work, after, TOLD_AS[happening], now)
        return self.follow(work, [(reservation, after)], now)

    def follow(
        self,
        work: UnitOfWork,
        pairs: Sequence[tuple[Reservation, Reservation]],
        now: datetime,
        *,
        is_repacked: bool = False,
        with_look: bool = True,
    ) -> list[Change]:
        """Do what follows for others from changed reservations (before, after), stored already.

        Args:
            work: the caller's transaction.
            pairs: each before and after.
            now: the instant.
            is_repacked: they moved aside: what they left is taken.
            with_look: whether their bays are judged anew.
        """
        if not pairs:
            return []
        for station_id in sorted(_planned(pairs, now)):
            work.stations_admin.bump_plan(station_id)
        for before, after in pairs if not is_repacked else ():
            self._free(work, before, after, now)
        changes = changes_of(work, [after for _, after in pairs], now)
        if with_look and self.keeping is not None:
            bay_ids = {one.bay_id for pair in pairs for one in pair}
            changes += self.keeping.look(work, sorted(bay_ids), now)
        return changes

    def expire(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> Sequence[Change]:
        """See Advancing.expire."""
        is_hold = reservation.status is Status.HELD and reservation.held_until is not None
        if not is_hold or now < (reservation.held_until or now):
            return ()
        happening = Happening.HOLD_EXPIRED
        return self.advance(work, reservation, happening, Told(happening), now)

    def paid(
        self, work: UnitOfWork, reservation_id: str, authorised_minor: int, now: datetime
    ) -> Sequence[Change] | None:
        """See Paid.paid. A hold whose bay was taken away meanwhile is left to lapse."""
        held = work.reservations.by_ids([reservation_id]).get(reservation_id)
        if held is None or held.status is not Status.HELD or _is_withdrawn(work, held, now):
            return None
        booked = replace(held, booked_at=now, held_until=None, authorised_minor=authorised_minor)
        told = Told(Happening.PAID, held.user_id)
        changes = self.advance(work, booked, Happening.PAID, told, now)
        if is_far(booked, self.holding, now):
            work.deadlines.set([_renewal(booked, booked.starts_at - self.holding.renew_before)])
        self._tell(work, booked, NoticeKind.BOOKED, now)
        return changes

    def declined(
        self, work: UnitOfWork, reservation_id: str, why: str, now: datetime
    ) -> Sequence[Change]:
        """See Paid.declined."""
        held = work.reservations.by_ids([reservation_id]).get(reservation_id)
        if held is None or held.status is not Status.HELD:
            return ()
        after = replace(held, changed_version=held.changed_version + 1)
        told = Told(Happening.PAYMENT_DECLINED, held.user_id, why)
        work.reservations.put(after, told, now)
        self._tell(work, after, NoticeKind.PAYMENT_FAILED, now, why)
        return changes_of(work, [after], now)

    def renewed(
        self, work: UnitOfWork, reservation_id: str, authorised_minor: int, now: datetime
    ) -> Sequence[Change] | None:
        """See Paid.renewed."""
        booked = work.reservations.by_ids([reservation_id]).get(reservation_id)
        if booked is None or booked.status not in PROMISED:
            return None
        version = booked.changed_version + 1
        after = replace(booked, authorised_minor=authorised_minor, changed_version=version)
        work.reservations.put(after, Told("paid_again", booked.user_id), now)
        return changes_of(work, [after], now)

    def not_renewed(
        self, work: UnitOfWork, reservation_id: str, why: str, now: datetime
    ) -> Sequence[Change]:
        """See Paid.not_renewed."""
        booked = work.reservations.by_ids([reservation_id]).get(reservation_id)
        if booked is None or booked.status is not Status.BOOKED or booked.starts_at <= now:
            return ()
        until = pay_until(booked, now, self.holding)
        version = booked.changed_version + 1
        after = replace(booked, changed_version=version)
        told = Told(Happening.PAYMENT_DECLINED, booked.user_id, why)
        work.reservations.put(after, told, now)
        work.deadlines.set([_renewal(after, until)])
        self._tell(work, replace(after, held_until=until), NoticeKind.PAY_AGAIN, now, why)
        return changes_of(work, [after], now)

    def _free(
        self, work: UnitOfWork, before: Reservation, after: Reservation, now: datetime
    ) -> None:
        """Ask who waits for what this one gave up, as far as it is still to come."""
        is_same = after.is_live and (before.bay_id, before.kept) == (after.bay_id, after.kept)
        left = Window(max(before.kept.starts_at, floor(now)), before.kept.ends_at)
        if not is_same and before.is_live and left.starts_at < left.ends_at:
            self.waiting.freed(work, before.station_id, left, now)

    def _tell(
        self,
        work: UnitOfWork,
        reservation: Reservation,
        kind: NoticeKind,
        now: datetime,
        why: str = "",
    ) -> None:
        data = about(reservation) | {
            "held_until": (reservation.held_until or now).isoformat(),
            "amount_minor": reservation.authorised_minor,
            "due_minor": reservation.due_minor or 0,
            "reason": why or reservation.reason,
        }
        if reservation.arrived_by == "app":
            data["said_at"] = (reservation.arrived_at or now).isoformat()
        # a hold may be declined several times, each for itself
        cause = f"{kind}/{reservation.id}/{reservation.changed_version}"
        self.telling.tell(
            work, Notice(user_id=reservation.user_id, kind=kind, cause=cause, data=data), now
        )


def _renewal(reservation: Reservation, at: datetime) -> Deadline:
    return Deadline(DeadlineKind.AUTHORISATION, reservation.id, at)


def _is_withdrawn(work: UnitOfWork, held: Reservation, now: datetime) -> bool:
    """Whether the owner has taken the bay away while somebody was just holding it.

    Who takes it away sees to the holds and bookings there are, but not to one that is being made.
    """
    station_id = held.station_id
    terms = replace(work.terms.of([station_id])[station_id], is_bookable=True)
    zone = formats.zone(work.stations.by_ids([station_id])[station_id].timezone)
    to_come = Window(max(held.starts_at, floor(now)), held.ends_at)
    return bool(closed(held.bay_id, terms, zone, to_come))


def _planned(pairs: Sequence[tuple[Reservation, Reservation]], now: datetime) -> set[str]:
    """Return the stations whose plan says something else of one of these reservations now."""
    until = now + PLANNED_AHEAD
    changed = (pair for pair in pairs if _plan_of(pair[0], until) != _plan_of(pair[1], until))
    return {one.station_id for pair in changed for one in pair if _plan_of(one, until)}


def _plan_of(reservation: Reservation, until: datetime) -> tuple[object, ...]:
    """Return what a plan says of a reservation; nothing of one that is not promised, or far."""
    if reservation.status not in PROMISED or reservation.starts_at >= until:
        return ()
    place = (reservation.station_id, reservation.bay_id, reservation.token)
    return (*place, reservation.starts_at, reservation.ends_at)
