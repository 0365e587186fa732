"""Batteries take energy as batteries do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.vehicles import (
    AC_EFFICIENCY,
    DC_EFFICIENCY,
    MODELS,
    Battery,
    Standard,
    a_car,
)
from tests.simulator.builders import a_model, a_world

models = st.sampled_from(MODELS)
socs = st.floats(0, 100)
offers = st.floats(0, 400_000)


offerings = st.tuples(offers, st.booleans(), st.floats(0, 100))


@given(models, socs, offerings, st.floats(0, 20_000))
def test_charging_never_breaks_physics(model, soc_pct, offering, duration_s):
    offered_w, is_dc, limit_pct = offering
    battery = Battery(model, model.capacity_wh * soc_pct / 100)
    before_wh = battery.stored_wh
    taken_wh = battery.charge(duration_s, offered_w=offered_w, is_dc=is_dc, limit_pct=limit_pct)
    efficiency = DC_EFFICIENCY if is_dc else AC_EFFICIENCY

    assert taken_wh >= 0
    assert battery.soc_pct <= 100
    assert taken_wh <= offered_w * duration_s / 3600 + 1e-6
    assert battery.stored_wh - before_wh == pytest.approx(taken_wh * efficiency, abs=1e-3)
    assert battery.soc_pct <= max(soc_pct, limit_pct) + 1e-6


@given(models, offers, st.booleans(), st.floats(0, 99), st.floats(0, 99))
def test_power_never_rises_with_the_state_of_charge(model, offered_w, is_dc, one, other):
    low, high = sorted((one, other))
    at_low = Battery(model, model.capacity_wh * low / 100)
    at_high = Battery(model, model.capacity_wh * high / 100)

    low_w = at_low.power_w(offered_w=offered_w, is_dc=is_dc)
    high_w = at_high.power_w(offered_w=offered_w, is_dc=is_dc)
    most_w = model.dc_max_w if is_dc else model.ac_max_w
    assert high_w <= low_w + 1e-6
    assert low_w <= min(offered_w, most_w) + 1e-6


def test_power_is_constant_below_the_knee_and_falls_above():
    model = a_model("Crossover 77")
    powers = [
        Battery(model, model.capacity_wh * soc / 100).power_w(offered_w=1e6, is_dc=True)
        for soc in (10, 45, 70, 95)
    ]

    assert powers[0] == powers[1] == model.dc_max_w
    assert powers[1] > powers[2] > powers[3] > 0


def test_a_full_battery_takes_nothing():
    model = a_model()

    assert Battery(model, model.capacity_wh).charge(3600, offered_w=50_000, is_dc=True) == 0


def test_a_car_is_drawn_that_the_plug_fits():
    world, _ = a_world()
    chance = world.random("cars")

    for standard in Standard:
        for number in range(50):
            car = a_car(chance, name=str(number), standard=standard, soc_pct=30)
            assert car.model.takes(standard)
