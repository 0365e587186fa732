"""A loop in a thread: does its step, waits, and outlives a database that is away."""

import threading
from collections.abc import Callable
from typing import Final

import structlog

from cloud.services.ports import DatabaseAway, TransactionLost

log = structlog.get_logger(__name__)

_FIRST_PAUSE_S: Final = 0.25
_LONGEST_PAUSE_S: Final = 5.0
"""Back within 30 s of the database, without a hand (P5)."""

Step = Callable[[], bool]
"""Does a piece of work; whether there is more to do at once."""


class Loop:
    """Runs a step again and again until stopped.

    The interval may be a function: of how long nothing is to be done, asked after each step.
    """

    def __init__(self, name: str, step: Step, interval_s: float | Callable[[], float]) -> None:
        self.name = name
        self._step = step
        self._interval_s = interval_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name, daemon=True)
        self._failures = 0

    def start(self) -> None:
        """Run in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Have it end after the step it is in; returns at once."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; whether it came."""
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def run(self) -> None:
        """Run in this thread, until stopped."""
        while not self._stopping.is_set():
            pause_s = self._do()
            if pause_s > 0:
                self._stopping.wait(pause_s)

    def _do(self) -> float:
        """Do one step; return how long to wait before the next."""
        try:
            is_busy = self._step()
            pause_s = 0.0 if is_busy else self._interval()
        except (DatabaseAway, TransactionLost) as error:
            log.warning("worker.database_away", worker=self.name, error=str(error)[:300])
            return self._pause_s()
        except Exception:
            log.exception("worker.failed", worker=self.name)
            return self._pause_s()
        if self._failures:
            log.info("worker.back", worker=self.name, failures=self._failures)
        self._failures = 0
        return pause_s

    def _interval(self) -> float:
        return self._interval_s() if callable(self._interval_s) else self._interval_s

    def _pause_s(self) -> float:
        self._failures += 1
        pause_s: float = _FIRST_PAUSE_S * 2.0 ** min(self._failures, 10)
        return min(pause_s, _LONGEST_PAUSE_S)
