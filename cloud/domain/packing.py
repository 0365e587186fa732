"""Packing a station: flexible reservations move aside so that one more fits, as few as possible.

Reservations of "any bay with this connector" hold a bay like all others, but may change it until
they are fixed. The search puts the newcomer into each bay in turn; whoever stood there and may move
is put elsewhere in the same way. It tries with no move, then with one, and so on: the first answer
moves the fewest. It is exact unless it gives up, which takes far more reservations at once than a
station's few hours have.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cloud.domain.windows import Window

MOST_STEPS: Final = 20_000
"""So many bays are tried in all; a fraction of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """A reservation as it takes up room."""

    reservation_id: str
    window: Window
    """When nobody else may have the bay: with the buffer."""
    bay_id: str = ""
    """Where it is now; empty: nowhere yet."""
    bays: tuple[str, ...] = ()
    """Where else it may be, the best first; empty: it stays."""


def pack(
    ask: Seat, seated: Sequence[Seat], most_steps: int = MOST_STEPS
) -> Mapping[str, str] | None:
    """Return the bays of the newcomer and of all that have to move, by reservation; None: no way.

    Args:
        ask: the newcomer, with the bays that would do.
        seated: who is there and overlaps it, or overlaps whom it may displace.
        most_steps: when to give up.
    """
    search = _Search(seated, most_steps)
    moves = 0
    while True:
        search.was_short = False
        found = search.place((ask,), {}, moves)
        # with no branch short of moves, more of them would not help
        if found is not None or search.is_spent or not search.was_short:
            return found
        moves += 1


@dataclass(slots=True)
class _Search:
    seated: Sequence[Seat]
    steps_left: int
    was_short: bool = False
    """A branch ended for want of moves."""
    _by_bay: dict[str, list[Seat]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for seat in self.seated:
            self._by_bay[seat.bay_id].append(seat)

    @property
    def is_spent(self) -> bool:
        """Whether it gives up."""
        return self.steps_left <= 0

    def place(
        self, homeless: tuple[Seat, ...], placed: Mapping[str, tuple[str, Window]], moves: int
    ) -> dict[str, str] | None:
        """Find a bay for each of the homeless with at most so many moves of others."""
        if not homeless:
            return {one: bay_id for one, (bay_id, _) in placed.items()}
        seat, *others = homeless
        for bay_id in seat.bays:
            if self.is_spent:
                return None
            self.steps_left -= 1
            evicted = self._evicted(seat, bay_id, placed, others)
            if evicted is None:
                continue
            if len(evicted) > moves:
                self.was_short = True
                continue
            after = {**placed, seat.reservation_id: (bay_id, seat.window)}
            found = self.place((*others, *evicted), after, moves - len(evicted))
            if found is not None:
                return found
        return None

    def _evicted(
        self,
        seat: Seat,
        bay_id: str,
        placed: Mapping[str, tuple[str, Window]],
        waiting: Sequence[Seat],
    ) -> list[Seat] | None:
        """Return whom the seat displaces in a bay; None: somebody there must stay, or it is its own."""
        if bay_id == seat.bay_id:
            return None
        if any(bay == bay_id and window.overlaps(seat.window) for bay, window in placed.values()):
            return None
        gone = placed.keys() | {one.reservation_id for one in waiting}
        there = [
            one
            for one in self._by_bay.get(bay_id, ())
            if one.reservation_id not in gone and one.window.overlaps(seat.window)
        ]
        return there if all(one.bays for one in there) else None
