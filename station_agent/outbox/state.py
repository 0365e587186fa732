"""Which facts say how things stand now: kept, so that a cloud which lost them can be told again."""

from collections.abc import Callable, Iterable
from typing import Any, Final

from contracts.events import (
    BayOccupancyChanged,
    ChargerBooted,
    ChargerConnected,
    ChargerDisconnected,
    ConnectorStateReported,
    Event,
    SensorBatteryReported,
    SensorFellSilent,
    SensorHeardAgain,
    SessionStarted,
)
from station_agent.ports import SessionRecord

_SUBJECT: Final[dict[type, Callable[[Any], str]]] = {
    ChargerConnected: lambda fact: f"connection/{fact.charger_id}",
    ChargerDisconnected: lambda fact: f"connection/{fact.charger_id}",
    ChargerBooted: lambda fact: f"boot/{fact.charger_id}",
    ConnectorStateReported: lambda fact: (
        f"connector/{fact.evse_id}/{fact.connector_id}/{fact.charger_id}"
    ),
    BayOccupancyChanged: lambda fact: f"bay/{fact.bay_id}",
    SensorFellSilent: lambda fact: f"sensor/{fact.sensor_id}",
    SensorHeardAgain: lambda fact: f"sensor/{fact.sensor_id}",
    SensorBatteryReported: lambda fact: f"battery/{fact.sensor_id}",
}


def subject_of(fact: Event) -> str | None:
    """Return whose state a fact tells, which an earlier fact of the same no longer does."""
    subject = _SUBJECT.get(type(fact))
    return None if subject is None else subject(fact)


def starts_of(sessions: Iterable[SessionRecord]) -> list[Event]:
    """Return the facts that began these sessions, as far as the records know them."""
    return [
        SessionStarted(
            session_id=session.session_id,
            charger_id=session.charger_id,
            evse_id=session.evse_id,
            connector_id=session.connector_id,
            transaction_id=session.transaction_id,
            token=session.token,
            meter_start_wh=session.meter_start_wh,
            reservation_id=session.reservation_id,
            observed_at=session.started_at,
        )
        for session in sessions
    ]
