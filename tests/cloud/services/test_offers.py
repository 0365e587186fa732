"""What there is instead of a reservation, asked for or offered by us, and taken with one call."""

import pytest

from cloud.adapters.sql import tables
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import (
    BayAlreadyBooked,
    BookedElsewhere,
    IllegalTransition,
    NotBookable,
    NotFound,
    NotValid,
    OfferOver,
    TooManyReservations,
)
from cloud.domain.reservations import Happening, Status, Trouble
from cloud.domain.terms import Terms
from cloud.services.idempotency import Once
from cloud.services.offers import OfferService
from contracts.batch import Beat
from tests.cloud.builders import BAY, NOON, STATION, after
from tests.cloud.services.promises import OTHER_BAY, Promises
from tests.cloud.services.rig import DRIVER, Agent, a_rig, connected, said, seen

ME, BOB = Viewer(DRIVER, Role.DRIVER), Viewer("u-bob", Role.DRIVER)
NEAR = "greenmarket-2"
NEAR_BAYS = ("greenmarket-2-1", "greenmarket-2-2")
HOUR = 3_600


@pytest.fixture
def kept(database_url):
    """Two stations of two bays each, a mile from each other; the second costs what the test says."""
    made = a_rig(database_url, stations=2)
    promises = Promises(made)
    promises.offers = OfferService(
        open_work=made.open_work,
        clock=made.clock,
        publisher=made.publisher,
        advancer=promises.advancer,
        finding=promises.finding,
        quoting=promises.quoting,
        telling=promises.telling,
    )
    near = Agent(made, NEAR)
    charger = "DD-GREEN-01-2"
    near.tell(
        connected(charger_id=charger),
        *(said("free", charger_id=charger, evse_id=evse) for evse in (1, 2)),
        *(seen(False, bay_id=bay, sensor_ids=[]) for bay in NEAR_BAYS),
        beat=Beat(),
    )
    promises.near = near
    yield promises
    made.engine.dispose()


def price_near(kept, minor: int) -> None:
    kept.rig.execute(f"UPDATE stations SET price_per_kwh_minor = {minor} WHERE id = '{NEAR}'")


def stolen(kept):
    """Book, and have somebody stand in the bay and the other break: the driver gets an offer."""
    kept.tell(said("faulted", NOON, evse_id=2))
    kept.book()
    kept.until(1_300)
    kept.tell(seen(True, after(1_300)))
    kept.until(1_490)
    kept.near.beat()
    (offer,) = kept.offers.list(ME).offers
    return offer


def place_of(options, station_id):
    return next(number for number, one in enumerate(options) if one.station_id == station_id)


def test_a_driver_asks_what_else_there_is_and_takes_it_with_one_call(kept):
    kept.book(4 * HOUR)
    offer = kept.offers.alternatives("r-1", ME)
    assert (offer.kind, offer.state, offer.expires_at) == ("reschedule", "open", after(900))
    assert [one.offer_id for one in kept.offers.list(ME).offers] == [offer.offer_id]
    assert kept.get().bay_id == BAY

    first = offer.options[0]
    taken = kept.offers.accept(offer.offer_id, 0, ME)
    now = kept.get()
    assert (now.station_id, now.bay_id) == (first.station_id, first.bay_id)
    assert (now.starts_at, now.ends_at) == (first.starts_at, first.ends_at)
    assert (taken.bay_id, taken.moved_from, taken.state) == (first.bay_id, BAY, "booked")
    assert {one.bay_id for one in kept.rig.rows(tables.bay_slots)} == {first.bay_id}
    assert kept.log() == ["booked", "rescheduled"]
    assert kept.offers.get(offer.offer_id, ME).state == "accepted"
    assert kept.offers.list(ME).offers == []
    assert kept.due_at() is not None


