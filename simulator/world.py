"""One seed, one clock, one queue of happenings.

All that happens in the world is a plain function called at its instant, in a fixed order: the same
seed gives the same world. Only sockets live outside, and they speak to the world between happenings.
"""

import asyncio
import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from contracts.clock import Clock
from simulator.clock import VirtualClock
from simulator.journal import Entry, Journal

What = Callable[[], object]


@dataclass(order=True, slots=True)
class Happening:
    """Something that will happen; ties are broken by the order of scheduling."""

    at: datetime
    serial: int
    what: What = field(compare=False)
    is_cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        """Let it not happen; without effect once it has."""
        self.is_cancelled = True


class Repeating:
    """Something that happens again and again until cancelled; its interval may be changed."""

    def __init__(self, world: "World", interval_s: float, what: What) -> None:
        self._world = world
        self._what = what
        self.interval_s = interval_s
        self._next: Happening | None = None

    def start(self, first_after_s: float) -> None:
        """Begin after `first_after_s`."""
        self._next = self._world.after(first_after_s, self._turn)

    def cancel(self) -> None:
        """Stop."""
        if self._next is not None:
            self._next.cancel()
            self._next = None

    def _turn(self) -> None:
        self._next = self._world.after(self.interval_s, self._turn)
        self._what()


class World:
    """Where everything of a simulation happens."""

    def __init__(self, clock: Clock, seed: int, journal: Journal) -> None:
        self.clock = clock
        self.seed = seed
        self.born_at = clock.now()
        """Mixed into names that must not come back in a later run with the same seed."""
        self._journal = journal
        self._queue: list[Happening] = []
        self._serial = 0
        self._over: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._is_turning = False

    def now(self) -> datetime:
        """Return the world's time."""
        return self.clock.now()

    def random(self, *names: object) -> Random:
        """Return a stream of chance of its own: drawing from one shifts no other."""
        return Random(f"{self.seed}/{'/'.join(str(name) for name in names)}")

    def tell(self, entry: Entry) -> None:
        """Write into the journal."""
        self._journal.write(entry)

    def at(self, instant: datetime, what: What) -> Happening:
        """Schedule `what` for `instant`; what is already past happens next."""
        self._serial += 1
        happening = Happening(instant, self._serial, what)
        heapq.heappush(self._queue, happening)
        if self._over is not None and not self._is_turning and self._queue[0] is happening:
            self._arm()
        return happening

    def after(self, delay_s: float, what: What) -> Happening:
        """Schedule `what` in `delay_s` seconds."""
        return self.at(self.now() + timedelta(seconds=delay_s), what)

    def every(self, interval_s: float, what: What, first_after_s: float | None = None) -> Repeating:
        """Schedule `what` again and again, first after `first_after_s` (default: the interval)."""
        repeating = Repeating(self, interval_s, what)
        repeating.start(interval_s if first_after_s is None else first_after_s)
        return repeating

    def run_until(self, instant: datetime) -> None:
        """Let everything up to `instant` happen at once; needs a VirtualClock."""
        clock = self.clock
        if not isinstance(clock, VirtualClock):
            raise TypeError("only a virtual clock can be run ahead")
        while self._queue and self._queue[0].at <= instant:
            happening = heapq.heappop(self._queue)
            if not happening.is_cancelled:
                clock.advance_to(happening.at)
                happening.what()
        clock.advance_to(instant)

    def run_for(self, delay_s: float) -> None:
        """Let everything of the next `delay_s` seconds happen at once; needs a VirtualClock."""
        self.run_until(self.now() + timedelta(seconds=delay_s))

    def go_on_under(self, clock: Clock) -> None:
        """Change to another clock, as from a rehearsed past to the live present."""
        self.clock = clock

    async def run(self, until: datetime | None = None) -> None:
        """Let things happen as their time comes, until `until`, `stop`, or for ever.

        An exception of a happening ends the run.
        """
        self._over = asyncio.get_running_loop().create_future()
        ending = self.at(until, self.stop) if until is not None else None
        self._arm()
        try:
            await self._over
        finally:
            self._disarm()
            self._over = None
            if ending is not None:
                ending.cancel()

    def stop(self) -> None:
        """End `run`."""
        if self._over is not None and not self._over.done():
            self._over.set_result(None)

    def _arm(self) -> None:
        self._disarm()
        if not self._queue:
            return
        delay_s = max(0.0, (self._queue[0].at - self.now()).total_seconds())
        loop = asyncio.get_running_loop()
        self._alarm = loop.call_later(self.clock.real_s(delay_s), self._turn)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _turn(self) -> None:
        self._is_turning = True
        try:
            self._let_due_happen()
        except Exception as error:  # noqa: BLE001 - told to whoever awaits `run`
            if self._over is not None and not self._over.done():
                self._over.set_exception(error)
        else:
            if self._over is not None and not self._over.done():
                self._arm()
        finally:
            self._is_turning = False

    def _let_due_happen(self) -> None:
        now = self.now()
        while self._queue and self._queue[0].at <= now:
            if self._over is None or self._over.done():
                return
            happening = heapq.heappop(self._queue)
            if not happening.is_cancelled:
                happening.what()
