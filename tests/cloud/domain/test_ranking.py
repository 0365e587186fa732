"""The best bay first: by one cost that only grows with each of its parts, or nearest first."""

from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.calendar import Calendar
from cloud.domain.ranking import (
    KEYS,
    Candidate,
    Order,
    Weights,
    charging_s,
    cost,
    least_cost,
    next_starts,
    usable_from,
    usual_energy_wh,
    varied,
)
from cloud.domain.reconcile import Status
from cloud.domain.windows import GRANULE, Window
from tests.cloud.builders import NOON, after

HOUR = timedelta(hours=1)
NONE = timedelta(0)


def a_candidate(**more) -> Candidate:
    known = {
        "station_id": "s-1",
        "bay_id": "b-1",
        "window": Window(NOON, NOON + HOUR),
        "distance_m": 0,
        "price_minor": 0,
        "currency": "GBP",
        "charging_s": 0,
        "wait_s": 0,
        "max_power_w": 50_000,
    }
    return Candidate(**(known | more))


candidates = st.builds(
    lambda bay, start, distance, price, charging, bays: a_candidate(
        station_id=f"s-{bay // 3}",
        bay_id=f"b-{bay}",
        window=Window(NOON + start * GRANULE, NOON + start * GRANULE + HOUR),
        wait_s=900 * start,
        distance_m=distance,
        price_minor=price,
        charging_s=charging,
        bays_free=bays,
    ),
    st.integers(0, 8),
    st.integers(0, 12),
    st.floats(0, 50_000),
    st.integers(0, 5_000),
    st.integers(0, 20_000),
    st.integers(1, 9),
)


def names(them):
    return sorted((one.bay_id, one.window) for one in them)


# --- the cost ------------------------------------------------------------------------------------


def test_the_cost_is_minutes_of_waiting_charging_driving_and_paying():
    one = a_candidate(wait_s=600, charging_s=1_200, distance_m=2_000, price_minor=1_250)

    assert cost(one) == pytest.approx(10 + 10 + 6 + 50)
    assert cost(a_candidate()) == 0


def test_money_counts_by_its_major_unit_whatever_decimals_it_has():
    pounds = a_candidate(price_minor=1_000, currency="GBP")
    yen = a_candidate(price_minor=10, currency="JPY")

    assert cost(pounds) == cost(yen) == 40


@given(candidates, st.sampled_from(["wait_s", "charging_s", "distance_m", "price_minor"]))
def test_more_of_any_part_never_costs_less(one, part):
    more = replace(one, **{part: getattr(one, part) + 1_000})

    assert cost(more) > cost(one)
    assert cost(one) >= least_cost(one.distance_m) >= 0


@given(candidates, st.sampled_from([field.name for field in fields(Weights)]))
def test_a_greater_weight_never_makes_anything_cheaper(one, name):
    heavier = replace(Weights(), **{name: getattr(Weights(), name) * 2})

    assert cost(one, heavier) >= cost(one)


@given(st.lists(candidates, max_size=12))
def test_by_cost_is_all_of_them_in_order(them):
    ranked = sorted(them, key=KEYS[Order.COST])
    costs = [cost(one) for one in ranked]

    assert costs == sorted(costs)
    assert names(ranked) == names(them)


@given(st.lists(candidates, max_size=12))
def test_nearest_is_free_first_then_near_then_large(them):
    ranked = sorted(them, key=KEYS[Order.NEAREST])
    keys = [(one.wait_s > 0, one.distance_m, -one.bays_free) for one in ranked]

    assert keys == sorted(keys)
    assert names(ranked) == names(them)


@given(st.lists(candidates, max_size=20, unique_by=lambda one: (one.bay_id, one.window)))
def test_what_is_varied_is_sorted_has_no_double_and_prefers_other_bays(them):
    chosen = varied(them, 5)
    costs = [cost(one) for one in chosen]

    assert len(chosen) == min(5, len(them))
    assert costs == sorted(costs)
    assert len(set(names(chosen))) == len(chosen)
    bays = len({one.bay_id for one in them})
    assert len({one.bay_id for one in chosen}) == min(5, bays)
    if them:
        assert min(cost(one) for one in them) == costs[0]


# --- how long a charge takes ---------------------------------------------------------------------


def test_the_weaker_of_bay_and_car_decides():
    assert charging_s(11_000, 22_000, 11_000, is_dc=False) == 3_600
    assert charging_s(11_000, 11_000, 22_000, is_dc=False) == 3_600
    assert charging_s(11_000, 22_000, 0, is_dc=False) == 1_800
    assert charging_s(11_000, 0, 11_000, is_dc=False) == 3_600


def test_at_direct_current_the_last_fifth_takes_its_time():
    # 40 kWh at full power, 10 kWh at two fifths of it
    assert charging_s(50_000, 50_000, 0, is_dc=True) == 2_880 + 1_800


def test_where_nobody_says_the_power_it_is_a_household_one():
    assert charging_s(7_400, 0, 0, is_dc=False) == 3_600


@given(st.integers(0, 100_000), st.integers(1, 300_000), st.integers(1, 300_000), st.booleans())
def test_more_energy_takes_longer_and_more_power_never_does(energy, bay, car, is_dc):
    takes = charging_s(energy, bay, car, is_dc=is_dc)

    assert charging_s(energy + 5_000, bay, car, is_dc=is_dc) >= takes
    assert charging_s(energy, bay + 1_000, car, is_dc=is_dc) <= takes
    assert charging_s(energy, bay, car + 1_000, is_dc=is_dc) <= takes


def test_who_says_nothing_needs_what_is_usual_or_what_the_time_allows():
    assert usual_energy_wh(50_000, HOUR) == 20_000
    assert usual_energy_wh(11_000, HOUR) == 11_000


# --- whether a bay can be counted on -------------------------------------------------------------


@pytest.mark.parametrize("status", [*Status, "A_WORD_OF_THE_FUTURE"])
def test_only_a_bay_that_is_free_or_kept_can_be_had_now(status):
    now = after(60)
    is_now = usable_from(status, None, now) <= now

    assert is_now is (status in {Status.AVAILABLE, Status.RESERVED})


@pytest.mark.parametrize("status", [Status.OUTOFORDER, Status.INOPERATIVE])
def test_a_broken_bay_is_promised_to_nobody_for_a_day(status):
    assert usable_from(status, None, NOON) == NOON + timedelta(days=1)


def test_a_bay_where_a_car_charges_is_counted_on_from_when_it_is_expected_to_end():
    assert usable_from(Status.CHARGING, after(1_200), NOON) == after(1_200)
    assert usable_from(Status.CHARGING, after(-600), after(60)) == after(900)
    assert usable_from(Status.CHARGING, None, NOON) == NOON + HOUR


# --- which starts --------------------------------------------------------------------------------


def test_starts_are_apart_as_long_as_there_are_such():
    starts = next_starts(Calendar(), HOUR, NONE, Window(NOON, NOON + 6 * HOUR), 3)

    assert starts == [NOON, NOON + HOUR, NOON + 2 * HOUR]


def test_where_there_are_not_enough_others_follow():
    starts = next_starts(Calendar(), HOUR, NONE, Window(NOON, NOON + 2 * GRANULE), 3)

    assert starts == [NOON, NOON + GRANULE, NOON + 2 * GRANULE]


def test_where_there_are_none_there_are_none():
    full = Calendar(taken=(Window(NOON, NOON + 9 * HOUR),))

    assert next_starts(full, HOUR, NONE, Window(NOON, NOON + 2 * HOUR), 3) == []
