"""NotifyEvent (OCPP 2.0.1, N07; G05 for locks; 2.1 adds a severity): components report themselves."""

from collections.abc import Sequence

from contracts.events import ComponentEventReported, ConnectorStateReported, Event
from station_agent.ocpp.fields import Int32, Payload, cut
from station_agent.ocpp.instants import Told
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.v201.evses import Evse
from station_agent.ocpp.v201.status_notification import STATE


class Component(Payload, frozen=True, rename="camel"):
    """A part of the charger."""

    name: str
    instance: str = ""
    evse: Evse | None = None

    @property
    def evse_id(self) -> int:
        """Where it is; 0 is the charger itself."""
        return self.evse.id if self.evse else 0


class Variable(Payload, frozen=True, rename="camel"):
    """What of it changed."""

    name: str
    instance: str = ""


class EventData(Payload, frozen=True, rename="camel"):
    """One event."""

    component: Component
    variable: Variable
    actual_value: str
    trigger: str
    timestamp: str | None = None
    cleared: bool = False
    severity: Int32 | None = None
    """OCPP 2.1 only; of 2.0.1 the monitor has it."""
    variable_monitoring_id: Int32 | None = None


class NotifyEvent(Payload, frozen=True, rename="camel"):
    """What happened since the last one."""

    event_data: Sequence[EventData]


def handle(request: NotifyEvent, context: Context) -> Outcome:
    """Tell each event; a connector's AvailabilityState is its status (N07, G01.FR.08)."""
    facts: list[Event] = []
    for event in request.event_data:
        told = context.kept(event.timestamp)
        facts.append(_component_event(event, told, context))
        facts += _connector_state(event, told, context)
        if told.oddity:
            facts.append(context.oddity(told.oddity, f"NotifyEvent {event.timestamp}"))
    return Outcome({}, facts)


def _component_event(event: EventData, told: Told, context: Context) -> Event:
    return ComponentEventReported(
        charger_id=context.charger.charger_id,
        evse_id=event.component.evse_id,
        component=_named(event.component.name, event.component.instance),
        variable=_named(event.variable.name, event.variable.instance),
        value=cut(event.actual_value),
        trigger=event.trigger,
        severity=event.severity,
        monitor_id=event.variable_monitoring_id,
        is_cleared=event.cleared,
        observed_at=told.at,
    )


def _connector_state(event: EventData, told: Told, context: Context) -> list[Event]:
    evse = event.component.evse
    is_state = event.component.name == "Connector" and event.variable.name == "AvailabilityState"
    state = STATE.get(event.actual_value) if is_state else None
    if evse is None or state is None or told.is_late:
        return []
    return [
        ConnectorStateReported(
            charger_id=context.charger.charger_id,
            evse_id=evse.id,
            connector_id=evse.connector_id or 1,
            state=state,
            observed_at=told.at,
        )
    ]


def _named(name: str, instance: str) -> str:
    return cut(f"{name}[{instance}]" if instance else name)


ROUTE = Route(NotifyEvent, handle, answers=Answers.REMEMBERED, is_forgiving=True)
