"""CO2 that charging saved: what a combustion car emits on the same way, less what the electricity did."""

from dataclasses import dataclass
from math import gcd
from typing import Final

FORMULA: Final = (
    "saved_g = driven_wh / car_wh_per_km * combustion_g_per_km - driven_wh / 1000 * grid_g_per_kwh; "
    "driven_wh is the energy charged less what the car gave back"
)

_WH_PER_KWH: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """Grams saved by the watt-hour, as a fraction in lowest terms; minus where the grid is that dirty."""

    grams: int
    per_wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """What a saving is reckoned by. The defaults are averages of Europe, rounded to our disadvantage.

    `car_wh_per_km`: new battery cars take some 165 Wh/km by WLTP (EEA, monitoring of CO2 from cars),
    and about a fifth more on the road. `combustion_g_per_km`: the average petrol or diesel car on the
    road (UK government, conversion factors for company reporting 2024, "cars by size, average").
    `grid_g_per_kwh`: electricity made in the EU in 2023 (EEA, "greenhouse gas emission intensity of
    electricity generation").
    """

    car_wh_per_km: int = 200
    combustion_g_per_km: int = 167
    grid_g_per_kwh: int = 210

    @property
    def rate(self) -> Rate:
        """What one watt-hour saves."""
        per_wh = self.car_wh_per_km * _WH_PER_KWH
        grams = self.combustion_g_per_km * _WH_PER_KWH - self.grid_g_per_kwh * self.car_wh_per_km
        common = gcd(grams, per_wh)
        return Rate(grams=grams // common, per_wh=per_wh // common)


def driven_wh(energy_wh: int, export_wh: int = 0) -> int:
    """Return the energy a car drives with: none where it gave back all it took, or more."""
    return max(0, energy_wh - export_wh)


def saved_g(factors: Factors, wh: int) -> int:
    """Return the grams saved by driving with so much energy, halves up; a minus is emitted on top."""
    rate = factors.rate
    grams = (2 * wh * abs(rate.grams) + rate.per_wh) // (2 * rate.per_wh)
    return -grams if rate.grams < 0 else grams


def driven_m(factors: Factors, wh: int) -> int:
    """Return how far an electric car comes with so much energy, in whole metres."""
    return wh * 1000 // factors.car_wh_per_km


def combustion_g(factors: Factors, wh: int) -> int:
    """Return what a combustion car emits on that way."""
    return _ratio(wh * factors.combustion_g_per_km, factors.car_wh_per_km)


def grid_g(factors: Factors, wh: int) -> int:
    """Return what making so much energy emitted."""
    return _ratio(wh * factors.grid_g_per_kwh, _WH_PER_KWH)


def _ratio(part: int, whole: int) -> int:
    return (2 * part + whole) // (2 * whole)
