"""DataTransfer (OCPP 2.0.1, P02): a vendor's own message."""

from typing import Any

from contracts.events import DataTransferred
from station_agent.ocpp.fields import Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.words.v201 import DataTransferStatusEnumType


class DataTransfer(Payload, frozen=True, rename="camel"):
    """As it comes."""

    vendor_id: str
    message_id: str = ""
    data: Any = None


def handle(request: DataTransfer, context: Context) -> Outcome:
    """Keep it; no vendor's messages are implemented here, and the charger is told so (P02.FR.06)."""
    fact = DataTransferred(
        charger_id=context.charger.charger_id,
        vendor_id=request.vendor_id,
        message_id=request.message_id,
        data=request.data,
        observed_at=context.now,
    )
    return Outcome({"status": DataTransferStatusEnumType.unknown_vendor_id}, (fact,))


ROUTE = Route(DataTransfer, handle, answers=Answers.REMEMBERED)
