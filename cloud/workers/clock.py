"""What time alone does, every few seconds; each part goes on when another fails."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog
from prometheus_client import Counter

from cloud.services.deadlines import DeadlineService
from cloud.services.ports import DatabaseAway, TransactionLost
from cloud.services.sweeping import SweepService

log = structlog.get_logger(__name__)

DONE: Final = Counter("baywatt_clock_done_total", "What the clock found to do.", ["part"])

_LEAST_S: Final = 0.1
"""What is due and cannot be done does not keep the clock from everything else."""

_PASSES: Final = 50
"""At most so many rounds of one part, before the others have their turn."""


@dataclass(slots=True)
class ClockWorker:
    """Sweeps; told of a new connection to the broker, it says everything again."""

    deadlines: DeadlineService
    sweeps: SweepService
    _is_to_say_everything: threading.Event = field(default_factory=threading.Event)

    def broker_connected(self) -> None:
        """Note that the broker may have forgotten what it retained; from any thread."""
        self._is_to_say_everything.set()

    def rest_s(self, most_s: float) -> float:
        """Return for how long nothing is due, by the clock: what is seen late is not seen in time."""
        now = self.deadlines.clock.now()
        due_at = self.deadlines.next_due_at()
        due_in_s = most_s if due_at is None else (due_at - now).total_seconds()
        return max(_LEAST_S, min(most_s, due_in_s))

    def step(self) -> bool:
        """Do all that is due.

        Raises:
            DatabaseAway: after all parts had their turn, if one found the database away.
        """
        parts: dict[str, Callable[[], int]] = {
            "silent": self.deadlines.mark_silent,
            "due": self.deadlines.do_due,
            "everything": self._say_everything,
            "unpublished": self.sweeps.publish_unpublished,
            "plans": self.sweeps.publish_plans,
            "fleet": self.sweeps.advance_fleet,
            "commands": self.sweeps.tend_commands,
            "availability": self.sweeps.refresh_availability,
            "forgotten": self.sweeps.forget,
        }
        away: Exception | None = None
        for name, part in parts.items():
            try:
                self._repeat(name, part)
            except (DatabaseAway, TransactionLost) as error:
                away = error
            except Exception:
                log.exception("clock.part_failed", part=name)
        if away is not None:
            raise away
        return False

    def _repeat(self, name: str, part: Callable[[], int]) -> None:
        is_batched = name in {"silent", "due", "unpublished"}
        for _ in range(_PASSES if is_batched else 1):
            done = part()
            if done:
                DONE.labels(name).inc(done)
            if done == 0:
                break

    def _say_everything(self) -> int:
        if not self._is_to_say_everything.is_set():
            return 0
        self._is_to_say_everything.clear()
        try:
            self.sweeps.say_everything()
        except Exception:
            self._is_to_say_everything.set()
            raise
        return 1
