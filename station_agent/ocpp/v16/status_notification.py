"""StatusNotification (OCPP 1.6, sections 4.9 and 6.47): a connector's state or fault."""

from collections.abc import Mapping
from typing import Final

from contracts.events import ChargingState, ConnectorState, ConnectorStateReported, Event
from station_agent.ocpp.fields import Index, Payload, cut
from station_agent.ocpp.outcome import Context, Outcome, Route, Unreadable
from station_agent.ocpp.sessions import Changes, enter
from station_agent.ocpp.words.v16 import ChargePointErrorCode, ChargePointStatus

STATE: Final[Mapping[str, ConnectorState]] = {
    ChargePointStatus.available: ConnectorState.FREE,
    ChargePointStatus.preparing: ConnectorState.PREPARING,
    ChargePointStatus.charging: ConnectorState.CHARGING,
    ChargePointStatus.suspended_ev: ConnectorState.SUSPENDED_BY_CAR,
    ChargePointStatus.suspended_evse: ConnectorState.SUSPENDED_BY_CHARGER,
    ChargePointStatus.finishing: ConnectorState.FINISHING,
    ChargePointStatus.reserved: ConnectorState.RESERVED,
    ChargePointStatus.unavailable: ConnectorState.UNAVAILABLE,
    ChargePointStatus.faulted: ConnectorState.FAULTED,
}

# What a connector state says of the session on it; the others say nothing.
CHARGING: Final[Mapping[ConnectorState, ChargingState]] = {
    ConnectorState.PREPARING: ChargingState.PLUGGED,
    ConnectorState.CHARGING: ChargingState.CHARGING,
    ConnectorState.SUSPENDED_BY_CAR: ChargingState.SUSPENDED_BY_CAR,
    ConnectorState.SUSPENDED_BY_CHARGER: ChargingState.SUSPENDED_BY_CHARGER,
    ConnectorState.FINISHING: ChargingState.PLUGGED,
    ConnectorState.FREE: ChargingState.IDLE,
}


class StatusNotification(Payload, frozen=True, rename="camel"):
    """What we use of it."""

    connector_id: Index
    status: str
    error_code: str = ChargePointErrorCode.no_error
    info: str = ""
    timestamp: str | None = None
    vendor_error_code: str = ""


def handle(request: StatusNotification, context: Context) -> Outcome:
    """Translate; 1.6 has no EVSEs, so each connector is its own (0 stays the whole charger).

    Raises:
        Unreadable: a status nobody knows.
    """
    state = STATE.get(request.status)
    if state is None:
        raise Unreadable(f"status {request.status[:32]!r}")
    told = context.live(request.timestamp)
    is_well = request.error_code == ChargePointErrorCode.no_error
    facts: list[Event] = [
        ConnectorStateReported(
            charger_id=context.charger.charger_id,
            evse_id=request.connector_id,
            connector_id=min(request.connector_id, 1),
            state=state,
            error_code="" if is_well else cut(request.error_code),
            vendor_error_code=cut(request.vendor_error_code),
            info=cut(request.info),
            observed_at=told.at,
        )
    ]
    if told.oddity:
        facts.append(context.oddity(told.oddity, f"StatusNotification {request.timestamp}"))
    session = context.open_on(request.connector_id) if state in CHARGING else None
    if session is None:
        return Outcome({}, facts)
    changes = Changes(session, facts)
    enter(changes, CHARGING[state], told.at)
    if changes.session is not session:
        changes.keep()
    return Outcome({}, changes.facts, changes.notes)


ROUTE = Route(StatusNotification, handle, is_lenient=True)
