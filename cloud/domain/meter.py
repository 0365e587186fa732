"""From an energy register, as chargers really report it, to the energy of one session.

Registers run backwards, start again at 0, or jump by a lifetime (QUIRKS 35, FAULTS T08). One rule
covers them: a reading must follow from the last one counted, neither below it nor far above what the
charger can deliver in the time between. One that does not is held back: if the next reading follows
from it, the register was reset and counting goes on from there; if the next follows from the last
one counted, it was a slip and is forgotten. What cannot be told is not counted, and flagged.

Chargers' clocks are coarse and are set in the middle of a session, so up to `_LENIENCE_WH` more than
power and time allow are counted all the same, and flagged for whoever bills.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

DEFAULT_LIMIT_W: Final = 1_000_000
"""What no charger exceeds (OCPP and MCS end near it); used where a bay's power is not known."""

_TOLERANCE: Final = 1.2
_SLACK_WH: Final = 250
_LENIENCE_WH: Final = 20_000
_ROUNDING_WH: Final = 10
_ABSURD_WH: Final = 10**12

WENT_BACK: Final = "meter_went_back"
JUMPED: Final = "meter_jumped"
NEGATIVE: Final = "meter_negative"
ABSURD: Final = "meter_absurd"
RESET: Final = "meter_reset"
IMPLAUSIBLE: Final = "meter_implausible"


@dataclass(slots=True)
class Meter:
    """The count as it stands; `read` moves it on. Readings come in the order of their instants."""

    started_at: datetime
    limit_w: int
    energy_wh: int = 0
    last_wh: int | None = None
    last_at: datetime | None = None
    pending_wh: int | None = None
    pending_at: datetime | None = None

    def read(self, wh: int, at: datetime) -> str | None:
        """Count one reading; return what is odd about it, if anything."""
        if wh < 0:
            return NEGATIVE
        if wh > _ABSURD_WH:
            return ABSURD
        last = self.last_wh
        if last is None:
            self.last_wh, self.last_at = wh, at
            return None
        if wh >= last:
            excess_wh = self._excess_wh(wh - last, self.last_at, at)
            if excess_wh <= _LENIENCE_WH:
                self._count(wh - last, wh, at)
                return None if excess_wh <= _SLACK_WH else IMPLAUSIBLE
        return self._hold(wh, at, last)

    def add(self, wh: int, at: datetime) -> str | None:
        """Count what flowed since the reading before, where there is no register to tell."""
        if self.last_wh is None:
            self.last_wh, self.last_at = 0, self.started_at
        return self.read(self.last_wh + wh, at)

    def _hold(self, wh: int, at: datetime, last: int) -> str | None:
        pending = self.pending_wh
        if pending is not None and wh >= pending:
            excess_wh = self._excess_wh(wh - pending, self.pending_at, at)
            if excess_wh <= _LENIENCE_WH:
                self._count(wh - pending, wh, at)
                return RESET
        if last - _ROUNDING_WH <= wh < last:
            return WENT_BACK
        self.pending_wh, self.pending_at = wh, at
        return WENT_BACK if wh < last else JUMPED

    def _count(self, delta_wh: int, wh: int, at: datetime) -> None:
        self.energy_wh += delta_wh
        self.last_wh, self.last_at = wh, at
        self.pending_wh = self.pending_at = None

    def _excess_wh(self, delta_wh: int, since: datetime | None, at: datetime) -> float:
        """Return how much more that is than power and time allow, in this step or in all."""
        limit_w = (self.limit_w or DEFAULT_LIMIT_W) * _TOLERANCE
        step_s = max((at - (since or self.started_at)).total_seconds(), 0.0)
        whole_s = max((at - self.started_at).total_seconds(), 0.0)
        return max(
            delta_wh - limit_w * step_s / 3600,
            self.energy_wh + delta_wh - limit_w * whole_s / 3600,
        )


@dataclass(slots=True)
class ExportMeter:
    """What a car gave back, by a register; shown and never billed, so one rule is enough.

    A reading that does not follow from the one before counts for nothing, and the next goes on from it.
    """

    started_at: datetime
    limit_w: int
    energy_wh: int = 0
    last_wh: int | None = None

    def read(self, wh: int, at: datetime) -> None:
        """Count one reading."""
        if not 0 <= wh <= _ABSURD_WH:
            return
        last, self.last_wh = self.last_wh, wh
        if last is None or wh < last:
            return
        limit_w = (self.limit_w or DEFAULT_LIMIT_W) * _TOLERANCE
        possible_wh = limit_w * max((at - self.started_at).total_seconds(), 0.0) / 3600
        if self.energy_wh + wh - last <= possible_wh + _LENIENCE_WH:
            self.energy_wh += wh - last
