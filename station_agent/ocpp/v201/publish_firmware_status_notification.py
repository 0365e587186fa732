"""PublishFirmwareStatusNotification (OCPP 2.0.1, L03): how far a local controller is with it."""

from collections.abc import Sequence

from msgspec import field

from contracts.events import JobKind
from station_agent.ocpp.fields import Int32, Payload, cut
from station_agent.ocpp.firmware import progressed
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class PublishFirmwareStatusNotification(Payload, frozen=True, rename="camel"):
    """`location`: where it can be had, once it is published."""

    status: str
    request_id: Int32 | None = None
    location: Sequence[str] = field(default_factory=tuple)


def handle(request: PublishFirmwareStatusNotification, context: Context) -> Outcome:
    """Tell the step."""
    detail = {"published_at": [cut(one) for one in request.location]} if request.location else {}
    number, status = request.request_id, request.status
    return Outcome({}, progressed(context, JobKind.PUBLISH_FIRMWARE, number, status, detail))


ROUTE = Route(PublishFirmwareStatusNotification, handle, answers=Answers.REMEMBERED)
