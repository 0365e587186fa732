"""VatNumberValidation (OCPP 2.1, block C): a driver wants an invoice for a company."""

from typing import Any

from station_agent.ocpp.fields import Index, Payload
from station_agent.ocpp.outcome import Context, Outcome, Route


class VatNumberValidation(Payload, frozen=True, rename="camel"):
    """As it comes."""

    vat_number: str
    evse_id: Index | None = None


def handle(request: VatNumberValidation, context: Context) -> Outcome:
    """Say no: no register of companies is asked, and none is guessed."""
    del context
    reply: dict[str, Any] = {
        "vatNumber": request.vat_number,
        "status": "Rejected",
        "statusInfo": {"reasonCode": "UnsupportedRequest"},
    }
    if request.evse_id is not None:
        reply["evseId"] = request.evse_id
    return Outcome(reply)


ROUTE = Route(VatNumberValidation, handle)
