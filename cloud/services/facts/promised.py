"""What a board must know of promises: its bays' reservations, and the sessions they are charged by."""

from collections.abc import Collection
from datetime import datetime

from cloud.domain.reservations import Reservation, Status
from cloud.domain.witnesses import FORESEEN
from cloud.services.facts.board import Board
from cloud.services.ports import UnitOfWork


def load_promises(
    work: UnitOfWork, board: Board, bay_ids: Collection[str], until: datetime | None = None
) -> None:
    """Put the live reservations of these bays on the board: those that begin before `until`.

    Null: within the next hours; of later ones nothing follows from what is seen now.
    """
    if not bay_ids:
        return
    for one in work.reservations.live_on(bay_ids, until or board.now + FORESEEN):
        if one.id not in board.reservations:
            board.put_reservation(one)
    load_sessions(work, board)


def load_sessions(work: UnitOfWork, board: Board) -> None:
    """Put the sessions of reservations on the board, also those that no bay has any more."""
    reservations = board.reservations.values()
    charged = {one.session_id for one in reservations if one.session_id}
    board.sessions |= work.sessions.by_ids(sorted(charged - board.sessions.keys()))
    for reservation in reservations:
        if _is_unaccounted(reservation, board.now):
            told = work.sessions.of_reservation(reservation.id)
            board.sessions |= {one.id: one for one in told if one.id not in board.sessions}


def load_bay(work: UnitOfWork, board: Board, bay_id: str) -> None:
    """Put one more bay on the board, with all that belongs to it."""
    if bay_id not in board.bays:
        board.equip_missing(work.bays.equipment((), [bay_id]))
    load_promises(work, board, [bay_id])
    seated = {one.session_id for one in board.bays.values() if one.session_id}
    board.sessions |= work.sessions.by_ids(sorted(seated - board.sessions.keys()))


def _is_unaccounted(reservation: Reservation, now: datetime) -> bool:
    """Whether its slot is over and nobody knows of a session: one may have been told of late."""
    is_waiting = reservation.status in {Status.BOOKED, Status.ARRIVED}
    return is_waiting and now >= reservation.ends_at
