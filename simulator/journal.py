"""The truth, line by line: what happened in the world, and what was acknowledged to whom.

One JSON object a line, flushed as it is written, so that the journal outlives whatever is killed.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec


class Kind(StrEnum):
    """What a line tells."""

    SENT = "sent"
    """A charger's call left it, once per attempt."""
    ACKNOWLEDGED = "acknowledged"
    """The call's CALLRESULT came."""
    REFUSED = "refused"
    """The call's CALLERROR came."""
    DROPPED = "dropped"
    """The charger gave a transaction message up, as its settings say."""
    SESSION_BEGUN = "session_begun"
    SESSION_ENDED = "session_ended"
    METER = "meter"
    """A periodic sample, written when it was acknowledged; its register is true."""
    OCCUPANCY = "occupancy"
    """A bay as it really is."""
    SENSOR_SAID = "sensor_said"
    FAULT = "fault"
    FAULT_CLEARED = "fault_cleared"
    CONNECTED = "connected"
    DISCONNECTED = "disconnected"
    ASKED = "asked"
    """A call of the other side, and how the charger answered."""
    DRIVER = "driver"
    """What a driver did: `body` says it in words."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One line; fields that do not apply are left out."""

    at: datetime
    kind: Kind
    charger_id: str = ""
    evse_id: int = 0
    bay_id: str = ""
    session_ref: str = ""
    """The simulator's own name of a session: one for all its messages, in every version."""
    transaction_id: str = ""
    message_id: str = ""
    action: str = ""
    step: str = ""
    """Of a 2.x TransactionEvent: Started, Updated or Ended."""
    attempt: int = 0
    token: str = ""
    register_wh: int | None = None
    """The meter's reading, or at `session_begun` and `session_ended` what the session starts or ends with."""
    meter_start_wh: int | None = None
    observed_at: datetime | None = None
    """The charger's own clock, as written into its message."""
    body: dict[str, Any] = {}


class Journal(Protocol):
    """Who keeps the truth."""

    def write(self, entry: Entry) -> None:
        """Keep one entry, at once."""
        ...


class FileJournal:
    """A journal in a file, appended to; each line is handed to the system before the next."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab", buffering=0)

    def write(self, entry: Entry) -> None:
        """See Journal.write."""
        self._file.write(_ENCODER.encode(entry) + b"\n")

    def close(self) -> None:
        """Write no more."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()


class MemoryJournal:
    """A journal in memory; `limit` keeps only the newest."""

    def __init__(self, limit: int | None = None) -> None:
        self.entries: list[Entry] = []
        self._limit = limit

    def write(self, entry: Entry) -> None:
        """See Journal.write."""
        self.entries.append(entry)
        if self._limit is not None and len(self.entries) > 2 * self._limit:
            del self.entries[: -self._limit]

    def of(self, kind: Kind) -> list[Entry]:
        """Return the entries of one kind, oldest first."""
        return [entry for entry in self.entries if entry.kind is kind]


def read(path: Path) -> Iterator[Entry]:
    """Read a journal back; a last line cut short by a kill is left out.

    Raises:
        ValueError: another line is not an entry; says which.
    """
    lines = path.read_bytes().split(b"\n")
    for number, line in enumerate(lines[:-1], 1):
        try:
            yield _DECODER.decode(line)
        except msgspec.MsgspecError as error:
            raise ValueError(f"{path}, line {number}: {error}") from error


def read_all(paths: Iterable[Path]) -> list[Entry]:
    """Read several journals of one world, in order of their instants."""
    return sorted((entry for path in paths for entry in read(path)), key=lambda entry: entry.at)


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Entry)
