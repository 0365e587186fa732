"""Alternatives for many who lose the same race: looked for once."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cloud.domain.reservations import Reservation
from cloud.domain.windows import Window, floor
from cloud.services.collaborators import Finding, Looking, Option
from cloud.services.ports import UnitOfWork

_LONG_S: Final = 2.0
"""So long one waits for what another looks for."""


@dataclass(slots=True)
class SharedFinding:
    """See Finding; of those who lose the same race at once one looks, and all get what it found.

    Whatever is found may be taken a moment later anyway; so it may be a moment old.
    """

    finding: Finding
    good_for_s: float = 0.5
    monotonic: Callable[[], float] = time.monotonic
    _known: dict[tuple[object, ...], tuple[float, Future[list[Option]]]] = field(
        default_factory=dict
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def alternatives(
        self, work: UnitOfWork, wanted: Reservation, now: datetime, most: int = 5
    ) -> list[Option]:
        """See Finding.alternatives. Shared for what nobody has yet; who moves is answered alone."""
        if wanted.id:
            return self.finding.alternatives(work, wanted, now, most)
        answer, is_first = self._answer(wanted, floor(now), most)
        if is_first:
            try:
                answer.set_result(self.finding.alternatives(work, wanted, now, most))
            except BaseException as error:
                answer.set_exception(error)
                raise
        try:
            return answer.result(_LONG_S)
        except Exception:  # noqa: BLE001 - whatever kept the first from finding may not keep us
            return self.finding.alternatives(work, wanted, now, most)

    def equal_bay(
        self, work: UnitOfWork, wanted: Reservation, window: Window, now: datetime
    ) -> str | None:
        """See Finding.equal_bay."""
        return self.finding.equal_bay(work, wanted, window, now)

    def look_at(self, work: UnitOfWork, station_id: str, within: Window, now: datetime) -> Looking:
        """See Finding.look_at."""
        return self.finding.look_at(work, station_id, within, now)

    def _answer(
        self, wanted: Reservation, now: datetime, most: int
    ) -> tuple[Future[list[Option]], bool]:
        """Return where the answer is, or will be, and whether the caller is to find it."""
        key = (
            wanted.station_id,
            wanted.bay_id,
            wanted.window,
            wanted.standard,
            wanted.min_power_w,
            wanted.energy_wh,
            now,
            most,
        )
        at_s = self.monotonic()
        with self._lock:
            asked_s, answer = self._known.get(key, (-self.good_for_s, None))
            if answer is not None and at_s - asked_s < self.good_for_s:
                return answer, False
            answer = Future()
            fresh = {
                one: kept for one, kept in self._known.items() if at_s - kept[0] < self.good_for_s
            }
            self._known = fresh | {key: (at_s, answer)}
        return answer, True
