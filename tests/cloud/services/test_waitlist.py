"""First come, first offered; to one at a time; and nobody waits for what is free."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import (
    BayAlreadyBooked,
    NotBookable,
    NotFound,
    NotValid,
    OfferOver,
    TooManyReservations,
)
from cloud.domain.reservations import Happening
from cloud.domain.terms import Terms
from cloud.domain.waitlist import MOST_WAITING, State
from cloud.services.billing import QuoteService
from cloud.services.booking_ports import Told
from cloud.services.deadlines import DeadlineService
from cloud.services.finding import FindingService
from cloud.services.idempotency import Once
from cloud.services.notices import Notices
from cloud.services.offers import OfferService
from cloud.services.ports import TransactionLost
from cloud.services.shelf import TariffShelf
from cloud.services.tariffs import NewTariff, TariffService
from cloud.services.waitlist import NewEntry, Queue, Taker, WaitlistService
from tests.cloud.builders import NOON, after
from tests.cloud.services.bookings import OWNING, Bookings
from tests.cloud.services.town import CCS, TYPE_2, Town
from tests.support.waiting import eventually

HOUR = timedelta(hours=1)


class Room:
    """A town's waitlist, with all that belongs to it."""

    def __init__(self, rig):
        self.rig = rig
        self.town = Town(rig)
        self.bookings = Bookings(rig)
        telling = Notices("https://bays.example")
        finding = FindingService(rig.policy, QuoteService(TariffShelf()))
        self.queue = Queue(finding=finding, telling=telling)
        self.advancer = replace(self.bookings.advancer, waiting=self.queue, keeping=None)
        self.holder = replace(self.bookings.holder, advancer=self.advancer)
        self.reservations = replace(
            self.bookings.service, advancer=self.advancer, holder=self.holder
        )
        taker = Taker(self.holder, finding)
        self.service = WaitlistService(
            open_work=rig.open_work,
            clock=rig.clock,
            publisher=rig.publisher,
            queue=self.queue,
            taker=taker,
        )
        self.offers = OfferService(
            open_work=rig.open_work,
            clock=rig.clock,
            publisher=rig.publisher,
            advancer=self.advancer,
            finding=finding,
            quoting=self.bookings.quoting,
            telling=telling,
            taking=taker,
        )
        self.clocked = DeadlineService(
            rig.open_work, rig.clock, rig.settling, rig.publisher, NOON, waiting=self.queue
        )

    def driver(self, name):
        return self.bookings.add_driver(name)

    def join(self, viewer, station_id="near", start_h=1.0, end_h=2.0, once=None, **more):
        new = NewEntry(
            station_id=station_id,
            starts_at=NOON + start_h * HOUR,
            ends_at=NOON + end_h * HOUR,
            **more,
        )
        return self.service.join(viewer, new, once)

    def cancel(self, reservation):
        """Give a booking free, as its driver does."""
        with self.rig.open_work() as work:
            found = work.reservations.by_ids([reservation.id])[reservation.id]
            self.advancer.advance(
                work, found, Happening.CANCELED_BY_DRIVER, Told("gone"), self.rig.clock.now()
            )
            work.commit()

    def free_untold(self, reservation):
        """Give a booking free without asking who waits, as if nobody could be seen to wait."""
        with self.rig.open_work() as work:
            found = work.reservations.by_ids([reservation.id])[reservation.id]
            self.bookings.advancer.advance(
                work, found, Happening.CANCELED_BY_DRIVER, Told("gone"), self.rig.clock.now()
            )
            work.commit()

    def pass_by(self, seconds):
        """Let time pass, with news of all stations, and the clock do what is due."""
        self.town.pass_by(timedelta(seconds=seconds))
        while self.clocked.do_due():
            pass

    def entry(self, view):
        return self.rig.row(tables.waitlist, id=view.entry_id)

    def state(self, view):
        return self.entry(view).state

    def offered(self):
        """Return who is offered which bay now."""
        rows = [one for one in self.rig.rows(tables.offers) if one.state == "open"]
        return {one.user_id: one.options[0]["bay_id"] for one in rows}

    def told(self, user_id):
        return [
            one.kind
            for one in self.rig.rows(tables.messages)
            if one.user_id == user_id and one.channel == "app"
        ]


@pytest.fixture
def room(rig):
    return Room(rig)


@pytest.fixture
def ada(room):
    return room.driver("u-ada")


