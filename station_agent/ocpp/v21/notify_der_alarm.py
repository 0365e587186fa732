"""NotifyDERAlarm (OCPP 2.1, block R): the charger reacts to a fault of the grid, or no longer does."""

from contracts.events import GridNotice, GridNoticeReported
from station_agent.ocpp.fields import Payload, cut
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class NotifyDERAlarm(Payload, frozen=True, rename="camel"):
    """As it comes."""

    control_type: str
    timestamp: str
    grid_event_fault: str = ""
    alarm_ended: bool = False
    extra_info: str = ""


def handle(request: NotifyDERAlarm, context: Context) -> Outcome:
    """Keep it, with the charger's own time: alarms wait while it is offline."""
    told = context.kept(request.timestamp)
    fact = GridNoticeReported(
        charger_id=context.charger.charger_id,
        notice=GridNotice.ALARM_ENDED if request.alarm_ended else GridNotice.ALARM,
        control=request.control_type,
        fault=request.grid_event_fault,
        info=cut(request.extra_info),
        observed_at=told.at,
    )
    oddities = [context.oddity(told.oddity, "NotifyDERAlarm")] if told.oddity else []
    return Outcome({}, [fact, *oddities])


ROUTE = Route(NotifyDERAlarm, handle, answers=Answers.REMEMBERED)
