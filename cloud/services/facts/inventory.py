"""What facts of a charger's inventory and jobs do: kept as told, once the station's own charger tells it."""

from collections.abc import Iterable

import msgspec

from cloud.domain.customer_data import without_customer
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.facts.board import Board, Stamp
from cloud.services.inventory_ports import JobStep, Told
from cloud.services.ports import UnitOfWork
from contracts.batch import UnknownEvent
from contracts.events import Event, InventoryKind, InventoryReported, JobKind, JobProgressed


def as_logged(fact: Event | UnknownEvent) -> Event | UnknownEvent:
    """Return a fact as the log may keep it: for months, and for all who look after the charger."""
    if isinstance(fact, JobProgressed) and fact.job is JobKind.CUSTOMER_INFORMATION:
        return msgspec.structs.replace(fact, detail=without_customer(fact.detail))
    return fact


def severities(work: UnitOfWork, monitors: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Return how severe what monitors see is (OCPP 2.0.1 N04), as far as we know them."""
    known: dict[tuple[str, str], int] = {}
    for charger_id, number in sorted(monitors):
        held = work.inventory.item(charger_id, InventoryKind.MONITOR, number)
        severity = None if held is None else held.body.get("severity")
        if isinstance(severity, int):
            known[charger_id, number] = severity
    return known


def inventory_reported(board: Board, fact: InventoryReported, stamp: Stamp) -> None:
    """What a charger holds, or let go; a list of tokens may be another than we think it has."""
    if board.charger(stamp, fact.charger_id) is None:
        return
    board.inventory.append(Told(fact, stamp.seen(fact.observed_at)))
    if fact.inventory is InventoryKind.LOCAL_LIST:
        board.deadlines.append(Deadline(DeadlineKind.LOCAL_LIST, fact.charger_id, board.now))


def job_progressed(board: Board, fact: JobProgressed, stamp: Stamp) -> None:
    """How far a charger is with a job."""
    if board.charger(stamp, fact.charger_id) is not None:
        board.jobs.append(JobStep(fact, stamp.seen(fact.observed_at)))