@pytest.fixture
def bob(room):
    return room.driver("u-bob")


@pytest.fixture
def full(room):
    """A station with one bay that is booked from one to two."""
    room.town.station("near")
    return room.town.book("near-1", 1, 2)


# --- in the queue --------------------------------------------------------------------------------


def test_who_joins_where_all_is_taken_waits(room, full, ada):
    entry = room.join(ada)

    assert (entry.state, entry.ahead, entry.offer) == (State.WAITING, 0, None)
    assert (entry.station_name, entry.server_now) == ("Near", NOON)
    assert room.offered() == {}


def test_the_queue_is_in_the_order_people_came(room, full, ada, bob):
    first = room.join(ada)
    room.pass_by(1)
    second = room.join(bob, end_h=1.5)
    room.pass_by(1)
    elsewhen = room.join(bob, start_h=3, end_h=4)

    assert (first.ahead, second.ahead) == (0, 1)
    assert elsewhen.state is State.OFFERED


def test_what_is_free_already_is_offered_at_once(room, ada):
    room.town.station("near")
    entry = room.join(ada)

    assert entry.state is State.OFFERED
    assert entry.offer.options[0].bay_id == "near-1"
    assert entry.offer.expires_at == after(600)
    assert room.told("u-ada") == ["waitlist_offer"]


def test_what_comes_free_is_offered_to_the_first_and_to_nobody_else(room, full, ada, bob):
    first, second = room.join(ada), None
    room.pass_by(1)
    second = room.join(bob)
    room.cancel(full)

    assert room.offered() == {"u-ada": "near-1"}
    assert (room.state(first), room.state(second)) == ("offered", "waiting")
    assert room.told("u-ada") == ["waitlist_offer"]
    assert room.told("u-bob") == []


def test_two_bays_that_come_free_are_offered_to_two(room, full, ada, bob):
    room.town.bay("near")
    other = room.town.book("near-2", 1, 2)
    room.join(ada)
    room.pass_by(1)
    room.join(bob)
    room.cancel(other)
    room.cancel(full)

    assert room.offered() == {"u-ada": "near-2", "u-bob": "near-1"}


def test_a_window_that_is_free_in_part_only_is_not_offered(room, full, ada):
    room.town.book("near-1", 2, 3)
    entry = room.join(ada, start_h=1, end_h=2.5)
    room.cancel(full)

    assert room.state(entry) == "waiting"


def test_another_plug_or_less_power_or_another_bay_is_not_offered(room, full, ada, bob):
    room.town.bay("near", standard=TYPE_2)
    other = room.town.book("near-2", 1, 2)
    plug = room.join(ada, standard=CCS)
    room.pass_by(1)
    power = room.join(ada, min_power_w=100_000)
    bay = room.join(bob, bay_id="near-1")
    room.cancel(other)

    assert {room.state(one) for one in (plug, power, bay)} == {"waiting"}
    room.cancel(full)
    assert [room.state(one) for one in (plug, power)] == ["offered", "waiting"]


def test_a_bay_that_is_out_of_order_is_not_offered(room, full, ada):
    room.town.is_now("near-1", "OUTOFORDER")
    entry = room.join(ada)
    room.cancel(full)

    assert room.state(entry) == "waiting"


# --- offers --------------------------------------------------------------------------------------


def test_an_offer_nobody_takes_goes_to_the_next(room, full, ada, bob):
    first = room.join(ada)
    room.pass_by(1)
    second = room.join(bob)
    room.cancel(full)
    room.pass_by(599)
    assert room.state(first) == "offered"
    room.pass_by(1)

    assert (room.state(first), room.state(second)) == ("expired", "offered")
    assert room.offered() == {"u-bob": "near-1"}


def test_taking_an_offer_makes_a_hold(room, full, ada):
    entry = room.join(ada)
    room.cancel(full)
    held = room.service.accept(ada, entry.entry_id)
    row = room.rig.row(tables.reservations, id=held.reservation_id)

    assert (held.status, held.bay_id, held.user_id) == ("PENDING", "near-1", "u-ada")
    assert (row.starts_at, row.ends_at) == (NOON + HOUR, NOON + 2 * HOUR)
    assert room.bookings.heard.codes == [held.reservation_id]
    assert (room.state(entry), room.offered()) == ("taken", {})
    room.pass_by(700)
    assert room.state(entry) == "taken"


