"""What time it is: the one thing both ends must be able to pretend together."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Wall time for records, monotonic time for timeouts, both in the same seconds."""

    def now(self) -> datetime:
        """Return the aware UTC instant."""
        ...

    def monotonic(self) -> float:
        """Return seconds since an arbitrary start; never goes back."""
        ...

    async def sleep(self, delay_s: float) -> None:
        """Wait `delay_s` seconds of this clock."""
        ...

    def real_s(self, delay_s: float) -> float:
        """Return how many seconds of the machine `delay_s` seconds of this clock take."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """See Clock.now."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See Clock.monotonic."""
        return time.monotonic()

    async def sleep(self, delay_s: float) -> None:
        """See Clock.sleep."""
        await asyncio.sleep(delay_s)

    def real_s(self, delay_s: float) -> float:
        """See Clock.real_s."""
        return delay_s


class FastClock:
    """A clock that runs `speed` times as fast since `origin`, for rehearsals of hours in seconds.

    Processes given the same speed and origin agree on the time.
    """

    def __init__(self, speed: float, origin: datetime) -> None:
        self._speed = speed
        self._origin = origin

    def now(self) -> datetime:
        """See Clock.now."""
        elapsed_s = (datetime.now(UTC) - self._origin).total_seconds()
        return self._origin + timedelta(seconds=elapsed_s * self._speed)

    def monotonic(self) -> float:
        """See Clock.monotonic."""
        return time.monotonic() * self._speed

    async def sleep(self, delay_s: float) -> None:
        """See Clock.sleep."""
        await asyncio.sleep(delay_s / self._speed)

    def real_s(self, delay_s: float) -> float:
        """See Clock.real_s."""
        return delay_s / self._speed


def clock_from(spec: str) -> Clock:
    """Return the clock a setting names: `system`, or `fast:<speed>:<origin ISO 8601 instant>`.

    Raises:
        ValueError: the text is neither.
    """
    if spec == "system":
        return SystemClock()
    kind, _, rest = spec.partition(":")
    speed, _, origin = rest.partition(":")
    if kind != "fast" or not origin:
        raise ValueError(f"clock is 'system' or 'fast:<speed>:<origin>', not {spec!r}")
    at = datetime.fromisoformat(origin)
    if at.tzinfo is None:
        raise ValueError(f"the clock's origin needs a zone, as in 2026-01-01T00:00:00Z: {origin!r}")
    return FastClock(float(speed), at)
