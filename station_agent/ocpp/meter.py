"""Meter readings of any version, brought to one unit and one figure a quantity (QUIRKS 33-36)."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from contracts.events import MAX_MEASURAND, MAX_OTHERS, MeterSampled
from contracts.ids import ChargerId, SessionId

DEFAULT_MEASURAND: Final = "Energy.Active.Import.Register"
INTERVAL: Final = "Energy.Active.Import.Interval"
SESSION_INTERVAL: Final = f"{INTERVAL} of a session"
"""What `interval_of` calls one that may be added to others of its session."""
MAX_ENERGY_WH: Final = 10**12
"""No register of one charger gets there; what says so is broken."""
_MAX_SIGNED: Final = 10_000
_MAX_FIGURE: Final = 1e8
_MAX_POWER_W: Final = 1_000_000
"""No connector gives more: energy beyond it is flagged."""
_FULL_PCT: Final = 100


Sample = tuple[float, str, str, str, str]
"""Value, measurand, unit, phase, location, as its version's handler read them; a text is empty where
nothing was said. A plain tuple: there are several in every message."""


class Reading(msgspec.Struct):
    """All of one instant; None is what was not reported, which is not zero."""

    energy_wh: int | None = None
    interval_wh: int | None = None
    export_wh: int | None = None
    power_w: float | None = None
    export_power_w: float | None = None
    soc_pct: float | None = None
    current_a: float | None = None
    voltage_v: float | None = None
    temperature_c: float | None = None
    others: dict[str, float] = msgspec.field(default_factory=dict)


NOTHING: Final = Reading()
"""What no fact is made of."""

# Which field a measurand fills, and what one of its units is worth there.
_QUANTITY: Final[Mapping[str, str]] = {
    DEFAULT_MEASURAND: "energy_wh",
    SESSION_INTERVAL: "interval_wh",
    "Energy.Active.Export.Register": "export_wh",
    "Power.Active.Import": "power_w",
    "Power.Active.Export": "export_power_w",
    "SoC": "soc_pct",
    "Current.Import": "current_a",
    "Voltage": "voltage_v",
    "Temperature": "temperature_c",
}
_SCALE: Final[Mapping[str, float]] = {
    "kWh": 1000,
    "MWh": 1e6,
    "kW": 1000,
    "kV": 1000,
    "mA": 0.001,
    "kvar": 1000,
    "kvarh": 1000,
    "kVA": 1000,
    "kVAh": 1000,
}

_SCALED: Final = frozenset({*_SCALE, "K", "Fahrenheit"})

# A value between a phase and neutral is that phase's; N itself carries no more than they do.
_PHASE: Final[Mapping[str, str]] = {
    "": "",
    "L1": "L1",
    "L2": "L2",
    "L3": "L3",
    "L1-N": "L1",
    "L2-N": "L2",
    "L3-N": "L3",
    "L1-L2": "L1-L2",
    "L2-L3": "L2-L3",
    "L3-L1": "L3-L1",
}
_PHASES: Final = ("L1", "L2", "L3")
# The outlet is what the car gets; another place is believed only where the outlet says nothing.
_RANK: Final[Mapping[str, int]] = {"": 0, "Outlet": 0, "Cable": 1, "EV": 2, "Inlet": 3, "Body": 4}
_OUTLET: Final = frozenset({"", "Outlet"})
_ANYWHERE: Final = frozenset({"soc_pct", "temperature_c"})
_SUMMED: Final = frozenset(
    {"energy_wh", "interval_wh", "export_wh", "power_w", "export_power_w", "current_a"}
)
_REGISTERS: Final = frozenset({"energy_wh", "interval_wh", "export_wh"})
# A word that may stand as a name wherever samples are kept.
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
# The session's own rhythm, and what was left at its end. What is aligned to the clock overlaps these
# and began before the session did; one taken on demand is of nobody knows which interval.
_OWN_RHYTHM: Final = frozenset({"Sample.Periodic", "Transaction.End"})
_BOUNDS: Final[Mapping[str, tuple[float, float]]] = {
    "energy_wh": (0, MAX_ENERGY_WH),
    "interval_wh": (0, MAX_ENERGY_WH),
    "export_wh": (0, MAX_ENERGY_WH),
    "power_w": (-_MAX_FIGURE, _MAX_FIGURE),
    "export_power_w": (-_MAX_FIGURE, _MAX_FIGURE),
    "soc_pct": (0, _FULL_PCT),
    "current_a": (-_MAX_FIGURE, _MAX_FIGURE),
    "voltage_v": (-_MAX_FIGURE, _MAX_FIGURE),
    "temperature_c": (-_MAX_FIGURE, _MAX_FIGURE),
}


def read(samples: Iterable[Sample]) -> tuple[Reading, Sequence[str]]:
    """Return one figure a quantity, and the oddities met; of several samples of one phase the last counts."""
    figures: dict[str, float] = {}
    partial: list[tuple[str, str, str, float]] = []
    others: dict[str, tuple[int, float]] = {}
    for value, measurand, unit, phase, location in samples:
        quantity = _QUANTITY.get(measurand)
        figure = _scaled(value, unit) if unit in _SCALED else value
        if quantity is None:
            _set_aside(others, f"{measurand}.{phase}" if phase else measurand, location, figure)
        elif not phase and (location in _OUTLET or quantity in _ANYWHERE):
            figures[quantity] = figure
        else:
            partial.append((quantity, phase, location, figure))
    if partial:
        _add_up(figures, partial)
    return _reading(figures, {word: figure for word, (_, figure) in others.items()})


def interval_of(measurand: str, context: str) -> str:
    """Return what to call a value of `INTERVAL`, by when it was taken; others keep their names."""
    is_own = measurand == INTERVAL and context in _OWN_RHYTHM
    return SESSION_INTERVAL if is_own else measurand


def sampled(
    charger_id: ChargerId,
    evse_id: int,
    session_id: SessionId | None,
    reading: Reading,
    at: datetime,
    *,
    is_offline: bool,
) -> MeterSampled:
    """Return the fact of a reading."""
    return MeterSampled(
        charger_id=charger_id,
        evse_id=evse_id,
        session_id=session_id,
        energy_wh=reading.energy_wh,
        interval_wh=reading.interval_wh,
        export_wh=reading.export_wh,
        power_w=reading.power_w,
        export_power_w=reading.export_power_w,
        soc_pct=reading.soc_pct,
        current_a=reading.current_a,
        voltage_v=reading.voltage_v,
        temperature_c=reading.temperature_c,
        others=reading.others,
        is_offline=is_offline,
        observed_at=at,
    )


def is_signed_data(data: str) -> bool:
    """Whether a meter's signed word can be kept: cut short it would be worth nothing."""
    return 0 < len(data) <= _MAX_SIGNED


