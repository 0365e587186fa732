"""NotifyReport (OCPP 2.0.1, B07): a part of the charger's device model."""

from collections.abc import Sequence
from typing import Any

from msgspec import field

from contracts.events import JobKind, JobProgressed
from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.instants import read_live
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.v201.variables import variables_reported


class NotifyReport(Payload, frozen=True, rename="camel"):
    """Variables as the charger writes them."""

    request_id: Int32
    seq_no: Int32
    generated_at: str | None = None
    tbc: bool = False
    report_data: Sequence[dict[str, Any]] = field(default_factory=tuple)


def handle(request: NotifyReport, context: Context) -> Outcome:
    """Keep what it says of each variable, and how far the report is."""
    charger_id = context.charger.charger_id
    at = read_live(request.generated_at, context.now).at
    told = variables_reported(
        charger_id, request.report_data, at, request_id=request.request_id, is_whole=not request.tbc
    )
    progress = JobProgressed(
        charger_id=charger_id,
        job=JobKind.REPORT,
        request_id=request.request_id,
        status="Reporting" if request.tbc else "Reported",
        is_over=not request.tbc,
        detail={"parts": request.seq_no + 1},
        observed_at=at,
    )
    return Outcome({}, (told, progress))


ROUTE = Route(NotifyReport, handle, answers=Answers.REMEMBERED)
