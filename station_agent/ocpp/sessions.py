"""What beginning and ending a session means, whatever the version that says so."""

from dataclasses import replace
from datetime import datetime

import msgspec

from contracts.events import (
    AuthorizationDecided,
    ChargingState,
    ChargingStateChanged,
    Event,
    SessionEnded,
    SessionStarted,
)
from contracts.ids import Token
from contracts.token_types import TypeWord
from station_agent.ocpp import meter
from station_agent.ocpp.outcome import Context
from station_agent.ports import Note, SessionKept, SessionRecord

SUPERSEDED = "Superseded"
"""Reason of an end nobody told: a later session began where this one was still open (QUIRKS 24)."""


class Changes(msgspec.Struct):
    """Facts and notes as they come together; the session record moves on with them."""

    session: SessionRecord
    facts: list[Event] = msgspec.field(default_factory=list)
    notes: list[Note] = msgspec.field(default_factory=list)

    def keep(self) -> None:
        """Note the session as it now is."""
        self.notes.append(SessionKept(self.session))


class Stop(msgspec.Struct, frozen=True):
    """The end of a session, as the charger told it."""

    at: datetime
    is_offline: bool
    meter_stop_wh: int | None
    reason: str
    token: Token | None


def started(session: SessionRecord, *, is_authorized: bool, is_offline: bool) -> SessionStarted:
    """Return the fact that a session began, or, said again, what was not known of it at first."""
    return SessionStarted(
        session_id=session.session_id,
        charger_id=session.charger_id,
        evse_id=session.evse_id,
        connector_id=session.connector_id,
        transaction_id=session.transaction_id,
        token=session.token,
        is_authorized=is_authorized,
        meter_start_wh=session.meter_start_wh,
        reservation_id=session.reservation_id,
        is_offline=is_offline,
        observed_at=session.started_at,
    )


def supersede(changes: Changes, context: Context, *, is_offline: bool) -> None:
    """End what is still open where this session begins, if that began earlier."""
    new = changes.session
    old = context.open_on(new.evse_id) if new.evse_id else None
    if old is None or old.session_id == new.session_id or old.started_at > new.started_at:
        return
    changes.notes.append(SessionKept(replace(old, ended_at=new.started_at, is_end_assumed=True)))
    changes.facts += [
        SessionEnded(
            session_id=old.session_id,
            charger_id=old.charger_id,
            evse_id=old.evse_id,
            transaction_id=old.transaction_id,
            reason=SUPERSEDED,
            is_offline=is_offline,
            observed_at=new.started_at,
        ),
        context.oddity("session_superseded", f"{old.session_id} by {new.session_id}"),
    ]


def end(changes: Changes, stop: Stop, context: Context) -> None:
    """End a session, or say what is odd about ending it again."""
    session = changes.session
    if session.ended_at is not None and not session.is_end_assumed:
        if stop.meter_stop_wh not in {None, session.meter_stop_wh}:
            detail = f"{session.session_id}: {session.meter_stop_wh}, then {stop.meter_stop_wh} Wh"
            changes.facts.append(context.oddity("second_stop", detail))
        return
    at = max(stop.at, session.started_at)
    if at > stop.at:
        changes.facts.append(context.oddity("stop_before_start", session.session_id))
    meter_stop_wh = _believable(changes, stop.meter_stop_wh, at, context)
    changes.session = replace(
        session, ended_at=at, is_end_assumed=False, meter_stop_wh=meter_stop_wh
    )
    changes.facts.append(
        SessionEnded(
            session_id=session.session_id,
            charger_id=session.charger_id,
            evse_id=session.evse_id,
            transaction_id=session.transaction_id,
            token=stop.token,
            meter_stop_wh=meter_stop_wh,
            reason=stop.reason,
            is_offline=stop.is_offline,
            observed_at=at,
        )
    )


def enter(
    changes: Changes, state: ChargingState, at: datetime, *, is_offline: bool = False
) -> None:
    """Tell a charging state if it is another than the last one told."""
    session = changes.session
    if session.ended_at is not None or session.charging_state is state:
        return
    changes.session = replace(session, charging_state=state)
    changes.facts.append(
        ChargingStateChanged(
            session_id=session.session_id,
            charger_id=session.charger_id,
            state=state,
            is_offline=is_offline,
            observed_at=at,
        )
    )


def decided(token: Token, context: Context, token_type: TypeWord = "") -> list[Event]:
    """Return the fact of the verdict a message was answered with, if there was one."""
    verdict = context.verdict
    if verdict is None:
        return []
    return [
        AuthorizationDecided(
            charger_id=context.charger.charger_id,
            token=token,
            token_type=token_type,
            is_accepted=verdict.is_accepted,
            decided_by=verdict.decided_by,
            observed_at=context.now,
        )
    ]


def _believable(
    changes: Changes, meter_stop_wh: int | None, at: datetime, context: Context
) -> int | None:
    """Clamp a register that went back (QUIRKS 35, FAULTS T08); flag one that jumped."""
    session = changes.session
    if meter_stop_wh is None or session.meter_start_wh is None:
        return meter_stop_wh
    figures = f"{session.session_id}: {session.meter_start_wh} to {meter_stop_wh} Wh"
    if meter_stop_wh < session.meter_start_wh:
        changes.facts.append(context.oddity("meter_went_back", figures))
        return session.meter_start_wh
    if not meter.is_possible(meter_stop_wh - session.meter_start_wh, session.started_at, at):
        changes.facts.append(context.oddity("meter_jumped", figures))
    return meter_stop_wh
