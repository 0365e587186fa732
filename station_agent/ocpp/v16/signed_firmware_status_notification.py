"""SignedFirmwareStatusNotification (OCPP 1.6 security whitepaper, L01): an update that is checked."""

from contracts.events import JobKind
from station_agent.ocpp.fields import Int32, Payload
from station_agent.ocpp.firmware import progressed
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class SignedFirmwareStatusNotification(Payload, frozen=True, rename="camel"):
    """Without a request's number only where nothing is under way."""

    status: str
    request_id: Int32 | None = None


def handle(request: SignedFirmwareStatusNotification, context: Context) -> Outcome:
    """Tell the step."""
    return Outcome({}, progressed(context, JobKind.FIRMWARE, request.request_id, request.status))


ROUTE = Route(SignedFirmwareStatusNotification, handle, answers=Answers.REMEMBERED)
