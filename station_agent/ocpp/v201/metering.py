"""MeterValueType of OCPP 2.0.1 (part 2, section 2.32): values are numbers, units carry an exponent."""

from collections.abc import Iterable, Sequence

from msgspec import field

from contracts.events import Event
from station_agent.ocpp import meter
from station_agent.ocpp.fields import Payload
from station_agent.ocpp.instants import read_kept
from station_agent.ocpp.outcome import Context

BEGIN = "Transaction.Begin"
END = "Transaction.End"
_MAX_EXPONENT = 12


class UnitOfMeasure(Payload, frozen=True, rename="camel"):
    """The unit, times ten to the multiplier."""

    unit: str = ""
    multiplier: int = 0


class SampledValue(Payload, frozen=True, rename="camel"):
    """One value; what is not said has a default in the standard."""

    value: float
    context: str = "Sample.Periodic"
    measurand: str = meter.DEFAULT_MEASURAND
    phase: str = ""
    location: str = "Outlet"
    unit_of_measure: UnitOfMeasure | None = None


class MeterValue(Payload, frozen=True, rename="camel"):
    """Values of one instant."""

    timestamp: str | None = None
    sampled_value: Sequence[SampledValue] = field(default_factory=tuple)


def register_at(values: Iterable[MeterValue], context: str) -> int | None:
    """Return the energy register marked with this context, else the last one there is (E09)."""
    found: int | None = None
    for value in values:
        marked = [one for one in value.sampled_value if one.context == context]
        energy_wh = _energy_wh(marked)
        if energy_wh is not None:
            return energy_wh
        energy_wh = _energy_wh(value.sampled_value)
        found = energy_wh if energy_wh is not None else found
    return found


def facts_of(
    values: Iterable[MeterValue],
    evse_id: int,
    session_id: str | None,
    context: Context,
    *,
    is_offline: bool = False,
) -> list[Event]:
    """Return a MeterSampled for each instant that has a reading, and what is odd about them."""
    facts: list[Event] = []
    charger = context.charger
    for value in values:
        told = read_kept(value.timestamp, context.now, charger.connected_at)
        is_late = is_offline or told.is_late
        reading, oddities = meter.read(_samples(value.sampled_value))
        facts += [context.oddity(word) for word in oddities]
        if reading == meter.NOTHING:
            continue
        if told.oddity and not is_offline:
            facts.append(context.oddity(told.oddity))
        facts.append(
            meter.sampled(
                charger.charger_id, evse_id, session_id, reading, told.at, is_offline=is_late
            )
        )
    return facts


def _energy_wh(values: Iterable[SampledValue]) -> int | None:
    return meter.read(_samples(values))[0].energy_wh


def _samples(values: Iterable[SampledValue]) -> list[meter.Sample]:
    samples = []
    for one in values:
        value, unit = one.value, ""
        measure = one.unit_of_measure
        if measure is not None:
            unit = measure.unit
            if measure.multiplier and abs(measure.multiplier) <= _MAX_EXPONENT:
                value *= 10.0**measure.multiplier
        samples.append((value, one.measurand, unit, one.phase, one.location))
    return samples
