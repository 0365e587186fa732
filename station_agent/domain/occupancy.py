"""What a bay's sensors say together, told calmly: fusing, debounce, silence, battery. Pure.

Two clocks come in: `now` is the wall's, for what is told; `at` is monotonic seconds, for waiting.

How several sensors become one verdict: each trusted one votes with its confidence. Occupied wins
unless those that say empty are together at least twice as sure: a bay shown free that is not
costs more than the other way round. The verdict's confidence is the winners' share of all votes.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from contracts.events import (
    BayOccupancyChanged,
    Event,
    SensorBatteryReported,
    SensorFellSilent,
    SensorHeardAgain,
)
from contracts.ids import BayId, SensorId

QUIET_S: Final = 3.0
"""A change after this long without one is told at once; later ones at most this often."""

OUTVOTED_BY: Final = 2.0
LOW_BATTERY: Final = 0.2
RECOVERED_BATTERY: Final = 0.3
BATTERY_STEP: Final = 0.05
"""A battery that wavers around a tenth is not told again and again."""

CLOCK_MOVED_AFTER: Final = 3
"""So many readings in a row that seem older than the last one believed."""

FLAPS: Final = 120
"""So many changes of its verdict within `FLAPS_WITHIN_S` are no cars: the sensor is not believed."""
FLAPS_WITHIN_S: Final = 480.0
STEADY_AFTER_S: Final = 60.0
"""A flapping sensor that has kept to one verdict for so long is believed again."""
FLAPPING: Final = "flapping"

NEVER_HEARD_AFTER_S: Final = 300.0
"""When a sensor that need not speak regularly, and never has since the start, counts as silent."""


@dataclass(frozen=True, slots=True)
class Vote:
    """What one sensor says, and how sure it is."""

    sensor_id: SensorId
    is_occupied: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """What all say together."""

    is_occupied: bool
    confidence: float
    sensor_ids: tuple[SensorId, ...]
    """Those that said so."""


def fuse(votes: Sequence[Vote]) -> Verdict | None:
    """Return what the trusted sensors say together; None where there are none."""
    if not votes:
        return None
    occupied = sum(vote.confidence for vote in votes if vote.is_occupied)
    empty = sum(vote.confidence for vote in votes if not vote.is_occupied)
    is_occupied = any(vote.is_occupied for vote in votes) and empty < OUTVOTED_BY * occupied
    winners = [vote for vote in votes if vote.is_occupied is is_occupied]
    if not winners:
        # All say occupied, and none is sure in the least.
        is_occupied, winners = True, list(votes)
    share = sum(vote.confidence for vote in winners) / len(votes)
    return Verdict(is_occupied, min(share, 1.0), tuple(vote.sensor_id for vote in winners))


@dataclass(frozen=True, slots=True)
class SensorMemory:
    """What must outlive a restart of the agent."""

    is_occupied: bool | None = None
    confidence: float = 1.0
    observed_at: datetime | None = None
    """Of the last reading believed."""
    heard_at: datetime | None = None
    is_silent: bool = False
    battery_ratio: float | None = None
    """As last told."""
    is_low: bool = False


@dataclass(slots=True)
class Sensor:
    """One sensor's standing."""

    sensor_id: SensorId
    bay_id: BayId
    silent_after_s: float | None
    heard_at: float
    """Monotonic; of the agent's start while it was never heard."""
    memory: SensorMemory = field(default_factory=SensorMemory)
    is_live: bool = False
    """Whether its last word may still be trusted."""
    older_in_a_row: int = 0
    is_flapping: bool = False
    changed_at: deque[float] = field(default_factory=lambda: deque(maxlen=FLAPS))
    """Monotonic; of its last changes of mind."""

    @property
    def vote(self) -> Vote | None:
        """What it says, if it is to be believed."""
        memory = self.memory
        if not self.is_live or memory.is_silent or memory.is_occupied is None:
            return None
        return Vote(self.sensor_id, memory.is_occupied, memory.confidence)

    def restore(self, memory: SensorMemory, now: datetime, at: float) -> None:
        """Go on from what was known before a restart, for as long as it may be trusted."""
        self.memory = memory
        if memory.heard_at is not None:
            self.heard_at = at - max(0.0, (now - memory.heard_at).total_seconds())
            self.is_live = not memory.is_silent and not self._is_overdue(at)

    def hear(self, now: datetime, at: float) -> None:
        """It spoke, whatever it said; only a verdict ends its silence."""
        if self.memory.heard_at is not None and at < self.heard_at:
            return
        self.heard_at = at
        self.memory = replace(self.memory, heard_at=now)

    def read(
        self, *, is_occupied: bool, confidence: float, observed_at: datetime, now: datetime
    ) -> list[Event]:
        """Take a verdict. One older than the last is late, unless that goes on: then its clock moved."""
        known_at = self.memory.observed_at
        is_older = known_at is not None and observed_at < known_at
        self.older_in_a_row = self.older_in_a_row + 1 if is_older else 0
        if is_older and self.older_in_a_row < CLOCK_MOVED_AFTER:
            return []
        if self.memory.is_occupied is (not is_occupied):
            self.changed_at.append(self.heard_at)
        self.memory = replace(
            self.memory,
            is_occupied=is_occupied,
            confidence=confidence,
            observed_at=observed_at,
        )
        if self._changes_too_often():
            return self.fall_silent(now, FLAPPING)
        return [] if self.is_flapping else self._speak_again(now)

    def battery(self, ratio: float, now: datetime) -> list[Event]:
        """Tell a battery that passed a whole tenth, or fell low, or recovered."""
        told, was_low = self.memory.battery_ratio, self.memory.is_low
        is_low = ratio < (RECOVERED_BATTERY if was_low else LOW_BATTERY)
        if told is not None and is_low is was_low:
            is_same_tenth = int(ratio * 10) == int(told * 10)
            if is_same_tenth or abs(ratio - told) < BATTERY_STEP:
                return []
        self.memory = replace(self.memory, battery_ratio=ratio, is_low=is_low)
        return [
            SensorBatteryReported(
                sensor_id=self.sensor_id,
                bay_id=self.bay_id,
                battery_ratio=ratio,
                is_low=is_low,
                observed_at=now,
            )
        ]

    def fall_silent(self, now: datetime, why: str = "") -> list[Event]:
        """It said goodbye, or what it says or said before can no longer be trusted."""
        self.is_live = False
        self.is_flapping = why == FLAPPING
        if not self.is_flapping:
            self.changed_at.clear()
        if self.memory.is_silent:
            return []
        self.memory = replace(self.memory, is_silent=True)
        return [
            SensorFellSilent(
                sensor_id=self.sensor_id,
                bay_id=self.bay_id,
                why=why,
                last_heard_at=self.memory.heard_at,
                observed_at=now,
            )
        ]

    def check(self, now: datetime, at: float) -> list[Event]:
        """Notice silence, and that it has come to rest."""
        if self._is_overdue(at):
            return self.fall_silent(now)
        if not self.is_flapping or at - self.changed_at[-1] < STEADY_AFTER_S:
            return []
        self.is_flapping = False
        self.changed_at.clear()
        return self._speak_again(now)

    def _changes_too_often(self) -> bool:
        changes = self.changed_at
        return len(changes) == FLAPS and changes[-1] - changes[0] <= FLAPS_WITHIN_S

    def _speak_again(self, now: datetime) -> list[Event]:
        was_silent = self.memory.is_silent
        self.memory = replace(self.memory, is_silent=False)
        self.is_live = True
        if not was_silent:
            return []
        return [SensorHeardAgain(sensor_id=self.sensor_id, bay_id=self.bay_id, observed_at=now)]

    def _is_overdue(self, at: float) -> bool:
        patience_s = self.silent_after_s
        if patience_s is None:
            if self.memory.heard_at is not None:
                return False
            patience_s = NEVER_HEARD_AFTER_S
        return at - self.heard_at > patience_s


