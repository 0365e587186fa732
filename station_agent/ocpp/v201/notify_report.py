"""NotifyReport (OCPP 2.0.1, B07): a part of the charger's device model."""

from collections.abc import Sequence
from typing import Any

from msgspec import field

from contracts.events import VariablesReported
from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.instants import read_live
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class NotifyReport(Payload, frozen=True, rename="camel"):
    """Variables as the charger writes them."""

    request_id: Int32
    seq_no: Int32
    generated_at: str | None = None
    tbc: bool = False
    report_data: Sequence[dict[str, Any]] = field(default_factory=tuple)


def handle(request: NotifyReport, context: Context) -> Outcome:
    """Pass it on."""
    fact = VariablesReported(
        charger_id=context.charger.charger_id,
        request_id=request.request_id,
        seq_no=request.seq_no,
        is_last=not request.tbc,
        variables=list(request.report_data),
        observed_at=read_live(request.generated_at, context.now).at,
    )
    return Outcome({}, (fact,))


ROUTE = Route(NotifyReport, handle, answers=Answers.REMEMBERED)
