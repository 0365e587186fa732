"""The waitlist: told when something is free, first come first offered, and the offer expires.

What is offered is not kept from others: whoever books first has it, and who was offered it goes back
to waiting, in their old place. But it is offered to one at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import uuid4

from cloud.domain.access import Viewer
from cloud.domain.booking_rules import check_window
from cloud.domain.errors import (
    BayAlreadyBooked,
    NotFound,
    NotValid,
    OfferOver,
    TooManyReservations,
)
from cloud.domain.notices import NoticeKind
from cloud.domain.reservations import Reservation
from cloud.domain.waitlist import (
    FIRST_LOOK,
    MOST_WAITING,
    State,
    closes_at,
    look_again_at,
    offered_until,
)
from cloud.domain.windows import Window
from cloud.services.booking_ports import NewReservation, Offer, PlugWish, WaitlistEntry
from cloud.services.change_views import Change
from cloud.services.collaborators import (
    Exactly,
    Finding,
    Holding,
    Notice,
    Option,
    Telling,
)
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.idempotency import Once, do_once
from cloud.services.offer_views import OfferView, from_plain, offer_view, to_plain
from cloud.services.packing import site_of
from cloud.services.ports import Clock, OpenWork, TransactionLost, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.reservation_views import ReservationView, places
from cloud.services.retrying import retried

WAITLIST: Final = "waitlist"


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """See Waiting."""

    finding: Finding
    telling: Telling
    new_id: Callable[[], str] = _new_id

    def freed(self, work: UnitOfWork, station_id: str, window: Window, now: datetime) -> None:
        """See Waiting.freed. Of several things that came free each is offered to somebody."""
        if not _waiting(work, station_id, window, now):
            return
        work.waitlist.take_turn(station_id)
        # read after the wait: what was offered meanwhile is not offered twice
        waiting = _waiting(work, station_id, window, now)
        if not waiting:
            return
        span = Window(min(one.starts_at for one in waiting), max(one.ends_at for one in waiting))
        station = self.finding.look_at(work, station_id, span, now)
        barred = _offered(work, station_id, span)
        for entry in waiting:
            option = station.option(_asked(entry), barred)
            if option is not None:
                self._offer(work, entry, option, now)
                barred.append((option.bay_id, _window(entry)))

    def expire(self, work: UnitOfWork, offer_id: str, now: datetime) -> None:
        """See Waiting.expire."""
        offer = work.offers.get(offer_id)
        if offer is None or now < offer.expires_at or not work.offers.answer(offer, "expired"):
            return
        entry = work.waitlist.get(offer.waitlist_id or "")
        if entry is not None and entry.offer_id == offer_id:
            self.step_aside(work, entry, State.EXPIRED, now)

    def look(self, work: UnitOfWork, entry_id: str, now: datetime) -> None:
        """See Waiting.look."""
        entry = work.waitlist.get(entry_id)
        if entry is None or entry.state is not State.WAITING:
            return
        if now >= closes_at(_window(entry)):
            move(work, entry, replace(entry, state=State.EXPIRED))
            return
        self.freed(work, entry.station_id, _window(entry), now)
        due_at = look_again_at(_window(entry), now)
        work.deadlines.set([Deadline(DeadlineKind.WAITING, entry.id, due_at)])

    def step_aside(
        self, work: UnitOfWork, entry: WaitlistEntry, state: State, now: datetime
    ) -> WaitlistEntry:
        """Take somebody out of the queue; what was offered to them is the next one's."""
        after = move(work, entry, replace(entry, state=state))
        self.freed(work, entry.station_id, _window(entry), now)
        return after

    def _offer(self, work: UnitOfWork, entry: WaitlistEntry, option: Option, now: datetime) -> None:
        offer = Offer(
            id=self.new_id(),
            user_id=entry.user_id,
            kind=WAITLIST,
            reservation_id=None,
            waitlist_id=entry.id,
            options=[to_plain(option)],
            made_at=now,
            expires_at=offered_until(_window(entry), now),
        )
        # counted: of two who offer the same entry something at once, one does
        move(work, entry, replace(entry, state=State.OFFERED, offer_id=offer.id))
        work.offers.add(offer)
        work.deadlines.set([Deadline(DeadlineKind.OFFER, offer.id, offer.expires_at)])
        data = {
            "station_id": entry.station_id,
            "station_name": option.station_name,
            "offer_id": offer.id,
            "waitlist_id": entry.id,
            "options": offer.options,
            "expires_at": offer.expires_at.isoformat(),
        }
        cause = f"{NoticeKind.WAITLIST_OFFER}/{offer.id}"
        kind = NoticeKind.WAITLIST_OFFER
        notice = Notice(user_id=entry.user_id, kind=kind, cause=cause, data=data)
        self.telling.tell(work, notice, now)


