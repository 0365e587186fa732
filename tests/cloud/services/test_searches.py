"""What is free for a need: the best first, and never what cannot be had."""

from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.domain.errors import NotValid
from cloud.domain.ranking import Car, Order
from cloud.domain.terms import Blackout, OpenHours, Terms
from cloud.services.billing import QuoteService
from cloud.services.searches import Search, SearchService
from cloud.services.shelf import TariffShelf
from cloud.services.tariffs import NewTariff, TariffService
from tests.cloud.builders import NOON, after
from tests.cloud.services.bills import OWNING
from tests.cloud.services.rig import DRIVER
from tests.cloud.services.town import CCS, CENTRE, TYPE_2, Town

HOUR = timedelta(hours=1)


@pytest.fixture
def town(rig):
    # the rig's own station has no news of its bays
    return Town(rig)


@pytest.fixture
def searches(rig):
    return SearchService(rig.open_work, rig.clock, rig.policy, QuoteService(TariffShelf()))


def search(searches, **more):
    known = {"latitude": CENTRE[0], "longitude": CENTRE[1], "duration": HOUR}
    return searches.search(Search(**(known | more))).stations


def names(found):
    return [one.station_id for one in found]


def test_a_station_is_found_with_its_best_bay_and_window(town, searches):
    town.station("near", away_m=1_000, price=60)
    [found] = search(searches, energy_wh=10_000)

    assert (found.name, found.distance_m, found.status) == ("Near", 1_000, "AVAILABLE")
    assert (found.best.bay_id, found.best.starts_at) == ("near-1", NOON)
    assert (found.best.price_minor, found.best.currency) == (600, "GBP")
    assert (found.energy_wh, found.is_exact, found.bays_free) == (10_000, True, 1)
    # 8 kWh at 50 kW and 2 kWh at 20 kW
    assert found.charging_s == 576 + 360


def test_nearest_is_by_distance_and_cost_weighs_the_price(town, searches):
    town.station("near", away_m=100, price=90)
    town.station("far", away_m=900, price=10)

    assert names(search(searches, order=Order.NEAREST)) == ["near", "far"]
    assert names(search(searches, order=Order.COST)) == ["far", "near"]


def test_a_subscription_decides_who_is_cheaper(town, searches, rig):
    tariffs = TariffService(rig.open_work, rig.clock, TariffShelf())
    flat = {"type": "FLAT", "price": "4.00"}
    body = {"tax_included": "YES", "elements": [{"price_components": [flat]}]}
    key = tariffs.add(OWNING, NewTariff(name="Flat", currency="GBP", body=body)).key
    town.station("by-the-kwh", price=50)
    tariffs.assign(OWNING, town.station("flat"), key)
    plan = {"id": "plan", "name": "Plus", "currency": "GBP", "monthly_minor": 500}
    rig.insert(tables.subscription_plans, plan | {"discounts": {"ENERGY": 50}, "created_at": NOON})
    mine = {"id": "sub", "active_user_id": DRIVER, "user_id": DRIVER, "plan_id": "plan"}
    runs = {"method": "card", "state": "active", "started_at": NOON, "paid_until": after(86_400)}
    rig.insert(tables.subscriptions, mine | runs)

    anybody, subscriber = (
        search(searches, energy_wh=10_000, user_id=one) for one in (None, DRIVER)
    )
    assert [(one.station_id, one.best.price_minor) for one in anybody] == [
        *(("flat", 400), ("by-the-kwh", 500)),
    ]
    assert [(one.station_id, one.best.price_minor) for one in subscriber] == [
        *(("by-the-kwh", 250), ("flat", 400)),
    ]


def test_what_is_free_at_once_comes_before_what_is_nearer_but_taken(town, searches):
    town.station("near", away_m=100)
    town.station("far", away_m=900)
    town.book("near-1", 0, 2)

    first, second = search(searches, order=Order.NEAREST)
    assert (first.station_id, first.is_exact) == ("far", True)
    assert (second.station_id, second.is_exact) == ("near", False)
    assert (second.best.starts_at, second.best.expected_wait_s) == (NOON + 2 * HOUR, 7_200)
    assert names(search(searches, is_exact=True)) == ["far"]


def test_equally_near_the_larger_station_comes_first(town, searches):
    town.station("small", away_m=500)
    town.station("large", away_m=500, bays=3)

    assert names(search(searches, order=Order.NEAREST)) == ["large", "small"]
    assert [one.bays_free for one in search(searches, order=Order.NEAREST)] == [3, 1]


def test_a_connector_a_power_or_room_that_is_asked_for_must_be_there(town, searches):
    town.station("slow", bays=0)
    town.bay("slow", power_w=11_000, standard=TYPE_2, is_accessible=True)
    town.station("quick", bays=0)
    town.bay("quick", power_w=150_000)

    assert names(search(searches, standard=TYPE_2)) == ["slow"]
    assert names(search(searches, standard=CCS)) == ["quick"]
    assert names(search(searches, min_power_w=50_000)) == ["quick"]
    assert names(search(searches, is_accessible=True)) == ["slow"]
    assert search(searches, standard="CHADEMO") == []


