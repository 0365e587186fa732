"""Facts on disk until the cloud has acknowledged them, and what the agent must remember.

Group commit: all that is recorded while the disk is busy goes with the next write, so that the
cost of a flush is shared. Whoever records waits until its facts are on disk, or were refused.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, assert_never, get_args

import msgspec
import structlog

from contracts.batch import MAX_BATCH_BYTES, MAX_BATCH_EVENTS
from contracts.clock import Clock
from contracts.events import Event, OddityObserved
from contracts.ids import ChargerId, Token
from station_agent.outbox.file import (
    DEFAULT_LIMITS,
    Group,
    Limits,
    OutboxFile,
    Progress,
    Stored,
    drop_class_of,
    is_damage,
)
from station_agent.outbox.memory import (
    AnswerIndex,
    RememberedAnswer,
    RememberedSession,
    SessionIndex,
)
from station_agent.outbox.state import starts_of, subject_of
from station_agent.outbox.tail import Tail
from station_agent.outbox.writer_thread import WriterThread
from station_agent.ports import (
    AnswerKept,
    Kept,
    Note,
    OutboxUnavailable,
    SessionKept,
    SessionRecord,
)

log = structlog.get_logger()

_GROUP_FACTS: Final = MAX_BATCH_EVENTS
_GROUP_BYTES: Final = MAX_BATCH_BYTES
_TRIM_EVERY: Final = 256
"""Delivered facts are deleted with a later write: an extra flush for it would buy nothing."""
_GATHER_S: Final = 0.002
"""So long the first of a group waits for others: half the commits, for a time nobody notices."""
_NUMBERS_SINCE: Final = datetime(2026, 1, 1, tzinfo=UTC)

_encode: Final = msgspec.json.Encoder().encode
_BATCH_BODY_BYTES: Final = MAX_BATCH_BYTES - 16 * 1024
"""Leaves room for what a batch carries besides facts."""
_EVENT: Final = msgspec.json.Decoder(Event)
_SESSION: Final = msgspec.json.Decoder(RememberedSession)
_ANSWER: Final = msgspec.json.Decoder(RememberedAnswer)


Memo = RememberedSession | RememberedAnswer | Kept


@dataclass(slots=True)
class _Pending:
    """What will be the next group, and who waits for it."""

    facts: list[bytes] = field(default_factory=list)
    size: int = 0
    drop_class: int = 0
    memos: dict[tuple[str, str], Memo] = field(default_factory=dict)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        return len(self.facts) >= _GROUP_FACTS or self.size >= _GROUP_BYTES

    def kept(self) -> bytes | None:
        """Return what is to be remembered, as Group.kept wants it."""
        rows = [(*place, _body(memo)) for place, memo in self.memos.items() if not _is_gone(memo)]
        return _encode(rows) if rows else None

    def forgotten(self) -> bytes | None:
        """Return what is to be forgotten, as Group.forgotten wants it."""
        places = [place for place, memo in self.memos.items() if _is_gone(memo)]
        return _encode(places) if places else None


class Outbox:
    """Implements Recorder, SessionMemory and AnswerMemory over one SQLite file.

    Made outside or inside a loop, used inside one; `close` it to end its thread.
    """

    def __init__(self, path: Path, clock: Clock, limits: Limits = DEFAULT_LIMITS) -> None:
        self._clock = clock
        self._file = _open_file(path, self._fresh(), limits)
        self._at: Progress = self._file.open()
        self._written_number = self._at.transaction_number
        self._sessions = SessionIndex()
        self._answers = AnswerIndex()
        self._kept: dict[tuple[str, str], bytes] = {}
        self._crowded: set[ChargerId] = set()
        """Who was told of since the last housekeeping for having too many sessions."""
        self._pending: list[_Pending] = [_Pending()]
        self._load()
        self._tail = Tail(self._at.head_seq)
        self._trimmed_seq = self._at.acked_seq
        self._is_writing = False
        self._is_due = False
        self._is_disk_short = False
        self._is_closed = False
        self._thread: WriterThread | None = None
        self._watchers: list[Callable[[], None]] = []
        self.dropped_facts = 0

    # What others ask.

    @property
    def epoch(self) -> int:
        """The number of this outbox's current run of sequence numbers."""
        return self._at.epoch

    @property
    def head_seq(self) -> int:
        """The wire's number of the last fact on disk; 0 if there was none."""
        return self._at.head_seq - self._at.base_seq

    @property
    def acked_seq(self) -> int:
        """The wire's number of the last fact the cloud has."""
        return self._at.acked_seq - self._at.base_seq

    @property
    def opened_seq(self) -> int:
        """The wire's number of the last fact there was when this file was opened."""
        return self._at.opened_seq - self._at.base_seq

    @property
    def depth(self) -> int:
        """How many facts wait for the cloud."""
        return self._at.head_seq - self._at.acked_seq

    @property
    def is_disk_short(self) -> bool:
        """Whether the last write was refused, or telemetry had to go for it."""
        return self._is_disk_short

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` in the loop whenever facts were written or the disk's state changed."""
        self._watchers.append(watcher)

    def kept(self, kind: str) -> Mapping[str, bytes]:
        """Return all that is remembered of a kind, by key."""
        return {key: body for (of, key), body in self._kept.items() if of == kind}

    # Recorder.

    async def record(self, facts: Sequence[Event], notes: Sequence[Note] = ()) -> None:
        """See Recorder.record."""
        if self._is_closed:
            raise OutboxUnavailable("the agent is stopping")
        loop = asyncio.get_running_loop()
        pending = self._pending[-1]
        if pending.is_full:
            pending = _Pending()
            self._pending.append(pending)
        for fact in facts:
            self._add_fact(pending, fact)
        for note in notes:
            self._add_note(pending, note)
        done = loop.create_future()
        pending.waiting.append(done)
        if not (self._is_writing or self._is_due):
            self._is_due = True
            loop.call_later(_GATHER_S, self._write)
        await done

    # SessionMemory and AnswerMemory.

    def by_start_key(self, charger_id: ChargerId, start_key: str) -> SessionRecord | None:
        """See SessionMemory.by_start_key."""
        return self._sessions.by_start_key(charger_id, start_key)

    def by_transaction(self, charger_id: ChargerId, transaction_id: str) -> SessionRecord | None:
        """See SessionMemory.by_transaction."""
        return self._sessions.by_transaction(charger_id, transaction_id)

    def open_on(self, charger_id: ChargerId, evse_id: int) -> SessionRecord | None:
        """See SessionMemory.open_on."""
        return self._sessions.open_on(charger_id, evse_id)

    def open_of(self, token: Token) -> Sequence[SessionRecord]:
        """See SessionMemory.open_of."""
        return self._sessions.open_of(token)

    def next_transaction_number(self) -> int:
        """See SessionMemory.next_transaction_number; on disk with what is recorded next."""
        self._at = replace(self._at, transaction_number=self._at.transaction_number + 1)
        return self._at.transaction_number

    def answer_to(self, charger_id: ChargerId, message_id: str, digest: bytes) -> bytes | None:
        """See AnswerMemory.answer_to."""
        return self._answers.answer_to(charger_id, message_id, digest)

    # The uplink's side.

    def read_recent(self, seq: int) -> list[bytes] | None:
        """Return a batch of facts after the wire's `seq`; None: they are on disk only."""
        after = seq + self._at.base_seq
        return self._tail.after(after, MAX_BATCH_EVENTS, _BATCH_BODY_BYTES)

    async def read(self, seq: int) -> list[bytes]:
        """Return a batch of facts after the wire's `seq`, from disk.

        Raises:
            OutboxUnavailable: the disk cannot be read.
        """
        after = seq + self._at.base_seq
        call = self._writer().call
        try:
            return await call(self._file.read_after, after, MAX_BATCH_EVENTS, _BATCH_BODY_BYTES)
        except sqlite3.Error as error:
            raise OutboxUnavailable(str(error)) from error

    def forget_delivered(self, seq: int) -> None:
        """The cloud has everything up to the wire's `seq`."""
        delivered = min(seq + self._at.base_seq, self._at.head_seq)
        if delivered <= self._at.acked_seq:
            return
        self._at = replace(self._at, acked_seq=delivered)
        self._tail.forget(delivered)

    async def heard_cloud(self) -> None:
        """The cloud's cursor fits this file: what was delivered was delivered by it."""
        await self._guarded(self._file.heard_cloud)
        self._at = replace(self._at, opened_seq=self._at.head_seq)

    async def renew_epoch(self, delivered_seq: int, at_least: int = 0) -> None:
        """Number anew from 1 what follows the wire's `delivered_seq`; the rest is forgotten.

        Args:
            delivered_seq: what need not be sent, in the numbers until now.
            at_least: an epoch the new one must be greater than.
        """
        delivered = max(delivered_seq + self._at.base_seq, self._at.acked_seq)
        fresh = self._fresh()
        epoch = max(fresh.epoch, self._at.epoch + 1, at_least + 1)
        number = max(fresh.transaction_number, self._at.transaction_number)
        await self._guarded(self._file.renew_epoch, epoch, delivered, number)
        self._at = replace(
            self._at,
            epoch=epoch,
            base_seq=delivered,
            acked_seq=delivered,
            opened_seq=self._at.head_seq,
            transaction_number=max(number, self._at.transaction_number),
        )
        self._trimmed_seq = delivered
        self._tail.forget(delivered)

    async def tell_again(self) -> None:
        """Record anew how everything stands: for a cloud that lost what it once acknowledged."""
        facts: list[Event] = [_EVENT.decode(body) for body in self.kept("state").values()]
        await self.record([*facts, *starts_of(self._sessions.still_open())])

    # Housekeeping.

    async def forget_outdated(self) -> None:
        """Drop session records that nobody will ask for any more."""
        self._crowded.clear()
        outdated = self._sessions.outdated(self._clock.now())
        if outdated:
            await self.record((), [Kept("session", session_id, None) for session_id in outdated])

    async def close(self) -> None:
        """Write what was recorded and what the cloud has, and close the file."""
        if self._is_closed:
            return
        self._is_closed = True
        waiting = [done for pending in self._pending for done in pending.waiting]
        await asyncio.gather(*waiting, return_exceptions=True)
        writer = self._writer()
        try:
            await writer.call(self._file.write, Group(0, acked_seq=self._at.acked_seq))
        except sqlite3.Error as error:
            log.warning("outbox.close_unwritten", error=str(error))
        await writer.call(self._file.close)
        await writer.stop()

    # The way to the disk.

    def _write(self) -> None:
        """Hand the next group to the thread, unless it is busy or there is none."""
        self._is_due = False
        if self._is_writing or not self._pending[0].waiting:
            return
        pending = self._pending.pop(0)
        if not self._pending:
            self._pending.append(_Pending())
        self._is_writing = True
        group = self._group(pending)
        self._writer().post(self._file.store, (group,), partial(self._written, pending, group))

    def _write_soon(self) -> None:
        """Go on with what waits already; where that is not a whole group, more may join it."""
        if not self._pending[0].waiting or self._is_due:
            return
        self._is_due = True
        delay_s = _GATHER_S if len(self._pending) == 1 else 0
        asyncio.get_running_loop().call_later(delay_s, self._write)

    def _group(self, pending: _Pending) -> Group:
        at = self._at
        is_numbered = at.transaction_number != self._written_number
        is_trim_due = at.acked_seq - self._trimmed_seq >= _TRIM_EVERY
        return Group(
            first_seq=at.head_seq + 1,
            facts=pending.facts,
            drop_class=pending.drop_class,
            kept=pending.kept() if pending.memos else None,
            forgotten=pending.forgotten() if pending.memos else None,
            acked_seq=at.acked_seq if is_trim_due else None,
            transaction_number=at.transaction_number if is_numbered else None,
        )

    def _written(
        self, pending: _Pending, group: Group, stored: Stored | None, error: Exception | None
    ) -> None:
        self._is_writing = False
        if error is not None:
            self._refuse(pending, error)
        elif stored is not None:
            self._accept(pending, group, stored)
        self._write_soon()
        for watcher in self._watchers:
            watcher()

    def _accept(self, pending: _Pending, group: Group, stored: Stored) -> None:
        self._at = replace(self._at, head_seq=self._at.head_seq + len(group.facts))
        self._written_number = group.transaction_number or self._written_number
        self._trimmed_seq = group.acked_seq or self._trimmed_seq
        self._tail.append(group.facts)
        for (kind, key), memo in pending.memos.items():
            self._remember(kind, key, memo)
        self._note_disk(is_short=stored.is_short, dropped=stored.dropped)
        for done in pending.waiting:
            if not done.done():
                done.set_result(None)

    def _refuse(self, pending: _Pending, error: Exception) -> None:
        self._note_disk(is_short=True, dropped=0)
        for done in pending.waiting:
            if not done.done():
                # Anything but the disk is a bug, and ends whoever waits.
                is_disk = isinstance(error, sqlite3.Error)
                done.set_exception(OutboxUnavailable(str(error)) if is_disk else error)

    def _note_disk(self, *, is_short: bool, dropped: int) -> None:
        self.dropped_facts += dropped
        if is_short and not self._is_disk_short:
            log.error("outbox.disk_short", dropped_facts=self.dropped_facts)
        elif self._is_disk_short and not is_short:
            log.info("outbox.disk_recovered", dropped_facts=self.dropped_facts)
        self._is_disk_short = is_short

    def _writer(self) -> WriterThread:
        if self._thread is None:
            self._thread = WriterThread("outbox")
        return self._thread

    async def _guarded(self, function: Callable[..., None], *arguments: Any) -> None:
        try:
            await self._writer().call(function, *arguments)
        except sqlite3.Error as error:
            raise OutboxUnavailable(str(error)) from error

    # What is remembered.

    def _add_fact(self, pending: _Pending, fact: Event) -> None:
        encoded = _encode(fact)
        pending.facts.append(encoded)
        pending.size += len(encoded)
        pending.drop_class |= _DROP_CLASSES[type(fact)]
        subject = subject_of(fact)
        if subject is not None:
            pending.memos["state", subject] = Kept("state", subject, encoded)

    def _add_note(self, pending: _Pending, note: Note) -> None:
        match note:
            case SessionKept(session):
                memo = RememberedSession(session, self._clock.now())
                pending.memos["session", session.session_id] = memo
            case AnswerKept():
                answer = self._answers.numbered(note)
                pending.memos["answer", answer.slot] = answer
            case Kept(kind, key):
                pending.memos[kind, key] = note
            case _:
                assert_never(note)

    def _remember(self, kind: str, key: str, memo: Memo) -> None:
        match memo:
            case RememberedSession():
                self._sessions.put(memo)
                self._bound_sessions(memo.session.charger_id)
            case RememberedAnswer():
                self._answers.put(memo)
            case Kept(body=None):
                self._kept.pop((kind, key), None)
                if kind == "session":
                    self._sessions.forget(key)
            case Kept(body=body) if body is not None:
                self._kept[kind, key] = body

    def _bound_sessions(self, charger_id: ChargerId) -> None:
        """Forget what a charger has too many of; on disk with what is recorded next."""
        pending = self._pending[-1]
        for session_id in self._sessions.crowded_out(charger_id):
            self._sessions.forget(session_id)
            pending.memos.setdefault(("session", session_id), Kept("session", session_id, None))
            if charger_id not in self._crowded:
                self._crowded.add(charger_id)
                self._add_fact(pending, self._too_many_sessions(charger_id))

    def _too_many_sessions(self, charger_id: ChargerId) -> Event:
        return OddityObserved(
            charger_id=charger_id, oddity="too_many_sessions", observed_at=self._clock.now()
        )

    def _load(self) -> None:
        answers: list[RememberedAnswer] = []
        sessions: list[RememberedSession] = []
        for kind, key, body in self._file.load_kept():
            if kind == "session":
                sessions.append(_SESSION.decode(body))
            elif kind == "answer":
                answers.append(_ANSWER.decode(body))
            else:
                self._kept[kind, key] = body.encode()
        for one in sorted(sessions, key=lambda one: one.kept_at):
            self._remember("session", one.session.session_id, one)
        self._answers.load(answers)

    def _fresh(self) -> Progress:
        """Return how a new outbox begins.

        Transaction numbers go on from the seconds since 2026, so that one whose disk was lost
        still gives none twice: no station starts a session a second for years.
        """
        now = self._clock.now()
        number = max(0, int((now - _NUMBERS_SINCE).total_seconds()))
        return Progress(epoch=int(now.timestamp() * 1000), transaction_number=number)


def _is_gone(memo: Memo) -> bool:
    return isinstance(memo, Kept) and memo.body is None


def _body(memo: Memo) -> Any:
    return msgspec.Raw(memo.body or b"null") if isinstance(memo, Kept) else memo


_DROP_CLASSES: Final[dict[type, int]] = {
    kind: drop_class_of(str(kind.__struct_config__.tag)) for kind in get_args(Event)
}


def _open_file(path: Path, fresh: Progress, limits: Limits) -> OutboxFile:
    """Open the file; one that is damaged is put aside, as chargers must be served all the same."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return OutboxFile(path, fresh, limits)
    except sqlite3.DatabaseError as error:
        if not is_damage(error):
            raise OutboxUnavailable(f"{path}: {error}; does another agent use it?") from error
        aside = path.with_name(f"{path.name}.damaged-{fresh.epoch}")
        log.exception("outbox.damaged", kept_as=aside.name)
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        path.rename(aside)
        return OutboxFile(path, fresh, limits)
