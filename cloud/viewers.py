"""One open live stream: what waits for it, and whether it still reads."""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final

MAX_WAITING: Final = 16
"""Subjects kept for a viewer that does not read; one more, and it must start afresh."""
MAX_BURST: Final = 512
"""Subjects kept for a viewer that reads, between two turns of the loop."""


class News(Enum):
    """What a viewer gets in place of frames."""

    GAP = "gap"
    """Too much was missed to be told: read a snapshot, then go on."""
    OVER = "over"
    """The stream ends: the hub closes, the viewer was dropped, or may no longer watch."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event as every viewer of it gets it; a later frame of the same subject replaces it."""

    number: int
    keys: tuple[str, ...]
    subject: str
    data: bytes
    is_last: bool = False
    """Nothing follows in a stream of this subject alone."""


class Viewer:
    """One open stream: what waits for it, and whether it still reads. Belongs to the event loop."""

    __slots__ = ("_is_over", "_missed", "_waiter", "_waiting", "blocked_since", "keys", "on_drop")

    def __init__(self, keys: frozenset[str]) -> None:
        self.keys = keys
        self.blocked_since: float | None = None
        """Monotonic seconds since when the stream's socket takes no more; set by who writes."""
        self.on_drop: Callable[[], object] | None = None
        """Cuts the connection of a viewer that does not read."""
        self._waiting: dict[str, Frame] = {}
        self._waiter: asyncio.Future[None] | None = None
        self._missed = False
        self._is_over = False

    def offer(self, frame: Frame) -> None:
        """Put a frame before the viewer; too many for one that is blocked leave a gap."""
        if self._is_over or self._missed:
            return
        # re-inserted at the end: ids must not go back on the wire
        self._waiting.pop(frame.subject, None)
        self._waiting[frame.subject] = frame
        limit = MAX_BURST if self.blocked_since is None else MAX_WAITING
        if len(self._waiting) > limit:
            self.miss()
        self._wake()

    def miss(self) -> None:
        """Leave a gap: something may have passed unheard."""
        if not self._is_over:
            self._waiting.clear()
            self._missed = True
            self._wake()

    def remember(self, frames: Iterable[Frame]) -> None:
        """Put what was missed before a viewer that comes back."""
        for frame in frames:
            self._waiting.pop(frame.subject, None)
            self._waiting[frame.subject] = frame
        if self._waiting:
            self._wake()

    @property
    def is_waited_for(self) -> bool:
        """Whether something waits to be written."""
        return bool(self._waiting) or self._missed

    def end(self) -> None:
        """Let the stream end once what waits is written."""
        self._is_over = True
        self._wake()

    def cut(self) -> None:
        """End the stream at once: what waits is no longer theirs to see."""
        self._waiting.clear()
        self._missed = False
        self.end()

    async def next(self) -> list[Frame] | News:
        """Wait for news: frames in the order of their ids, a gap, or the end."""
        while True:
            if self._missed:
                self._missed = False
                return News.GAP
            if self._waiting:
                frames = list(self._waiting.values())
                self._waiting.clear()
                return frames
            if self._is_over:
                return News.OVER
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