@pytest.mark.parametrize("near_minor", [20, 70])
@pytest.mark.parametrize("station_id", [STATION, NEAR])
@pytest.mark.parametrize("offered", [None, stolen])
def test_what_an_offer_says_it_costs_is_what_the_booking_costs(
    kept, offered, station_id, near_minor
):
    if offered is None:
        kept.book(4 * HOUR)
    price_near(kept, near_minor)
    offer = offered(kept) if offered else None
    kept.rig.execute(f"UPDATE stations SET price_per_kwh_minor = 90 WHERE id = '{STATION}'")
    offer = offer or kept.offers.alternatives("r-1", ME)
    number = place_of(offer.options, station_id)
    kept.offers.accept(offer.offer_id, number, ME)

    told = offer.options[number].price_minor
    assert kept.get().station_id == station_id
    assert kept.get().quote["total_minor"] == told > 0


def test_asking_again_replaces_what_was_offered_before(kept):
    kept.book(4 * HOUR)
    first = kept.offers.alternatives("r-1", ME)
    second = kept.offers.alternatives("r-1", ME)

    assert kept.offers.get(first.offer_id, ME).state == "expired"
    assert [one.offer_id for one in kept.offers.list(ME).offers] == [second.offer_id]


def test_asking_for_more_than_we_offered_is_answered_with_what_we_did(kept):
    offer = stolen(kept)

    assert kept.offers.alternatives("r-1", ME).offer_id == offer.offer_id


def test_an_offer_is_taken_once_in_time_by_who_it_is_for_and_for_what_it_holds(kept):
    kept.book(4 * HOUR)
    offer = kept.offers.alternatives("r-1", ME)
    with pytest.raises(NotFound):
        kept.offers.get(offer.offer_id, BOB)
    with pytest.raises(NotFound):
        kept.offers.accept(offer.offer_id, 0, BOB)
    with pytest.raises(NotFound):
        kept.offers.alternatives("r-1", BOB)
    with pytest.raises(NotValid):
        kept.offers.accept(offer.offer_id, len(offer.options), ME)
    kept.offers.accept(offer.offer_id, 0, ME)
    with pytest.raises(OfferOver):
        kept.offers.accept(offer.offer_id, 0, ME)

    late = kept.offers.alternatives("r-1", ME)
    kept.until(900)
    assert kept.offers.get(late.offer_id, ME).state == "expired"
    with pytest.raises(OfferOver):
        kept.offers.accept(late.offer_id, 0, ME)


def test_the_same_request_twice_is_answered_alike_and_done_once(kept):
    kept.book(4 * HOUR)
    offer = kept.offers.alternatives("r-1", ME)
    once = Once(DRIVER, "key", b"accept")
    first = kept.offers.accept(offer.offer_id, 0, ME, once)

    assert kept.offers.accept(offer.offer_id, 0, ME, once) == first
    assert kept.log().count("rescheduled") == 1


def test_who_was_slower_hears_what_is_free_instead_and_keeps_what_they_had(kept):
    kept.book(4 * HOUR)
    offer = kept.offers.alternatives("r-1", ME)
    wanted = offer.options[0]
    start_s = (wanted.starts_at - NOON).total_seconds()
    kept.book(start_s, bay_id=wanted.bay_id, station_id=wanted.station_id, user_id="u-bob")
    with pytest.raises(BayAlreadyBooked) as refused:
        kept.offers.accept(offer.offer_id, 0, ME)

    assert len(refused.value.alternatives) >= 3
    assert (kept.get().bay_id, kept.get().starts_at) == (BAY, after(4 * HOUR))
    (fresh,) = kept.offers.list(ME).offers
    assert fresh.options == refused.value.alternatives
    assert (fresh.offer_id, fresh.expires_at) == (refused.value.offer_id, offer.expires_at)
    assert wanted not in fresh.options
    assert kept.offers.get(offer.offer_id, ME).state == "expired"


def taken_by_bob(kept, *options):
    """Have somebody else book what these options offer."""
    for one in options:
        start_s = (one.starts_at - NOON).total_seconds()
        kept.book(start_s, bay_id=one.bay_id, station_id=one.station_id, user_id="u-bob")


def apart(options):
    """Return options of which no two are of one bay at one time."""
    found = []
    for one in options:
        if not any(
            one.bay_id == other.bay_id
            and one.starts_at < other.ends_at
            and other.starts_at < one.ends_at
            for other in found
        ):
            found.append(one)
    return found


