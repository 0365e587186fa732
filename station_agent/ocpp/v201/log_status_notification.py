"""LogStatusNotification (OCPP 2.0.1, N01): how an upload goes."""

from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.uploads import progressed


class LogStatusNotification(Payload, frozen=True, rename="camel"):
    """How far it is; without a number only when nothing is under way (N01.FR.13)."""

    status: str
    request_id: Int32 = 0


def handle(request: LogStatusNotification, context: Context) -> Outcome:
    """Tell the step."""
    return Outcome({}, progressed(context, request.request_id, request.status))


ROUTE = Route(LogStatusNotification, handle, answers=Answers.REMEMBERED)
