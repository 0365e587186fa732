"""NotifySettlement (OCPP 2.1, block C): what became of a payment at the charger's own terminal."""

from contracts.events import SettlementReported
from station_agent.ocpp.fields import Payload, cut
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class NotifySettlement(Payload, frozen=True, rename="camel"):
    """As it comes."""

    psp_ref: str
    status: str
    settlement_amount: int | float
    settlement_time: str
    transaction_id: str = ""
    status_info: str = ""
    receipt_id: str = ""
    receipt_url: str = ""
    vat_number: str = ""


def handle(request: NotifySettlement, context: Context) -> Outcome:
    """Keep it: the money went by the terminal's own provider, our ledger has no part in it."""
    told = context.kept(request.settlement_time)
    fact = SettlementReported(
        charger_id=context.charger.charger_id,
        transaction_id=request.transaction_id,
        payment_ref=request.psp_ref,
        status=request.status,
        info=cut(request.status_info),
        amount=f"{request.settlement_amount}",
        receipt_id=request.receipt_id,
        receipt_url=cut(request.receipt_url),
        vat_number=request.vat_number,
        observed_at=told.at,
    )
    oddities = [context.oddity(told.oddity, "NotifySettlement")] if told.oddity else []
    return Outcome({}, [fact, *oddities])


ROUTE = Route(NotifySettlement, handle, answers=Answers.REMEMBERED)
