"""MeterValues (OCPP 1.6, sections 4.7 and 6.31): the hot path."""

from collections.abc import Sequence
from typing import Final

from msgspec import field

from contracts.events import ChargingState, Event, MeterSampled
from station_agent.ocpp.fields import Index, Payload
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.sessions import Changes, enter
from station_agent.ocpp.v16.metering import MeterValue, facts_of
from station_agent.ports import SessionRecord

_NOTHING_SAID: Final = frozenset({None, ChargingState.PLUGGED})


class MeterValues(Payload, frozen=True, rename="camel"):
    """What we use of it; without a connector it is the session's, or the whole charger's."""

    connector_id: Index | None = None
    transaction_id: int | None = None
    meter_value: Sequence[MeterValue] = field(default_factory=tuple)


def handle(request: MeterValues, context: Context) -> Outcome:
    """Tell the readings, with the session they belong to. An ended one stays so (QUIRKS 29)."""
    session, facts = _session(request, context)
    evse_id = request.connector_id
    if evse_id is None:
        evse_id = session.evse_id if session else 0
    facts += facts_of(request.meter_value, evse_id, session, context)
    if session is None or session.ended_at or session.charging_state not in _NOTHING_SAID:
        return Outcome({}, facts)
    changes = Changes(session, facts)
    _infer_charging(changes)
    if changes.session is not session:
        changes.keep()
    return Outcome({}, changes.facts, changes.notes)


def _infer_charging(changes: Changes) -> None:
    """Where power flows it charges, also if the status saying so came before the start (QUIRKS 27)."""
    for fact in changes.facts:
        if isinstance(fact, MeterSampled) and (fact.power_w or 0) > 0:
            at, is_offline = fact.observed_at, fact.is_offline
            enter(changes, ChargingState.CHARGING, at, is_offline=is_offline)
            return


def _session(request: MeterValues, context: Context) -> tuple[SessionRecord | None, list[Event]]:
    number = request.transaction_id
    if number is not None and number > 0:
        named = context.by_transaction(str(number))
        if named is not None:
            return named, []
        return None, [context.oddity("meter_of_unknown_session", str(number)[:64])]
    return context.open_on(request.connector_id) if request.connector_id else None, []


ROUTE = Route(
    MeterValues,
    handle,
    answers=Answers.REMEMBERED,
    is_lenient=True,
    last_resort=lambda _context: {},
)
