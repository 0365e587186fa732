"""Offers: what drivers may have instead of what they booked, or waited for, taken with one call."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol
from uuid import uuid4

from cloud.domain.access import Viewer
from cloud.domain.booking_rules import Desk, check_move
from cloud.domain.driver_limits import most_here
from cloud.domain.errors import (
    BayAlreadyBooked,
    IllegalTransition,
    NotBookable,
    NotFound,
    NotValid,
    OfferOver,
    Refused,
)
from cloud.domain.notices import NoticeKind
from cloud.domain.promise_steps import IN_DANGER
from cloud.domain.promises import ANSWER_WITHIN, give_up_at
from cloud.domain.reservations import Happening, Reservation, Status, advance
from cloud.domain.terms import from_plain
from cloud.domain.windows import Window
from cloud.services.admission import Admission
from cloud.services.advancing import Advancer
from cloud.services.booking_ports import Offer, Told
from cloud.services.change_views import Change
from cloud.services.collaborators import Finding, Notice, Option, Quoting, Telling
from cloud.services.formats import zone
from cloud.services.holding import quote_of
from cloud.services.idempotency import Once, do_once
from cloud.services.notices import about
from cloud.services.offer_views import OfferList, OfferView, offer_view, options_of
from cloud.services.offer_views import from_plain as option_from
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.rescheduling import (
    MOST_OPTIONS,
    RESCHEDULE,
    Place,
    close_offer,
    new_offer,
    priced_there,
    quoted_there,
    relocated,
)
from cloud.services.reservation_views import ReservationView, places
from cloud.services.retrying import retried

_MOVABLE: Final = frozenset({Status.BOOKED, Status.ARRIVED})


def _new_id() -> str:
    return uuid4().hex


class Taking(Protocol):
    """waitlist.py: what was waited for is taken."""

    def take(
        self, work: UnitOfWork, offer: Offer, option: Option, now: datetime
    ) -> tuple[Reservation, Sequence[Change]]:
        """Hold what an open offer from the waitlist offers; the offer is answered by the caller.

        Raises:
            BayAlreadyBooked: it is taken; the transaction must be left.
        """
        ...

    def lost(self, work: UnitOfWork, offer: Offer, now: datetime) -> Sequence[Option]:
        """Have who was too late wait on, in their old place; returns what there is meanwhile."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferService:
    """The use cases of offers, each one transaction."""

    open_work: OpenWork
    clock: Clock
    publisher: Publisher
    advancer: Advancer
    finding: Finding
    quoting: Quoting
    telling: Telling
    taking: Taking | None = None
    admission: Admission = field(default_factory=Admission)
    new_id: Callable[[], str] = _new_id

    def list(self, viewer: Viewer) -> OfferList:
        """Return what the viewer may take now, the newest first."""
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            found = work.offers.open_of(viewer.user_id)
        offers = [offer_view(one, now) for one in found if one.expires_at > now]
        return OfferList(server_now=now, offers=offers)

    def get(self, offer_id: str, viewer: Viewer) -> OfferView:
        """Return an offer of the viewer's.

        Raises:
            NotFound: there is none, or it is not theirs.
        """
        with self.open_work(is_read_only=True) as work:
            return offer_view(_own(work, offer_id, viewer), self.clock.now())

    @retried
    def alternatives(self, reservation_id: str, viewer: Viewer) -> OfferView:
        """Offer the driver what is nearest to a reservation of theirs; nothing changes until they take it.

        Raises:
            NotFound: there is none, or it is not the viewer's.
            IllegalTransition: it is not booked any more, or not yet.
            NotBookable: there is nothing else.
        """
        now = self.clock.now()
        with self.open_work() as work:
            reservation = _own_reservation(work, reservation_id, viewer)
            offer = work.offers.open_for(reservation.id)
            if offer is None or not self._stands(work, reservation, offer, now):
                options = self._options(work, reservation, now)
                close_offer(work, reservation)
                until = give_up_at(reservation) or now + ANSWER_WITHIN
                offer = new_offer(self.new_id(), reservation, options, now, until)
                work.offers.add(offer)
                work.commit()
        return offer_view(offer, now)

    def accept(
        self, offer_id: str, option: int, viewer: Viewer, once: Once | None = None
    ) -> ReservationView:
        """Take one of an offer's options: the reservation is rebooked, and the money follows.

        Raises:
            NotFound: there is no such offer, or it is not the viewer's.
            NotValid: it has no such option.
            OfferOver: it has expired, or was answered.
            IllegalTransition: the reservation is over, or the car charges already.
            BayAlreadyBooked: somebody was faster; with what is free instead.
            TooManyReservations: the driver has as many as one may where they want to go.
            BookedElsewhere: the driver has another station then; not for what we cannot keep.
        """
        try:
            view, changes = self._accept(offer_id, option, viewer, once)
        except BayAlreadyBooked as taken:
            options, instead = self._offer_instead(offer_id, viewer)
            raise BayAlreadyBooked(taken.subject, "", options, instead) from None
        self.publisher.publish(changes)
        return view

    @retried
    def _accept(
        self, offer_id: str, number: int, viewer: Viewer, once: Once | None
    ) -> tuple[ReservationView, Sequence[Change]]:
        now = self.clock.now()
        changes: list[Change] = []

        def run() -> ReservationView:
            offer = _own(work, offer_id, viewer)
            if not 0 <= number < len(offer.options):
                raise NotValid("option", f"Options are counted from 0 to {len(offer.options) - 1}.")
            if offer.expires_at <= now or not work.offers.answer(offer, "accepted"):
                raise OfferOver(offer_id)
            option = option_from(offer.options[number])
            reservation, heard = self._take(work, offer, option, now)
            changes.extend(heard)
            return places(work, [reservation]).view(reservation, now)

        with self.open_work() as work:
            view = do_once(work, once, now, run, ReservationView)
            work.commit()
        return view, changes

    def _take(
        self, work: UnitOfWork, offer: Offer, option: Option, now: datetime
    ) -> tuple[Reservation, Sequence[Change]]:
        if offer.kind == RESCHEDULE:
            return self._rebook(work, offer, option, now)
        if self.taking is None:
            raise OfferOver(offer.id)
        return self.taking.take(work, offer, option, now)

    def _rebook(
        self, work: UnitOfWork, offer: Offer, option: Option, now: datetime
    ) -> tuple[Reservation, Sequence[Change]]:
        name = offer.reservation_id or ""
        before = work.reservations.by_ids([name])[name]
        is_ours = before.trouble in IN_DANGER
        if before.status is not Status.BOOKED and not (is_ours and before.status in _MOVABLE):
            raise IllegalTransition(before.id)
        window = Window(option.starts_at, option.ends_at)
        if not is_ours:
            check_move(_desk(work, before, now), before, window)
        terms = work.terms.of([option.station_id])[option.station_id]
        there = relocated(before, Place(option.station_id, option.bay_id, window), now)
        # the bay is the one the driver chose, no more any that would do
        there = replace(_not_here(there, now), buffer_s=terms.buffer_s, fixed_at=None)
        if not is_ours:
            station = work.stations.by_ids([there.station_id])[there.station_id]
            self.admission.admit(work, there, station)
        quoted = quoted_there(work, self.quoting, before, there, now)
        after = replace(there, tariff_id=quoted.tariff_id, quote=quote_of(quoted))
        told = Told("rescheduled", before.user_id, before.trouble)
        # who is moved for our sake is never one too many
        most = None if is_ours else most_here(terms, after)
        work.reservations.rebook([(before, after)], told, now, most_live=most)
        changes = self.advancer.follow(work, [(before, after)], now)
        if is_ours:
            self._tell(work, before, after, now)
        return work.reservations.by_ids([name])[name], changes

    def _options(
        self, work: UnitOfWork, reservation: Reservation, now: datetime
    ) -> Sequence[Option]:
        """Return what the driver may have instead, by the rules of moving.

        Raises:
            NotBookable: there is nothing.
        """
        found = self.finding.alternatives(work, reservation, now, MOST_OPTIONS)
        options = priced_there(work, self.quoting, reservation, found, now)
        if reservation.trouble not in IN_DANGER:
            desk = _desk(work, reservation, now)
            options = [one for one in options if _may_move(desk, reservation, one)]
        if not options:
            raise NotBookable("alternatives", "There is nothing else near by in the next hours.")
        return options

    def _tell(
        self, work: UnitOfWork, before: Reservation, after: Reservation, now: datetime
    ) -> None:
        data = about(after) | {"from_bay_id": before.bay_id, "trouble": str(before.trouble)}
        cause = f"{NoticeKind.MOVED}/{after.id}/{after.bay_id}/{after.changed_version}"
        notice = Notice(user_id=after.user_id, kind=NoticeKind.MOVED, cause=cause, data=data)
        self.telling.tell(work, notice, now)

    def _stands(
        self, work: UnitOfWork, reservation: Reservation, offer: Offer, now: datetime
    ) -> bool:
        """Whether an open offer is one of ours for a lost bay, of which nothing is taken yet."""
        if offer.expires_at <= now or reservation.trouble not in IN_DANGER:
            return False
        options = options_of(offer)
        return len(self.finding.still_free(work, options, now, reservation.id)) == len(options)

    @retried
    def _offer_instead(self, offer_id: str, viewer: Viewer) -> tuple[Sequence[Option], str]:
        """Offer anew what is free, after somebody else was faster; returns it with the offer's id.

        For as long as the one that was lost would have been open.
        """
        now = self.clock.now()
        with self.open_work() as work:
            lost = _own(work, offer_id, viewer)
            if lost.kind != RESCHEDULE:
                options = self.taking.lost(work, lost, now) if self.taking else ()
                work.commit()
                return options, ""
            if not work.offers.answer(lost, "expired"):
                return (), ""
            reservation = _own_reservation(work, lost.reservation_id or "", viewer)
            offer = self._next_offer(work, reservation, lost, now)
            work.commit()
        return (options_of(offer), offer.id) if offer else ((), "")

    def _next_offer(
        self, work: UnitOfWork, reservation: Reservation, lost: Offer, now: datetime
    ) -> Offer | None:
        try:
            options = self._options(work, reservation, now)
        except NotBookable:
            return None
        offer = new_offer(self.new_id(), reservation, options, now, lost.expires_at)
        work.offers.add(offer)
        return offer


