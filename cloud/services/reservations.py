"""Reservations, as drivers make, see, change and end them; owners and staff see and cancel them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from cloud.domain.access import Role, Viewer
from cloud.domain.booking_rules import Desk, check_arrival
from cloud.domain.errors import BayAlreadyBooked, IllegalTransition, NotFound
from cloud.domain.reservations import HERE, Happening, Reservation, Status
from cloud.domain.terms import from_plain
from cloud.services.advancing import Advancer
from cloud.services.booking_ports import (
    NewReservation,
    ReservationLogEntry,
    ReservationPage,
    Told,
)
from cloud.services.change_views import Change
from cloud.services.changing import Changer, NewTimes
from cloud.services.collaborators import Finding, Option
from cloud.services.cursors import seal, unseal
from cloud.services.formats import zone
from cloud.services.holding import Holder, Overtaken
from cloud.services.idempotency import Once, do_once
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.reservation_views import (
    ReservationList,
    ReservationLog,
    ReservationLogView,
    ReservationView,
    places,
)
from cloud.services.retrying import retried
from cloud.services.sharing import Shared

MAX_LIMIT: Final = 200
ALTERNATIVES: Final = 5

Effect = Callable[[UnitOfWork, datetime], tuple[Reservation, Sequence[Change]]]
"""Changes one reservation within a transaction; returns it with what viewers must hear."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationService:
    """The use cases of reservations, each one transaction."""

    open_work: OpenWork
    clock: Clock
    publisher: Publisher
    holder: Holder
    changer: Changer
    advancer: Advancer
    finding: Finding
    found: Shared[Sequence[Option]] = field(default_factory=Shared)

    # --- seeing ----------------------------------------------------------------------------------

    def list(
        self,
        viewer: Viewer,
        *,
        is_live: bool | None = None,
        is_own: bool = False,
        station_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> ReservationList:
        """Return reservations, the latest start first: drivers' own, owners' stations', for staff all.

        Args:
            viewer: who asks.
            is_live: only those that stand, or only those that are over; null: both.
            is_own: only those the viewer made, whoever they are.
            station_id: only this station's.
            limit: at most so many, never more than 200.
            cursor: of the page before.

        Raises:
            NotValid: a cursor of another list.
        """
        limit = max(1, min(limit, MAX_LIMIT))
        is_driver = is_own or viewer.role is Role.DRIVER
        page = ReservationPage(
            user_id=viewer.user_id if is_driver else None,
            owner_id=None if is_driver or viewer.is_staff else viewer.user_id,
            station_id=station_id,
            is_live=is_live,
            before=None if cursor is None else _place(cursor),
            limit=limit + 1,
        )
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            found = work.reservations.page(page)
            shown = found[:limit]
            there = places(work, shown)
        is_more = len(found) > limit
        return ReservationList(
            server_now=now,
            reservations=[there.view(one, now) for one in shown],
            next_cursor=seal(shown[-1].starts_at, shown[-1].id) if is_more else None,
        )

    def get(self, reservation_id: str, viewer: Viewer) -> ReservationView:
        """Return a reservation.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            found = visible(work, reservation_id, viewer)
            return places(work, [found]).view(found, self.clock.now())

    def log(self, reservation_id: str, viewer: Viewer) -> ReservationLog:
        """Return what became of a reservation, and who did it: for owners and staff.

        Raises:
            NotFound: there is none, or it is not at a station the viewer looks after.
        """
        with self.open_work(is_read_only=True) as work:
            found = visible(work, reservation_id, viewer)
            if not _may_watch(work, found, viewer):
                raise NotFound(reservation_id)
            entries = work.reservations.log(reservation_id)
        return ReservationLog(entries=[_log_view(entry) for entry in entries])

    # --- making ----------------------------------------------------------------------------------

    def quote(self, user_id: str, ask: NewReservation) -> ReservationView:
        """Say what it would cost and on which terms, whether the bay is free or not; nothing is kept.

        Args:
            user_id: whose discounts count; empty: nobody's.
            ask: what would be held.

        Raises:
            NotFound: there is no such station.
            NotBookable: it does not fit the station's terms.
        """
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            draft = self.holder.draft(work, user_id, ask, now)
            wanted = self.holder.quoted(work, draft.wanted, now)
            return places(work, [wanted]).view(wanted, now)

    def hold(
        self, viewer: Viewer, ask: NewReservation, once: Once | None = None
    ) -> ReservationView:
        """Keep a bay for the driver until it is paid for, and send the code that confirms it.

        Raises:
            NotFound: there is no such station.
            NotBookable: it does not fit the station's terms.
            BayAlreadyBooked: somebody was faster; with what is free instead.
            TooManyReservations: the driver has as many as one may.
            BookedElsewhere: the driver has another station at this time.
        """
        sought: list[Reservation] = []

        def effect(work: UnitOfWork, now: datetime) -> tuple[Reservation, Sequence[Change]]:
            draft = self.holder.draft(work, viewer.user_id, ask, now)
            sought[:] = [draft.wanted]
            return self.holder.hold_draft(work, draft, now)

        return self._carried_out(effect, once, sought)

    # --- changing --------------------------------------------------------------------------------

    def change(
        self, viewer: Viewer, reservation_id: str, new: NewTimes, once: Once | None = None
    ) -> ReservationView:
        """Extend, shorten or move a reservation of the viewer's own.

        Raises:
            NotFound: there is none, or it is not the viewer's.
            IllegalTransition: it stands where nothing, or not this, can be changed.
            NotBookable: it does not fit the station's terms.
            BayAlreadyBooked: somebody was faster; with what is free instead.
            BookedElsewhere: the driver has another station at this time.
        """
        sought: list[Reservation] = []

        def effect(work: UnitOfWork, now: datetime) -> tuple[Reservation, Sequence[Change]]:
            before = _own(work, reservation_id, viewer)
            draft = self.changer.draft(work, before, new, now)
            sought[:] = [draft.wanted]
            return self.changer.change(work, before, draft, now)

        return self._carried_out(effect, once, sought)

    def cancel(
        self,
        viewer: Viewer,
        reservation_id: str,
        once: Once | None = None,
        *,
        is_whole_series: bool = False,
        note: str = "",
    ) -> ReservationView:
        """Cancel before the driver has come: by the driver, by the terms; by us, for nothing.

        Args:
            viewer: its driver; or its station's owner or staff, and then nobody pays.
            reservation_id: which.
            once: how the request names itself.
            is_whole_series: also those of its series that come later.
            note: for the log, at most 500 characters.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            IllegalTransition: the driver has come, or it is over.
        """

        def effect(work: UnitOfWork, now: datetime) -> tuple[Reservation, Sequence[Change]]:
            found = visible(work, reservation_id, viewer)
            is_driver = found.user_id == viewer.user_id
            by = Happening.CANCELED_BY_DRIVER if is_driver else Happening.CANCELED_BY_OPERATOR
            told = Told(by, viewer.user_id, note)
            changes = [*self.advancer.advance(work, found, by, told, now)]
            for one in _later(work, found) if is_whole_series else ():
                changes += self.advancer.advance(work, one, by, told, now)
            return work.reservations.by_ids([reservation_id])[reservation_id], changes

        return self._carried_out(effect, once)

    def check_in(
        self, viewer: Viewer, reservation_id: str, once: Once | None = None
    ) -> ReservationView:
        """Say "I am here": by the driver, from when the bay is kept for them; twice is once.

        Where a sensor sees the bay empty they have the grace to be seen: see `occupants.py`.

        Raises:
            NotFound: there is none, or it is not the viewer's.
            IllegalTransition: it is too early, too late, or no booking.
        """

        def effect(work: UnitOfWork, now: datetime) -> tuple[Reservation, Sequence[Change]]:
            found = _own(work, reservation_id, viewer)
            if found.status in HERE:
                return found, ()
            if found.status is not Status.BOOKED:
                raise IllegalTransition(found.id)
            check_arrival(_frozen_desk(work, found, now), found)
            here = replace(found, arrived_at=found.arrived_at or now, arrived_by="app")
            happening = Happening.CHECKED_IN
            told = Told(happening, viewer.user_id)
            changes = self.advancer.advance(work, here, happening, told, now)
            return work.reservations.by_ids([found.id])[found.id], changes

        return self._carried_out(effect, once)

    # --- carrying out ----------------------------------------------------------------------------

    def _carried_out(
        self, effect: Effect, once: Once | None, sought: Sequence[Reservation] = ()
    ) -> ReservationView:
        """Carry out and publish; `sought` is what the effect was last after, should it be taken."""
        try:
            view, changes = self._stored(effect, once)
        except (BayAlreadyBooked, Overtaken) as taken:
            raise self._with_alternatives(taken, sought[-1]) from None
        self.publisher.publish(changes)
        return view

    @retried
    def _stored(
        self, effect: Effect, once: Once | None
    ) -> tuple[ReservationView, Sequence[Change]]:
        now = self.clock.now()
        changes: list[Change] = []

        def run() -> ReservationView:
            reservation, heard = effect(work, now)
            changes.extend(heard)
            return places(work, [reservation]).view(reservation, now)

        with self.open_work() as work:
            view = do_once(work, once, now, run, ReservationView)
            work.commit()
        return view, changes

    def _with_alternatives(
        self, taken: BayAlreadyBooked | Overtaken, wanted: Reservation
    ) -> BayAlreadyBooked:
        """Return the refusal with what is free instead, found once for all who lose one race."""
        asked = (wanted.station_id, wanted.bay_id, wanted.starts_at, wanted.ends_at)
        need = (wanted.standard, wanted.min_power_w, wanted.energy_wh, wanted.is_flexible)

        def find() -> Sequence[Option]:
            with self.open_work(is_read_only=True) as work:
                now = self.clock.now()
                return self.finding.alternatives(work, wanted, now, ALTERNATIVES)

        options = self.found.get((wanted.id, asked, need), find)
        subject = taken.subject if isinstance(taken, BayAlreadyBooked) else wanted.station_id
        return BayAlreadyBooked(subject, alternatives=options)


def visible(work: UnitOfWork, reservation_id: str, viewer: Viewer) -> Reservation:
    """Return a reservation that is the viewer's to see.

    Raises:
        NotFound: there is none, or it is not.
    """
    found = work.reservations.by_ids([reservation_id]).get(reservation_id)
    if found is None or not (found.user_id == viewer.user_id or _may_watch(work, found, viewer)):
        raise NotFound(reservation_id)
    return found


def _may_watch(work: UnitOfWork, reservation: Reservation, viewer: Viewer) -> bool:
    station = work.stations.by_ids([reservation.station_id])[reservation.station_id]
    return viewer.may_watch(station.owner_id)


def _own(work: UnitOfWork, reservation_id: str, viewer: Viewer) -> Reservation:
    found = work.reservations.by_ids([reservation_id]).get(reservation_id)
    if found is None or found.user_id != viewer.user_id:
        raise NotFound(reservation_id)
    return found


def _later(work: UnitOfWork, reservation: Reservation) -> list[Reservation]:
    if reservation.series_id is None:
        return []
    return [
        one
        for one in work.reservations.of_series(reservation.series_id)
        if one.starts_at > reservation.starts_at and one.status in {Status.HELD, Status.BOOKED}
    ]


def _frozen_desk(work: UnitOfWork, reservation: Reservation, now: datetime) -> Desk:
    station = work.stations.by_ids([reservation.station_id])[reservation.station_id]
    return Desk(from_plain(reservation.terms), zone(station.timezone), now)


def _log_view(entry: ReservationLogEntry) -> ReservationLogView:
    return ReservationLogView(
        version=entry.version, at=entry.at, actor=entry.actor, what=entry.what, note=entry.note
    )


def _place(cursor: str) -> tuple[datetime, str]:
    at, reservation_id = unseal(cursor, (datetime, str))
    return at, reservation_id
