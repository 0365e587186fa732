"""What the remaining facts do: answers find their commands, the rest is kept in the log."""

from cloud.domain.alerts.snapshots import QuarantineSnapshot
from cloud.services.facts.board import Board, Stamp
from contracts.batch import UnknownEvent
from contracts.events import CommandAnswered, Event, FactDropped, MessageQuarantined


def command_answered(board: Board, fact: CommandAnswered, stamp: Stamp) -> None:
    """How a command ended; only the station it was sent to may say so."""
    board.answers[stamp.station_id].append(fact)


def message_quarantined(board: Board, fact: MessageQuarantined, stamp: Stamp) -> None:
    """A charger's message the agent could not use: somebody should look."""
    told = QuarantineSnapshot(
        stamp.station_id, f"{fact.charger_id} {fact.action}", fact.error, stamp.received_at
    )
    board.quarantined.append(told)


def unknown_event(board: Board, fact: UnknownEvent, stamp: Stamp) -> None:
    """A fact of a newer kind, or a broken one: kept as it came, counted."""
    del stamp
    board.ignored[f"unknown_event:{fact.event_kind}"] += 1


def fact_dropped(board: Board, fact: FactDropped, stamp: Stamp) -> None:
    """Telemetry a full disk had no room for: counted, with its place in the numbers."""
    del fact, stamp
    board.ignored["dropped_by_agent"] += 1


def only_kept(board: Board, fact: Event, stamp: Stamp) -> None:
    """Of no effect here; the log has it."""
    del board, fact, stamp
