"""The nearest feasible thing: found where there is one, never what cannot be had."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import event

from cloud.adapters.sql import tables
from cloud.domain.errors import NotValid
from cloud.domain.ranking import Car, Order
from cloud.domain.terms import Blackout, OpenHours, Terms
from cloud.domain.windows import Window
from cloud.services.billing import QuoteService
from cloud.services.finding import FindingService, Search
from cloud.services.shelf import TariffShelf
from tests.cloud.builders import NOON, a_reservation, after
from tests.cloud.services.rig import DRIVER
from tests.cloud.services.town import CCS, CENTRE, TYPE_2, Town

HOUR = timedelta(hours=1)


@pytest.fixture
def town(rig):
    # the rig's own station has no news of its bays
    return Town(rig)


@pytest.fixture
def finding(rig):
    return FindingService(rig.open_work, rig.clock, rig.policy, QuoteService(TariffShelf()))


def search(finding, **more):
    known = {"latitude": CENTRE[0], "longitude": CENTRE[1], "duration": HOUR}
    return finding.search(Search(**(known | more))).stations


def names(found):
    return [one.station_id for one in found]


def wanted(bay_id="near-1", start_h=0.0, end_h=1.0, **more):
    known = {
        "id": "wanted",
        "number": 99,
        "user_id": DRIVER,
        "station_id": bay_id.rpartition("-")[0],
        "bay_id": bay_id,
        "starts_at": NOON + start_h * HOUR,
        "ends_at": NOON + end_h * HOUR,
    }
    return a_reservation(**(known | more))


def instead(finding, reservation, most=5):
    with finding.open_work(is_read_only=True) as work:
        return finding.alternatives(work, reservation, finding.clock.now(), most)


def equal(finding, reservation, window=None):
    with finding.open_work(is_read_only=True) as work:
        now = finding.clock.now()
        return finding.equal_bay(work, reservation, window or reservation.window, now)


# --- searching -----------------------------------------------------------------------------------


def test_a_station_is_found_with_its_best_bay_and_window(town, finding):
    town.station("near", away_m=1_000, price=60)
    [found] = search(finding, energy_wh=10_000)

    assert (found.name, found.distance_m, found.status) == ("Near", 1_000, "AVAILABLE")
    assert (found.best.bay_id, found.best.starts_at) == ("near-1", NOON)
    assert (found.best.price_minor, found.best.currency) == (600, "GBP")
    assert (found.energy_wh, found.is_exact, found.bays_free) == (10_000, True, 1)
    # 8 kWh at 50 kW and 2 kWh at 20 kW
    assert found.charging_s == 576 + 360


def test_nearest_is_by_distance_and_cost_weighs_the_price(town, finding):
    town.station("near", away_m=100, price=90)
    town.station("far", away_m=900, price=10)

    assert names(search(finding, order=Order.NEAREST)) == ["near", "far"]
    assert names(search(finding, order=Order.COST)) == ["far", "near"]


def test_what_is_free_at_once_comes_before_what_is_nearer_but_taken(town, finding):
    town.station("near", away_m=100)
    town.station("far", away_m=900)
    town.book("near-1", 0, 2)

    first, second = search(finding, order=Order.NEAREST)
    assert (first.station_id, first.is_exact) == ("far", True)
    assert (second.station_id, second.is_exact) == ("near", False)
    assert (second.best.starts_at, second.best.expected_wait_s) == (NOON + 2 * HOUR, 7_200)
    assert names(search(finding, is_exact=True)) == ["far"]


def test_equally_near_the_larger_station_comes_first(town, finding):
    town.station("small", away_m=500)
    town.station("large", away_m=500, bays=3)

    assert names(search(finding, order=Order.NEAREST)) == ["large", "small"]
    assert [one.bays_free for one in search(finding, order=Order.NEAREST)] == [3, 1]


def test_a_connector_a_power_or_room_that_is_asked_for_must_be_there(town, finding):
    town.station("slow", bays=0)
    town.bay("slow", power_w=11_000, standard=TYPE_2, is_accessible=True)
    town.station("quick", bays=0)
    town.bay("quick", power_w=150_000)

    assert names(search(finding, standard=TYPE_2)) == ["slow"]
    assert names(search(finding, standard=CCS)) == ["quick"]
    assert names(search(finding, min_power_w=50_000)) == ["quick"]
    assert names(search(finding, is_accessible=True)) == ["slow"]
    assert search(finding, standard="CHADEMO") == []


def test_nothing_dearer_than_the_driver_would_pay(town, finding):
    town.station("dear", price=80)
    town.station("cheap", price=40)

    assert names(search(finding, energy_wh=10_000, max_price_minor=400)) == ["cheap"]


def test_a_window_is_as_long_as_the_energy_takes_at_each_bay(town, finding):
    town.station("slow", bays=0)
    town.bay("slow", power_w=11_000, standard=TYPE_2)
    town.station("quick", bays=0)
    town.bay("quick", power_w=150_000)
    found = {one.station_id: one for one in search(finding, duration=None, energy_wh=22_000)}

    # 2 h; and 528 s made longer by the taper, of which the least a station takes is half an hour
    assert found["slow"].best.ends_at == NOON + 2 * HOUR
    assert found["quick"].best.ends_at == NOON + HOUR / 2


def test_what_cannot_give_the_energy_in_time_will_not_do(town, finding):
    town.station("slow", bays=0)
    town.bay("slow", power_w=11_000, standard=TYPE_2)

    assert search(finding, energy_wh=12_000, duration=HOUR) == []
    assert names(search(finding, energy_wh=11_000, duration=HOUR)) == ["slow"]
    # nothing takes longer than the station lets anybody stay
    assert search(finding, energy_wh=60_000, duration=None) == []


def test_the_car_may_be_what_is_slow(town, finding):
    town.station("quick", bays=0)
    town.bay("quick", power_w=150_000)

    [found] = search(finding, duration=None, energy_wh=20_000, car=Car(max_dc_w=25_000))
    # 0.8 h at 25 kW, a third of which again for the slow end
    assert found.charging_s == round(0.8 * 3600 * 1.3)


@pytest.mark.parametrize("status", ["UNKNOWN", "OUTOFORDER", "INOPERATIVE", "BLOCKED", "CHARGING"])
def test_a_bay_that_is_not_known_to_be_free_is_not_offered_now(town, finding, status):
    town.station("near")
    town.is_now("near-1", status)

    assert search(finding, is_exact=True) == []
    later = search(finding, starts_at=NOON + 25 * HOUR, is_exact=True)
    assert names(later) == ["near"]


def test_a_bay_of_a_station_that_fell_silent_is_not_offered_now(town, finding):
    town.station("near")
    town.rig.pass_by(81)

    assert search(finding, is_exact=True) == []
    assert town.rig.bay("near-1").status == "AVAILABLE"


def test_a_bay_kept_for_somebody_later_is_free_until_then(town, finding):
    town.station("near")
    town.is_now("near-1", "RESERVED")
    town.book("near-1", 1, 2)

    [found] = search(finding)
    assert found.is_exact
    [found] = search(finding, duration=1.25 * HOUR)
    assert found.best.starts_at == NOON + 2 * HOUR


def test_a_buffer_is_kept_free_after_each(town, finding):
    town.station("near")
    town.terms("near", Terms(buffer_s=900))
    town.book("near-1", 1, 2, buffer_s=900)

    [found] = search(finding, duration=0.75 * HOUR)
    assert found.is_exact
    [found] = search(finding, duration=HOUR)
    assert found.best.starts_at == NOON + 2.25 * HOUR


@pytest.mark.parametrize(
    "terms",
    [
        Terms(is_bookable=False),
        Terms(unbookable_bays=("near-1",)),
        Terms(hours=(OpenHours(weekday=2, opens_min=0, closes_min=1440),)),
        Terms(blackouts=(Blackout(starts_at=after(-1), ends_at=after(99_999)),)),
        Terms(min_s=2 * 3600),
        Terms(max_s=1800),
    ],
)
def test_what_the_terms_do_not_allow_is_not_offered(town, finding, terms):
    town.station("near")
    town.terms("near", terms)

    assert search(finding) == []


def test_opening_hours_are_those_of_the_stations_clock(town, finding):
    town.station("far-east", timezone="Asia/Tokyo")
    # noon in London is nine in the evening in Tokyo, a Sunday
    town.terms("far-east", Terms(hours=(OpenHours(weekday=6, opens_min=1350, closes_min=1500),)))

    [found] = search(finding)
    assert found.best.starts_at == NOON + 1.5 * HOUR


def test_only_within_the_radius_and_only_so_many(town, finding):
    for number in range(5):
        town.station(f"s{number}", away_m=1_000 * number)

    assert names(search(finding, radius_m=2_500, order=Order.NEAREST)) == ["s0", "s1", "s2"]
    assert names(search(finding, limit=2, order=Order.NEAREST)) == ["s0", "s1"]


def test_of_more_than_are_read_at_once_the_best_are_still_found(town, finding):
    for number in range(55):
        town.station(f"s{number:02}", away_m=100 * number, price=50)
    town.station("bargain", away_m=5_490, price=1)

    assert names(search(finding, limit=3))[0] == "bargain"
    nearest = names(search(finding, limit=52, order=Order.NEAREST))
    assert nearest == [f"s{number:02}" for number in range(52)]


def test_a_place_may_be_a_name(town, finding):
    town.station("harbour", away_m=3_000, city="Broughty Ferry")
    town.station("other", away_m=3_500)
    found = finding.search(Search(text="broughty", order=Order.NEAREST))

    assert names(found.stations)[:2] == ["harbour", "other"]
    assert found.stations[0].distance_m == 0
    assert finding.search(Search(text="nowhere")).stations == []


def test_a_start_between_granules_means_the_next(town, finding):
    town.station("near")

    [found] = search(finding, starts_at=after(60), duration=timedelta(minutes=50))
    assert (found.best.starts_at, found.best.ends_at) == (after(900), after(900 + 3_600))
    assert found.is_exact


@pytest.mark.parametrize(
    "more",
    [
        {"longitude": None},
        {"latitude": None, "longitude": None, "text": " "},
        {"starts_at": after(-900)},
        {"duration": timedelta(0)},
        {"duration": timedelta(hours=25)},
    ],
)
def test_half_a_question_is_refused(finding, more):
    with pytest.raises(NotValid):
        search(finding, **more)


# --- alternatives --------------------------------------------------------------------------------


def test_the_loser_of_a_race_gets_other_bays_and_other_times(town, finding):
    town.station("near", bays=2, price=50)
    town.station("next", away_m=800, price=49)
    town.book("near-1", 0, 1)
    options = instead(finding, wanted("near-1"))

    assert len(options) == 5
    assert (options[0].bay_id, options[0].starts_at) == ("near-2", NOON)
    bays = {one.bay_id for one in options}
    assert bays == {"near-1", "near-2", "next-1"}
    costs = [one.cost for one in options]
    assert costs == sorted(costs)
    next_door = next(one for one in options if one.bay_id == "next-1")
    assert (next_door.distance_m, next_door.station_name) == (800, "Next")
    assert next_door.price_minor == 49 * 20


def test_the_same_bay_and_window_are_never_an_alternative(town, finding):
    town.station("near", bays=2)
    reservation = wanted("near-1")

    for one in instead(finding, reservation, most=20):
        assert (one.bay_id, one.starts_at, one.ends_at) != ("near-1", NOON, NOON + HOUR)


def test_one_bay_alone_offers_its_next_three_times(town, finding):
    town.station("alone")
    town.book("alone-1", 0, 1)
    town.book("alone-1", 1.5, 3)
    options = instead(finding, wanted("alone-1"))

    assert len(options) >= 3
    assert options[0].starts_at == NOON + 3 * HOUR
    assert [one.expected_wait_s for one in options[:2]] == [3 * 3_600, 4 * 3_600]


def test_where_today_is_full_tomorrow_is_offered(town, finding):
    town.station("alone")
    town.terms("alone", Terms(max_s=100 * 3600))
    town.book("alone-1", 0, 60)
    options = instead(finding, wanted("alone-1"))

    assert len(options) >= 3
    assert min(one.starts_at for one in options) == NOON + 60 * HOUR


def test_where_nothing_is_near_it_is_looked_for_further_away(town, finding):
    town.station("alone")
    town.terms("alone", Terms(is_bookable=False))
    town.station("away", away_m=60_000, bays=3)

    assert {one.station_id for one in instead(finding, wanted("alone-1"))} == {"away"}


def test_where_there_is_nothing_there_are_no_alternatives(town, finding):
    town.station("alone")
    town.terms("alone", Terms(is_bookable=False))

    assert instead(finding, wanted("alone-1")) == []


def test_alternatives_have_the_plug_and_half_the_power_at_least(town, finding):
    town.station("near", bays=1)
    town.bay("near", standard=TYPE_2, power_w=50_000)
    town.bay("near", power_w=20_000)
    town.bay("near", power_w=150_000)
    town.book("near-1", 0, 24)

    assert {one.bay_id for one in instead(finding, wanted("near-1"), most=3)} == {
        "near-1",
        "near-4",
    }
    flexible = wanted("near-1", standard=TYPE_2, min_power_w=1_000)
    assert {one.bay_id for one in instead(finding, flexible)} == {"near-2"}


def test_who_moves_may_overlap_their_own_window(town, finding):
    town.station("alone")
    mine = town.book("alone-1", 2, 3)
    sooner = replace(mine, starts_at=NOON + 1.5 * HOUR, ends_at=NOON + 2.5 * HOUR)

    assert NOON + 2.5 * HOUR in {one.starts_at for one in instead(finding, sooner)}
    somebody = replace(sooner, id="other")
    assert NOON + 2.5 * HOUR not in {one.starts_at for one in instead(finding, somebody)}


def test_an_alternative_never_begins_before_it_was_wanted_or_in_the_past(town, finding):
    town.station("near", bays=2)
    town.rig.clock.pass_by(1.5 * HOUR)

    assert min(one.starts_at for one in instead(finding, wanted("near-1"))) >= NOON + 1.5 * HOUR


def test_a_stolen_bay_is_no_alternative_to_itself_now(town, finding):
    town.station("near", bays=2)
    town.is_now("near-1", "BLOCKED")
    options = instead(finding, wanted("near-1", 0.25, 1.25), most=20)

    soon = [one for one in options if one.starts_at < NOON + HOUR]
    assert {one.bay_id for one in soon} == {"near-2"}


# --- another bay that will do --------------------------------------------------------------------


def test_the_bay_most_like_the_lost_one_is_taken(town, finding):
    town.station("near", bays=0)
    lost = town.bay("near", power_w=50_000)
    town.bay("near", power_w=150_000)
    town.bay("near", power_w=60_000)
    town.bay("near", power_w=50_000, is_accessible=True)

    assert equal(finding, wanted(lost)) == "near-3"


def test_an_accessible_bay_is_replaced_by_an_accessible_one(town, finding):
    town.station("near", bays=0)
    lost = town.bay("near", is_accessible=True)
    town.bay("near")
    town.bay("near", is_accessible=True, power_w=150_000)

    assert equal(finding, wanted(lost)) == "near-3"


@pytest.mark.parametrize("status", ["UNKNOWN", "OUTOFORDER", "BLOCKED", "CHARGING"])
def test_no_bay_is_equal_that_is_not_known_to_be_free(town, finding, status):
    town.station("near", bays=2)
    town.is_now("near-2", status)

    assert equal(finding, wanted("near-1")) is None


def test_a_bay_that_is_taken_in_a_part_of_the_window_will_not_do(town, finding):
    town.station("near", bays=2)
    town.book("near-2", 0.75, 2)

    assert equal(finding, wanted("near-1")) is None
    assert equal(finding, wanted("near-1", end_h=0.75)) == "near-2"
    assert equal(finding, wanted("near-1", end_h=0.75, buffer_s=900)) is None


def test_another_plug_or_much_less_power_will_not_do(town, finding):
    town.station("near", bays=1)
    town.bay("near", standard=TYPE_2)
    town.bay("near", power_w=20_000)

    assert equal(finding, wanted("near-1")) is None


def test_a_window_that_runs_already_can_be_moved(town, finding):
    town.station("near", bays=2)
    town.pass_by(0.5 * HOUR)

    assert equal(finding, wanted("near-1"), Window(NOON, NOON + HOUR)) == "near-2"


def test_a_bay_that_is_there_no_more_can_still_be_replaced(town, finding):
    town.station("near", bays=1)

    assert equal(finding, wanted("near-9", standard=CCS)) == "near-1"


def test_alternatives_take_few_statements_however_many_stations(town, finding, rig):
    for number in range(30):
        town.station(f"s{number:02}", away_m=50 * number)
    statements = []

    def count(_connection, _cursor, statement, *_):
        statements.append(statement)

    event.listen(rig.engine, "before_cursor_execute", count)
    instead(finding, wanted("s00-1"))

    asked = [one for one in statements if one.lstrip().upper().startswith("SELECT")]
    assert len(asked) <= 5
    assert tables.bays.name in "".join(asked)
