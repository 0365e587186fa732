"""ClosePeriodicEventStream (OCPP 2.1, block N): a stream is over."""

from contracts.events import InventoryKind, InventoryReported
from station_agent.ocpp.fields import Index, Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class ClosePeriodicEventStream(Payload, frozen=True, rename="camel"):
    """The number it was opened with."""

    id: Index


def handle(request: ClosePeriodicEventStream, context: Context) -> Outcome:
    """Forget the stream; one never heard of is closed as well."""
    fact = InventoryReported(
        charger_id=context.charger.charger_id,
        inventory=InventoryKind.EVENT_STREAM,
        gone=[f"{request.id}"],
        observed_at=context.now,
    )
    return Outcome({}, (fact,))


ROUTE = Route(ClosePeriodicEventStream, handle, answers=Answers.REMEMBERED)