def move(work: UnitOfWork, entry: WaitlistEntry, after: WaitlistEntry) -> WaitlistEntry:
    """Store a change of an entry; returns it as stored.

    Raises:
        TransactionLost: somebody else changed it since it was read.
    """
    if not work.waitlist.move(entry, after):
        raise TransactionLost(f"waitlist entry {entry.id} was changed by somebody else")
    return replace(after, changed_version=entry.changed_version + 1)


def _window(entry: WaitlistEntry) -> Window:
    return Window(entry.starts_at, entry.ends_at)


def _asked(entry: WaitlistEntry) -> Exactly:
    wish = PlugWish(standards=frozenset({entry.standard} - {""}), min_power_w=entry.min_power_w)
    return Exactly(window=_window(entry), bay_id=entry.bay_id, wish=wish, user_id=entry.user_id)


def _waiting(
    work: UnitOfWork, station_id: str, window: Window, now: datetime
) -> list[WaitlistEntry]:
    """Return who can still be offered something, first come first."""
    queue = work.waitlist.active(station_id, window)
    return [one for one in queue if one.state is State.WAITING and now < closes_at(_window(one))]


def _offered(work: UnitOfWork, station_id: str, span: Window) -> list[tuple[str, Window]]:
    """Return what is offered to those who wait there."""
    queue = work.waitlist.active(station_id, span)
    offer_ids = [one.offer_id for one in queue if one.state is State.OFFERED and one.offer_id]
    options = [from_plain(one.options[0]) for one in work.offers.by_ids(offer_ids).values()]
    return [(one.bay_id, Window(one.starts_at, one.ends_at)) for one in options]


