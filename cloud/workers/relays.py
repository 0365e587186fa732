"""Has questions answered beside ingest: who knows the answer may be slow, and facts do not wait for it."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import BoundedSemaphore
from typing import Final

from cloud.services.relays import RelayService
from contracts.batch import RelayAsk

_AT_ONCE: Final = 4
_MOST_WAITING: Final = 200


@dataclass(slots=True)
class RelayDesk:
    """Takes questions as they come; too many at once are dropped, and their stations stop waiting."""

    service: RelayService
    _pool: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="relay")
    )
    _room: BoundedSemaphore = field(default_factory=lambda: BoundedSemaphore(_MOST_WAITING))

    def take(self, asks: Sequence[tuple[str, RelayAsk]]) -> None:
        """Have these answered: each a station's id, and what it asks."""
        for station_id, ask in asks:
            if self._room.acquire(blocking=False):
                self._pool.submit(self._relay, station_id, ask)

    def _relay(self, station_id: str, ask: RelayAsk) -> None:
        try:
            self.service.relay(station_id, ask)
        finally:
            self._room.release()
