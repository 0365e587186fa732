"""The outbox's SQLite file: blocking, used from one thread at a time; knows no asyncio."""

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from contracts.events import FactDropped
from contracts.wire import encode
from station_agent.domain.thinning import DROP_ORDER, Head, expendable

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    transaction_number INTEGER NOT NULL,
    base_seq INTEGER NOT NULL,
    acked_seq INTEGER NOT NULL,
    opened_seq INTEGER
);
CREATE TABLE IF NOT EXISTS facts (
    first_seq INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    drop_class INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS kept (
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE VIEW IF NOT EXISTS groups AS
    SELECT first_seq, last_seq, drop_class, body, '[]' AS kept, NULL AS forgotten,
        0 AS acked_seq, 0 AS transaction_number FROM facts;
CREATE TRIGGER IF NOT EXISTS write_facts INSTEAD OF INSERT ON groups
WHEN NEW.body IS NOT NULL BEGIN
    INSERT INTO facts VALUES (NEW.first_seq, NEW.last_seq, NEW.drop_class, NEW.body);
END;
CREATE TRIGGER IF NOT EXISTS write_kept INSTEAD OF INSERT ON groups
WHEN NEW.kept IS NOT NULL BEGIN
    INSERT OR REPLACE INTO kept
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'),
            json_extract(value, '$[2]') FROM json_each(NEW.kept);
END;
CREATE TRIGGER IF NOT EXISTS write_forgotten INSTEAD OF INSERT ON groups
WHEN NEW.forgotten IS NOT NULL BEGIN
    DELETE FROM kept WHERE (kind, key) IN (
        SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]')
        FROM json_each(NEW.forgotten));
END;
CREATE TRIGGER IF NOT EXISTS write_acked INSTEAD OF INSERT ON groups
WHEN NEW.acked_seq IS NOT NULL BEGIN
    DELETE FROM facts WHERE first_seq <= NEW.acked_seq AND last_seq <= NEW.acked_seq;
    UPDATE progress SET acked_seq = NEW.acked_seq;
END;
CREATE TRIGGER IF NOT EXISTS write_number INSTEAD OF INSERT ON groups
WHEN NEW.transaction_number IS NOT NULL BEGIN
    UPDATE progress SET transaction_number = NEW.transaction_number;
END;
"""
"""A group is one INSERT into a view: SQLite's own thread-free work is then one call, and Python's
interpreter lock is given up and taken back once a commit instead of once a row (a busy event loop
makes that 28 ms or 6)."""

LOCK_WAIT_S: Final = 5.0
"""How long an agent that is ending may still hold the file."""

_RESERVE_BYTES: Final = 4 * 1024 * 1024
_THIN_BYTES: Final = 256 * 1024
"""Rewritten at once, so that the write-ahead log of it fits into the reserve."""
_FULL: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR})

_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_SIZE_CHECKED_EVERY: Final = 64
"""Writes between two looks at the file's size."""

_FACTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_DROPPED: Final = encode(FactDropped())


class _HeadOnWire(msgspec.Struct):
    kind: str
    session_id: str | None = None
    interval_wh: int | None = None


_HEAD: Final = msgspec.json.Decoder(_HeadOnWire)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the outbox stands. Sequence numbers here never restart; the wire's do with an epoch."""

    epoch: int
    transaction_number: int
    """The last one given out."""
    base_seq: int = 0
    """What the wire calls 1 is `base_seq + 1` here."""
    acked_seq: int = 0
    opened_seq: int = 0
    """The head at the first opening since the cloud was last heard."""
    head_seq: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much disk an outbox may use."""

    max_bytes: int = 2**31
    """Above it telemetry is dropped; what must not be dropped may still exceed it."""
    max_pages: int | None = None
    """SQLite's own bound, at which nothing more can be written; for tests of a full disk."""


DEFAULT_LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Stored:
    """How a write went that succeeded."""

    dropped: int = 0
    """Facts that had to go for it."""
    is_short: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What goes to disk in one commit; None: nothing of that kind."""

    first_seq: int
    facts: Sequence[bytes] = ()
    drop_class: int = 0
    kept: bytes | None = None
    """JSON: [[kind, key, body], ...], each (kind, key) once."""
    forgotten: bytes | None = None
    """JSON: [[kind, key], ...]."""
    acked_seq: int | None = None
    transaction_number: int | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is nothing but facts, as most are: the view's triggers have nothing to do."""
        more = (self.kept, self.forgotten, self.acked_seq, self.transaction_number)
        return bool(self.facts) and all(one is None for one in more)

    def row(self) -> tuple[Any, ...]:
        """Return the values of the view's columns."""
        body = b"[" + b",".join(self.facts) + b"]" if self.facts else None
        return (
            self.first_seq,
            self.first_seq + len(self.facts) - 1,
            self.drop_class,
            body,
            self.kept,
            self.forgotten,
            self.acked_seq,
            self.transaction_number,
        )


def drop_class_of(kind: str) -> int:
    """Return the bit that says in which step of DROP_ORDER a kind goes; 0: never."""
    return next((1 << step for step, kinds in enumerate(DROP_ORDER) if kind in kinds), 0)


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file is no longer a database that can be read."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _DAMAGED


def is_disk_refusal(error: sqlite3.Error) -> bool:
    """Whether the disk is full or failing, rather than our SQL wrong."""
    return (getattr(error, "sqlite_errorcode", 0) & 0xFF) in _FULL


class OutboxFile:
    """One file, WAL, synchronous FULL: what `write` returned from survives a power cut."""

    def __init__(self, path: Path, fresh: Progress, limits: Limits) -> None:
        self._path = path
        self._reserve = path.with_name(f"{path.name}.reserve")
        self._limits = limits
        self._writes = 0
        self._is_short = False
        self._is_broken = False
        self._thinned_to = [0] * len(DROP_ORDER)
        self._db = self._connect()
        self._db.execute(
            "INSERT OR IGNORE INTO progress VALUES (1, ?, ?, 0, 0, NULL)",
            (fresh.epoch, fresh.transaction_number),
        )

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(
            self._path, timeout=LOCK_WAIT_S, isolation_level=None, check_same_thread=False
        )
        # A second agent on the same file is refused, and the index of the log needs no shared file.
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 8388608")
        db.execute("PRAGMA wal_autocheckpoint = 512")
        db.execute("PRAGMA temp_store = MEMORY")
        if self._limits.max_pages is not None:
            db.execute(f"PRAGMA max_page_count = {int(self._limits.max_pages)}")
        db.executescript(_SCHEMA)
        return db

    def open(self) -> Progress:
        """Return where the outbox stands, and note that it was opened."""
        self._fill_reserve()
        head = "SELECT MAX(acked_seq, COALESCE((SELECT MAX(last_seq) FROM facts), 0)) FROM progress"
        (head_seq,) = self._db.execute(head).fetchone()
        self._db.execute("UPDATE progress SET opened_seq = COALESCE(opened_seq, ?)", (head_seq,))
        row = self._db.execute(
            "SELECT epoch, transaction_number, base_seq, acked_seq, opened_seq FROM progress"
        ).fetchone()
        epoch, transaction_number, base_seq, acked_seq, opened_seq = row
        return Progress(epoch, transaction_number, base_seq, acked_seq, opened_seq, head_seq)

    def load_kept(self) -> Iterator[tuple[str, str, str]]:
        """Yield all that is remembered: kind, key and JSON body."""
        yield from self._db.execute("SELECT kind, key, body FROM kept")

    def store(self, group: Group) -> Stored:
        """Make a group durable; where the disk is short, at the cost of older telemetry.

        Raises:
            sqlite3.Error: nothing of it was written, even so.
        """
        if self._is_broken:
            self._reopen(group.first_seq)
        dropped = 0
        try:
            self.write(group)
        except sqlite3.Error as error:
            if not is_disk_refusal(error):
                raise
            dropped = self._retry(group)
        else:
            self._writes += 1
            if self._is_short or self._writes % _SIZE_CHECKED_EVERY == 0:
                dropped = self._keep_bound()
        return Stored(dropped, self._is_short)

    def write(self, group: Group) -> None:
        """Make a group durable, whole or not at all.

        Raises:
            sqlite3.Error: nothing of it was written.
        """
        row = group.row()
        if group.is_plain:
            self._db.execute("INSERT INTO facts VALUES (?, ?, ?, ?)", row[:4])
        else:
            self._db.execute("INSERT INTO groups VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def read_after(self, seq: int, max_events: int, max_bytes: int) -> list[bytes]:
        """Return undelivered facts after `seq`, in order; at least one if there is any."""
        facts: list[bytes] = []
        size = 0
        rows = self._db.execute(
            "SELECT first_seq, body FROM facts WHERE last_seq > ? AND first_seq <= ? "
            "ORDER BY first_seq",
            (seq, seq + max_events),
        )
        for first_seq, body in rows:
            for fact in _FACTS.decode(body)[max(0, seq + 1 - first_seq) :]:
                size += len(bytes(fact)) + 1
                if facts and (len(facts) == max_events or size > max_bytes):
                    rows.close()
                    return facts
                facts.append(bytes(fact))
        return facts

    def heard_cloud(self) -> None:
        """Note that the cloud's cursor is known to fit this file."""
        self._db.execute("UPDATE progress SET opened_seq = NULL WHERE opened_seq IS NOT NULL")

    def renew_epoch(self, epoch: int, delivered_seq: int, transaction_number: int) -> None:
        """Begin a new epoch whose first event is the one after `delivered_seq`."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            self._db.execute("DELETE FROM facts WHERE last_seq <= ?", (delivered_seq,))
            self._db.execute(
                "UPDATE progress SET epoch = ?, base_seq = ?, acked_seq = ?, opened_seq = NULL, "
                "transaction_number = ?",
                (epoch, delivered_seq, delivered_seq, transaction_number),
            )
            self._db.execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            raise

    def make_room(self, wanted_bytes: int) -> tuple[int, int]:
        """Drop the oldest telemetry, then chatter; return how many facts and bytes that freed.

        Their places are kept by tombstones, as the numbers on the wire must have no gaps.
        """
        self._reserve.unlink(missing_ok=True)
        facts = freed = 0
        for step, kinds in enumerate(DROP_ORDER):
            while freed < wanted_bytes and (rows := self._thinnable(step)):
                count, size = self._thin(rows, step, kinds)
                facts, freed = facts + count, freed + size
        return facts, freed

    def used_bytes(self) -> int:
        """Return the size of what is held, without pages that are free again."""
        (pages,) = self._db.execute("PRAGMA page_count").fetchone()
        (free,) = self._db.execute("PRAGMA freelist_count").fetchone()
        (size,) = self._db.execute("PRAGMA page_size").fetchone()
        return int((pages - free) * size)

    def close(self) -> None:
        """Close; the reserve stays for the next run."""
        self._db.close()

    def _retry(self, group: Group) -> int:
        """Write once more after making room; the next write is on a new connection if that fails."""
        self._is_short = True
        try:
            dropped, _ = self.make_room(max(self.used_bytes() // 10, _THIN_BYTES))
            self.write(group)
        except sqlite3.Error:
            self._is_broken = True
            raise
        return dropped

    def _keep_bound(self) -> int:
        """Drop what is above the bound, down to nine tenths of it; note how short the disk is."""
        limit = self._limits.max_bytes
        dropped = 0
        # The group itself is written: trouble in tidying up must not refuse it.
        with contextlib.suppress(sqlite3.Error):
            used = self.used_bytes()
            if used > limit:
                dropped, _ = self.make_room(used - limit * 9 // 10)
            if self._is_short:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._fill_reserve()
            self._is_short = not self._reserve.exists() or self.used_bytes() > limit * 19 // 20
        return dropped

    def _reopen(self, next_seq: int) -> None:
        """Take a new connection. A write that failed at its flush may be there: it was refused."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        self._db = self._connect()
        self._db.execute("DELETE FROM facts WHERE first_seq >= ?", (next_seq,))
        self._is_broken = False

    def _thinnable(self, step: int) -> list[tuple[int, list[bytes]]]:
        """Return the next rows with facts of a step: 256 KiB of them, or one."""
        rows = self._db.execute(
            "SELECT first_seq, body FROM facts WHERE first_seq > ? AND drop_class & ? "
            "ORDER BY first_seq",
            (self._thinned_to[step], 1 << step),
        )
        found: list[tuple[int, list[bytes]]] = []
        size = 0
        for first_seq, body in rows:
            found.append((first_seq, [bytes(fact) for fact in _FACTS.decode(body)]))
            size += len(body)
            if size >= _THIN_BYTES:
                break
        rows.close()
        return found

    def _thin(
        self, rows: list[tuple[int, list[bytes]]], step: int, kinds: frozenset[str]
    ) -> tuple[int, int]:
        heads = [_HEAD.decode(fact) for _, facts in rows for fact in facts]
        known = [Head(head.kind, head.session_id, head.interval_wh) for head in heads]
        going = expendable(known, kinds)
        freed = at = 0
        self._db.execute("BEGIN IMMEDIATE")
        try:
            for first_seq, facts in rows:
                left = [_DROPPED if at + i in going else fact for i, fact in enumerate(facts)]
                at += len(facts)
                freed += sum(map(len, facts)) - sum(map(len, left))
                self._rewrite(first_seq, left, step)
            self._db.execute("COMMIT")
        except sqlite3.Error:
            self._roll_back()
            raise
        self._thinned_to[step] = rows[-1][0]
        return len(going), freed

    def _rewrite(self, first_seq: int, facts: list[bytes], step: int) -> None:
        self._db.execute(
            "UPDATE facts SET body = ?, drop_class = drop_class & ~? WHERE first_seq = ?",
            (b"[" + b",".join(facts) + b"]", 1 << step, first_seq),
        )

    def _roll_back(self) -> None:
        # SQLite itself has already rolled back after some errors of the disk.
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")

    def _fill_reserve(self) -> None:
        """Hold some disk back, so that there is room to make room when it is full."""
        with contextlib.suppress(OSError):
            if self._reserve.exists():
                return
            space = os.statvfs(self._path.parent)
            if space.f_bavail * space.f_frsize > 4 * _RESERVE_BYTES:
                self._reserve.write_bytes(b"\0" * _RESERVE_BYTES)
