"""CO2 saved: as somebody with a pencil would reckon it, and never a figure for what was not driven."""

from fractions import Fraction
from itertools import product
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloud.domain.carbon import (
    Factors,
    combustion_g,
    driven_m,
    driven_wh,
    grid_g,
    saved_g,
)

PLAIN = Factors(car_wh_per_km=200, combustion_g_per_km=167, grid_g_per_kwh=210)
DIRTY = Factors(car_wh_per_km=200, combustion_g_per_km=167, grid_g_per_kwh=1_000)

FACTORS = st.builds(
    Factors,
    car_wh_per_km=st.integers(1, 10_000),
    combustion_g_per_km=st.integers(0, 10_000),
    grid_g_per_kwh=st.integers(0, 10_000),
)


def test_twenty_kilowatt_hours_are_a_hundred_kilometres():
    assert driven_m(PLAIN, 20_000) == 100_000
    assert combustion_g(PLAIN, 20_000) == 16_700
    assert grid_g(PLAIN, 20_000) == 4_200
    assert saved_g(PLAIN, 20_000) == 12_500


@pytest.mark.parametrize(
    ("energy_wh", "export_wh", "driven"),
    [(0, 0, 0), (20_000, 0, 20_000), (20_000, 5_000, 15_000), (5_000, 5_000, 0), (0, 9_000, 0)],
)
def test_what_a_car_gave_back_it_does_not_drive_with(energy_wh, export_wh, driven):
    assert driven_wh(energy_wh, export_wh) == driven


def test_nothing_driven_saves_nothing_whatever_the_factors():
    zero = Factors(car_wh_per_km=1, combustion_g_per_km=0, grid_g_per_kwh=0)

    assert [saved_g(one, 0) for one in (PLAIN, DIRTY, zero)] == [0, 0, 0]
    assert saved_g(zero, 20_000) == 0


def test_where_the_grid_is_dirtier_than_fuel_more_is_emitted_and_said():
    assert saved_g(DIRTY, 20_000) == 16_700 - 20_000


@pytest.mark.parametrize(("wh", "grams"), [(1, 1), (4, 3), (12, 8), (800, 500)])
def test_halves_of_a_gram_go_up(wh, grams):
    # five eighths of a gram by the watt-hour
    assert (PLAIN.rate.grams, PLAIN.rate.per_wh) == (5, 8)
    assert saved_g(PLAIN, wh) == grams


@settings(max_examples=50)
@given(FACTORS, st.integers(0, 10**9))
def test_it_is_the_exact_figure_rounded_once(factors, wh):
    driven_km = Fraction(wh, factors.car_wh_per_km)
    exact = driven_km * factors.combustion_g_per_km - Fraction(wh, 1000) * factors.grid_g_per_kwh
    saved = saved_g(factors, wh)

    assert abs(saved - exact) <= Fraction(1, 2)
    assert abs(saved) == floor(abs(exact) + Fraction(1, 2))


@pytest.mark.parametrize(("factors", "wh"), list(product([PLAIN, DIRTY], [1, 999, 40_123])))
def test_the_steps_shown_lead_to_the_figure_shown(factors, wh):
    steps = combustion_g(factors, wh) - grid_g(factors, wh)

    assert abs(steps - saved_g(factors, wh)) <= 1
