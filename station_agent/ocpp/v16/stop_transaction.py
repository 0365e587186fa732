"""StopTransaction (OCPP 1.6, sections 4.10 and 6.49): a session ended, perhaps hours ago."""

import hashlib
from collections.abc import Sequence

from msgspec import field

from contracts.ids import same_token
from station_agent.ocpp import meter
from station_agent.ocpp.fields import Payload, cut, cut_token
from station_agent.ocpp.instants import Told
from station_agent.ocpp.outcome import Answers, Context, Outcome, Route
from station_agent.ocpp.sessions import Changes, Stop, end
from station_agent.ocpp.v16.metering import MeterValue, facts_of
from station_agent.ocpp.words.v16 import Reason
from station_agent.ports import SessionRecord


class StopTransaction(Payload, frozen=True, rename="camel"):
    """What we use of it."""

    transaction_id: int | None = None
    meter_stop: int | None = None
    timestamp: str | None = None
    reason: str = Reason.local
    id_tag: str = ""
    transaction_data: Sequence[MeterValue] = field(default_factory=tuple)


def handle(request: StopTransaction, context: Context) -> Outcome:
    """End the session; a stop of one we do not know is kept all the same (QUIRKS 25, 27).

    The reply never carries an idTagInfo: a charger told that a token is not accepted may go on
    charging (QUIRKS 18), and one told that it is may let it charge the next time.
    """
    told = context.kept(request.timestamp)
    session = _find(request, context)
    changes = Changes(session or _unknown(request, told, context))
    if session is None:
        changes.facts.append(context.oddity("stop_without_start", str(request.transaction_id)[:64]))
    elif session.transaction_id != str(request.transaction_id):
        detail = f"{request.transaction_id!s:.64}: taken for {session.transaction_id}"
        changes.facts.append(context.oddity("transaction_id_guessed", detail))
    if told.oddity:
        detail = f"StopTransaction {request.timestamp}"
        changes.facts.append(context.oddity(told.oddity, detail))
    if session is None or session.ended_at is None or session.is_end_assumed:
        changes.facts += facts_of(
            request.transaction_data, changes.session.evse_id, changes.session, context
        )
    end(changes, _stop(request, told), context)
    if changes.session is not session:
        changes.keep()
    return Outcome({}, changes.facts, changes.notes)


def _find(request: StopTransaction, context: Context) -> SessionRecord | None:
    if request.transaction_id is not None:
        known = context.by_transaction(str(request.transaction_id))
        if known is not None:
            return known
    if request.transaction_id is not None and request.transaction_id > 0:
        return None
    return _only_open(request, context)


def _only_open(request: StopTransaction, context: Context) -> SessionRecord | None:
    """Return the session a stop without a usable id can only mean (QUIRKS 22)."""
    found = [one for one in map(context.open_on, context.charger.evse_ids) if one is not None]
    if len(found) != 1:
        return None
    session = found[0]
    is_same_token = (
        not request.id_tag
        or session.token is None
        or (same_token(cut_token(request.id_tag)) == same_token(session.token))
    )
    is_same_meter = (request.meter_stop or 0) >= (session.meter_start_wh or 0)
    return session if is_same_token and is_same_meter else None


def _unknown(request: StopTransaction, told: Told, context: Context) -> SessionRecord:
    """Return a record under which this stop, should it come again, is found and told once."""
    number, at = f"{request.transaction_id!s:.64}", f"{request.timestamp!s:.64}"
    key = f"stop|{number}|{at}|{request.meter_stop!s:.64}"
    named = f"{context.charger.charger_id}|{key}".encode()
    return SessionRecord(
        session_id=hashlib.blake2b(named, digest_size=16).hexdigest(),
        charger_id=context.charger.charger_id,
        evse_id=0,
        connector_id=0,
        transaction_id=number,
        start_key=key,
        token=cut_token(request.id_tag) or None,
        meter_start_wh=None,
        started_at=told.at,
        is_start_assumed=True,
    )


def _stop(request: StopTransaction, told: Told) -> Stop:
    return Stop(
        at=told.at,
        is_offline=told.is_late,
        meter_stop_wh=meter.register(request.meter_stop),
        reason=cut(request.reason),
        token=cut_token(request.id_tag) or None,
    )


ROUTE = Route(
    StopTransaction,
    handle,
    answers=Answers.KEPT,
    is_lenient=True,
    last_resort=lambda _context: {},
)
