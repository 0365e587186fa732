"""Monitors of variables (OCPP 2.0.1, N02 to N06): set, reported and cleared, each by its number."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec import field

from contracts.events import (
    Event,
    InventoryEntry,
    InventoryKind,
    InventoryReported,
    JobKind,
)
from contracts.ids import ChargerId
from contracts.wire import Instant
from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.instants import read_live
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.v201.reports import part_told
from station_agent.ocpp.v201.variables import valued, variables_reported
from station_agent.ocpp.versions import AnswerContext

_FILTERS: Final = ("monitoringCriteria", "componentVariable")
_CONTROLLER: Final = {"name": "MonitoringCtrlr"}


class NotifyMonitoringReport(Payload, frozen=True, rename="camel"):
    """Monitors as the charger writes them, by component and variable."""

    request_id: Int32
    seq_no: Int32
    generated_at: str | None = None
    tbc: bool = False
    monitor: Sequence[dict[str, Any]] = field(default_factory=tuple)


def handle(request: NotifyMonitoringReport, context: Context) -> Outcome:
    """Keep each monitor, and how far the report is; one of all monitors is whole (N02)."""
    asked = context.charger.talk.asked("GetMonitoringReport", request.request_id)
    monitors = [
        {"component": row["component"], "variable": row["variable"], **one}
        for row in request.monitor
        for one in row["variableMonitoring"]
    ]
    told = _reported(
        context.charger.charger_id,
        monitors,
        read_live(request.generated_at, context.now).at,
        request_id=request.request_id,
        is_whole=asked is not None and _is_of_all(asked) and not request.tbc,
    )
    progress = part_told(
        context,
        JobKind.MONITORING_REPORT,
        request.request_id,
        is_last=not request.tbc,
        parts=request.seq_no + 1,
    )
    return Outcome({}, (told, progress))


ROUTE = Route(NotifyMonitoringReport, handle, answers=Answers.REMEMBERED)


def report_answered(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return that there are none, where all were asked for (N02.FR.10)."""
    if answer["status"] != "EmptyResultSet" or not _is_of_all(context.asked):
        return ()
    return (_reported(context.charger_id, (), context.now, is_whole=True),)


def were_set(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the monitors the charger took (N04)."""
    results = answer["setMonitoringResult"]
    taken = [
        {**one, "id": result["id"]}
        for one, result in zip(context.asked["setMonitoringData"], results, strict=False)
        if result["status"] == "Accepted" and "id" in result
    ]
    return (_reported(context.charger_id, taken, context.now),) if taken else ()


def were_cleared(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the monitors the charger does not have any more, or never had (N06)."""
    gone = [
        str(one["id"]) for one in answer["clearMonitoringResult"] if one["status"] != "Rejected"
    ]
    return (_reported(context.charger_id, (), context.now, gone=gone),) if gone else ()


def base_was_set(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return the base in use; all but `All` end the monitors we set (N03.FR.04, N03.FR.05).

    Which ones the maker's base brings only a monitoring report tells.
    """
    if answer["status"] != "Accepted":
        return ()
    base = context.asked["monitoringBase"]
    facts = [_setting("ActiveMonitoringBase", base, context)]
    if base != "All":
        facts.append(_reported(context.charger_id, (), context.now, is_whole=True))
    return facts


def level_was_set(answer: Mapping[str, Any], context: AnswerContext) -> Sequence[Event]:
    """Return up to which severity events are told (N05)."""
    if answer["status"] != "Accepted":
        return ()
    return (_setting("ActiveMonitoringLevel", str(context.asked["severity"]), context),)


def _is_of_all(asked: Mapping[str, Any]) -> bool:
    return not any(name in asked for name in _FILTERS)


def _setting(name: str, value: str, context: AnswerContext) -> Event:
    variable = valued(_CONTROLLER, {"name": name}, value)
    return variables_reported(context.charger_id, [variable], context.now)


def _reported(
    charger_id: ChargerId,
    monitors: Iterable[Mapping[str, Any]],
    at: Instant,
    *,
    request_id: int | None = None,
    gone: Sequence[str] = (),
    is_whole: bool = False,
) -> Event:
    return InventoryReported(
        charger_id=charger_id,
        inventory=InventoryKind.MONITOR,
        entries=[InventoryEntry(key=str(one["id"]), body=dict(one)) for one in monitors],
        gone=list(gone),
        request_id=request_id,
        is_whole=is_whole,
        observed_at=at,
    )