def timed(room, station_id):
    """Give a station a tariff by energy, time and parking: what it costs depends on the plug."""
    tariffs = TariffService(room.rig.open_work, room.rig.clock, TariffShelf())
    parts = [("ENERGY", "0.47"), ("TIME", "1.30"), ("PARKING_TIME", "3.10")]
    components = [{"type": kind, "price": price} for kind, price in parts]
    body = {"tax_included": "YES", "elements": [{"price_components": components}]}
    key = tariffs.add(OWNING, NewTariff(name="Timed", currency="GBP", body=body)).key
    tariffs.assign(OWNING, station_id, key)


def subscribed(room, user_id, **discounts):
    plan = {"id": "plan", "name": "Plus", "currency": "GBP", "monthly_minor": 500}
    known = plan | {"discounts": discounts, "created_at": NOON}
    room.rig.insert(tables.subscription_plans, known)
    mine = {"id": "sub", "active_user_id": user_id, "user_id": user_id, "plan_id": "plan"}
    runs = {"method": "card", "state": "active", "started_at": NOON, "paid_until": after(86_400)}
    room.rig.insert(tables.subscriptions, mine | runs)


@pytest.mark.parametrize("standard", ["", TYPE_2])
def test_what_an_offer_says_it_costs_is_what_the_hold_costs_to_the_cent(room, ada, bob, standard):
    room.town.station("near")
    room.town.plug("near", 1, standard=TYPE_2, power_w=11_000)
    timed(room, "near")
    subscribed(room, "u-ada", ENERGY=33, PARKING_TIME=50)
    taken = room.town.book("near-1", 1, 2)
    holder = replace(room.holder, quoting=QuoteService(TariffShelf()))
    room.service = replace(room.service, taker=replace(room.service.taker, holding=holder))
    first = room.join(ada, standard=standard)
    room.rig.clock.pass_by(timedelta(seconds=1))
    second = room.join(bob, standard=standard)

    told, paid = [], []
    room.cancel(taken)
    for viewer, entry in ((ada, first), (bob, second)):
        [option] = room.service.get(viewer, entry.entry_id).offer.options
        held = room.service.accept(viewer, entry.entry_id)
        told.append(option.price_minor)
        paid.append(room.rig.row(tables.reservations, id=held.reservation_id).quote["total_minor"])
        room.cancel(room.bookings.reservation(held.reservation_id))
    assert told == paid
    assert told[0] < told[1]


def test_an_offer_can_be_taken_where_all_offers_are(room, full, ada, bob):
    entry = room.join(ada)
    room.cancel(full)
    [offer] = room.offers.list(ada).offers
    with pytest.raises(NotFound):
        room.offers.accept(offer.offer_id, 0, bob)
    held = room.offers.accept(offer.offer_id, 0, ada)

    assert (offer.kind, offer.waitlist_id) == ("waitlist", entry.entry_id)
    assert (held.bay_id, room.state(entry)) == ("near-1", "taken")
    with pytest.raises(OfferOver):
        room.service.accept(ada, entry.entry_id)


def test_the_same_request_takes_it_once(room, full, ada):
    entry = room.join(ada)
    room.cancel(full)
    once = Once("u-ada", "a-key-of-hers", b"take")

    first = room.service.accept(ada, entry.entry_id, once)
    assert room.service.accept(ada, entry.entry_id, once) == first
    assert len(room.rig.rows(tables.reservations)) == 2


@pytest.mark.parametrize("seconds", [600, 5_000])
def test_an_offer_that_is_over_cannot_be_taken(room, full, ada, seconds):
    entry = room.join(ada)
    room.cancel(full)
    room.rig.clock.pass_by(timedelta(seconds=seconds))

    with pytest.raises(OfferOver):
        room.service.accept(ada, entry.entry_id)


def test_who_waits_has_nothing_to_take(room, full, ada):
    with pytest.raises(OfferOver):
        room.service.accept(ada, room.join(ada).entry_id)


def test_where_somebody_was_faster_one_waits_on_in_the_old_place(room, full, ada, bob):
    entry = room.join(ada)
    room.pass_by(1)
    later = room.join(bob)
    room.cancel(full)
    faster = room.town.book("near-1", 1, 2)

    with pytest.raises(BayAlreadyBooked):
        room.service.accept(ada, entry.entry_id)
    assert (room.state(entry), room.offered()) == ("waiting", {})
    room.cancel(faster)
    assert (room.state(entry), room.state(later)) == ("offered", "waiting")
    assert room.service.accept(ada, entry.entry_id).bay_id == "near-1"


