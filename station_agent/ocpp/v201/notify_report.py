"""NotifyReport (OCPP 2.0.1, B07): a part of the charger's device model."""

from collections.abc import Sequence
from typing import Any

from msgspec import field

from contracts.events import JobKind
from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.instants import read_live
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.v201.reports import part_told
from station_agent.ocpp.v201.variables import variables_reported


class NotifyReport(Payload, frozen=True, rename="camel"):
    """Variables as the charger writes them."""

    request_id: Int32
    seq_no: Int32
    generated_at: str | None = None
    tbc: bool = False
    report_data: Sequence[dict[str, Any]] = field(default_factory=tuple)


def handle(request: NotifyReport, context: Context) -> Outcome:
    """Keep what it says of each variable, and how far the report is.

    Only the full inventory tells what the charger does not have (B07.FR.08): the other reports
    leave things out.
    """
    base = context.charger.talk.asked("GetBaseReport", request.request_id) or {}
    is_full = base.get("reportBase") == "FullInventory"
    told = variables_reported(
        context.charger.charger_id,
        request.report_data,
        read_live(request.generated_at, context.now).at,
        request_id=request.request_id,
        is_whole=is_full and not request.tbc,
    )
    progress = part_told(
        context,
        JobKind.REPORT,
        request.request_id,
        is_last=not request.tbc,
        parts=request.seq_no + 1,
    )
    return Outcome({}, (told, progress))


ROUTE = Route(NotifyReport, handle, answers=Answers.REMEMBERED)
