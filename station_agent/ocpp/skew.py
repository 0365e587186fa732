"""How far a charger's clock is from ours, learnt from what it tells as it happens (QUIRKS 37, T05).

One old time alone does not tell a clock that runs behind from a message that waited in the charger.
Statuses do not wait, so they teach:

* one that is in time shows a clock that is right: what is old then has waited, and is believed;
* two at least a minute apart, off by the same, show a clock that is off by that. What waited is
  off by less and less while it is handed in, a state told again with its old time by more and more.

Until then a 1.6 message from the past is believed: a replay is more frequent than a clock that runs
behind, and its times would be lost for good. (Of a charger whose statuses bear no times, and 1.6
lets it, nothing is ever learnt.) A 2.x event says whether it happened offline; where it did not, and
nothing is known of the clock, it happened as it came. Where the clock is known to be right, an event
is taken at its word all the same: it may have been on its way when the line broke.

What is known outlives connections, as replays come first on a new one, but not the agent.
"""

from datetime import datetime, timedelta
from typing import Final

from station_agent.ocpp.instants import MAX_SKEW, RIGHT

_APART: Final = timedelta(seconds=60)
_ALIKE: Final = timedelta(seconds=30)
"""Less than `_APART`: a time that stands still never looks like a clock that goes."""


class Skew:
    """What is known of one charger's clock."""

    def __init__(self) -> None:
        self.lag: timedelta | None = None
        """What is to be added to its times; zero: it is right. None: not known."""
        self._first: tuple[datetime, timedelta] | None = None
        """Since when, by our clock, statuses are off by how much, all alike."""

    def learn(self, at: datetime, now: datetime) -> None:
        """Note when a status says it was told; the greater lag of two may be a state told again."""
        lag = now - at
        if abs(lag) <= MAX_SKEW:
            self.lag, self._first = RIGHT, None
            return
        since, first = self._first or (now, lag)
        if abs(lag - first) > _ALIKE:
            since, first = now, lag
        self._first = since, first
        if now - since >= _APART:
            # Delays on the way only add to it.
            self.lag = min(lag, first)
        elif self.lag is not None and lag < self.lag - MAX_SKEW:
            self.lag = None

    def seems_right(self) -> None:
        """Note that a message of another kind was in time; proves nothing against what is known."""
        if self.lag is None:
            self.lag = RIGHT
