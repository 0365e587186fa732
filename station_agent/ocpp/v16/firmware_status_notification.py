"""FirmwareStatusNotification (OCPP 1.6, section 4.5): how far an update is; it has no number."""

from contracts.events import JobKind
from station_agent.ocpp.fields import Payload
from station_agent.ocpp.firmware import progressed
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class FirmwareStatusNotification(Payload, frozen=True, rename="camel"):
    """One word."""

    status: str


def handle(request: FirmwareStatusNotification, context: Context) -> Outcome:
    """Tell the step."""
    return Outcome({}, progressed(context, JobKind.FIRMWARE, 0, request.status))


ROUTE = Route(FirmwareStatusNotification, handle, answers=Answers.REMEMBERED)
