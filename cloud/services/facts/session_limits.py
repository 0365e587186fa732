"""Tokens that charge at more places than they may: each start was granted before the others were told.

A charge that runs is not stopped for it: it is flagged, and somebody is told.
"""

from collections.abc import Sequence
from typing import Final

from cloud.domain.alerts.snapshots import SecuritySnapshot
from cloud.domain.sessions import Session, flagged
from cloud.services.fact_ports import Grant
from cloud.services.facts.board import Board
from cloud.services.ports import UnitOfWork
from contracts.ids import same_token

OVER_LIMIT: Final = "over_session_limit"


def see_to_limits(work: UnitOfWork, board: Board) -> None:
    """Flag what began just now, beyond what its token may; of several the latest."""
    begun = sorted(
        (board.sessions[one] for one in board.begun_sessions),
        key=lambda one: (one.started_at, one.id),
    )
    for place, session in enumerate(begun):
        token = same_token(session.token or "")
        limit = _limit(board, session, board.grants.get(token))
        if not limit or not session.is_open:
            continue
        running = _running(work, board, session, begun[:place])
        if len(running) >= limit:
            count = len(running) + 1
            _note(board, session, f"session {session.id} is charge {count} of {limit} allowed")


def _limit(board: Board, session: Session, grant: Grant | None) -> int:
    """Return how many sessions of its token may run; 0: any number."""
    if grant is None:
        return 0
    any_token = board.stations[session.station_id].max_sessions_per_token
    return any_token if grant.max_sessions is None else grant.max_sessions


def _running(
    work: UnitOfWork, board: Board, session: Session, earlier: Sequence[Session]
) -> set[str]:
    """Return which others of its token run: by what is stored, and by what was told just now."""
    token = same_token(session.token or "")
    stored = (board.sessions.get(one.id, one) for one in work.sessions.seated_of(token))
    others = [*(one for one in stored if one.id not in board.begun_sessions), *earlier]
    place = (session.charger_id, session.evse_id)
    return {
        one.id
        for one in others
        if one.is_open
        and same_token(one.token or "") == token
        and (one.charger_id, one.evse_id) != place
    }


def _note(board: Board, session: Session, info: str) -> None:
    board.put_session(flagged(session, OVER_LIMIT))
    board.security.append(
        SecuritySnapshot(session.station_id, session.charger_id, OVER_LIMIT, info, board.now)
    )
