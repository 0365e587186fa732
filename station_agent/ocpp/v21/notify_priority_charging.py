"""NotifyPriorityCharging (OCPP 2.1, block K): a driver chose at the charger to be charged first, or no longer."""

from contracts.events import GridNotice, GridNoticeReported
from station_agent.ocpp.fields import Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class NotifyPriorityCharging(Payload, frozen=True, rename="camel"):
    """As it comes."""

    transaction_id: str
    activated: bool


def handle(request: NotifyPriorityCharging, context: Context) -> Outcome:
    """Keep it; the message has no time of its own."""
    on, off = GridNotice.PRIORITY_STARTED, GridNotice.PRIORITY_STOPPED
    fact = GridNoticeReported(
        charger_id=context.charger.charger_id,
        notice=on if request.activated else off,
        transaction_id=request.transaction_id,
        observed_at=context.now,
    )
    return Outcome({}, (fact,))


ROUTE = Route(NotifyPriorityCharging, handle, answers=Answers.REMEMBERED)
