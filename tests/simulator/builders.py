"""Things of the simulated world, with every part defaulted."""

from datetime import UTC, datetime
from typing import Any

from simulator.chargers.charger import Charger
from simulator.chargers.evse import EvseSpec, Outlet
from simulator.chargers.spec import Behaviour, ChargerSpec
from simulator.chargers.versions import build
from simulator.clock import VirtualClock
from simulator.journal import MemoryJournal
from simulator.vehicles import MODELS, Battery, Car, Model, Standard
from simulator.world import World

MONDAY = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
SCHEMAS = {"1.6": "v16", "2.0.1": "v201", "2.1": "v21"}


def a_world(seed: int = 1) -> tuple[World, MemoryJournal]:
    journal = MemoryJournal()
    return World(VirtualClock(MONDAY), seed, journal), journal


def an_evse_spec(
    evse_id: int = 1, power_w: int = 50_000, standard: Standard = Standard.CCS
) -> EvseSpec:
    return EvseSpec(evse_id, (Outlet(1, standard, power_w),))


def a_charger(world: World, version: str = "1.6", evses: int = 1, **more: Any) -> Charger:
    spec = ChargerSpec(
        more.pop("charger_id", "SIM-1"),
        version,
        tuple(an_evse_spec(number, more.pop("power_w", 50_000)) for number in range(1, evses + 1)),
    )
    behaviour = more.pop("behaviour", None) or Behaviour(sample_s=more.pop("sample_s", 30))
    return build(world, spec, behaviour=behaviour, **more)


def a_model(name: str = "Crossover 77") -> Model:
    return next(model for model in MODELS if model.name == name)


def a_car(soc_pct: float = 40, limit_pct: float = 100, model: Model | None = None) -> Car:
    kind = model or a_model()
    return Car("car", Battery(kind, kind.capacity_wh * soc_pct / 100), limit_pct)