def by_the_offer(room, viewer, entry):
    (offer,) = room.offers.list(viewer).offers
    return room.offers.accept(offer.offer_id, 0, viewer)


def by_the_entry(room, viewer, entry):
    return room.service.accept(viewer, entry.entry_id)


@pytest.mark.parametrize("accept", [by_the_offer, by_the_entry])
def test_d05_whichever_way_one_was_too_late_one_waits_on_and_hears_what_is_free(
    room, full, ada, bob, accept
):
    entry = room.join(ada)
    room.pass_by(1)
    later = room.join(bob)
    room.cancel(full)
    faster = room.town.book("near-1", 1, 2)
    with pytest.raises(BayAlreadyBooked) as refused:
        accept(room, ada, entry)

    assert len(refused.value.alternatives) >= 3
    assert (NOON + HOUR) not in {one.starts_at for one in refused.value.alternatives}
    assert (room.state(entry), room.offered()) == ("waiting", {})
    room.pass_by(660)
    assert room.state(entry) == "waiting"
    room.cancel(faster)
    assert (room.state(entry), room.state(later)) == ("offered", "waiting")
    assert accept(room, ada, entry).bay_id == "near-1"


# --- leaving -------------------------------------------------------------------------------------


def test_who_leaves_is_offered_nothing(room, full, ada):
    entry = room.join(ada)
    left = room.service.leave(ada, entry.entry_id)
    room.cancel(full)

    assert (left.state, room.offered()) == (State.LEFT, {})
    assert room.service.leave(ada, entry.entry_id).state is State.LEFT


def test_what_was_offered_to_who_leaves_is_the_next_ones(room, full, ada, bob):
    entry = room.join(ada)
    room.pass_by(1)
    room.join(bob)
    room.cancel(full)
    room.service.leave(ada, entry.entry_id)

    assert room.offered() == {"u-bob": "near-1"}


def test_entries_are_their_users_own(room, full, ada, bob):
    entry = room.join(ada)
    staff = Viewer("u-maint", Role.MAINTENANCE)

    for somebody in (bob, staff):
        with pytest.raises(NotFound):
            room.service.get(somebody, entry.entry_id)
        with pytest.raises(NotFound):
            room.service.leave(somebody, entry.entry_id)
        with pytest.raises(NotFound):
            room.service.accept(somebody, entry.entry_id)
        assert room.service.list(somebody).entries == []
    assert [one.entry_id for one in room.service.list(ada).entries] == [entry.entry_id]


# --- time ----------------------------------------------------------------------------------------


def test_what_comes_free_by_itself_is_found_a_little_later(room, full, ada):
    entry = room.join(ada)
    room.pass_by(30)
    room.free_untold(full)
    room.pass_by(899)
    assert room.state(entry) == "waiting"
    room.pass_by(1)

    assert room.state(entry) == "offered"


def test_what_came_free_while_somebody_joined_is_found_after_half_a_minute(room, full, ada):
    entry = room.join(ada)
    room.free_untold(full)
    room.pass_by(30)

    assert room.state(entry) == "offered"


def test_nobody_waits_for_what_has_begun(room, full, ada):
    entry = room.join(ada)
    for _ in range(5):
        room.pass_by(900)

    assert room.state(entry) == "expired"
    room.free_untold(full)
    room.pass_by(900)
    assert room.offered() == {}


def test_an_offer_shortly_before_ends_with_the_first_granule(room, full, ada):
    room.join(ada)
    room.town.pass_by(timedelta(seconds=3_600 + 600))
    room.cancel(full)

    [offer] = room.rig.rows(tables.offers)
    assert offer.expires_at == after(3_600 + 900)


# --- refusals ------------------------------------------------------------------------------------


def test_only_what_can_be_booked_can_be_waited_for(room, full, ada):
    room.town.terms("near", Terms(max_s=3_600))

    with pytest.raises(NotFound):
        room.join(ada, station_id="nowhere")
    with pytest.raises(NotValid):
        room.join(ada, bay_id="far-1")
    for start_h, end_h in ((-1, 0), (1, 2.5), (1.1, 2), (2, 1)):
        with pytest.raises(NotBookable):
            room.join(ada, start_h=start_h, end_h=end_h)
    assert room.rig.rows(tables.waitlist) == []


