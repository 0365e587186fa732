"""Cost to the minor unit, and when a car will be full."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.estimates import expected_end_at
from cloud.domain.tariffs import cost_minor
from tests.cloud.builders import NOON, after


@given(st.integers(0, 10**7), st.integers(0, 10**5))
def test_cost_is_rounded_half_up_as_by_hand(energy_wh, price):
    by_hand = (Decimal(energy_wh) * price / 1000).quantize(Decimal(1), ROUND_HALF_UP)

    assert cost_minor(energy_wh, price) == by_hand


def estimate(**more):
    known = {"now": NOON, "soc_start_pct": 20, "soc_pct": 50, "charged_wh": 18_000, "power_w": 6e4}
    return expected_end_at(**(known | more))


def test_a_battery_below_the_taper_takes_its_energy_at_full_power_and_then_less():
    # 600 Wh a percent: 18 kWh at 60 kW, and 12 kWh at 24 kW
    assert estimate() == after(18 * 60 + 30 * 60)


def test_a_full_battery_is_full_now():
    assert estimate(soc_pct=100) == NOON


@pytest.mark.parametrize(
    "unknown",
    [
        {"soc_pct": None},
        {"soc_start_pct": None},
        {"power_w": None},
        {"power_w": 0.0},
        {"soc_pct": 21},
        {"charged_wh": 0},
        {"power_w": 301.0, "charged_wh": 10**6},
    ],
)
def test_what_cannot_be_known_is_not_said(unknown):
    assert estimate(**unknown) is None


def test_the_nearer_to_full_the_sooner():
    ends = [estimate(soc_pct=soc, charged_wh=600 * (soc - 20)) for soc in range(25, 101, 5)]

    assert ends == sorted(ends, reverse=True)
