"""Reservations in the database: what is taken is taken once, and given free whole."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from cloud.adapters.sql import tables
from cloud.domain.errors import BayAlreadyBooked, TooManyReservations
from cloud.domain.reservations import Happening, Status, advance
from cloud.domain.terms import Blackout, OpenHours, RefundStep, Terms, from_plain, to_plain
from cloud.domain.windows import Window, granules
from cloud.services.booking_ports import ReservationPage, Told
from cloud.services.ports import TransactionLost
from tests.cloud.builders import BAY, NOON, STATION, a_reservation, after
from tests.cloud.services.rig import DRIVER, OWNER, a_rig

OTHER_BAY = "greenmarket-2"
HELD = Told("held", DRIVER)


@pytest.fixture
def rig(database_url):
    made = a_rig(database_url, stations=2)
    yield made
    made.engine.dispose()


def one(number=1, **more):
    return a_reservation(id=f"r-{number}", number=number, user_id=DRIVER, **more)


def claimed(rig, *reservations):
    with rig.open_work() as work:
        for reservation in reservations:
            work.reservations.claim(reservation, HELD)
        work.commit()


def stored(rig, number=1):
    with rig.open_work(is_read_only=True) as work:
        return work.reservations.by_ids([f"r-{number}"])[f"r-{number}"]


def changed(rig, reservation, what="changed"):
    with rig.open_work() as work:
        work.reservations.put(reservation, Told(what), NOON)
        work.commit()


def rebooked(rig, *pairs):
    with rig.open_work() as work:
        work.reservations.rebook(pairs, Told("moved"), NOON)
        work.commit()


def slots(rig):
    with rig.engine.connect() as connection:
        rows = connection.execute(select(tables.bay_slots)).all()
    return {(row.bay_id, row.starts_at): row.reservation_id for row in rows}


def expected(*reservations):
    return {
        (reservation.bay_id, at): reservation.id
        for reservation in reservations
        for at in granules(reservation.kept)
    }


def test_a_claim_takes_every_granule_of_the_kept_window(rig):
    held = one(buffer_s=900)

    claimed(rig, held)

    assert slots(rig) == expected(held)
    assert len(slots(rig)) == 5
    assert stored(rig) == held


def test_a_claim_that_touches_a_taken_granule_leaves_nothing_behind(rig):
    first = one()
    claimed(rig, first)

    with pytest.raises(BayAlreadyBooked):
        claimed(rig, one(2, start_s=4_500 + 45 * 60))

    assert slots(rig) == expected(first)
    with rig.open_work(is_read_only=True) as work:
        assert work.reservations.by_ids(["r-2"]) == {}


def test_the_buffer_keeps_the_next_granule_from_others(rig):
    claimed(rig, one(buffer_s=900))

    with pytest.raises(BayAlreadyBooked):
        claimed(rig, one(2, start_s=4_500 + 3_600))


def test_windows_that_only_touch_are_both_taken(rig):
    first, second = one(), one(2, start_s=4_500 + 3_600)

    claimed(rig, first, second)

    assert slots(rig) == expected(first, second)


def test_a_number_that_is_taken_is_tried_again_with_another(rig):
    claimed(rig, one())

    with pytest.raises(TransactionLost):
        claimed(rig, replace(one(2, bay_id=OTHER_BAY), number=1))


def test_what_is_over_gives_its_granules_free(rig):
    claimed(rig, one())

    changed(rig, advance(stored(rig), Happening.HOLD_EXPIRED, NOON))

    assert slots(rig) == {}
    assert stored(rig).status is Status.REJECTED
    claimed(rig, one(2))


def test_nobody_overwrites_what_they_have_not_read(rig):
    claimed(rig, one())
    old = stored(rig)
    changed(rig, replace(old, is_confirmed=True))

    with pytest.raises(TransactionLost):
        changed(rig, advance(old, Happening.CANCELED_BY_DRIVER, NOON))

    assert stored(rig).is_confirmed
    assert slots(rig) == expected(old)


def test_a_put_never_changes_the_place(rig):
    claimed(rig, one())

    with pytest.raises(TransactionLost):
        changed(rig, replace(stored(rig), bay_id=OTHER_BAY))


def test_two_reservations_can_swap_their_bays(rig):
    first, second = one(), one(2, bay_id=OTHER_BAY)
    claimed(rig, first, second)
    swapped = (replace(first, bay_id=OTHER_BAY), replace(second, bay_id=BAY))

    rebooked(rig, (first, swapped[0]), (second, swapped[1]))

    assert slots(rig) == expected(*swapped)
    assert stored(rig).bay_id == OTHER_BAY
    assert stored(rig).row_version == 1


def test_a_move_into_a_taken_granule_leaves_all_as_it_was(rig):
    first, second = one(), one(2, bay_id=OTHER_BAY)
    claimed(rig, first, second)

    with pytest.raises(BayAlreadyBooked):
        rebooked(rig, (first, replace(first, bay_id=OTHER_BAY)))

    assert slots(rig) == expected(first, second)


def test_a_move_of_something_changed_meanwhile_is_lost(rig):
    first = one()
    claimed(rig, first)
    changed(rig, replace(first, is_confirmed=True))

    with pytest.raises(TransactionLost):
        rebooked(rig, (first, replace(first, bay_id=OTHER_BAY)))


def test_a_move_gives_the_old_window_free(rig):
    first = one()
    claimed(rig, first)
    longer = replace(first, ends_at=first.ends_at + timedelta(minutes=30))

    rebooked(rig, (first, longer))

    assert slots(rig) == expected(longer)


def test_the_log_has_a_line_for_every_write(rig):
    claimed(rig, one())
    changed(rig, replace(stored(rig), is_confirmed=True), "confirmed")

    with rig.open_work(is_read_only=True) as work:
        log = work.reservations.log("r-1")

    assert [(line.version, line.what, line.actor) for line in log] == [
        (0, "held", DRIVER),
        (1, "confirmed", ""),
    ]


def test_what_is_live_is_found_by_bay_and_by_station(rig):
    first, second = one(), one(2, start_s=9_000, status=Status.BOOKED)
    third = one(3, bay_id=OTHER_BAY, buffer_s=1_800)
    claimed(rig, first, second, third)

    with rig.open_work(is_read_only=True) as work:
        on_bay = work.reservations.live_on([BAY], after(9_001))
        early = work.reservations.live_on([BAY], after(9_000))
        nothing = work.reservations.live_on([], after(9_000))
        within = work.reservations.live_within(STATION, Window(after(8_100), after(9_000)))
        promised = work.reservations.live_of_stations([STATION], after(90_000))
        of_all = work.reservations.live_of_stations(None, after(90_000))
        none = work.reservations.live_of_stations([], after(90_000))

    assert [found.id for found in on_bay] == ["r-1", "r-2"]
    assert [found.id for found in early] == ["r-1"]
    assert nothing == []
    assert [found.id for found in within] == ["r-3"]
    assert {key: [found.id for found in those] for key, those in promised.items()} == {
        STATION: ["r-2"]
    }
    assert of_all == promised
    assert none == {}


def test_a_token_finds_the_nearest_paid_reservation(rig):
    first = one(status=Status.BOOKED)
    second = one(2, start_s=4_500 + 7_200, status=Status.BOOKED)
    unpaid = one(3, bay_id=OTHER_BAY)
    claimed(rig, first, second, unpaid)

    def found(seconds, shown="ADA"):
        with rig.open_work(is_read_only=True) as work:
            reservation = work.reservations.of_token(STATION, shown, after(seconds))
            return reservation and reservation.id

    assert found(3_600) == "r-1"
    assert found(4_500 + 3_600 + 600) == "r-1"
    assert found(4_500 + 7_200 - 600) == "r-2"
    assert found(-2 * 86_400) is None
    assert found(3_600, "EVE") is None


def test_pages_go_by_start_newest_first_and_by_whose_they_are(rig):
    claimed(rig, *(one(number, start_s=number * 3_600) for number in (1, 2, 3)))
    changed(rig, advance(stored(rig, 2), Happening.CANCELED_BY_DRIVER, NOON))

    def ids(**page):
        with rig.open_work(is_read_only=True) as work:
            return [found.id for found in work.reservations.page(ReservationPage(**page))]

    assert ids() == ["r-3", "r-2", "r-1"]
    assert ids(user_id=DRIVER, limit=2) == ["r-3", "r-2"]
    assert ids(before=(after(3 * 3_600), "r-3")) == ["r-2", "r-1"]
    assert ids(is_live=True) == ["r-3", "r-1"]
    assert ids(owner_id=OWNER, station_id=STATION, is_live=False) == ["r-2"]
    assert ids(owner_id="u-else") == []
    assert ids(station_id="greenmarket-2") == []


def test_live_reservations_of_a_driver_are_counted(rig):
    claimed(rig, one(), one(2, start_s=9_000))
    changed(rig, advance(stored(rig), Happening.CANCELED_BY_DRIVER, NOON))

    with rig.open_work(is_read_only=True) as work:
        assert work.reservations.count_live(DRIVER, STATION) == 1
        assert work.reservations.count_live(OWNER, STATION) == 0
        assert work.reservations.by_ids([]) == {}


def test_a_driver_has_so_many_places_at_a_station_and_as_many_of_series(rig):
    with rig.open_work() as work:
        work.reservations.claim(one(), HELD, most_live=2)
        work.reservations.claim(one(2, start_s=9_000), HELD, most_live=2)
        work.reservations.claim(one(3, start_s=13_500, series_id="s-1"), HELD, most_live=1)
        work.commit()

    with rig.open_work() as work, pytest.raises(TooManyReservations):
        work.reservations.claim(one(4, start_s=18_000), HELD, most_live=2)
    changed(rig, advance(stored(rig), Happening.CANCELED_BY_DRIVER, NOON))
    with rig.open_work() as work:
        work.reservations.claim(one(4, start_s=18_000), HELD, most_live=2)
        work.commit()
    with rig.open_work(is_read_only=True) as work:
        assert [found.id for found in work.reservations.of_series("s-1")] == ["r-3"]


THERE = {"station_id": "greenmarket-2", "bay_id": "greenmarket-2-1"}


def moved_there(rig, number, most_live=None):
    """Move a reservation to the other station."""
    before = stored(rig, number)
    with rig.open_work() as work:
        pair = (before, replace(before, **THERE))
        work.reservations.rebook([pair], Told("moved"), NOON, most_live=most_live)
        work.commit()


def claimed_with(rig, most_live, *reservations):
    with rig.open_work() as work:
        for reservation in reservations:
            work.reservations.claim(reservation, HELD, most_live=most_live)
        work.commit()


def test_who_moves_to_another_station_takes_a_place_there_and_leaves_theirs(rig):
    claimed_with(rig, 1, one())
    moved_there(rig, 1, most_live=1)

    claimed_with(rig, 1, one(2))
    with pytest.raises(TooManyReservations):
        claimed_with(rig, 1, one(3, start_s=18_000, **THERE))
    changed(rig, advance(stored(rig), Happening.CANCELED_BY_DRIVER, NOON))
    claimed_with(rig, 1, one(3, start_s=18_000, **THERE))


def test_who_has_as_many_there_as_one_may_does_not_move_there_unless_we_move_them(rig):
    claimed_with(rig, 1, one(), one(2, start_s=18_000, **THERE))
    with pytest.raises(TooManyReservations):
        moved_there(rig, 1, most_live=1)
    assert stored(rig).station_id == STATION

    moved_there(rig, 1)
    changed(rig, advance(stored(rig, 2), Happening.CANCELED_BY_DRIVER, NOON))
    with pytest.raises(TooManyReservations):
        claimed_with(rig, 1, one(3, start_s=18_000, **THERE))


def test_a_move_within_a_station_keeps_the_place(rig):
    claimed_with(rig, 1, one())
    before = stored(rig)
    with rig.open_work() as work:
        after_ = replace(before, bay_id=OTHER_BAY)
        work.reservations.rebook([(before, after_)], Told("moved"), NOON, most_live=1)
        work.commit()
    with pytest.raises(TooManyReservations):
        claimed_with(rig, 1, one(2))


def test_terms_are_the_defaults_until_set_and_then_as_they_were_set(rig):
    terms = Terms(
        hours=(OpenHours(weekday=0, opens_min=480, closes_min=1_500),),
        blackouts=(Blackout(starts_at=NOON, ends_at=after(3_600), bay_id=BAY, why="works"),),
        unbookable_bays=(OTHER_BAY,),
        refunds=(RefundStep(before_s=60, refund_pct=10),),
    )

    with rig.open_work() as work:
        work.terms.put(STATION, Terms(min_s=900), NOON)
        work.terms.put(STATION, terms, NOON)
        work.commit()
    with rig.open_work(is_read_only=True) as work:
        found = work.terms.of([STATION, "greenmarket-2"])

    assert found == {STATION: terms, "greenmarket-2": Terms()}


def test_terms_from_a_newer_house_are_read_as_far_as_they_are_known():
    assert from_plain(to_plain(Terms()) | {"invented": 1}) == Terms()
    assert from_plain(None) == Terms()
