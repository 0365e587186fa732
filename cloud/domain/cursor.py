"""What a numbered batch is to a station's cursor: new, known, or after a gap."""

from dataclasses import dataclass
from enum import StrEnum


class Place(StrEnum):
    """Where a batch stands."""

    NEXT = "next"
    """It goes on where the cursor is; its first `skip` events are known."""
    KNOWN = "known"
    """All of it is committed: acknowledge, no effect."""
    GAP = "gap"
    """Something before it is missing: tell the cursor, the agent goes back."""
    OLD_EPOCH = "old_epoch"
    """From an outbox that was given up; nothing in it counts any more."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """All events of `epoch` up to `committed_seq` are applied."""

    epoch: int
    committed_seq: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A batch's place, and the cursor after it."""

    place: Place
    cursor: Cursor
    skip: int = 0


def place(cursor: Cursor, epoch: int, first_seq: int, count: int) -> Placed:
    """Place a batch of `count` events from `first_seq` on; pure, and the same however often asked.

    A greater epoch starts again: the old outbox was lost with its disk, and what it had not
    delivered is gone; numbering begins at 1.
    """
    if epoch < cursor.epoch:
        return Placed(Place.OLD_EPOCH, cursor)
    if epoch > cursor.epoch:
        cursor = Cursor(epoch, 0)
    last_seq = first_seq + count - 1
    if first_seq > cursor.committed_seq + 1:
        # a heartbeat without events numbers the next event; it is ahead only if some are missing
        return Placed(Place.GAP, cursor)
    if last_seq <= cursor.committed_seq:
        return Placed(Place.KNOWN, cursor)
    skip = cursor.committed_seq + 1 - first_seq
    return Placed(Place.NEXT, Cursor(epoch, last_seq), skip)
