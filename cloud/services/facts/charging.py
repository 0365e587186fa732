"""What facts of a charging session do."""

from dataclasses import replace
from typing import Final

from cloud.domain.sessions import (
    START_MISSING,
    SessionState,
    Start,
    Stop,
    ended,
    flagged,
    started,
    state_changed,
    stopped,
)
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.facts.board import Board, Stamp
from cloud.services.facts.smart_charging import profiles_end
from contracts.events import (
    AuthorizationDecided,
    ChargingStateChanged,
    SessionEnded,
    SessionStarted,
    SignedReadingReported,
)
from contracts.ids import same_token
from contracts.token_types import TokenType, type_by_shape

TELLING: Final = frozenset(TokenType) - {TokenType.CENTRAL}


def session_started(board: Board, fact: SessionStarted, stamp: Stamp) -> None:
    """A new session, or the start of one whose other facts were faster."""
    if board.charger(stamp, fact.charger_id) is None:
        return
    board.count_readings(stamp, fact.session_id)
    at = stamp.seen(fact.observed_at)
    held = board.sessions.get(fact.session_id)
    if held is not None and held.station_id != stamp.station_id:
        board.ignored["foreign_session"] += 1
        return
    base = held or board.new_session(stamp, fact.session_id, fact.charger_id, fact.evse_id, at)
    bay = board.bay_of(fact.charger_id, fact.evse_id)
    grant = board.grants.get(same_token(fact.token or ""))
    start = Start(
        charger_id=fact.charger_id,
        evse_id=fact.evse_id,
        connector_id=fact.connector_id,
        bay_id=bay.id if bay else None,
        transaction_id=fact.transaction_id[:64],
        token=fact.token,
        user_id=grant.user_id if grant else None,
        meter_start_wh=_register(fact.meter_start_wh),
        is_offline=fact.is_offline,
        at=at,
    )
    after = started(base, start)
    if after is base:
        return
    board.deadlines.append(Deadline(DeadlineKind.COST, after.id, board.now))
    if not fact.is_authorized:
        after = flagged(after, "not_authorized")
    token = same_token(fact.token or "")
    promise = board.promise_of(after, token, fact.reservation_id, at)
    if promise is not None:
        after = replace(after, reservation_id=promise.id, tariff_id=promise.tariff_id)
        board.touch_bay(promise.bay_id)
    if held is not None:
        # what was counted without the start is counted again from it
        board.late_sessions.add(after.id)
        after = replace(after, power_limit_w=bay.max_power_w if bay else held.power_limit_w)
    board.begun_sessions.add(after.id)
    board.seat(after)


def charging_state_changed(board: Board, fact: ChargingStateChanged, stamp: Stamp) -> None:
    """How a session stands, unless later news is held."""
    board.count_readings(stamp, fact.session_id)
    at = stamp.seen(fact.observed_at)
    session = board.session(stamp, fact.session_id, fact.charger_id, 0, at)
    if session is None:
        return
    after = state_changed(session, SessionState(fact.state), at)
    if after is not session:
        board.put_session(after)


def session_ended(board: Board, fact: SessionEnded, stamp: Stamp) -> None:
    """A session's end; also of one whose start is missing."""
    board.count_readings(stamp, fact.session_id)
    at = stamp.seen(fact.observed_at)
    session = board.session(stamp, fact.session_id, fact.charger_id, fact.evse_id, at)
    if session is None:
        return
    stop = Stop(
        meter_stop_wh=_register(fact.meter_stop_wh), reason=fact.reason or "not said", at=at
    )
    after = ended(session, stop)
    if after is session:
        return
    if START_MISSING in after.flags and not after.transaction_id:
        after = replace(
            after, transaction_id=fact.transaction_id[:64], token=after.token or fact.token
        )
    is_countable = after.is_final and not session.is_final and after.id not in board.late_sessions
    board.put_session(stopped(after) if is_countable else after)
    if is_countable:
        profiles_end(board, fact, stamp)
    board.ended_sessions.add(after.id)


def signed_reading_reported(board: Board, fact: SignedReadingReported, stamp: Stamp) -> None:
    """What a meter signed in a session; out of any it is only logged."""
    if fact.session_id is not None and board.charger(stamp, fact.charger_id) is not None:
        board.signed.append(fact)


def authorization_decided(board: Board, fact: AuthorizationDecided, stamp: Stamp) -> None:
    """A token was shown: where nobody knew how, now it is known. A yes alone is believed.

    What its shape says anyway is not kept, nor `Central`, which many chargers say of anything.
    """
    token = same_token(fact.token)
    grant = board.grants.get(token)
    if board.charger(stamp, fact.charger_id) is None or grant is None or grant.token_type:
        return
    is_told = fact.is_accepted and fact.token_type in TELLING
    if is_told and fact.token_type != type_by_shape(token):
        board.token_types.setdefault(token, fact.token_type)


def _register(wh: int | None) -> int | None:
    # 2.0.1 leaves it out, some 1.6 chargers send -1; what no column holds is no register
    return wh if wh is not None and 0 <= wh <= 10**15 else None
