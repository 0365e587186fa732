"""MeterValues (OCPP 2.0.1, J01): clock-aligned readings; a session's own ride on TransactionEvent."""

from collections.abc import Sequence

from msgspec import field

from station_agent.ocpp.fields import Index, Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.v201.metering import MeterValue, facts_of


class MeterValues(Payload, frozen=True, rename="camel"):
    """EVSE 0 is the charger's main meter."""

    evse_id: Index = 0
    meter_value: Sequence[MeterValue] = field(default_factory=tuple)


def handle(request: MeterValues, context: Context) -> Outcome:
    """Tell the readings, with the session that is open there."""
    session = context.open_on(request.evse_id) if request.evse_id else None
    session_id = session.session_id if session else None
    return Outcome({}, facts_of(request.meter_value, request.evse_id, session_id, context))


ROUTE = Route(
    MeterValues,
    handle,
    answers=Answers.REMEMBERED,
    is_lenient=True,
    last_resort=lambda _context: {},
)
