"""R02, R03, R04, R10: at the same time on one database; the database decides, and once."""

import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from cloud.adapters.sql import tables
from cloud.domain.driver_limits import Limits
from cloud.domain.errors import (
    BayAlreadyBooked,
    BookedElsewhere,
    IllegalTransition,
    Refused,
    TooManyInAll,
    TooManyReservations,
)
from cloud.domain.reservations import NEXT, Happening, Status
from cloud.domain.windows import granules
from cloud.services.admission import Admission
from cloud.services.booking_ports import Told
from cloud.services.ports import TransactionLost
from cloud.services.retrying import retried
from tests.cloud.builders import BAY, NOON, STATION, a_reservation, after
from tests.cloud.services.bookings import HOUR, ME, Bookings
from tests.cloud.services.rig import DRIVER, a_rig

WORKERS = 4
FEW, MANY = 500, 20_000


@pytest.fixture
def bookings(rig):
    return Bookings(rig)


def at_once(*acts):
    """Do all at the same moment, each as often as it takes; returns what it was answered, or refused with."""
    barrier = Barrier(len(acts))

    def run(act):
        barrier.wait()
        try:
            return stubborn(act)
        except Refused as refusal:
            return refusal

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def stubborn(act):
    """Do as a client does that is told to come again."""
    for _ in range(100):
        try:
            return act()
        except TransactionLost:
            continue
    raise AssertionError("it never got through")


# --- R02 -----------------------------------------------------------------------------------------


def random_intervals(number, bays, seed):
    """Return so many reservations of half an hour to four hours, all over a fortnight."""
    rng = random.Random(seed)
    for one in range(1, number + 1):
        bay_id = rng.choice(bays)
        starts_at = NOON + rng.randrange(14 * 96) * timedelta(minutes=15)
        yield a_reservation(
            id=f"r-{one}",
            number=one,
            station_id=bay_id.rpartition("-")[0],
            bay_id=bay_id,
            user_id=DRIVER,
            starts_at=starts_at,
            ends_at=starts_at + rng.randint(2, 16) * timedelta(minutes=15),
            buffer_s=rng.choice([0, 0, 900]),
        )


def overlapping_pairs(rig):
    """Count them by SQL."""
    one, two = aliased(tables.reservations), aliased(tables.reservations)
    query = select(func.count()).where(
        one.c.bay_id == two.c.bay_id,
        one.c.id < two.c.id,
        one.c.is_live,
        two.c.is_live,
        one.c.starts_at < two.c.ends_at,
        two.c.starts_at < one.c.ends_at,
    )
    with rig.engine.connect() as connection:
        return connection.execute(query).scalar_one()


def overlap(rig, number, seed):
    bays = [row.id for row in rig.rows(tables.bays)]
    asked = list(random_intervals(number, bays, seed))

    def claim(reservation):
        with rig.open_work() as work:
            work.reservations.claim(reservation, Told("held"))
            work.commit()

    def ask(part):
        taken = 0
        for reservation in part:
            try:
                stubborn(lambda one=reservation: claim(one))
            except BayAlreadyBooked:
                continue
            taken += 1
        return taken

    with ThreadPoolExecutor(WORKERS) as pool:
        taken = sum(pool.map(ask, [asked[worker::WORKERS] for worker in range(WORKERS)]))

    bookings = Bookings(rig)
    with rig.engine.connect() as connection:
        kept = connection.execute(select(tables.reservations.c.id)).scalars().all()
    by_id = {one.id: one for one in asked}
    expected = {(by_id[one].bay_id, at) for one in kept for at in granules(by_id[one].kept)}
    assert overlapping_pairs(rig) == 0
    assert 0 < len(kept) == taken < number
    assert set(bookings.slots()) == expected
    # nobody was refused without a reason
    for one in asked:
        if one.id not in kept:
            assert any((one.bay_id, at) in expected for at in granules(one.kept)), seed


def test_r02_of_random_overlapping_intervals_no_two_are_kept(big_rig):
    overlap(big_rig, FEW, seed=1)


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_r02_of_twenty_thousand_random_intervals_no_two_overlap(databases, kind):
    rig = a_rig(getattr(databases, kind)(), stations=3)
    overlap(rig, MANY, seed=random.SystemRandom().randrange(10_000))
    rig.engine.dispose()


SECOND = "greenmarket-2"


def one_of(number, station_id, bay_id):
    return a_reservation(
        id=f"r-{number}", number=number, user_id=DRIVER, station_id=station_id, bay_id=bay_id
    )


# --- one winner ----------------------------------------------------------------------------------


def test_of_many_who_ask_for_one_bay_one_gets_it(bookings):
    drivers = [bookings.add_driver(f"u-{number}") for number in range(8)]

    outcomes = at_once(*(lambda viewer=one: bookings.hold(viewer=viewer) for one in drivers))

    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert len(refused) == 7
    assert {type(one) for one in refused} == {BayAlreadyBooked}
    assert all(len(one.alternatives) == 5 for one in refused)
    assert bookings.slots() == bookings.expected_slots()


def test_of_many_who_ask_for_any_bay_as_many_get_one_as_there_are(bookings):
    drivers = [bookings.add_driver(f"u-{number}") for number in range(8)]

    outcomes = at_once(
        *(lambda viewer=one: bookings.hold(viewer=viewer, bay_id=None) for one in drivers)
    )

    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert len(refused) == 6
    assert {type(one) for one in refused} == {BayAlreadyBooked}
    assert bookings.slots() == bookings.expected_slots()