# --- what drivers do ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEntry:
    """What somebody waits for."""

    station_id: str
    bay_id: str | None = None
    """Null: any bay with the plug."""
    standard: str = ""
    min_power_w: int = 0
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistView:
    """What somebody waits for, and what they were offered."""

    entry_id: str
    station_id: str
    station_name: str
    timezone: str
    bay_id: str | None
    standard: str
    min_power_w: int
    starts_at: datetime
    ends_at: datetime
    state: State
    """waiting offered taken expired left"""
    ahead: int | None
    """How many came before and wait for a part of the same time; null: this one waits no more."""
    offer: OfferView | None
    """With `offered`: what can be taken, and until when."""
    created_at: datetime
    server_now: datetime
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistList:
    """What a user waits for, or did, newest first."""

    server_now: datetime
    entries: list[WaitlistView]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitlistService:
    """The use cases of the waitlist; each user's own."""

    open_work: OpenWork
    clock: Clock
    publisher: Publisher
    queue: Queue
    taker: "Taker"
    new_id: Callable[[], str] = _new_id

    @retried
    def join(self, viewer: Viewer, new: NewEntry, once: Once | None = None) -> WaitlistView:
        """Wait for a bay, or any with the plug; what is free already is offered at once.

        Raises:
            NotFound: there is no such station.
            NotValid: the bay is not of this station.
            NotBookable: the window does not fit the station's terms.
            TooManyReservations: the viewer waits for as much as one may.
        """
        now = self.clock.now()

        def effect() -> WaitlistView:
            entry = self._entry(work, viewer, new, now)
            # before the entry is there: it would keep the turn from everybody, us as well
            work.waitlist.take_turn(entry.station_id)
            work.waitlist.add(entry)
            look_at = min(now + FIRST_LOOK, closes_at(_window(entry)))
            work.deadlines.set([Deadline(DeadlineKind.WAITING, entry.id, look_at)])
            self.queue.freed(work, entry.station_id, _window(entry), now)
            return _view(work, _own(work, viewer, entry.id), now)

        with self.open_work() as work:
            view = do_once(work, once, now, effect, WaitlistView)
            work.commit()
        return view

    def list(self, viewer: Viewer) -> WaitlistList:
        """Return what the viewer waits for, or did, newest first."""
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            found = work.waitlist.of_user(viewer.user_id)
            return WaitlistList(server_now=now, entries=[_view(work, one, now) for one in found])

    def get(self, viewer: Viewer, entry_id: str) -> WaitlistView:
        """Return an entry of the viewer's.

        Raises:
            NotFound: there is none.
        """
        with self.open_work(is_read_only=True) as work:
            return _view(work, _own(work, viewer, entry_id), self.clock.now())

    @retried
    def leave(self, viewer: Viewer, entry_id: str) -> WaitlistView:
        """Wait no more; what was offered is the next one's. A second time changes nothing.

        Raises:
            NotFound: there is no such entry of the viewer's.
        """
        now = self.clock.now()
        with self.open_work() as work:
            entry = _own(work, viewer, entry_id)
            if entry.state is State.OFFERED:
                offer = work.offers.get(entry.offer_id or "")
                if offer is not None and not work.offers.answer(offer, "declined"):
                    raise TransactionLost("the offer was answered at the same moment")
                entry = self.queue.step_aside(work, entry, State.LEFT, now)
            elif entry.state is State.WAITING:
                entry = move(work, entry, replace(entry, state=State.LEFT))
            view = _view(work, entry, now)
            work.commit()
        return view

    def accept(self, viewer: Viewer, entry_id: str, once: Once | None = None) -> ReservationView:
        """Take what was offered: a hold, to be confirmed and paid for like any other.

        Raises:
            NotFound: there is no such entry of the viewer's.
            OfferOver: nothing is offered (any more).
            BayAlreadyBooked: somebody else was faster; the viewer waits on, in their old place. With
                what is free instead.
            TooManyReservations: the viewer has as many as one may at this station.
        """
        try:
            view, changes = self._accept(viewer, entry_id, once)
        except BayAlreadyBooked as taken:
            options = self._wait_on(viewer, entry_id)
            raise BayAlreadyBooked(taken.subject, "", options) from None
        self.publisher.publish(changes)
        return view

    @retried
    def _accept(
        self, viewer: Viewer, entry_id: str, once: Once | None
    ) -> tuple[ReservationView, Sequence[Change]]:
        now = self.clock.now()
        changes: list[Change] = []

        def effect() -> ReservationView:
            entry = _own(work, viewer, entry_id)
            offer = _open_offer(work, entry, now)
            if not work.offers.answer(offer, "accepted"):
                raise OfferOver(offer.id)
            held, heard = self.taker.take(work, offer, from_plain(offer.options[0]), now)
            changes.extend(heard)
            return places(work, [held]).view(held, now)

        with self.open_work() as work:
            view = do_once(work, once, now, effect, ReservationView)
            work.commit()
        return view, changes

    @retried
    def _wait_on(self, viewer: Viewer, entry_id: str) -> Sequence[Option]:
        now = self.clock.now()
        with self.open_work() as work:
            entry = _own(work, viewer, entry_id)
            offer = work.offers.get(entry.offer_id or "")
            options = () if offer is None else self.taker.lost(work, offer, now)
            work.commit()
        return options

    def _entry(
        self, work: UnitOfWork, viewer: Viewer, new: NewEntry, now: datetime
    ) -> WaitlistEntry:
        site = site_of(work, new.station_id, now)
        if new.bay_id is not None and new.bay_id not in site.bays:
            raise NotValid("bay_id", "This bay is not at this station.")
        check_window(site.desk, Window(new.starts_at, new.ends_at))
        if work.waitlist.count_active(viewer.user_id) >= MOST_WAITING:
            detail = f"You wait for {MOST_WAITING} bays already, as many as one may."
            raise TooManyReservations(viewer.user_id, detail)
        return WaitlistEntry(
            id=self.new_id(),
            station_id=new.station_id,
            user_id=viewer.user_id,
            bay_id=new.bay_id,
            standard=new.standard,
            min_power_w=new.min_power_w,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
            created_at=now,
        )


