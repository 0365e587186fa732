"""NotifyEVChargingSchedule (OCPP 2.0.1, K15-K17): what a car means to draw, held against its profile."""

from collections.abc import Mapping
from typing import Any

from msgspec import structs

from contracts.events import InventoryEntry, InventoryKind, InventoryReported
from station_agent.domain.schedules import Steps, bounded, exceeds, watts
from station_agent.ocpp.fields import Index, Payload
from station_agent.ocpp.instants import read_planned
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.words.v201 import GenericStatusEnumType as Status


class NotifyEVChargingSchedule(Payload, frozen=True, rename="camel"):
    """The car's schedule, counted from `time_base`."""

    evse_id: Index
    charging_schedule: dict[str, Any]
    time_base: str | None = None


def handle(request: NotifyEVChargingSchedule, context: Context) -> Outcome:
    """Refuse what is more than was offered, and have it offered anew (K15.FR.12, K16.FR.07, K17.FR.12)."""
    offered = context.charger.talk.session_profiles.get(request.evse_id)
    if offered is not None and _is_too_much(request, offered):
        needs = context.charger.talk.needs.get(request.evse_id)
        oddity = context.oddity("car_wants_more", f"EVSE {request.evse_id}")
        again = () if needs is None else (_again(needs, context),)
        return Outcome({"status": Status.rejected}, (oddity, *again))
    entry = InventoryEntry(
        key=str(request.evse_id),
        body={
            "evse_id": request.evse_id,
            "time_base": request.time_base,
            "schedule": request.charging_schedule,
        },
    )
    told = InventoryReported(
        charger_id=context.charger.charger_id,
        inventory=InventoryKind.CAR_SCHEDULE,
        entries=[entry],
        observed_at=context.now,
    )
    return Outcome({"status": Status.accepted}, (told,))


def _again(needs: Any, context: Context) -> Any:
    return structs.replace(needs, is_exceeded=True, observed_at=context.now)


def _is_too_much(request: NotifyEVChargingSchedule, profile: Mapping[str, Any]) -> bool:
    schedule = profile["chargingSchedule"][0]
    begins_at = read_planned(schedule.get("startSchedule"))
    base = read_planned(request.time_base)
    drawn = steps_of(request.charging_schedule)
    if base is not None and begins_at is not None:
        drawn = drawn.later((base - begins_at).total_seconds())
    return exceeds(drawn, steps_of(schedule))


def steps_of(schedule: Mapping[str, Any]) -> Steps:
    """Return a ChargingScheduleType as steps of power."""
    is_current = schedule["chargingRateUnit"] == "A"
    told = [one for one in schedule["chargingSchedulePeriod"] if "limit" in one]
    periods = sorted(told, key=lambda one: one["startPeriod"])
    return Steps(
        [bounded(one["startPeriod"]) for one in periods],
        [watts(one["limit"], one.get("numberPhases"), is_current=is_current) for one in periods],
    )


ROUTE = Route(NotifyEVChargingSchedule, handle, answers=Answers.REMEMBERED)