def test_nothing_dearer_than_the_driver_would_pay(town, searches):
    town.station("dear", price=80)
    town.station("cheap", price=40)

    assert names(search(searches, energy_wh=10_000, max_price_minor=400)) == ["cheap"]


def test_a_window_is_as_long_as_the_energy_takes_at_each_bay(town, searches):
    town.station("slow", bays=0)
    town.bay("slow", power_w=11_000, standard=TYPE_2)
    town.station("quick", bays=0)
    town.bay("quick", power_w=150_000)
    found = {one.station_id: one for one in search(searches, duration=None, energy_wh=22_000)}

    # 2 h; and 528 s made longer by the taper, of which the least a station takes is half an hour
    assert found["slow"].best.ends_at == NOON + 2 * HOUR
    assert found["quick"].best.ends_at == NOON + HOUR / 2


def test_what_cannot_give_the_energy_in_time_will_not_do(town, searches):
    town.station("slow", bays=0)
    town.bay("slow", power_w=11_000, standard=TYPE_2)

    assert search(searches, energy_wh=12_000, duration=HOUR) == []
    assert names(search(searches, energy_wh=11_000, duration=HOUR)) == ["slow"]
    # nothing takes longer than the station lets anybody stay
    assert search(searches, energy_wh=60_000, duration=None) == []


def test_the_car_may_be_what_is_slow(town, searches):
    town.station("quick", bays=0)
    town.bay("quick", power_w=150_000)

    [found] = search(searches, duration=None, energy_wh=20_000, car=Car(max_dc_w=25_000))
    # 0.8 h at 25 kW, a third of which again for the slow end
    assert found.charging_s == round(0.8 * 3600 * 1.3)


@pytest.mark.parametrize("status", ["UNKNOWN", "OUTOFORDER", "INOPERATIVE", "BLOCKED", "CHARGING"])
def test_a_bay_that_is_not_known_to_be_free_is_not_offered_now(town, searches, status):
    town.station("near")
    town.is_now("near-1", status)

    assert search(searches, is_exact=True) == []
    later = search(searches, starts_at=NOON + 25 * HOUR, is_exact=True)
    assert names(later) == ["near"]


def test_a_bay_of_a_station_that_fell_silent_is_not_offered_now(town, searches):
    town.station("near")
    town.rig.pass_by(81)

    assert search(searches, is_exact=True) == []
    assert town.rig.bay("near-1").status == "AVAILABLE"


def test_a_bay_kept_for_somebody_later_is_free_until_then(town, searches):
    town.station("near")
    town.is_now("near-1", "RESERVED")
    town.book("near-1", 1, 2)

    [found] = search(searches)
    assert found.is_exact
    [found] = search(searches, duration=1.25 * HOUR)
    assert found.best.starts_at == NOON + 2 * HOUR


def test_a_buffer_is_kept_free_after_each(town, searches):
    town.station("near")
    town.terms("near", Terms(buffer_s=900))
    town.book("near-1", 1, 2, buffer_s=900)

    [found] = search(searches, duration=0.75 * HOUR)
    assert found.is_exact
    [found] = search(searches, duration=HOUR)
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
def test_what_the_terms_do_not_allow_is_not_offered(town, searches, terms):
    town.station("near")
    town.terms("near", terms)

    assert search(searches) == []


def test_opening_hours_are_those_of_the_stations_clock(town, searches):
    town.station("far-east", timezone="Asia/Tokyo")
    # noon in London is nine in the evening in Tokyo, a Sunday
    town.terms("far-east", Terms(hours=(OpenHours(weekday=6, opens_min=1350, closes_min=1500),)))

    [found] = search(searches)
    assert found.best.starts_at == NOON + 1.5 * HOUR


def test_only_within_the_radius_and_only_so_many(town, searches):
    for number in range(5):
        town.station(f"s{number}", away_m=1_000 * number)

    assert names(search(searches, radius_m=2_500, order=Order.NEAREST)) == ["s0", "s1", "s2"]
    assert names(search(searches, limit=2, order=Order.NEAREST)) == ["s0", "s1"]


def test_of_more_than_are_read_at_once_the_best_are_still_found(town, searches):
    for number in range(55):
        town.station(f"s{number:02}", away_m=100 * number, price=50)
    town.station("bargain", away_m=5_490, price=1)

    assert names(search(searches, limit=3))[0] == "bargain"
    nearest = names(search(searches, limit=52, order=Order.NEAREST))
    assert nearest == [f"s{number:02}" for number in range(52)]


def test_a_place_may_be_a_name(town, searches):
    town.station("harbour", away_m=3_000, city="Broughty Ferry")
    town.station("other", away_m=3_500)
    found = searches.search(Search(text="broughty", order=Order.NEAREST))

    assert names(found.stations)[:2] == ["harbour", "other"]
    assert found.stations[0].distance_m == 0
    assert searches.search(Search(text="nowhere")).stations == []


def test_a_start_between_granules_means_the_next(town, searches):
    town.station("near")

    [found] = search(searches, starts_at=after(60), duration=timedelta(minutes=50))
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
def test_half_a_question_is_refused(searches, more):
    with pytest.raises(NotValid):
        search(searches, **more)