@dataclass(frozen=True, slots=True)
class Taker:
    """See offers.Taking."""

    holding: Holding
    finding: Finding

    def take(
        self, work: UnitOfWork, offer: Offer, option: Option, now: datetime
    ) -> tuple[Reservation, Sequence[Change]]:
        """See Taking.take."""
        entry = work.waitlist.get(offer.waitlist_id or "")
        if entry is None or entry.state is not State.OFFERED or entry.offer_id != offer.id:
            raise OfferOver(offer.id)
        move(work, entry, replace(entry, state=State.TAKEN))
        ask = NewReservation(
            station_id=option.station_id,
            bay_id=option.bay_id,
            starts_at=option.starts_at,
            ends_at=option.ends_at,
            standard=entry.standard,
            min_power_w=entry.min_power_w,
        )
        return self.holding.hold(work, entry.user_id, ask, now)

    def lost(self, work: UnitOfWork, offer: Offer, now: datetime) -> Sequence[Option]:
        """See Taking.lost."""
        entry = work.waitlist.get(offer.waitlist_id or "")
        is_theirs = entry is not None and entry.offer_id == offer.id
        if entry is None or not is_theirs or not work.offers.answer(offer, "expired"):
            return ()
        move(work, entry, replace(entry, state=State.WAITING, offer_id=None))
        due_at = look_again_at(_window(entry), now)
        work.deadlines.set([Deadline(DeadlineKind.WAITING, entry.id, due_at)])
        wanted = _wanted(entry, from_plain(offer.options[0]), now)
        return self.finding.alternatives(work, wanted, now)


def _wanted(entry: WaitlistEntry, lost: Option, now: datetime) -> Reservation:
    """Return the reservation somebody who waits would have had."""
    return Reservation(
        id="",
        number=0,
        station_id=entry.station_id,
        bay_id=lost.bay_id,
        user_id=entry.user_id,
        token="",
        starts_at=entry.starts_at,
        ends_at=entry.ends_at,
        status_at=now,
        standard=entry.standard,
        min_power_w=entry.min_power_w,
        tariff_id="",
        currency=lost.currency,
        created_at=entry.created_at,
    )


def _own(work: UnitOfWork, viewer: Viewer, entry_id: str) -> WaitlistEntry:
    entry = work.waitlist.get(entry_id)
    if entry is None or entry.user_id != viewer.user_id:
        raise NotFound(entry_id)
    return entry


def _open_offer(work: UnitOfWork, entry: WaitlistEntry, now: datetime) -> Offer:
    offer = work.offers.get(entry.offer_id or "")
    is_open = offer is not None and offer.state == "open" and now < offer.expires_at
    if offer is None or entry.state is not State.OFFERED or not is_open:
        raise OfferOver(entry.id)
    return offer


def _view(work: UnitOfWork, entry: WaitlistEntry, now: datetime) -> WaitlistView:
    station = work.stations.by_ids([entry.station_id])[entry.station_id]
    offer = None
    if entry.state is State.OFFERED and entry.offer_id is not None:
        offer = work.offers.get(entry.offer_id)
    return WaitlistView(
        entry_id=entry.id,
        station_id=entry.station_id,
        station_name=station.name,
        timezone=station.timezone,
        bay_id=entry.bay_id,
        standard=entry.standard,
        min_power_w=entry.min_power_w,
        starts_at=entry.starts_at,
        ends_at=entry.ends_at,
        state=entry.state,
        ahead=_ahead(work, entry) if entry.state is State.WAITING else None,
        offer=None if offer is None else offer_view(offer, now),
        created_at=entry.created_at,
        server_now=now,
        version=entry.changed_version,
    )


def _ahead(work: UnitOfWork, entry: WaitlistEntry) -> int:
    mine = (entry.created_at, entry.id)
    queue = work.waitlist.active(entry.station_id, _window(entry))
    return sum((one.created_at, one.id) < mine for one in queue)