def test_d10_who_finds_all_that_we_offered_taken_is_offered_what_is_free_and_can_take_it(kept):
    offer = stolen(kept)
    taken_by_bob(kept, *apart(offer.options))
    with pytest.raises(BayAlreadyBooked) as refused:
        kept.offers.accept(offer.offer_id, 0, ME)

    (fresh,) = kept.offers.list(ME).offers
    assert fresh.offer_id == refused.value.offer_id
    assert fresh.options == refused.value.alternatives
    assert len(fresh.options) >= 3
    assert fresh.expires_at == offer.expires_at
    kept.offers.accept(fresh.offer_id, 0, ME)
    assert (kept.get().bay_id, kept.get().trouble) == (fresh.options[0].bay_id, Trouble.NONE)


def test_d10_asking_again_drops_what_is_taken_from_what_we_offered(kept):
    offer = stolen(kept)
    taken_by_bob(kept, offer.options[0])
    fresh = kept.offers.alternatives("r-1", ME)

    assert fresh.offer_id != offer.offer_id
    assert offer.options[0] not in fresh.options
    assert len(fresh.options) >= 3
    assert fresh.expires_at == offer.expires_at
    assert kept.offers.get(offer.offer_id, ME).state == "expired"


def test_d10_an_offer_of_which_all_is_taken_is_made_anew_without_being_asked_for(kept):
    offer = stolen(kept)
    taken_by_bob(kept, offer.options[0])
    kept.until(1_600)
    assert [one.offer_id for one in kept.offers.list(ME).offers] == [offer.offer_id]

    taken_by_bob(kept, *apart(offer.options[1:]))
    kept.until(1_700)
    (fresh,) = kept.offers.list(ME).offers
    assert fresh.offer_id != offer.offer_id
    assert not set(offer.options) & set(fresh.options)
    assert fresh.expires_at == offer.expires_at
    assert kept.told() == ["reminder", "offer"]


def test_a_late_change_of_mind_makes_no_early_cancellation(kept):
    kept.book(1_800)
    offer = kept.offers.alternatives("r-1", ME)

    assert {one.starts_at for one in offer.options} == {after(1_800)}


def test_where_there_is_nothing_else_it_is_said(kept):
    kept.book(1_800)
    kept.tell(said("faulted", NOON, evse_id=2))
    kept.rig.execute("DELETE FROM connectors WHERE charger_id = 'DD-GREEN-01-2'")
    with pytest.raises(NotBookable):
        kept.offers.alternatives("r-1", ME)


@pytest.mark.parametrize("happening", [Happening.CANCELED_BY_DRIVER, Happening.PLUGGED_IN])
def test_who_charges_or_is_done_has_nothing_to_move(kept, happening):
    kept.book(4 * HOUR)
    offer = kept.offers.alternatives("r-1", ME)
    kept.act("r-1", happening)
    with pytest.raises(IllegalTransition):
        kept.offers.alternatives("r-1", ME)
    with pytest.raises(IllegalTransition):
        kept.offers.accept(offer.offer_id, 0, ME)


def test_what_a_driver_asked_for_gives_way_to_what_we_have_to_offer(kept):
    kept.tell(said("faulted", NOON, evse_id=2))
    kept.book()
    asked = kept.offers.alternatives("r-1", ME)
    kept.until(1_300)
    kept.tell(seen(True, after(1_300)))
    kept.until(1_490)

    (offer,) = kept.offers.list(ME).offers
    assert offer.offer_id != asked.offer_id
    assert kept.offers.get(asked.offer_id, ME).state == "expired"
    assert kept.told() == ["reminder", "offer"]


def test_d10_what_we_offer_for_a_lost_bay_is_taken_with_one_call_and_the_trouble_is_over(kept):
    offer = stolen(kept)
    number = place_of(offer.options, NEAR)
    kept.offers.accept(offer.offer_id, number, ME)

    moved = kept.get()
    assert (moved.station_id, moved.status, moved.trouble) == (NEAR, Status.BOOKED, Trouble.NONE)
    assert kept.told() == ["reminder", "offer", "moved"]
    assert kept.status() == "BLOCKED"


