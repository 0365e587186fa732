"""What each feed said, minute by minute and bay by bay, held against the truth."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from benchmarks.truth.feeds import Feed, Said
from contracts.ids import BayId
from simulator.journal import Entry, Kind


class Truth:
    """See Journal: keeps of all that is told only what decides whether a bay is free."""

    def __init__(self) -> None:
        self._vehicles: dict[BayId, str] = {}
        self._faulty: set[tuple[str, int]] = set()

    def write(self, entry: Entry) -> None:
        """See Journal.write."""
        match entry.kind:
            case Kind.OCCUPANCY:
                self._vehicles[entry.bay_id] = entry.body["vehicle"]
            case Kind.FAULT:
                self._faulty.add((entry.charger_id, entry.evse_id))
            case Kind.FAULT_CLEARED:
                self._faulty.discard((entry.charger_id, entry.evse_id))

    def occupant(self, bay_id: BayId) -> str:
        """Return who stands there; empty: nobody."""
        return self._vehicles.get(bay_id, "")

    def could_serve(self, charger_id: str, evse_id: int) -> bool:
        """Whether the EVSE is in order; connected or not, it charges."""
        return (charger_id, evse_id) not in self._faulty


@dataclass(slots=True)
class Tally:
    """One feed's minutes."""

    said_free_was_not: int = 0
    said_not_free_was: int = 0
    unknown: int = 0
    why: Counter[tuple[str, ...]] = field(default_factory=Counter)
    """Wrong minutes by what could be seen of their cause."""

    def count(self, said: Said, *, is_free: bool) -> str:
        """Count a minute; returns how it was wrong, empty if it was not."""
        match said, is_free:
            case Said.UNKNOWN, _:
                self.unknown += 1
                return "unknown"
            case Said.FREE, False:
                self.said_free_was_not += 1
                return "said free, was not"
            case Said.NOT_FREE, True:
                self.said_not_free_was += 1
                return "said not free, was"
        return ""


@dataclass(slots=True)
class Score:
    """All minutes of all bays."""

    feeds: Sequence[Feed]
    minutes: int = 0
    free_minutes: int = 0
    tallies: dict[str, Tally] = field(init=False)

    def __post_init__(self) -> None:
        self.tallies = {one.name: Tally() for one in self.feeds}

    def look(self, bay_id: BayId, now: datetime, *, is_free: bool) -> dict[str, str]:
        """Ask every feed about a bay; returns by feed how it was wrong."""
        self.minutes += 1
        self.free_minutes += is_free
        wrong = {}
        for feed in self.feeds:
            how = self.tallies[feed.name].count(feed.say(bay_id, now), is_free=is_free)
            if how:
                wrong[feed.name] = how
        return wrong
