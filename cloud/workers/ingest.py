"""From the broker to the database: messages wait in a bounded inbox, and are applied in groups."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog
from prometheus_client import Counter, Gauge, Histogram

from cloud.services.facts.transaction import Applied
from cloud.services.ingest import Incoming, IngestService
from cloud.services.ports import Clock, DatabaseAway, Publish, TransactionLost
from cloud.services.publishing import Publisher
from contracts import topics
from contracts.batch import MAX_BATCH_BYTES, RelayAsk
from contracts.wire import encode

log = structlog.get_logger(__name__)

EVENTS: Final = Counter("baywatt_ingest_events_total", "Facts applied.")
BATCHES: Final = Counter("baywatt_ingest_batches_total", "Batches, by outcome.", ["outcome"])
IGNORED: Final = Counter("baywatt_ingest_ignored_total", "Facts without effect.", ["why"])
WAITING: Final = Gauge("baywatt_ingest_waiting", "Batches that wait to be applied.")
TOOK: Final = Histogram("baywatt_ingest_transaction_seconds", "Time of a transaction.")

_MOST_WAITING: Final = 1_000
_MOST_BYTES: Final = 64 * 2**20
_LARGEST: Final = 4 * MAX_BATCH_BYTES
_GROUP: Final = 32
_GROUP_BYTES: Final = 512 * 1024
_LINGER_S: Final = 0.25
_TRIES: Final = 3


class Inbox:
    """Messages on their way in; full, it drops the newest: agents send again what was not acked."""

    def __init__(self, most: int = _MOST_WAITING, most_bytes: int = _MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._waiting: deque[Incoming] = deque()
        self._bytes = 0
        self._changed = threading.Condition()

    def put(self, incoming: Incoming) -> bool:
        """Add a message; False: there is no room."""
        size = len(incoming.payload)
        with self._changed:
            if len(self._waiting) >= self._most or self._bytes + size > self._most_bytes:
                return False
            self._waiting.append(incoming)
            self._bytes += size
            WAITING.set(len(self._waiting))
            self._changed.notify()
        return True

    def take(self, wait_s: float) -> list[Incoming]:
        """Return the oldest messages, as many as one transaction should hold; waits for the first."""
        group: list[Incoming] = []
        size = 0
        with self._changed:
            self._changed.wait_for(lambda: self._waiting, wait_s)
            while self._waiting and len(group) < _GROUP and size < _GROUP_BYTES:
                one = self._waiting.popleft()
                size += len(one.payload)
                group.append(one)
            self._bytes -= size
            WAITING.set(len(self._waiting))
        return group


@dataclass(slots=True)
class IngestWorker:
    """Takes what the broker brings, applies it, and says what came of it once it is committed."""

    service: IngestService
    publisher: Publisher
    publish: Publish
    clock: Clock
    inbox: Inbox
    relay: Callable[[Sequence[tuple[str, RelayAsk]]], None] | None = None
    """Has chargers' questions answered, by its own time."""
    _group: Sequence[Incoming] = ()

    def receive(self, topic: str, payload: bytes) -> None:
        """Take a message of the `events` topics; in the broker's thread, so quick."""
        station_id = topics.station_of(topic)
        if station_id is None or len(payload) > _LARGEST:
            BATCHES.labels("not_taken").inc()
            return
        if not self.inbox.put(Incoming(station_id, payload, self.clock.now())):
            BATCHES.labels("no_room").inc()

    def step(self) -> bool:
        """Apply what waits; what the database was away for is kept and tried again."""
        if not self._group:
            self._group = self.inbox.take(_LINGER_S)
        if self._group:
            self._apply(self._group)
            self._group = ()
        return True

    def _apply(self, group: Sequence[Incoming]) -> None:
        try:
            with TOOK.time():
                applied = self.service.apply_all(group)
        except (DatabaseAway, TransactionLost):
            raise
        except Exception:
            log.exception("ingest.group_failed", batches=len(group))
            for incoming in group:
                self._apply_alone(incoming)
            return
        self._say(applied)
        BATCHES.labels("applied").inc(len(group) - len(applied.refused))

    def _apply_alone(self, incoming: Incoming) -> None:
        """Apply one batch; after three failures event by event (FAULTS F18)."""
        tries: list[Callable[[Incoming], Applied]] = [self.service.apply] * _TRIES
        for attempt in [*tries, self.service.apply_one_by_one]:
            try:
                self._say(attempt(incoming))
            except (DatabaseAway, TransactionLost):
                raise
            except Exception:
                log.exception("ingest.batch_failed", station_id=incoming.station_id)
            else:
                BATCHES.labels("applied_alone").inc()
                return
        BATCHES.labels("failed").inc()

    def _say(self, applied: Applied) -> None:
        for ack in applied.acks:
            self.publish(topics.acks(ack.station), encode(ack), False)
        for answer in applied.answers:
            self.publish(topics.acks(answer.station), encode(answer), False)
        if self.relay is not None and applied.relays:
            self.relay(applied.relays)
        self.publisher.publish(applied.changes)
        EVENTS.inc(applied.events)
        for why, count in applied.ignored.items():
            # a kind from a newer agent is counted as such: names from outside are no labels
            IGNORED.labels(why.partition(":")[0]).inc(count)
        for why in applied.refused:
            BATCHES.labels("refused").inc()
            log.warning("ingest.refused", why=why[:300])
