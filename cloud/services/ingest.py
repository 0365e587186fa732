"""From an agent's batch to what is held true: idempotent, in order, a whole batch or nothing of it.

Which use case a fact is of stands in `cloud.services.facts.HANDLERS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import msgspec
import structlog

from cloud.domain.errors import Refused
from cloud.services.facts.memo import SessionMemo
from cloud.services.facts.transaction import Applied, Options, Read, Transaction
from cloud.services.ports import Clock, OpenWork, Unstorable
from cloud.services.retrying import retried
from cloud.services.settling import Postponer, Settling
from contracts.batch import Batch, UnknownEvent, decode_batch
from contracts.wire import Broken, encode

log = structlog.get_logger(__name__)

_MOST_QUARANTINED: Final = 1_000
"""Messages kept; a station that floods us with rubbish does not fill the disk."""


POISON: Final = (Unstorable, ArithmeticError, LookupError, TypeError, ValueError, AttributeError)
"""What a message can cause that would cause it again, however often it is tried."""

FAILS: Final = (*POISON, Refused, RuntimeError)
"""What cannot be done for a promise, with whatever it asks of bookings and money."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message on a station's `events` topic: whose topic it was says whose word it is."""

    station_id: str
    payload: bytes
    received_at: datetime


class Refusal(ValueError):
    """A message that is no batch of its station."""


@dataclass(frozen=True, slots=True)
class IngestService:
    """Applies batches; safe to call from several workers, which the cursors keep in order."""

    open_work: OpenWork
    clock: Clock
    settling: Settling
    options: Options = field(default_factory=lambda: Options(SessionMemo()))

    def apply(self, incoming: Incoming) -> Applied:
        """Apply one message; see `apply_all`."""
        return self.apply_all([incoming])

    def apply_all(self, incoming: Sequence[Incoming]) -> Applied:
        """Apply messages in one transaction, in their order; broken ones go into quarantine.

        Raises:
            TransactionLost, DatabaseAway: nothing was applied; the agents will send it again.
        """
        applied = Applied()
        readable: list[Read] = []
        for one in incoming:
            try:
                readable.append(Read(_read(one), one.received_at))
            except Refusal as refusal:
                self._quarantine(one, str(refusal))
                applied.refused.append(str(refusal))
        if readable:
            self._apply(readable, applied)
        return applied

    def apply_one_by_one(self, incoming: Incoming) -> Applied:
        """Apply a batch whose whole cannot be applied, event by event (FAULTS F18).

        An event that still cannot be is put into quarantine and stands in the log as unknown.
        """
        batch = _read(incoming)
        applied = Applied()
        for offset in range(len(batch.events)):
            single = msgspec.structs.replace(
                batch,
                first_seq=batch.first_seq + offset,
                beat=None,
                asks=[],
                relays=[],
                events=batch.events[offset : offset + 1],
            )
            self._apply_or_quarantine(Read(single, incoming.received_at), applied)
        return applied

    def _apply_or_quarantine(self, read: Read, applied: Applied) -> None:
        (event,) = read.batch.events
        try:
            self._apply([read], applied)
        except POISON as error:
            told = Incoming(read.batch.station, encode(event), read.received_at)
            self._quarantine(told, f"{type(error).__name__}: {error}")
            kind = type(event).__name__
            stub = UnknownEvent(event_kind=kind, error=str(error)[:500], body=None)
            stand_in = replace(read, batch=_with(read.batch, stub), quarantined=stub.error)
            self._apply([stand_in], applied)

    def _apply(self, readable: Sequence[Read], applied: Applied) -> None:
        try:
            applied.add(self._transact(readable, self.settling))
        except FAILS:
            if self.settling.promises is None:
                raise
            # facts are kept whatever cannot be done for a promise: the clock tries that again
            log.exception("ingest.promises_postponed")
            facts_alone = replace(self.settling, promises=Postponer())
            applied.add(self._transact(readable, facts_alone))

    @retried
    def _transact(self, readable: Sequence[Read], settling: Settling) -> Applied:
        with self.open_work() as work:
            transaction = Transaction(work, self.clock.now(), settling, self.options)
            applied = transaction.run(readable)
            work.commit()
        transaction.remember()
        return applied

    @retried
    def _quarantine(self, incoming: Incoming, error: str) -> None:
        with self.open_work() as work:
            known = work.stations.by_ids([incoming.station_id])
            if known and work.event_log.quarantined() < _MOST_QUARANTINED:
                work.event_log.quarantine(
                    incoming.station_id, "events", error, incoming.payload, incoming.received_at
                )
                work.commit()


def _read(incoming: Incoming) -> Batch:
    try:
        batch = decode_batch(incoming.payload)
    except Broken as error:
        raise Refusal(str(error)) from error
    if batch.station != incoming.station_id:
        raise Refusal(f"a batch of {batch.station} on the topic of {incoming.station_id}")
    return batch


def _with(batch: Batch, event: UnknownEvent) -> Batch:
    return msgspec.structs.replace(batch, events=[event])