def test_r10_one_driver_at_once_gets_as_many_as_one_may(bookings):
    bookings.set_terms(max_live_per_driver=1)

    outcomes = at_once(
        *(lambda hours=one: bookings.hold(start_s=hours * HOUR) for one in range(1, 9))
    )

    refused = [one for one in outcomes if isinstance(one, Refused)]
    assert {type(one) for one in refused} == {TooManyReservations}
    assert len(refused) == 7
    assert bookings.slots() == bookings.expected_slots()


def test_r10_a_place_at_a_station_is_moved_to_or_claimed_never_both(big_rig):
    with big_rig.open_work() as work:
        work.reservations.claim(one_of(1, STATION, BAY), Told("held"), most_live=1)
        work.commit()

    def move():
        with big_rig.open_work() as work:
            before = work.reservations.by_ids(["r-1"])["r-1"]
            there = replace(before, station_id=SECOND, bay_id=f"{SECOND}-1")
            work.reservations.rebook([(before, there)], Told("moved"), NOON, most_live=1)
            work.commit()

    def claim():
        with big_rig.open_work() as work:
            there = one_of(2, SECOND, f"{SECOND}-2")
            work.reservations.claim(there, Told("held"), most_live=1)
            work.commit()

    outcomes = at_once(move, claim)
    assert sorted(map(type, outcomes), key=str) == [type(None), TooManyReservations]


def at_each_station(bookings, apart_s=0):
    """Hold a bay at each of three stations at once, for hours so far apart; returns the outcomes."""

    def hold(number, station_id):
        start_s = HOUR + number * apart_s
        return lambda: bookings.hold(start_s, station_id=station_id, bay_id=f"{station_id}-1")

    there = enumerate([STATION, SECOND, "greenmarket-3"])
    return at_once(*(hold(*one) for one in there))


def test_r10_one_driver_at_once_gets_one_station_at_a_time(big_rig):
    refused = [one for one in at_each_station(Bookings(big_rig)) if isinstance(one, Refused)]

    assert [type(one) for one in refused] == [BookedElsewhere, BookedElsewhere]
    assert len(big_rig.rows(tables.reservations)) == 1


def test_r10_one_driver_at_once_gets_as_many_as_one_may_in_all(big_rig):
    bookings = Bookings(big_rig)
    for station_id in (STATION, SECOND, "greenmarket-3"):
        bookings.set_terms(station_id, max_live_per_driver=1)
    holder = replace(bookings.holder, admission=Admission(Limits(single=1)))
    bookings.service = replace(bookings.service, holder=holder)
    refused = [one for one in at_each_station(bookings, apart_s=HOUR) if isinstance(one, Refused)]

    assert [type(one) for one in refused] == [TooManyInAll, TooManyInAll]
    assert len(big_rig.rows(tables.reservations)) == 1


# --- R03, R04 ------------------------------------------------------------------------------------

ROUNDS = 8
DAY = 86_400


@retried
def happen(bookings, reservation_id, happening):
    """Do what a worker does: read, advance, commit, and again if it was overtaken."""
    bookings.advance(reservation_id, happening, Told(happening))
    return happening


def test_r03_a_hold_is_paid_for_or_lapses_never_both(bookings):
    bookings.set_terms(max_live_per_driver=ROUNDS)
    for number in range(ROUNDS):
        pay_while_it_lapses(bookings, DAY * (1 + number))

    assert bookings.slots() == bookings.expected_slots()


def pay_while_it_lapses(bookings, start_s):
    its = bookings.hold(start_s=start_s).reservation_id
    bookings.rig.clock.pass_by(timedelta(minutes=10))

    paid, lapsed = at_once(
        lambda: bookings.pay(its),
        lambda: happen(bookings, its, Happening.HOLD_EXPIRED),
    )

    over = bookings.reservation(its)
    if paid is True:
        assert isinstance(lapsed, IllegalTransition)
        assert over.status is Status.BOOKED
    else:
        assert (paid, lapsed) == (False, Happening.HOLD_EXPIRED)
        assert over.status is Status.REJECTED


def test_r04_cancel_start_and_no_show_at_once_have_one_outcome(bookings):
    bookings.set_terms(max_live_per_driver=ROUNDS)
    for number in range(ROUNDS):
        cancel_start_and_miss(bookings, DAY * (1 + number))

    assert bookings.slots() == bookings.expected_slots()


def cancel_start_and_miss(bookings, start_s):
    its = bookings.book(start_s=start_s).reservation_id

    outcomes = at_once(
        lambda: bookings.service.cancel(ME, its),
        lambda: happen(bookings, its, Happening.PLUGGED_IN),
        lambda: happen(bookings, its, Happening.SEEN_EMPTY_AFTER_GRACE),
    )

    done = [one for one in outcomes if not isinstance(one, Refused)]
    refused = [one for one in outcomes if isinstance(one, Refused)]
    over = bookings.reservation(its)
    assert len(done) == 1
    assert {type(one) for one in refused} == {IllegalTransition}
    assert over.status in {Status.CANCELED, Status.NO_SHOW, Status.CHARGING}
    assert bookings.log(its)[:-1] == ["held", "paid"]
    assert NEXT[Status.BOOKED, Happening(bookings.log(its)[-1])] is over.status
    assert over.due_minor == (None if over.is_live else 0)


def test_two_who_change_one_reservation_do_not_overwrite_each_other(bookings):
    booked = bookings.book()
    first = bookings.reservation(booked.reservation_id)

    def confirm():
        with bookings.rig.open_work() as work:
            work.reservations.put(replace(first, is_confirmed=True), Told("a"), after(1))
            work.commit()
        return True

    def lost():
        try:
            return confirm()
        except TransactionLost:
            return False

    assert sorted(at_once(lost, lost)) == [False, True]
    assert first.station_id == STATION
    assert first.bay_id == BAY
