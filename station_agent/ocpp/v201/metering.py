"""MeterValueType of OCPP 2.0.1 (part 2, section 2.32): values are numbers, units carry an exponent."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from msgspec import field
from msgspec.structs import replace

from contracts.events import Event, SignedReadingReported
from station_agent.ocpp import meter
from station_agent.ocpp.fields import Payload, cut
from station_agent.ocpp.outcome import Context

BEGIN = "Transaction.Begin"
END = "Transaction.End"
_MAX_EXPONENT = 12
_MAX_PUBLIC_KEY = 2_500


class UnitOfMeasure(Payload, frozen=True, rename="camel"):
    """The unit, times ten to the multiplier."""

    unit: str = ""
    multiplier: int = 0


class SignedMeterValue(Payload, frozen=True, rename="camel"):
    """What a signing meter says of a value."""

    signed_meter_data: str = ""
    signing_method: str = ""
    encoding_method: str = ""
    public_key: str = ""


class SampledValue(Payload, frozen=True, rename="camel"):
    """One value; what is not said has a default in the standard."""

    value: float
    context: str = "Sample.Periodic"
    measurand: str = meter.DEFAULT_MEASURAND
    phase: str = ""
    location: str = "Outlet"
    unit_of_measure: UnitOfMeasure | None = None
    signed_meter_value: SignedMeterValue | None = None


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


def begin_register(values: Iterable[MeterValue]) -> int | None:
    """Return the energy register as it was at the beginning, where that is said (J02.FR.19)."""
    for value in values:
        energy_wh = _energy_wh([one for one in value.sampled_value if one.context == BEGIN])
        if energy_wh is not None:
            return energy_wh
    return None


def interval_sum(values: Iterable[MeterValue]) -> int:
    """Return what flowed in the intervals of these readings, in Wh; 0: they tell none."""
    found = (meter.read(_samples(one.sampled_value))[0].interval_wh for one in values)
    return sum(wh or 0 for wh in found)


def without_repeats(values: Iterable[MeterValue]) -> list[MeterValue]:
    """Return what an end says without the intervals its session has told before.

    An end repeats the session's samples in a rhythm of its own (SampledDataCtrlr.TxEndedInterval):
    its intervals are the same energy, cut otherwise.
    """
    return [
        replace(one, sampled_value=tuple(filter(_is_no_repeat, one.sampled_value)))
        for one in values
    ]


def facts_of(
    values: Iterable[MeterValue],
    evse_id: int,
    session_id: str | None,
    context: Context,
    *,
    is_offline: bool = False,
    lag: timedelta | None = None,
) -> list[Event]:
    """Return a MeterSampled for each instant that has a reading, and what is odd about them.

    `lag` is as Context.kept takes it: their times are by the clock of the message they came in.
    """
    facts: list[Event] = []
    charger = context.charger
    for value in values:
        told = context.kept(value.timestamp, lag)
        is_late = is_offline or told.is_late
        reading, oddities = meter.read(_samples(value.sampled_value))
        facts += [context.oddity(word) for word in oddities]
        place = _Place(evse_id, session_id, told.at, is_late)
        facts += [
            _signed(one, one.signed_meter_value, place, context)
            for one in value.sampled_value
            if one.signed_meter_value is not None
            and meter.is_signed_data(one.signed_meter_value.signed_meter_data)
        ]
        if reading == meter.NOTHING:
            continue
        if told.oddity and not is_offline:
            facts.append(context.oddity(told.oddity))
        facts.append(
            meter.sampled(
                charger.charger_id, evse_id, session_id, reading, told.at, is_offline=is_late
            )
        )
        if not is_late:
            facts += context.limit_broken(evse_id, reading.power_w)
    return facts


class _Place(NamedTuple):
    """Where and when values were taken."""

    evse_id: int
    session_id: str | None
    at: datetime
    is_late: bool


def _signed(
    value: SampledValue, signed: SignedMeterValue, place: _Place, context: Context
) -> Event:
    return SignedReadingReported(
        charger_id=context.charger.charger_id,
        evse_id=place.evse_id,
        session_id=place.session_id,
        context=cut(value.context),
        data=signed.signed_meter_data,
        method=cut(signed.signing_method),
        encoding=cut(signed.encoding_method),
        public_key=signed.public_key[:_MAX_PUBLIC_KEY],
        is_offline=place.is_late,
        observed_at=place.at,
    )


def _is_no_repeat(value: SampledValue) -> bool:
    return value.measurand != meter.INTERVAL or value.context == END


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
        measurand = meter.interval_of(one.measurand, one.context)
        samples.append((value, measurand, unit, one.phase, one.location))
    return samples