@pytest.mark.parametrize(("near_minor", "tariff_id"), [(80, "kwh:GBP:50"), (30, "kwh:GBP:30")])
def test_for_what_we_cannot_keep_nobody_pays_more_and_the_difference_is_theirs(
    kept, near_minor, tariff_id
):
    price_near(kept, near_minor)
    offer = stolen(kept)
    kept.offers.accept(offer.offer_id, place_of(offer.options, NEAR), ME)

    assert kept.get().tariff_id == tariff_id


@pytest.mark.parametrize(("near_minor", "tariff_id"), [(80, "kwh:GBP:80"), (30, "kwh:GBP:30")])
def test_who_wants_to_go_elsewhere_pays_what_it_costs_there(kept, near_minor, tariff_id):
    price_near(kept, near_minor)
    kept.book(4 * HOUR)
    offer = kept.offers.alternatives("r-1", ME)
    kept.offers.accept(offer.offer_id, place_of(offer.options, NEAR), ME)

    assert kept.get().tariff_id == tariff_id


def test_r10_who_wants_to_go_where_they_have_as_many_as_one_may_is_refused(kept):
    with kept.open_work() as work:
        work.terms.put(NEAR, Terms(max_live_per_driver=1), NOON)
        work.commit()
    kept.book(4 * HOUR)
    offer = kept.offers.alternatives("r-1", ME)
    kept.book(20 * HOUR, station_id=NEAR, bay_id=NEAR_BAYS[0])
    number = place_of(offer.options, NEAR)
    with pytest.raises(TooManyReservations):
        kept.offers.accept(offer.offer_id, number, ME)

    assert kept.get().bay_id == BAY
    assert kept.offers.get(offer.offer_id, ME).state == "open"


def test_r10_who_has_another_station_then_does_not_go_elsewhere(kept):
    kept.book(4 * HOUR)
    offer = kept.offers.alternatives("r-1", ME)
    number = place_of(offer.options, NEAR)
    start_s = (offer.options[number].starts_at - NOON).total_seconds()
    kept.book(start_s, bay_id=OTHER_BAY)
    with pytest.raises(BookedElsewhere):
        kept.offers.accept(offer.offer_id, number, ME)


def test_who_had_come_for_nothing_has_not_come_yet_where_they_go_now(kept):
    kept.tell(said("faulted", NOON, evse_id=2))
    kept.book()
    kept.until(1_900)
    kept.act("r-1", Happening.CHECKED_IN, arrived_at=after(1_900), arrived_by="app")
    kept.tell(said("faulted", after(1_900)))
    kept.near.beat()
    (offer,) = kept.offers.list(ME).offers
    kept.offers.accept(offer.offer_id, place_of(offer.options, NEAR), ME)

    moved = kept.get()
    assert (moved.status, moved.arrived_at, moved.arrived_by) == (Status.BOOKED, None, "")


def test_what_waited_for_its_turn_is_taken_by_who_keeps_the_list(kept):
    held = kept.book(4 * HOUR)
    kept.rig.insert(
        tables.offers,
        {
            "id": "o-1",
            "user_id": DRIVER,
            "kind": "waitlist",
            "options": [plain_option()],
            "made_at": NOON,
            "expires_at": after(600),
            "state": "open",
        },
    )
    with pytest.raises(OfferOver):
        kept.offers.accept("o-1", 0, ME)
    asked = []

    class Taking:
        def take(self, _work, offer, option, _now):
            asked.append((offer.id, option.bay_id))
            return held, ()

    service = OfferService(**{name: getattr(kept.offers, name) for name in FIELDS}, taking=Taking())
    assert service.accept("o-1", 0, ME).reservation_id == "r-1"
    assert asked == [("o-1", OTHER_BAY)]


FIELDS = ("open_work", "clock", "publisher", "advancer", "finding", "quoting", "telling")


def plain_option():
    return {
        "station_id": "greenmarket",
        "station_name": "Green Market",
        "bay_id": OTHER_BAY,
        "bay_name": "2",
        "starts_at": after(7_200).isoformat(),
        "ends_at": after(10_800).isoformat(),
        "distance_m": 0,
        "price_minor": 100,
        "currency": "GBP",
        "expected_wait_s": 0,
        "max_power_w": 150_000,
        "cost": 1.0,
    }