def test_nobody_waits_for_more_than_ten(room, full, ada):
    entries = [room.join(ada) for _ in range(MOST_WAITING)]

    with pytest.raises(TooManyReservations):
        room.join(ada)
    room.service.leave(ada, entries[0].entry_id)
    assert room.join(ada).state is State.WAITING


def test_joining_again_by_the_same_request_is_one_entry(room, full, ada):
    once = Once("u-ada", "a-key-of-hers", b"join")

    assert room.join(ada, once=once) == room.join(ada, once=once)
    assert len(room.rig.rows(tables.waitlist)) == 1


# --- at once -------------------------------------------------------------------------------------


def persevering(act):
    """Do as callers do who are told to come again."""
    for _ in range(60):
        try:
            return act()
        except TransactionLost:
            continue
    raise AssertionError("it never got through")


def all_at_once(*acts):
    with ThreadPoolExecutor(len(acts)) as pool:
        return [one.result(timeout=120) for one in [pool.submit(persevering, a) for a in acts]]


def test_bays_that_come_free_at_once_go_to_the_first_each_to_one(room):
    room.town.station("near", bays=4)
    booked = [room.town.book(f"near-{n}", 1, 2) for n in range(1, 5)]
    drivers = [room.driver(f"u-{n}") for n in range(8)]
    all_at_once(*[lambda d=d: room.join(d) for d in drivers])
    all_at_once(*[lambda b=b: room.cancel(b) for b in booked[:3]])

    queue = sorted(room.rig.rows(tables.waitlist), key=lambda one: (one.created_at, one.id))
    assert [one.state for one in queue] == ["offered"] * 3 + ["waiting"] * 5
    assert sorted(room.offered().values()) == ["near-1", "near-2", "near-3"]


def test_who_joins_while_bays_come_free_misses_none(room):
    room.town.station("near", bays=3)
    booked = [room.town.book(f"near-{n}", 1, 2) for n in range(1, 4)]
    drivers = [room.driver(f"u-{n}") for n in range(4)]
    joining = [lambda d=d: room.join(d) for d in drivers]
    freeing = [lambda b=b: room.cancel(b) for b in booked]
    all_at_once(*joining, *freeing)
    room.pass_by(30)

    states = sorted(one.state for one in room.rig.rows(tables.waitlist))
    assert states == ["offered"] * 3 + ["waiting"]
    assert sorted(room.offered().values()) == ["near-1", "near-2", "near-3"]


class WhileOffering:
    """Tells what was offered only once `meanwhile` says so: nothing is committed until then."""

    def __init__(self, telling, meanwhile):
        self.telling, self.meanwhile = telling, meanwhile

    def tell(self, work, notice, now):
        eventually(self.meanwhile, what="the other came")
        self.telling.tell(work, notice, now)


def waits_for_another(rig):
    """Whether a transaction waits for one that is not over; on SQLite none begins meanwhile."""
    if rig.engine.dialect.name == "sqlite":
        return True
    query = text("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
    with rig.engine.connect() as connection:
        return connection.execute(query).scalar_one() > 0


def test_what_is_being_offered_to_one_is_not_offered_to_another(room, ada, bob):
    room.town.station("near", bays=1)
    wanted = NewEntry(station_id="near", starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR)
    with ThreadPoolExecutor(1) as pool:
        joining = []

        def other_came():
            if not joining:
                joining.append(pool.submit(persevering, lambda: room.join(bob)))
            return joining[0].done() or waits_for_another(room.rig)

        queue = replace(room.queue, telling=WhileOffering(room.queue.telling, other_came))
        first = replace(room.service, queue=queue).join(ada, wanted)
        second = joining[0].result(timeout=60)

    assert (first.state, second.state) == ("offered", "waiting")


def test_of_two_who_take_the_same_offer_at_once_one_holds_it(room, full, ada):
    entry = room.join(ada)
    room.cancel(full)

    def take():
        try:
            return room.service.accept(ada, entry.entry_id).reservation_id
        except OfferOver:
            return None

    taken = all_at_once(take, take, take)
    assert sum(one is not None for one in taken) == 1
    live = [one for one in room.rig.rows(tables.reservations) if one.is_live]
    assert len(live) == 1
