"""The CO2 factors of the settings are those that receipts and totals are reckoned by."""

from cloud.domain.carbon import Factors
from cloud.settings import Settings
from cloud.wiring import House
from cloud.wiring.api import services_of


def test_set_factors_reach_receipts_and_lists(tmp_path):
    set_to = {
        "co2_car_wh_per_km": 150,
        "co2_combustion_g_per_km": 120,
        "co2_grid_g_per_kwh": 30,
    }
    house = House(Settings(data_dir=tmp_path, **set_to))
    expected = Factors(car_wh_per_km=150, combustion_g_per_km=120, grid_g_per_kwh=30)

    assert house.billing.factors == expected
    assert services_of(house, lambda: None).sessions.factors == expected


def test_settings_at_rest_are_the_factors_of_the_domain(tmp_path):
    assert House(Settings(data_dir=tmp_path)).factors == Factors()
