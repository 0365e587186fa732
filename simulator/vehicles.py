"""Cars: batteries with a charging curve, and a fleet of plausible models.

Power is constant up to a state of charge that depends on the car, then falls linearly towards a
floor at 100 %, as cars do to spare their cells. Figures are rounded from makers' public data.
"""

from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

_STEP_S: Final = 10.0


class Standard(StrEnum):
    """A plug, by its name in OCPI 2.3.0 (ConnectorType)."""

    TYPE_2 = "IEC_62196_T2"
    CCS = "IEC_62196_T2_COMBO"
    CHADEMO = "CHADEMO"

    @property
    def is_dc(self) -> bool:
        """Whether it carries direct current."""
        return self is not Standard.TYPE_2


@dataclass(frozen=True, slots=True)
class Model:
    """A kind of car."""

    name: str
    capacity_wh: int
    ac_max_w: int
    dc_max_w: int
    """0: charges by AC alone."""
    dc_standard: Standard = Standard.CCS
    ac_phases: int = 3
    taper_from_pct: float = 60
    """State of charge above which DC power falls; AC power falls only near the end."""
    end_ratio: float = 0.08
    """Power at 100 %, as a share of the most."""
    weight: int = 1
    """How common it is."""

    def takes(self, standard: Standard) -> bool:
        """Whether the plug fits."""
        if standard is Standard.TYPE_2:
            return self.ac_max_w > 0
        return self.dc_max_w > 0 and standard is self.dc_standard


MODELS: Final = (
    Model("Compact 40", 39_000, 6_600, 46_000, Standard.CHADEMO, 1, 55, weight=4),
    Model("Compact 62", 56_000, 6_600, 70_000, Standard.CHADEMO, 1, 50, weight=2),
    Model("City 41", 41_000, 22_000, 46_000, Standard.CCS, 3, 60, weight=3),
    Model("Hatch 58", 58_000, 11_000, 120_000, Standard.CCS, 3, 45, weight=4),
    Model("Hatch 50", 46_000, 7_400, 100_000, Standard.CCS, 1, 50, weight=3),
    Model("Saloon 57", 57_500, 11_000, 170_000, Standard.CCS, 3, 25, weight=3),
    Model("Crossover 77", 77_000, 11_000, 135_000, Standard.CCS, 3, 45, weight=4),
    Model("Express 74", 74_000, 11_000, 220_000, Standard.CCS, 3, 55, weight=2),
    Model("Estate 93", 83_700, 22_000, 270_000, Standard.CCS, 3, 50, weight=1),
    Model("Plug-in 12", 12_000, 3_700, 0, Standard.CCS, 1, weight=2),
    Model("Delivery van 75", 75_000, 11_000, 115_000, Standard.CCS, 3, 50, weight=1),
)

AC_EFFICIENCY: Final = 0.90
"""Of the wall's energy, what reaches the cells through the car's own charger."""
DC_EFFICIENCY: Final = 0.95
_AC_TAPER_FROM_PCT: Final = 94.0


@dataclass(slots=True)
class Battery:
    """What is in a car; energy here is at the cells, energy taken is at the plug."""

    model: Model
    stored_wh: float

    @property
    def soc_pct(self) -> float:
        """State of charge, 0 to 100."""
        return min(100.0, 100.0 * self.stored_wh / self.model.capacity_wh)

    def power_w(self, *, offered_w: float, is_dc: bool, limit_pct: float = 100.0) -> float:
        """Return what the car draws at the plug now, at most `offered_w`; 0 from `limit_pct` on."""
        soc_pct = self.soc_pct
        if soc_pct >= limit_pct - 1e-9 or offered_w <= 0:
            return 0.0
        most_w = self.model.dc_max_w if is_dc else self.model.ac_max_w
        knee_pct = self.model.taper_from_pct if is_dc else _AC_TAPER_FROM_PCT
        over = max(0.0, (soc_pct - knee_pct) / (100.0 - knee_pct))
        return min(offered_w, most_w * (1.0 - over * (1.0 - self.model.end_ratio)))

    def charge(
        self, duration_s: float, *, offered_w: float, is_dc: bool, limit_pct: float = 100.0
    ) -> float:
        """Charge for a while; return the energy taken at the plug, in Wh."""
        efficiency = DC_EFFICIENCY if is_dc else AC_EFFICIENCY
        ceiling_wh = self.model.capacity_wh * limit_pct / 100.0
        taken_wh = 0.0
        while duration_s > 0:
            step_s = min(_STEP_S, duration_s)
            duration_s -= step_s
            power_w = self.power_w(offered_w=offered_w, is_dc=is_dc, limit_pct=limit_pct)
            if power_w == 0:
                break
            room_wh = max(0.0, ceiling_wh - self.stored_wh) / efficiency
            step_wh = min(power_w * step_s / 3600.0, room_wh)
            self.stored_wh = min(ceiling_wh, self.stored_wh + step_wh * efficiency)
            taken_wh += step_wh
        return taken_wh


@dataclass(slots=True)
class Car:
    """One car on the road, with what its driver set as charging limit."""

    name: str
    battery: Battery
    limit_pct: float = 100.0
    """The car stops taking energy there."""

    @property
    def model(self) -> Model:
        """Return what kind of car it is."""
        return self.battery.model


def a_car(
    chance: Random, *, name: str, standard: Standard, soc_pct: float, limit_pct: float = 100.0
) -> Car:
    """Draw a car that the plug fits, at a state of charge."""
    fitting = [model for model in MODELS if model.takes(standard)]
    model = chance.choices(fitting, weights=[one.weight for one in fitting])[0]
    return Car(name, Battery(model, model.capacity_wh * soc_pct / 100.0), limit_pct)
