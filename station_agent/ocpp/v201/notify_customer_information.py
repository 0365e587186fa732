"""NotifyCustomerInformation (OCPP 2.0.1, N09, N10): a part of what a charger knows of a customer."""

from contracts.events import JobKind
from station_agent.ocpp.fields import Int32, Payload, cut
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.v201.reports import part_told


class NotifyCustomerInformation(Payload, frozen=True, rename="camel"):
    """Text of no prescribed form."""

    request_id: Int32
    seq_no: Int32
    data: str
    tbc: bool = False


def handle(request: NotifyCustomerInformation, context: Context) -> Outcome:
    """Tell the text as a step of the job, which the cloud keeps for a short while only."""
    text = {f"data_{request.seq_no}": cut(request.data)} if request.data else {}
    step = part_told(
        context,
        JobKind.CUSTOMER_INFORMATION,
        request.request_id,
        is_last=not request.tbc,
        parts=request.seq_no + 1,
        **text,
    )
    return Outcome({}, (step,))


ROUTE = Route(NotifyCustomerInformation, handle, answers=Answers.REMEMBERED)