def register(value: float | None) -> int | None:
    """Return a register a charger named, if it can be one."""
    return round(value) if value is not None and 0 <= value <= MAX_ENERGY_WH else None


def is_possible(energy_wh: int, started_at: datetime, ended_at: datetime) -> bool:
    """Whether a session can have taken this much; an hour is allowed for clocks and rounding."""
    duration_h = max((ended_at - started_at).total_seconds(), 0) / 3600
    return energy_wh <= _MAX_POWER_W * (duration_h + 1)


def _add_up(figures: dict[str, float], partial: list[tuple[str, str, str, float]]) -> None:
    """Add the quantities of which only phases, or other places than the outlet, were told."""
    found: dict[str, tuple[int, dict[str, float]]] = {}
    for quantity, phase, location, figure in partial:
        phase_read = _PHASE.get(phase)
        if quantity in figures or phase_read is None:
            continue
        rank = _RANK.get(location, 0)
        best = found.get(quantity)
        if best is None or rank < best[0]:
            best = found[quantity] = (rank, {})
        if rank == best[0]:
            best[1][phase_read] = figure
    for quantity, (_, by_phase) in found.items():
        total = _over_phases(quantity, by_phase)
        if total is not None:
            figures[quantity] = total


def _set_aside(
    others: dict[str, tuple[int, float]], word: str, location: str, figure: float
) -> None:
    """Keep a value that has no field of its own, if there is room and its name is one."""
    rank = _RANK.get(location, 0)
    held = others.get(word)
    if held is not None:
        if rank <= held[0]:
            others[word] = (rank, figure)
    elif len(others) < MAX_OTHERS and len(word) <= MAX_MEASURAND and _WORD.fullmatch(word):
        others[word] = (rank, figure)


def _reading(figures: dict[str, float], others: dict[str, float]) -> tuple[Reading, Sequence[str]]:
    reading, oddities = Reading(), []
    if "energy_wh" in figures and "interval_wh" in figures:
        # The register says it all, and adding is for who has none.
        others[INTERVAL] = figures.pop("interval_wh")
    for quantity, figure in figures.items():
        low, high = _BOUNDS[quantity]
        if not low <= figure <= high:
            oddities.append("meter_absurd")
        elif quantity in _REGISTERS:
            setattr(reading, quantity, round(figure))
        else:
            setattr(reading, quantity, round(figure, 3))
    for word, figure in others.items():
        if abs(figure) <= MAX_ENERGY_WH:
            reading.others[word] = round(figure, 3)
        else:
            oddities.append("meter_absurd")
    return reading, oddities


def _over_phases(quantity: str, by_phase: dict[str, float]) -> float | None:
    if "" in by_phase:
        return by_phase[""]
    phases = [by_phase[phase] for phase in _PHASES if phase in by_phase]
    if quantity in _SUMMED:
        return sum(phases) if phases else None
    values = phases or list(by_phase.values())
    return sum(values) / len(values)


def _scaled(value: float, unit: str) -> float:
    if unit in _SCALE:
        return value * _SCALE[unit]
    if unit == "K":
        return value - 273.15
    if unit == "Fahrenheit":
        return (value - 32) * 5 / 9
    return value
