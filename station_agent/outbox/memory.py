"""What the agent remembers of sessions and answers: plain indexes, filled from the outbox's file."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any, Final

from contracts.ids import ChargerId, SessionId, Token, same_token
from station_agent.ports import AnswerKept, SessionRecord

ANSWERS_PER_CHARGER: Final = 64
"""A charger has one call open at a time, so a retransmission is of one of its last few."""

ENDED_KEPT: Final = timedelta(days=7)
OPEN_KEPT: Final = timedelta(days=30)
"""A session nobody ended by then is a stop that was lost."""

SESSIONS_PER_CHARGER: Final = 2_048
"""A busy charger of ten EVSEs begins fewer in the seven days; more is a flood (FAULTS P07)."""


@dataclass(frozen=True, slots=True)
class RememberedSession:
    """A record, and when it last changed by our clock: chargers' clocks may be years off."""

    session: SessionRecord
    kept_at: datetime


class SessionIndex:
    """Session records by each way they are looked for."""

    def __init__(self) -> None:
        self._kept_at: dict[SessionId, datetime] = {}
        self._records: dict[SessionId, SessionRecord] = {}
        self._by_start: dict[tuple[ChargerId, str], SessionId] = {}
        self._by_transaction: dict[tuple[ChargerId, str], list[SessionId]] = {}
        self._open_on: dict[tuple[ChargerId, int], list[SessionId]] = {}
        self._of: dict[tuple[ChargerId, bool], dict[SessionId, None]] = {}
        """By charger and whether it is open, in the order in which they last changed."""

    def __len__(self) -> int:
        return len(self._records)

    def put(self, remembered: RememberedSession) -> None:
        """Add a record, or replace the one of the same id."""
        record = remembered.session
        self.forget(record.session_id)
        self._records[record.session_id] = record
        self._kept_at[record.session_id] = remembered.kept_at
        self._by_start[record.charger_id, record.start_key] = record.session_id
        is_open = record.ended_at is None
        self._of.setdefault((record.charger_id, is_open), {})[record.session_id] = None
        transaction = (record.charger_id, record.transaction_id)
        self._insert(self._by_transaction.setdefault(transaction, []), record)
        if is_open:
            place = (record.charger_id, record.evse_id)
            self._insert(self._open_on.setdefault(place, []), record)

    def forget(self, session_id: SessionId) -> None:
        """Drop a record, if there."""
        record = self._records.pop(session_id, None)
        self._kept_at.pop(session_id, None)
        if record is None:
            return
        self._of[record.charger_id, record.ended_at is None].pop(session_id)
        if self._by_start.get((record.charger_id, record.start_key)) == session_id:
            del self._by_start[record.charger_id, record.start_key]
        _remove(self._by_transaction, (record.charger_id, record.transaction_id), session_id)
        _remove(self._open_on, (record.charger_id, record.evse_id), session_id)

    def by_start_key(self, charger_id: ChargerId, start_key: str) -> SessionRecord | None:
        """See SessionMemory.by_start_key."""
        session_id = self._by_start.get((charger_id, start_key))
        return None if session_id is None else self._records[session_id]

    def by_transaction(self, charger_id: ChargerId, transaction_id: str) -> SessionRecord | None:
        """See SessionMemory.by_transaction."""
        return self._newest(self._by_transaction.get((charger_id, transaction_id)))

    def open_on(self, charger_id: ChargerId, evse_id: int) -> SessionRecord | None:
        """See SessionMemory.open_on."""
        return self._newest(self._open_on.get((charger_id, evse_id)))

    def open_of(self, token: Token) -> list[SessionRecord]:
        """See SessionMemory.open_of."""
        newest = (self._records[ids[-1]] for ids in self._open_on.values())
        key = same_token(token)
        return [one for one in newest if one.token is not None and same_token(one.token) == key]

    def still_open(self) -> list[SessionRecord]:
        """Return the sessions nobody has ended."""
        return [record for record in self._records.values() if record.ended_at is None]

    def outdated(self, now: datetime) -> list[SessionId]:
        """Return the sessions that nobody will ask for any more."""
        return [
            session_id
            for session_id, record in self._records.items()
            if self._kept_at[session_id] < now - (ENDED_KEPT if record.ended_at else OPEN_KEPT)
        ]

    def crowded_out(self, charger_id: ChargerId) -> list[SessionId]:
        """Return which of a charger's sessions are too many: those over first, the oldest first."""
        of = [self._of.get((charger_id, is_open), {}) for is_open in (False, True)]
        return list(islice(chain(*of), max(0, sum(map(len, of)) - SESSIONS_PER_CHARGER)))

    def _insert(self, ids: list[SessionId], record: SessionRecord) -> None:
        """Keep the newest last; of two begun in the same instant, the one put later."""
        at = len(ids)
        while at and self._records[ids[at - 1]].started_at > record.started_at:
            at -= 1
        ids.insert(at, record.session_id)

    def _newest(self, ids: list[SessionId] | None) -> SessionRecord | None:
        return self._records[ids[-1]] if ids else None


def _remove(index: dict[Any, list[SessionId]], key: Any, session_id: SessionId) -> None:
    ids = index.get(key)
    if ids is None or session_id not in ids:
        return
    ids.remove(session_id)
    if not ids:
        del index[key]


@dataclass(frozen=True, slots=True)
class RememberedAnswer:
    """One answer, with its place in its charger's ring."""

    serial: int
    charger_id: ChargerId
    message_id: str
    digest: str
    """Hexadecimal."""
    reply: str

    @property
    def slot(self) -> str:
        """The place on disk that this answer takes from an older one."""
        return f"{self.serial % ANSWERS_PER_CHARGER}/{self.charger_id}"


class AnswerIndex:
    """The last answers to each charger."""

    def __init__(self) -> None:
        self._answers: dict[ChargerId, dict[str, RememberedAnswer]] = {}
        self._serials: dict[ChargerId, int] = {}

    def numbered(self, kept: AnswerKept) -> RememberedAnswer:
        """Return the answer with its place; not yet remembered."""
        serial = self._serials.get(kept.charger_id, 0) + 1
        self._serials[kept.charger_id] = serial
        return RememberedAnswer(
            serial, kept.charger_id, kept.message_id, kept.digest.hex(), kept.reply.decode()
        )

    def put(self, answer: RememberedAnswer) -> None:
        """Remember an answer; the charger's oldest goes."""
        ring = self._answers.setdefault(answer.charger_id, {})
        ring.pop(answer.message_id, None)
        ring[answer.message_id] = answer
        while len(ring) > ANSWERS_PER_CHARGER:
            del ring[next(iter(ring))]

    def load(self, answers: Iterable[RememberedAnswer]) -> None:
        """Remember what was on disk, in whatever order."""
        for answer in sorted(answers, key=lambda answer: answer.serial):
            self._serials[answer.charger_id] = answer.serial
            self.put(answer)

    def answer_to(self, charger_id: ChargerId, message_id: str, digest: bytes) -> bytes | None:
        """See AnswerMemory.answer_to."""
        answer = self._answers.get(charger_id, {}).get(message_id)
        if answer is None or answer.digest != digest.hex():
            return None
        return answer.reply.encode()
