"""Bookings, money and notices behind the pages, in memory: as much of their rules as pages show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloud.domain.access import Viewer
from cloud.domain.calendar import Slot
from cloud.domain.errors import (
    BayAlreadyBooked,
    CodeLocked,
    NotBookable,
    NotFound,
    NotValid,
    OfferOver,
    PaymentDeclined,
    Refused,
    TooManyAttempts,
    WrongCode,
)
from cloud.domain.notices import USUAL, Channel, NoticeKind, Preferences
from cloud.domain.reservations import OCPI, Status
from cloud.domain.terms import Terms, frozen
from cloud.domain.waitlist import State
from cloud.domain.windows import GRANULE, Window, ceiling, floor, granules
from cloud.services.booking_ports import NewReservation
from cloud.services.calendar_feeds import FeedList, FeedView, NewFeed
from cloud.services.calendars import RunView
from cloud.services.changing import NewTimes
from cloud.services.collaborators import Option
from cloud.services.notices import (
    KindView,
    NoticeList,
    NoticeView,
    PreferencesView,
    Unread,
)
from cloud.services.offer_views import OfferList, OfferView
from cloud.services.otps import CodeSent
from cloud.services.payment_methods import PaymentMethodList, PaymentMethodView
from cloud.services.payments import PayBy, PaymentList, PaymentView
from cloud.services.receipt_views import ReceiptList, ReceiptSummary
from cloud.services.reservation_views import ReservationList, ReservationView
from cloud.services.station_views import StationView
from cloud.services.waitlist import NewEntry, WaitlistList, WaitlistView
from cloud.services.wallets import BalanceView, WalletView

if TYPE_CHECKING:
    from tests.cloud.web.fakes import FakeParts

CODE = "402913"
TERMS = Terms(no_show_fee_minor=200, overstay_per_minute_minor=20)
HOUR = timedelta(hours=1)


def a_quote(energy_wh: int | None = None, **changes: Any) -> dict[str, Any]:
    """Return what a reservation costs: 1.00 for the promise, 0.25 for a kilowatt-hour."""
    energy_wh = energy_wh or 20_000
    energy_minor = energy_wh * 25 // 1000
    lines = [
        {"kind": "RESERVATION", "quantity": 1, "gross_minor": 100},
        {"kind": "ENERGY", "quantity": energy_wh, "gross_minor": energy_minor},
    ]
    quote = {
        "lines": lines,
        "energy_wh": energy_wh,
        "charging_s": 1440,
        "parked_s": 2160,
        "total_minor": 100 + energy_minor,
        "reservation_minor": 100,
        "authorise_minor": 200 + energy_minor,
        "no_show_minor": 300,
        "overstay_grace_s": 600,
        "overstay_per_minute_minor": 20,
        "refunds": [
            {"before_s": 3600, "refund_pct": 100, "kept_minor": 0},
            {"before_s": 0, "refund_pct": 50, "kept_minor": 50},
        ],
    }
    return quote | changes


def a_reservation(now: datetime, **changes: Any) -> ReservationView:
    """Return a booking at Greenmarket that begins in two hours or so."""
    starts_at = ceiling(now + 2 * HOUR)
    state = changes.get("state", "booked")
    reservation = ReservationView(
        reservation_id="r1",
        number=7,
        station_id="dundee-greenmarket",
        station_name="Greenmarket Car Park",
        timezone="Europe/London",
        bay_id="dundee-greenmarket-1",
        bay_name="1",
        user_id="driver",
        status=OCPI[Status(state)],
        state=state,
        reason="",
        is_live=state in {"held", "booked", "arrived", "charging", "finished", "overstaying"},
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
        held_until=now + timedelta(minutes=10) if state == "held" else None,
        is_confirmed=state != "held",
        is_flexible=False,
        fixed_at=None,
        standard="",
        min_power_w=0,
        energy_wh=None,
        booked_at=None if state == "held" else now,
        arrived_at=None,
        arrived_by="",
        session_id=None,
        left_at=None,
        overstay_since=None,
        trouble="",
        tariff_id="simple:GBP:25",
        currency="GBP",
        quote=a_quote(),
        terms=frozen(TERMS),
        authorised_minor=0 if state == "held" else 700,
        due_minor=None,
        series_id=None,
        moved_from=None,
        created_at=now,
        server_now=now,
        version=1,
    )
    return replace(reservation, **changes)


def an_option(now: datetime, number: int = 2, **changes: Any) -> Option:
    """Return a bay that could be had instead."""
    starts_at = ceiling(now + 2 * HOUR)
    option = Option(
        station_id="dundee-greenmarket",
        station_name="Greenmarket Car Park",
        bay_id=f"dundee-greenmarket-{number}",
        bay_name=str(number),
        starts_at=starts_at,
        ends_at=starts_at + HOUR,
        distance_m=0,
        price_minor=600,
        currency="GBP",
        expected_wait_s=0,
        max_power_w=50_000,
        cost=1.0,
    )
    return replace(option, **changes)


def some_options(now: datetime) -> list[Option]:
    """Return the same station at the same and another time, and another station."""
    later = ceiling(now + 2 * HOUR) + GRANULE
    away = {"station_id": "dundee-ice-arena", "station_name": "Dundee Ice Arena"}
    return [
        an_option(now, 5),
        an_option(now, 1, starts_at=later, ends_at=later + HOUR, expected_wait_s=900),
        an_option(now, 2, **away, bay_id="dundee-ice-arena-2", distance_m=4320, price_minor=640),
    ]


def an_offer(now: datetime, **changes: Any) -> OfferView:
    """Return an offer for the booking."""
    offer = OfferView(
        offer_id="o1",
        kind="reschedule",
        reservation_id="r1",
        waitlist_id=None,
        state="open",
        options=some_options(now),
        made_at=now,
        expires_at=now + HOUR,
        server_now=now,
    )
    return replace(offer, **changes)


def a_notice(now: datetime, notice_id: str = "n1", **changes: Any) -> NoticeView:
    """Return a notice that was not read."""
    notice = NoticeView(
        notice_id=notice_id,
        kind="moved",
        is_urgent=True,
        subject="New bay: 5 instead of 1 at Greenmarket Car Park",
        body="You now have bay 5.\n\nPlease drive to bay 5 and plug in there.",
        data={"reservation_id": "r1", "station_id": "dundee-greenmarket"},
        created_at=now - timedelta(minutes=4),
        read_at=None,
    )
    return replace(notice, **changes)


def a_receipt(now: datetime, **changes: Any) -> ReceiptSummary:
    """Return a receipt."""
    receipt = ReceiptSummary(
        receipt_id="q1",
        number="dundee-greenmarket-000041",
        reservation_id="r9",
        station_id="dundee-greenmarket",
        station_name="Greenmarket Car Park",
        created_at=now - timedelta(days=2),
        currency="GBP",
        total_minor=652,
    )
    return replace(receipt, **changes)


class FakeReservations:
    """See Reservations; `kept` are all there are."""

    def __init__(self, house: "FakeParts") -> None:
        self.house = house
        self.kept: dict[str, ReservationView] = {}
        self.taken: list[Option] | None = None
        """What is offered instead to whoever holds next; null: nobody is faster."""
        self.refusal: Refused | None = None
        self.asked: list[Any] = []

    def put(self, reservation: ReservationView) -> ReservationView:
        """Have a reservation stand so."""
        self.kept[reservation.reservation_id] = reservation
        return reservation

    def change_to(self, reservation_id: str, **changes: Any) -> ReservationView:
        """Let something happen to it."""
        before = self.kept[reservation_id]
        if "state" in changes:
            state = changes["state"]
            live = {"held", "booked", "arrived", "charging", "finished", "overstaying"}
            changes = {"status": OCPI[Status(state)], "is_live": state in live} | changes
        return self.put(replace(before, version=before.version + 1, **changes))

    def list(self, viewer: Viewer, *, is_live: bool | None = None, **_: Any) -> ReservationList:
        """See Reservations.list."""
        found = [
            one
            for one in self.kept.values()
            if one.user_id == viewer.user_id and is_live in {None, one.is_live}
        ]
        return ReservationList(server_now=self.house.clock.now(), reservations=found)

    def get(self, reservation_id: str, viewer: Viewer) -> ReservationView:
        """See Reservations.get."""
        found = self.kept.get(reservation_id)
        if found is None or viewer.user_id not in {found.user_id, "owner"}:
            raise NotFound(reservation_id)
        return replace(found, server_now=self.house.clock.now())

    def quote(self, user_id: str, ask: NewReservation) -> ReservationView:
        """See Reservations.quote."""
        del user_id
        station = self.house.availability.station(ask.station_id).station
        bay_id = ask.bay_id or station.bays[0].bay_id
        if bay_id not in {one.bay_id for one in station.bays}:
            raise NotBookable("bay_id", "There is no such bay at this station.")
        return a_reservation(
            self.house.clock.now(),
            reservation_id="",
            station_id=ask.station_id,
            station_name=station.name,
            bay_id=bay_id,
            bay_name=bay_id.rsplit("-", 1)[1],
            starts_at=ask.starts_at,
            ends_at=ask.ends_at,
            energy_wh=ask.energy_wh,
            quote=a_quote(ask.energy_wh),
            state="held",
        )

    def hold(self, viewer: Viewer, ask: NewReservation, once: Any = None) -> ReservationView:
        """See Reservations.hold."""
        self.asked.append((ask, once))
        if self.refusal is not None:
            raise self.refusal
        if self.taken is not None:
            options, self.taken = self.taken, None
            raise BayAlreadyBooked(ask.bay_id or "", alternatives=options)
        draft = self.quote(viewer.user_id, ask)
        name = f"held-{len(self.kept) + 1}"
        return self.put(replace(draft, reservation_id=name, user_id=viewer.user_id))

    def change(
        self, viewer: Viewer, reservation_id: str, new: NewTimes, once: Any = None
    ) -> ReservationView:
        """See Reservations.change."""
        self.asked.append((new, once))
        if self.refusal is not None:
            raise self.refusal
        before = self.get(reservation_id, viewer)
        starts_at = new.starts_at or before.starts_at
        ends_at = new.ends_at or starts_at + (before.ends_at - before.starts_at)
        return self.change_to(reservation_id, starts_at=starts_at, ends_at=ends_at)

    def cancel(
        self, viewer: Viewer, reservation_id: str, once: Any = None, **more: Any
    ) -> ReservationView:
        """See Reservations.cancel."""
        self.asked.append((more, once))
        self.get(reservation_id, viewer)
        changes = {"reason": "canceled_by_driver", "due_minor": 0}
        return self.change_to(reservation_id, state="canceled", **changes)

    def check_in(self, viewer: Viewer, reservation_id: str, once: Any = None) -> ReservationView:
        """See Reservations.check_in."""
        self.asked.append(("check_in", once))
        self.get(reservation_id, viewer)
        return self.change_to(reservation_id, state="arrived", arrived_by="app")


class FakeCodes:
    """See Codes: the code is CODE."""

    def __init__(self, house: "FakeParts") -> None:
        self.house = house
        self.tries_left = 5
        self.sent: list[str] = []

    def confirm(self, viewer: Viewer, reservation_id: str, code: str, once: Any = None) -> None:
        """See Codes.confirm."""
        del once
        self.house.reservations.get(reservation_id, viewer)
        if code == CODE:
            self.house.reservations.change_to(reservation_id, is_confirmed=True)
            return
        self.tries_left -= 1
        if self.tries_left == 0:
            changes = {"reason": "code_locked"}
            self.house.reservations.change_to(reservation_id, state="rejected", **changes)
            detail = "This code was tried too often: please choose a bay again."
            raise CodeLocked(reservation_id, detail)
        raise WrongCode(reservation_id, tries_left=self.tries_left)

    def send_again(self, viewer: Viewer, reservation_id: str, once: Any = None) -> CodeSent:
        """See Codes.send_again."""
        del once
        self.house.reservations.get(reservation_id, viewer)
        if self.sent:
            raise TooManyAttempts("code", retry_after_s=23)
        self.sent.append(reservation_id)
        now = self.house.clock.now()
        return CodeSent(
            reservation_id=reservation_id,
            channel="mail",
            recipient="d***@baywatt.example",
            sent_at=now,
            expires_at=now + timedelta(minutes=10),
        )


@dataclass
class FakeMoney:
    """See Payments, Pay, Cards and Wallets."""

    house: "FakeParts"
    cards: list[PaymentMethodView] = field(default_factory=list)
    made: list[PaymentView] = field(default_factory=list)
    balance_minor: int = 0
    provider: str = "sandbox"
    is_slow: bool = False

    def of_reservation(self, viewer: Viewer, reservation_id: str) -> PaymentList:
        """See Payments.of_reservation."""
        del viewer
        return PaymentList(payments=[one for one in self.made if one.subject == reservation_id])

    async def pay(
        self, request: Any, viewer: Viewer, reservation_id: str, by: PayBy, once: Any = None
    ) -> PaymentView:
        """See Pay."""
        del request, once
        reservation = self.house.reservations.get(reservation_id, viewer)
        if by.method == "card" and by.method_id not in {one.method_id for one in self.cards}:
            raise NotValid("method_id", "There is no such card; save one first.")
        authorise_minor = (reservation.quote or {})["authorise_minor"]
        is_declined = by.method_id == "card_declined"
        is_done = not self.is_slow and not is_declined
        payment = PaymentView(
            payment_id=f"p{len(self.made) + 1}",
            purpose="reservation",
            subject=reservation_id,
            method=by.method,
            method_id=by.method_id,
            provider=self.provider,
            state="declined" if is_declined else "pending" if self.is_slow else "authorised",
            currency="GBP",
            amount_minor=authorise_minor,
            authorised_minor=authorise_minor if is_done else 0,
            captured_minor=0,
            refunded_minor=0,
            due_minor=None,
            why="Your bank declined the payment." if is_declined else "",
            created_at=self.house.clock.now(),
        )
        self.made.append(payment)
        if is_declined:
            raise PaymentDeclined(payment.payment_id, payment.why)
        if is_done:
            paid = {"booked_at": payment.created_at, "authorised_minor": authorise_minor}
            self.house.reservations.change_to(reservation_id, state="booked", **paid)
        return payment

    def list(self, viewer: Viewer) -> PaymentMethodList:
        """See Cards.list."""
        del viewer
        return PaymentMethodList(provider=self.provider, publishable_key="", methods=self.cards)

    def save(self, viewer: Viewer, token: str, *, is_default: bool = False) -> PaymentMethodView:
        """See Cards.save."""
        del viewer, is_default
        card = PaymentMethodView(
            method_id=token,
            provider="sandbox",
            label="Sandbox **** 4242",
            is_default=not self.cards,
            created_at=self.house.clock.now(),
        )
        self.cards.append(card)
        return card

    def get(self, viewer: Viewer) -> WalletView:
        """See Wallets.get."""
        del viewer
        balances = [BalanceView(currency="GBP", available_minor=self.balance_minor)]
        return WalletView(balances=balances)


@dataclass
class FakeReceipts:
    """See Receipts."""

    house: "FakeParts"
    written: list[ReceiptSummary] = field(default_factory=list)

    def list(self, viewer: Viewer, **_: Any) -> ReceiptList:
        """See Receipts.list."""
        del viewer
        return ReceiptList(receipts=self.written)


@dataclass
class FakeOffers:
    """See Offers."""

    house: "FakeParts"
    open: list[OfferView] = field(default_factory=list)
    accepted: list[int] = field(default_factory=list)

    def list(self, viewer: Viewer) -> OfferList:
        """See Offers.list."""
        del viewer
        return OfferList(server_now=self.house.clock.now(), offers=self.open)

    def accept(
        self, offer_id: str, option: int, viewer: Viewer, once: Any = None
    ) -> ReservationView:
        """See Offers.accept."""
        del viewer, once
        offer = next((one for one in self.open if one.offer_id == offer_id), None)
        if offer is None:
            raise OfferOver(offer_id)
        self.open.remove(offer)
        self.accepted.append(option)
        taken = offer.options[option]
        return self.house.reservations.change_to(
            offer.reservation_id or "",
            bay_id=taken.bay_id,
            bay_name=taken.bay_name,
            moved_from="dundee-greenmarket-1",
            trouble="",
        )

    def alternatives(self, reservation_id: str, viewer: Viewer) -> OfferView:
        """See Offers.alternatives."""
        del viewer
        offer = an_offer(self.house.clock.now(), reservation_id=reservation_id)
        self.open.append(offer)
        return offer


@dataclass
class FakeWaitlist:
    """See Waitlist."""

    house: "FakeParts"
    entries: list[WaitlistView] = field(default_factory=list)

    def join(self, viewer: Viewer, new: NewEntry, once: Any = None) -> WaitlistView:
        """See Waitlist.join."""
        del viewer, once
        now = self.house.clock.now()
        entry = WaitlistView(
            entry_id=f"w{len(self.entries) + 1}",
            station_id=new.station_id,
            station_name=self.house.availability.station(new.station_id).station.name,
            timezone="Europe/London",
            bay_id=new.bay_id,
            standard=new.standard,
            min_power_w=0,
            starts_at=new.starts_at,
            ends_at=new.ends_at,
            state=State.WAITING,
            ahead=1,
            offer=None,
            created_at=now,
            server_now=now,
            version=0,
        )
        self.entries.insert(0, entry)
        return entry

    def list(self, viewer: Viewer) -> WaitlistList:
        """See Waitlist.list."""
        del viewer
        return WaitlistList(server_now=self.house.clock.now(), entries=self.entries)

    def leave(self, viewer: Viewer, entry_id: str) -> WaitlistView:
        """See Waitlist.leave."""
        del viewer
        return self._move(entry_id, State.LEFT)

    def accept(self, viewer: Viewer, entry_id: str, once: Any = None) -> ReservationView:
        """See Waitlist.accept."""
        entry = self._move(entry_id, State.TAKEN)
        ask = NewReservation(
            station_id=entry.station_id,
            bay_id=entry.bay_id,
            starts_at=entry.starts_at,
            ends_at=entry.ends_at,
        )
        return self.house.reservations.hold(viewer, ask, once)

    def offer(self, entry_id: str) -> None:
        """Offer somebody what they wait for."""
        now = self.house.clock.now()
        offer = an_offer(now, offer_id="o2", kind="waitlist", reservation_id=None)
        self._move(entry_id, State.OFFERED, offer=offer, ahead=None)

    def _move(self, entry_id: str, state: State, **changes: Any) -> WaitlistView:
        for index, one in enumerate(self.entries):
            if one.entry_id == entry_id:
                self.entries[index] = replace(one, state=state, **changes)
                return self.entries[index]
        raise NotFound(entry_id)


@dataclass
class FakeInbox:
    """See Inbox."""

    house: "FakeParts"
    told: list[NoticeView] = field(default_factory=list)
    chosen: Preferences = field(default_factory=Preferences)

    def list(self, viewer: Viewer, **_: Any) -> NoticeList:
        """See Inbox.list."""
        unread = self.unread(viewer).unread
        return NoticeList(as_of=self.house.clock.now(), notices=self.told, unread=unread)

    def unread(self, viewer: Viewer) -> Unread:
        """See Inbox.unread."""
        is_theirs = viewer.user_id == "driver"
        return Unread(unread=sum(one.read_at is None for one in self.told) if is_theirs else 0)

    def mark_read(self, viewer: Viewer, notice_id: str | None) -> Unread:
        """See Inbox.mark_read."""
        if notice_id is not None and notice_id not in {one.notice_id for one in self.told}:
            raise NotFound(notice_id)
        now = self.house.clock.now()
        self.told = [
            replace(one, read_at=now) if notice_id in {None, one.notice_id} else one
            for one in self.told
        ]
        return self.unread(viewer)

    def preferences(self, viewer: Viewer) -> PreferencesView:
        """See Inbox.preferences."""
        del viewer
        known = self.chosen
        ways = (Channel.MAIL, Channel.PUSH, Channel.SMS)
        return PreferencesView(
            language=known.language,
            timezone=known.timezone,
            phone=known.phone,
            quiet=known.quiet,
            kinds=[
                KindView(
                    kind=kind,
                    is_urgent=kind is NoticeKind.MOVED,
                    channels={str(one): known.wants(kind, one) for one in ways},
                )
                for kind in USUAL
            ],
            channels={"app": True, "mail": True, "push": False, "sms": bool(known.phone)},
        )

    def set_preferences(self, viewer: Viewer, preferences: Preferences) -> PreferencesView:
        """See Inbox.set_preferences."""
        if preferences.quiet is not None and not preferences.timezone:
            raise NotValid("timezone", "Quiet hours need a time zone.")
        self.chosen = preferences
        return self.preferences(viewer)


@dataclass
class FakeFeeds:
    """See CalendarFeeds."""

    house: "FakeParts"
    feeds: list[FeedView] = field(default_factory=list)

    def list(self, viewer: Viewer) -> FeedList:
        """See CalendarFeeds.list."""
        del viewer
        return FeedList(feeds=self.feeds)

    def make(self, viewer: Viewer) -> NewFeed:
        """See CalendarFeeds.make."""
        del viewer
        feed = FeedView(feed_id="f1", created_at=self.house.clock.now())
        self.feeds.append(feed)
        return NewFeed(feed=feed, url="https://baywatt.example/api/v1/calendars/secret.ics")

    def revoke(self, viewer: Viewer, feed_id: str) -> None:
        """See CalendarFeeds.revoke."""
        del viewer
        self.feeds = [one for one in self.feeds if one.feed_id != feed_id]


def runs_of(
    station: StationView, within: Window, now: datetime, taken: Sequence[tuple[str, Window]] = ()
) -> Mapping[str, list[RunView]]:
    """Return calendars that are free from now on but for what is taken."""
    return {bay.bay_id: list(_runs(bay.bay_id, within, now, taken)) for bay in station.bays}


def _runs(
    bay_id: str, within: Window, now: datetime, taken: Sequence[tuple[str, Window]]
) -> list[RunView]:
    found: list[RunView] = []
    for at in granules(within):
        is_taken = any(one == bay_id and window.holds(at) for one, window in taken)
        slot = Slot.CLOSED if at < floor(now) else Slot.TAKEN if is_taken else Slot.FREE
        free = int(slot is Slot.FREE)
        if found and found[-1].slot is slot:
            found[-1] = replace(found[-1], ends_at=at + GRANULE)
        else:
            found.append(RunView(starts_at=at, ends_at=at + GRANULE, slot=slot, bays_free=free))
    return found


def some_bookings(parts: "FakeParts") -> None:
    """Put one reservation of each kind, a notice and a receipt into the house."""
    now = parts.clock.now()
    reservations = parts.reservations
    ago = floor(now - timedelta(minutes=50))
    begun = {"starts_at": ago, "ends_at": ago + HOUR}
    reservations.put(a_reservation(now))
    reservations.put(a_reservation(now, reservation_id="r2", state="held"))
    reservations.put(a_reservation(now, reservation_id="r3", state="held", is_confirmed=True))
    charging = {"session_id": "5f0d8a6be5b94c1e9d8a4b6b2f0c7a11", "bay_name": "2"}
    reservations.put(a_reservation(now, reservation_id="r4", state="charging", **begun, **charging))
    over = {"overstay_since": now - timedelta(minutes=12, seconds=30)}
    late = {"starts_at": ago - HOUR, "ends_at": ago}
    reservations.put(
        a_reservation(now, reservation_id="r5", state="overstaying", **late, **charging, **over)
    )
    danger = {"trouble": "stolen", "starts_at": ceiling(now), "ends_at": ceiling(now) + HOUR}
    reservations.put(a_reservation(now, reservation_id="r6", **danger))
    parts.offers.open.append(an_offer(now, reservation_id="r6"))
    past = {"starts_at": floor(now) - 50 * HOUR, "ends_at": floor(now) - 49 * HOUR}
    done = {"due_minor": 652, "session_id": charging["session_id"]}
    reservations.put(a_reservation(now, reservation_id="r9", state="fulfilled", **past, **done))
    missed = {"due_minor": 300, "reason": "seen_empty_after_grace"}
    reservations.put(a_reservation(now, reservation_id="r8", state="no_show", **past, **missed))
    parts.receipts.written.append(a_receipt(now))
    parts.notices.told += [
        a_notice(now),
        a_notice(
            now,
            "n2",
            kind="receipt",
            is_urgent=False,
            subject="Receipt dundee-greenmarket-000041: £6.52",
            body="Thank you for charging.",
            data={"receipt_id": "q1"},
            created_at=now - timedelta(days=2),
            read_at=now - timedelta(days=1),
        ),
    ]
