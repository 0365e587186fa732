"""DiagnosticsStatusNotification (OCPP 1.6, section 4.4): how an upload of diagnostics goes."""

from station_agent.ocpp.fields import Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.uploads import progressed


class DiagnosticsStatusNotification(Payload, frozen=True, rename="camel"):
    """How far it is; of which request it does not say."""

    status: str


def handle(request: DiagnosticsStatusNotification, context: Context) -> Outcome:
    """Tell the step, of the latest request."""
    return Outcome({}, progressed(context, 0, request.status))


ROUTE = Route(DiagnosticsStatusNotification, handle, answers=Answers.REMEMBERED)