def _own(work: UnitOfWork, offer_id: str, viewer: Viewer) -> Offer:
    offer = work.offers.get(offer_id)
    if offer is None or offer.user_id != viewer.user_id:
        raise NotFound(offer_id)
    return offer


def _own_reservation(work: UnitOfWork, reservation_id: str, viewer: Viewer) -> Reservation:
    found = work.reservations.by_ids([reservation_id]).get(reservation_id)
    if found is None or found.user_id != viewer.user_id:
        raise NotFound(reservation_id)
    if found.status not in _MOVABLE:
        raise IllegalTransition(found.id)
    return found


def _not_here(reservation: Reservation, now: datetime) -> Reservation:
    """Return the reservation of somebody who has come for nothing, and goes elsewhere."""
    if reservation.status is not Status.ARRIVED:
        return reservation
    away = advance(reservation, Happening.SENT_ELSEWHERE, now)
    return replace(away, arrived_at=None, arrived_by="")


def _desk(work: UnitOfWork, reservation: Reservation, now: datetime) -> Desk:
    station = work.stations.by_ids([reservation.station_id])[reservation.station_id]
    return Desk(from_plain(reservation.terms), zone(station.timezone), now)


def _may_move(desk: Desk, reservation: Reservation, option: Option) -> bool:
    try:
        check_move(desk, reservation, Window(option.starts_at, option.ends_at))
    except Refused:
        return False
    return True
