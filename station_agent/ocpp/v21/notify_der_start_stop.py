"""NotifyDERStartStop (OCPP 2.1, block R): a grid control with a time of its own begins or ends."""

from collections.abc import Sequence

from contracts.events import GridNotice, GridNoticeReported
from station_agent.ocpp.fields import Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class NotifyDERStartStop(Payload, frozen=True, rename="camel"):
    """As it comes."""

    control_id: str
    started: bool
    timestamp: str
    superseded_ids: Sequence[str] = ()


def handle(request: NotifyDERStartStop, context: Context) -> Outcome:
    """Keep it; what it puts out of force is named."""
    told = context.kept(request.timestamp)
    fact = GridNoticeReported(
        charger_id=context.charger.charger_id,
        notice=GridNotice.STARTED if request.started else GridNotice.STOPPED,
        control=request.control_id,
        superseded=list(request.superseded_ids),
        observed_at=told.at,
    )
    oddities = [context.oddity(told.oddity, "NotifyDERStartStop")] if told.oddity else []
    return Outcome({}, [fact, *oddities])


ROUTE = Route(NotifyDERStartStop, handle, answers=Answers.REMEMBERED)
