"""A clock that stands still until it is told to move: an hour of the world in no time at all."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from typing import Final

_TURNS_TO_SETTLE: Final = 20


class VirtualClock:
    """See contracts.clock.Clock; time moves only by `advance_to` and `run_for`."""

    def __init__(self, now: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)) -> None:
        self._now = now
        self._monotonic_s = 0.0
        self._sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._serial = 0

    def now(self) -> datetime:
        """See Clock.now."""
        return self._now

    def monotonic(self) -> float:
        """See Clock.monotonic."""
        return self._monotonic_s

    async def sleep(self, delay_s: float) -> None:
        """See Clock.sleep; returns once the clock was moved so far."""
        woken = asyncio.get_running_loop().create_future()
        self._serial += 1
        until = self._now + timedelta(seconds=max(0.0, delay_s))
        heapq.heappush(self._sleepers, (until, self._serial, woken))
        await woken

    def real_s(self, delay_s: float) -> float:
        """See Clock.real_s; virtual time takes none of the machine's."""
        del delay_s
        return 0.0

    def advance_to(self, at: datetime) -> None:
        """Move to `at` (never back) and wake who slept until then, the earliest first."""
        while self._sleepers and self._sleepers[0][0] <= at:
            until, _, woken = heapq.heappop(self._sleepers)
            self._set(until)
            if not woken.done():
                woken.set_result(None)
        self._set(at)

    async def run_for(self, delay_s: float) -> None:
        """Move on by `delay_s`, giving each sleeper its turn at its own instant."""
        end = self._now + timedelta(seconds=delay_s)
        await _settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            self.advance_to(self._sleepers[0][0])
            await _settle()
        self.advance_to(end)
        await _settle()

    def _set(self, at: datetime) -> None:
        if at > self._now:
            self._monotonic_s += (at - self._now).total_seconds()
            self._now = at


async def _settle() -> None:
    for _ in range(_TURNS_TO_SETTLE):
        await asyncio.sleep(0)
