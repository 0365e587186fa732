"""MeterValue of OCPP 1.6 (section 7.33 and 7.43): values are texts, and each may name its unit."""

from collections.abc import Iterable, Sequence
from math import isfinite, nan

from msgspec import field

from contracts.events import Event, SignedReadingReported
from station_agent.ocpp import meter
from station_agent.ocpp.fields import Payload, cut
from station_agent.ocpp.outcome import Context
from station_agent.ports import SessionRecord

SIGNED = "SignedData"
"""The format of a value that is a meter's signed word (section 7.44)."""


class SampledValue(Payload, frozen=True, rename="camel"):
    """One value; what is not said has a default in the standard."""

    value: str = ""
    context: str = "Sample.Periodic"
    format: str = "Raw"
    measurand: str = meter.DEFAULT_MEASURAND
    phase: str = ""
    location: str = "Outlet"
    unit: str = ""


class MeterValue(Payload, frozen=True, rename="camel"):
    """Values of one instant."""

    timestamp: str | None = None
    sampled_value: Sequence[SampledValue] = field(default_factory=tuple)


def facts_of(
    values: Iterable[MeterValue],
    evse_id: int,
    session: SessionRecord | None,
    context: Context,
) -> list[Event]:
    """Return a MeterSampled for each instant that has a reading, and what is odd about them."""
    facts: list[Event] = []
    for one in values:
        told = context.kept(one.timestamp)
        reading, oddities = meter.read(_samples(one.sampled_value, session))
        facts += [context.oddity(word) for word in oddities]
        facts += [
            SignedReadingReported(
                charger_id=context.charger.charger_id,
                evse_id=evse_id,
                session_id=session.session_id if session else None,
                context=cut(value.context),
                data=value.value,
                is_offline=told.is_late,
                observed_at=told.at,
            )
            for value in one.sampled_value
            if value.format == SIGNED and meter.is_signed_data(value.value)
        ]
        if reading == meter.NOTHING:
            continue
        if told.oddity:
            facts.append(context.oddity(told.oddity))
        facts.append(
            meter.sampled(
                context.charger.charger_id,
                evse_id,
                session.session_id if session else None,
                reading,
                told.at,
                is_offline=told.is_late,
            )
        )
        if not told.is_late:
            facts += context.limit_broken(evse_id, reading.power_w)
    return facts


def _samples(values: Iterable[SampledValue], session: SessionRecord | None) -> list[meter.Sample]:
    samples = []
    for one in values:
        try:
            value = float(one.value)
        except ValueError:
            value = _with_comma(one.value)
        if one.format == "Raw" and isfinite(value) and not _is_placeholder(one, value, session):
            measurand = one.measurand
            if measurand == meter.INTERVAL:
                measurand = meter.interval_of(measurand, one.context)
            samples.append((value, measurand, one.unit, one.phase, one.location))
    return samples


def _with_comma(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return nan


def _is_placeholder(one: SampledValue, value: float, session: SessionRecord | None) -> bool:
    """Whether it is the 0 some chargers put for the register at the beginning (QUIRKS 35)."""
    return (
        value == 0
        and one.context == "Transaction.Begin"
        and one.measurand == meter.DEFAULT_MEASURAND
        and session is not None
        and bool(session.meter_start_wh)
    )
