"""TransactionEvent (OCPP 2.0.1, E01-E12): all that happens to a session, in one numbered series."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from msgspec import field

from contracts.events import ChargingState, MeterSampled
from station_agent.ocpp import meter
from station_agent.ocpp.fields import Int32, Payload, cut, cut_token
from station_agent.ocpp.instants import MAX_SKEW, Told, read_planned, write
from station_agent.ocpp.outcome import (
    Answers,
    Ask,
    Context,
    Outcome,
    Reply,
    Route,
    Unreadable,
)
from station_agent.ocpp.sessions import Changes, Stop, decided, end, enter, started, supersede
from station_agent.ocpp.v201 import seq_nos
from station_agent.ocpp.v201.evses import Evse
from station_agent.ocpp.v201.metering import (
    BEGIN,
    END,
    MeterValue,
    begin_register,
    facts_of,
    interval_sum,
    register_at,
    without_repeats,
)
from station_agent.ocpp.v201.seq_nos import Standing
from station_agent.ocpp.v201.tokens import NOBODY, IdToken, id_token_info
from station_agent.ocpp.words.v201 import (
    ChargingStateEnumType,
    ReasonEnumType,
    TransactionEventEnumType,
    TriggerReasonEnumType,
)
from station_agent.ports import SessionRecord

STATE: Final[Mapping[str, ChargingState]] = {
    ChargingStateEnumType.ev_connected: ChargingState.PLUGGED,
    ChargingStateEnumType.charging: ChargingState.CHARGING,
    ChargingStateEnumType.suspended_ev: ChargingState.SUSPENDED_BY_CAR,
    ChargingStateEnumType.suspended_evse: ChargingState.SUSPENDED_BY_CHARGER,
    ChargingStateEnumType.idle: ChargingState.IDLE,
}

ODD: Final[Mapping[Standing, str]] = {
    Standing.REUSED: "seq_no_reused",
    Standing.UNKNOWN: "seq_no_unknown",
}
_BEGIN: Final = frozenset({TriggerReasonEnumType.authorized, TriggerReasonEnumType.remote_start})


class TransactionInfo(Payload, frozen=True, rename="camel"):
    """Which transaction, and how it stands."""

    transaction_id: str
    charging_state: str = ""
    stopped_reason: str = ""


class TransactionEvent(Payload, frozen=True, rename="camel"):
    """What we use of it."""

    event_type: str
    transaction_info: TransactionInfo
    timestamp: str | None = None
    trigger_reason: str = ""
    seq_no: Int32 | None = None
    offline: bool = False
    reservation_id: int | None = None
    evse: Evse | None = None
    id_token: IdToken | None = None
    meter_value: Sequence[MeterValue] = field(default_factory=tuple)


def ask(request: TransactionEvent) -> Ask | None:
    """Return the token to decide on, where one was shown (C01.FR.02, E03.FR.01).

    A session begins by it with its first event, or once whoever plugged in before has shown it (E03);
    one that began while nobody listened is not held against what runs by now.
    """
    if request.id_token is None:
        return None
    is_first = request.event_type == TransactionEventEnumType.started
    begins = not request.offline and (is_first or request.trigger_reason in _BEGIN)
    key = cut_token(request.transaction_info.transaction_id)
    return request.id_token.ask(request.evse.id if request.evse else 0, key if begins else "")


def handle(request: TransactionEvent, context: Context) -> Outcome:
    """Tell what is new; an event that came before is only answered (E04, E13).

    Raises:
        Unreadable: an event type nobody knows, or a transaction without a name.
    """
    kind = _kind(request)
    told = _told(request, context)
    session = _find(request, told, context)
    reply = _reply(request, context)
    standing = _standing(session, request, kind)
    if standing is Standing.REPEATED:
        return Outcome(reply)
    changes = Changes(seq_nos.heard(session, request.seq_no, read_planned(request.timestamp)))
    if standing in ODD:
        detail = f"{request.seq_no} of {session.session_id}"
        changes.facts.append(context.oddity(ODD[standing], detail))
    if told.oddity:
        detail = f"TransactionEvent {request.timestamp}"
        changes.facts.append(context.oddity(told.oddity, detail))
    _begin_or_complete(changes, request, kind, told, context)
    if request.id_token is not None and not request.id_token.is_nobody:
        changes.facts += decided(request.id_token.token, context, request.id_token.word)
    state = STATE.get(request.transaction_info.charging_state)
    is_told = kind is not TransactionEventEnumType.ended and standing is not Standing.UNKNOWN
    if state is not None and is_told:
        enter(changes, state, told.at, is_offline=told.is_late)
    _read_meter(changes, request, told, context)
    if kind is TransactionEventEnumType.ended:
        end(changes, _stop(request, told), context)
    changes.keep()
    return Outcome(reply, changes.facts, changes.notes)


def _read_meter(changes: Changes, request: TransactionEvent, told: Told, context: Context) -> None:
    session = changes.session
    facts = facts_of(
        _new_values(session, request),
        session.evse_id,
        session.session_id,
        context,
        is_offline=told.is_late,
        lag=_lag(request, context),
    )
    changes.facts += facts
    samples = (one for one in facts if isinstance(one, MeterSampled))
    is_end = request.event_type == TransactionEventEnumType.ended
    if not is_end and any(one.interval_wh is not None for one in samples):
        changes.session = replace(session, has_intervals=True)


def _new_values(session: SessionRecord, request: TransactionEvent) -> Sequence[MeterValue]:
    is_end = request.event_type == TransactionEventEnumType.ended
    is_repeating = is_end and session.has_intervals
    return without_repeats(request.meter_value) if is_repeating else request.meter_value


def _kind(request: TransactionEvent) -> TransactionEventEnumType:
    if not request.transaction_info.transaction_id:
        raise Unreadable("the transactionId is empty")
    try:
        return TransactionEventEnumType(request.event_type)
    except ValueError:
        raise Unreadable(f"eventType {request.event_type[:32]!r}") from None


def _told(request: TransactionEvent, context: Context) -> Told:
    told = context.kept(request.timestamp, _lag(request, context))
    if not request.offline:
        return told
    oddity = told.oddity if told.oddity == "clock_unusable" or told.at == context.now else ""
    return Told(told.at, oddity, is_late=True)


def _lag(request: TransactionEvent, context: Context) -> timedelta | None:
    """Return how far its clock is behind, where this event is the first to show it; see Skew."""
    at = read_planned(request.timestamp)
    if request.offline or at is None or context.charger.skew.lag is not None:
        return None
    lag = context.now - at
    return lag if abs(lag) > MAX_SKEW else None


def _find(request: TransactionEvent, told: Told, context: Context) -> SessionRecord:
    """Return the session, a new record where this is the first we hear of it."""
    key = cut_token(request.transaction_info.transaction_id)
    charger_id = context.charger.charger_id
    known = context.charger.sessions.by_start_key(charger_id, key)
    if known is not None:
        return known
    return SessionRecord(
        session_id=context.charger.new_session_id(),
        charger_id=charger_id,
        evse_id=request.evse.id if request.evse else 0,
        connector_id=_connector_id(request.evse),
        transaction_id=key,
        start_key=key,
        token=None,
        meter_start_wh=None,
        started_at=told.at,
    )


def _standing(
    session: SessionRecord, request: TransactionEvent, kind: TransactionEventEnumType
) -> Standing:
    """Return what its number says; a start or an end that is still missing repeats nothing."""
    standing = seq_nos.standing(session, request.seq_no, read_planned(request.timestamp))
    is_open = session.ended_at is None or session.is_end_assumed
    is_missing = (kind is TransactionEventEnumType.started and session.is_start_assumed) or (
        kind is TransactionEventEnumType.ended and is_open
    )
    return Standing.REUSED if standing is Standing.REPEATED and is_missing else standing


def _begin_or_complete(
    changes: Changes,
    request: TransactionEvent,
    kind: TransactionEventEnumType,
    told: Told,
    context: Context,
) -> None:
    """Say that the session began; say it again when its start, token or EVSE comes later."""
    before = changes.session
    is_new = context.charger.sessions.by_start_key(before.charger_id, before.start_key) is None
    completed = _completed(before, request, kind, told, is_new=is_new)
    if is_new or completed != before or request.reservation_id:
        completed = _met(completed, request, told, context)
    changes.session = completed
    if not is_new and _known_of(before) == _known_of(changes.session):
        return
    if is_new and kind is not TransactionEventEnumType.started:
        word = (
            "stop_without_start"
            if kind is TransactionEventEnumType.ended
            else "session_without_start"
        )
        changes.facts.append(context.oddity(word, before.transaction_id))
        if kind is TransactionEventEnumType.ended:
            return
    if kind is TransactionEventEnumType.started:
        supersede(changes, context, is_offline=told.is_late)
    changes.facts.append(
        started(
            changes.session,
            is_authorized=_is_authorized(request, context),
            is_offline=told.is_late,
        )
    )


def _completed(
    session: SessionRecord,
    request: TransactionEvent,
    kind: TransactionEventEnumType,
    told: Told,
    *,
    is_new: bool,
) -> SessionRecord:
    if request.evse is not None and session.evse_id == 0:
        session = replace(
            session, evse_id=request.evse.id, connector_id=_connector_id(request.evse)
        )
    is_starter = kind is not TransactionEventEnumType.ended and session.token is None
    if request.id_token is not None and is_starter:
        session = replace(session, token=request.id_token.token or None)
    if kind is TransactionEventEnumType.started and (is_new or session.is_start_assumed):
        return replace(
            session,
            started_at=told.at,
            meter_start_wh=register_at(request.meter_value, BEGIN),
            is_start_assumed=False,
        )
    if session.meter_start_wh is None:
        # Where the EVSE is known late, so is what its meter said (J02.FR.19).
        session = replace(session, meter_start_wh=begin_register(request.meter_value))
    return replace(session, is_start_assumed=True) if is_new else session


def _met(
    session: SessionRecord, request: TransactionEvent, told: Told, context: Context
) -> SessionRecord:
    """Note the reservation it meets (H03), once the token, the EVSE or the number says which."""
    if session.reservation_id is not None:
        return session
    number = request.reservation_id
    met = context.promise_met(session.evse_id, session.token, number, told.at)
    return replace(session, reservation_id=met)


def _known_of(session: SessionRecord) -> tuple[object, ...]:
    return (
        session.reservation_id,
        session.evse_id,
        session.token,
        session.started_at,
        session.meter_start_wh,
        session.is_start_assumed,
    )


def _is_authorized(request: TransactionEvent, context: Context) -> bool:
    """Whether nobody refused; a session plugged in first is authorised by a later event (E02)."""
    if request.id_token is None or request.id_token.is_nobody:
        return True
    return context.verdict is not None and context.verdict.is_accepted


def _stop(request: TransactionEvent, told: Told) -> Stop:
    info = request.transaction_info
    return Stop(
        at=told.at,
        is_offline=told.is_late,
        meter_stop_wh=meter.register(register_at(request.meter_value, END)),
        # An absent reason means Local (section 1.60.1).
        reason=cut(info.stopped_reason) or ReasonEnumType.local,
        token=request.id_token.token if request.id_token else None,
    )


def prices(request: TransactionEvent, context: Context) -> dict[str, Any] | None:
    """Return what to ask of the cost of the session that ends here (I03.FR.02).

    One that ended while nobody listened has no driver waiting for it.
    """
    if request.event_type != TransactionEventEnumType.ended or request.offline:
        return None
    key = cut_token(request.transaction_info.transaction_id)
    session = context.charger.sessions.by_start_key(context.charger.charger_id, key)
    if session is None or session.ended_at is not None:
        return None
    return {
        "session_id": session.session_id,
        "meter_stop_wh": meter.register(register_at(request.meter_value, END)),
        "interval_wh": interval_sum(_new_values(session, request)),
        "ended_at": write(_told(request, context).at),
    }


def _reply(request: TransactionEvent, context: Context) -> Reply:
    reply: Reply = {}
    if request.id_token is not None:
        verdict = NOBODY if request.id_token.is_nobody else context.verdict
        # At the end the cost is shown, and nobody stands before what happened offline.
        is_shown = request.event_type != TransactionEventEnumType.ended and not request.offline
        reply["idTokenInfo"] = id_token_info(verdict, context.tariff_text if is_shown else "")
    if context.total is not None:
        reply["totalCost"] = float(context.total)
    return reply


def _connector_id(evse: Evse | None) -> int:
    if evse is None:
        return 0
    return evse.connector_id if evse.connector_id is not None else 1


ROUTE = Route(
    TransactionEvent,
    handle,
    ask=ask,
    prices=prices,
    answers=Answers.KEPT,
    is_lenient=True,
    last_resort=lambda _context: {},
)
