"""CO2 saved as it leaves the house, and as a receipt keeps it: the figure with all it was reckoned by."""

from dataclasses import dataclass

from cloud.domain.carbon import FORMULA, Factors, saved_g


@dataclass(frozen=True, slots=True, kw_only=True)
class Co2View:
    """What charging saved against a combustion car; negative: it emitted that much more."""

    saved_g: int
    driven_wh: int
    """Charged, less what the car gave back."""
    car_wh_per_km: int
    """What an electric car takes."""
    combustion_g_per_km: int
    """What a combustion car emits."""
    grid_g_per_kwh: int
    """What making electricity emits."""
    formula: str = FORMULA

    @property
    def factors(self) -> Factors:
        """What it was reckoned by."""
        return Factors(
            car_wh_per_km=self.car_wh_per_km,
            combustion_g_per_km=self.combustion_g_per_km,
            grid_g_per_kwh=self.grid_g_per_kwh,
        )


def co2_view(factors: Factors, driven_wh: int, total_g: int | None = None) -> Co2View:
    """Return the saving of so much energy; `total_g`: it was summed up session by session already."""
    return Co2View(
        saved_g=saved_g(factors, driven_wh) if total_g is None else total_g,
        driven_wh=driven_wh,
        car_wh_per_km=factors.car_wh_per_km,
        combustion_g_per_km=factors.combustion_g_per_km,
        grid_g_per_kwh=factors.grid_g_per_kwh,
    )
