"""SecurityEventNotification (OCPP 1.6 security whitepaper, section 5.16)."""

from contracts.events import Event, SecurityEventReported
from station_agent.ocpp.fields import Payload, cut
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route


class SecurityEventNotification(Payload, frozen=True, rename="camel"):
    """As it comes; `tech_info` may hold anything."""

    type: str
    timestamp: str | None = None
    tech_info: str = ""


def handle(request: SecurityEventNotification, context: Context) -> Outcome:
    """Pass it on; such events are queued while the charger is offline."""
    told = context.kept(request.timestamp)
    facts: list[Event] = [
        SecurityEventReported(
            charger_id=context.charger.charger_id,
            event=cut(request.type),
            info=cut(request.tech_info),
            observed_at=told.at,
        )
    ]
    if told.oddity:
        facts.append(context.oddity(told.oddity, f"SecurityEventNotification {request.timestamp}"))
    return Outcome({}, facts)


ROUTE = Route(SecurityEventNotification, handle, answers=Answers.REMEMBERED, is_forgiving=True)