@dataclass(slots=True)
class Bay:
    """A bay's verdict: what is so, and what was told of it."""

    bay_id: BayId
    sensors: tuple[Sensor, ...]
    told: bool | None = None
    told_at: float = float("-inf")

    def settle(self, now: datetime, at: float) -> list[Event]:
        """Tell the verdict if it is another than told, and not too soon after the last."""
        verdict = self._verdict()
        if verdict is None:
            # Whoever comes back must not leave the old word standing for a moment.
            self.told_at = float("-inf")
            return []
        if verdict.is_occupied is self.told or at < self.told_at + QUIET_S:
            return []
        self.told, self.told_at = verdict.is_occupied, at
        return [
            BayOccupancyChanged(
                bay_id=self.bay_id,
                is_occupied=verdict.is_occupied,
                confidence=verdict.confidence,
                sensor_ids=list(verdict.sensor_ids),
                observed_at=self._observed_at(verdict, now),
            )
        ]

    def due_at(self) -> float | None:
        """Return when `settle` will have something to tell; None: nothing waits."""
        verdict = self._verdict()
        if verdict is None or verdict.is_occupied is self.told:
            return None
        return self.told_at + QUIET_S

    def _verdict(self) -> Verdict | None:
        return fuse([vote for sensor in self.sensors if (vote := sensor.vote) is not None])

    def _observed_at(self, verdict: Verdict, now: datetime) -> datetime:
        """The newest reading that made it so."""
        instants = [
            sensor.memory.observed_at
            for sensor in self.sensors
            if sensor.sensor_id in verdict.sensor_ids and sensor.memory.observed_at
        ]
        return max(instants, default=now)
