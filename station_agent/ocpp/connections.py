"""Which charger is on which connection; at most one each, and which of two stays.

A second login of a charger is usually the charger itself, back after a power cut while its first socket
hangs half-open (QUIRKS 4); it may also be somebody with its key (FAULTS S02). So the first is asked: if it does
not answer a ping at once, it is dropped. If it answers, the newcomer is refused and the event told. A socket
that only a leak keeps alive answers pings but says nothing: if that is all it does while the newcomer knocks
for a minute, the newcomer is let in.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from contracts.clock import Clock
from contracts.ids import ChargerId
from station_agent.ocpp.connection import ChargerConnection


@dataclass(slots=True)
class _Live:
    connection: ChargerConnection
    knocked_s: float | None = None
    """When a newcomer was first refused since the charger last spoke."""


class Connections:
    """The live connections of a station."""

    def __init__(self, clock: Clock, silent_after_s: float) -> None:
        self._clock = clock
        self._silent_after_s = silent_after_s
        self._live: dict[ChargerId, _Live] = {}
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def __len__(self) -> int:
        return len(self._live)

    def get(self, charger_id: ChargerId) -> ChargerConnection | None:
        """Return a charger's connection."""
        live = self._live.get(charger_id)
        return live.connection if live else None

    def connected_at(self, charger_id: ChargerId) -> datetime | None:
        """Return when a charger's connection began; None: it has none."""
        connection = self.get(charger_id)
        return connection.charger.connected_at if connection else None

    def put(self, connection: ChargerConnection) -> ChargerConnection | None:
        """Make this the charger's connection; returns the one it replaces."""
        charger_id = connection.charger.charger_id
        old = self.get(charger_id)
        self._live[charger_id] = _Live(connection)
        self._is_empty.clear()
        return old

    def remove(self, connection: ChargerConnection) -> bool:
        """Forget a connection that closed; False if another has taken its place."""
        charger_id = connection.charger.charger_id
        if self.get(charger_id) is not connection:
            return False
        del self._live[charger_id]
        if not self._live:
            self._is_empty.set()
        return True

    def all(self) -> list[ChargerConnection]:
        """Return every live connection."""
        return [live.connection for live in self._live.values()]

    async def wait_empty(self) -> None:
        """Return once all are gone."""
        await self._is_empty.wait()

    async def has_room_for(self, charger_id: ChargerId) -> bool:
        """Whether a newcomer of this name may come in: nobody is there, or nobody alive."""
        live = self._live.get(charger_id)
        if live is None or not await live.connection.is_alive():
            return True
        now_s = self._clock.monotonic()
        if live.knocked_s is None or live.connection.spoke_s > live.knocked_s:
            live.knocked_s = now_s
        return now_s - live.knocked_s > self._silent_after_s

    def silent_among(self, charger_ids: Iterable[ChargerId]) -> list[ChargerId]:
        """Return those not heard from in time, connected or not."""
        since_s = self._clock.monotonic() - self._silent_after_s
        return [
            charger_id
            for charger_id in charger_ids
            if (one := self.get(charger_id)) is None or one.heard_s < since_s
        ]
