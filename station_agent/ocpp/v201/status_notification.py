"""StatusNotification (OCPP 2.0.1, G01): a connector's state; faults' causes come by NotifyEvent."""

from collections.abc import Mapping
from typing import Final

from contracts.events import ConnectorState, ConnectorStateReported, Event
from station_agent.ocpp.fields import Index, Payload
from station_agent.ocpp.outcome import Context, Outcome, Route, Unreadable
from station_agent.ocpp.words.v201 import ConnectorStatusEnumType as Status

STATE: Final[Mapping[str, ConnectorState]] = {
    Status.available: ConnectorState.FREE,
    Status.occupied: ConnectorState.PLUGGED,
    Status.reserved: ConnectorState.RESERVED,
    Status.unavailable: ConnectorState.UNAVAILABLE,
    Status.faulted: ConnectorState.FAULTED,
}


class StatusNotification(Payload, frozen=True, rename="camel"):
    """As it comes."""

    connector_status: str
    evse_id: Index
    connector_id: Index
    timestamp: str | None = None


def handle(request: StatusNotification, context: Context) -> Outcome:
    """Translate.

    Raises:
        Unreadable: a status nobody knows.
    """
    state = STATE.get(request.connector_status)
    if state is None:
        raise Unreadable(f"connectorStatus {request.connector_status[:32]!r}")
    told = context.live(request.timestamp)
    facts: list[Event] = [
        ConnectorStateReported(
            charger_id=context.charger.charger_id,
            evse_id=request.evse_id,
            connector_id=request.connector_id,
            state=state,
            observed_at=told.at,
        )
    ]
    if told.oddity:
        facts.append(context.oddity(told.oddity, f"StatusNotification {request.timestamp}"))
    return Outcome({}, facts)


ROUTE = Route(StatusNotification, handle, is_lenient=True)
