"""FirmwareStatusNotification (OCPP 2.0.1, L01 and L02): how far an update is."""

from contracts.events import JobKind
from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.firmware import progressed
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class FirmwareStatusNotification(Payload, frozen=True, rename="camel"):
    """Without a request's number only where nothing is under way (L01.FR.20)."""

    status: str
    request_id: Int32 | None = None


def handle(request: FirmwareStatusNotification, context: Context) -> Outcome:
    """Tell the step."""
    return Outcome({}, progressed(context, JobKind.FIRMWARE, request.request_id, request.status))


ROUTE = Route(FirmwareStatusNotification, handle, answers=Answers.REMEMBERED)
