"""What a board without facts begins with: equipment, its stations, and the sessions it serves."""

from collections.abc import Collection

from cloud.services.fact_ports import Equipment
from cloud.services.facts.board import Board
from cloud.services.ports import UnitOfWork


def furnish(
    work: UnitOfWork, board: Board, equipment: Equipment, station_ids: Collection[str] = ()
) -> None:
    """Put equipment on the board with all that judging it needs; and these stations."""
    board.equip(equipment)
    owners = {one.station_id for one in board.bays.values()} | set(station_ids)
    owners |= {one.station_id for one in board.chargers.values()}
    board.stations = work.stations.by_ids(sorted(owners))
    board.links = work.links.by_ids(sorted(board.stations))
    seated = {one.session_id for one in board.bays.values() if one.session_id}
    board.sessions = work.sessions.by_ids(sorted(seated))
