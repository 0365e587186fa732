"""What facts of a charger's inventory and jobs do: kept as told, once the station's own charger tells it."""

from cloud.services.facts.board import Board, Stamp
from cloud.services.inventory_ports import JobStep, Told
from contracts.events import InventoryReported, JobProgressed


def inventory_reported(board: Board, fact: InventoryReported, stamp: Stamp) -> None:
    """What a charger holds, or let go."""
    if board.charger(stamp, fact.charger_id) is not None:
        board.inventory.append(Told(fact, stamp.seen(fact.observed_at)))


def job_progressed(board: Board, fact: JobProgressed, stamp: Stamp) -> None:
    """How far a charger is with a job."""
    if board.charger(stamp, fact.charger_id) is not None:
        board.jobs.append(JobStep(fact, stamp.seen(fact.observed_at)))
