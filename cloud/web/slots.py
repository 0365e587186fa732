"""A day's calendar as a page shows it: which quarter hours one can begin at, and the day as a ribbon."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cloud.domain.calendar import Slot
from cloud.domain.windows import GRANULE, Window, granules
from cloud.services.calendars import RunView

DURATIONS_MIN: Final = (30, 45, 60, 90, 120, 180, 240, 360)
USUAL_MIN: Final = 60


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a day that is alike, as thousandths of it."""

    begins: int
    length: int
    slot: str


def day_window(day: date, zone: ZoneInfo) -> Window:
    """Return a day by the clock at the station; 23 or 25 hours where clocks are changed."""
    first = datetime(day.year, day.month, day.day, tzinfo=zone)
    after = day + timedelta(days=1)
    last = datetime(after.year, after.month, after.day, tzinfo=zone)
    return Window(first.astimezone(UTC), last.astimezone(UTC))


def durations(least_s: int, most_s: int) -> list[int]:
    """Return the minutes to choose from, within what the station allows."""
    found = [one for one in DURATIONS_MIN if least_s <= one * 60 <= most_s]
    return found or [-(-least_s // 900) * 15]


def nearest(wanted: int, allowed: Sequence[int]) -> int:
    """Return the allowed duration that is closest to the wanted one."""
    return min(allowed, key=lambda one: abs(one - wanted))


def starts(
    runs: Mapping[str, Sequence[RunView]],
    day: Window,
    lasts: timedelta,
    buffer: timedelta = timedelta(0),
    own: Window | None = None,
) -> list[datetime]:
    """Return at which quarter hours of a day one can begin in one of the bays, in order.

    Args:
        runs: of each bay, from the day's begin to `lasts` and `buffer` after its end.
        day: the instants of the day.
        lasts: for how long.
        buffer: kept after each reservation.
        own: the reader's window that is to be moved: it is not in its own way.
    """
    found: set[datetime] = set()
    for bay in runs.values():
        free, taken = _granules(bay, Slot.FREE), _granules(bay, Slot.TAKEN)
        if own is not None:
            mine = set(granules(own))
            free, taken = free | mine, taken - mine
        found |= {
            at
            for at in granules(day)
            if all(one in free for one in granules(Window(at, at + lasts)))
            and not any(one in taken for one in granules(Window(at + lasts, at + lasts + buffer)))
        }
    return sorted(found)


def open_starts(runs: Iterable[Sequence[RunView]], day: Window) -> list[datetime]:
    """Return the quarter hours of a day that are not closed in all of the bays."""
    found = {at for bay in runs for at, slot in _slots(bay) if slot is not Slot.CLOSED}
    return [at for at in granules(day) if at in found]


def ribbon(runs: Iterable[Sequence[RunView]], day: Window) -> list[Piece]:
    """Return the day in pieces: free where one of the bays is, closed where all are."""
    columns = [dict(_slots(bay)) for bay in runs]
    pieces: list[Piece] = []
    number = day.duration // GRANULE
    for index, at in enumerate(granules(day)):
        slots = {column.get(at, Slot.CLOSED) for column in columns}
        slot = next((one for one in (Slot.FREE, Slot.TAKEN) if one in slots), Slot.CLOSED)
        begins, ends = index * 1000 // number, (index + 1) * 1000 // number
        if pieces and pieces[-1].slot == slot:
            pieces[-1] = Piece(pieces[-1].begins, ends - pieces[-1].begins, slot)
        else:
            pieces.append(Piece(begins, ends - begins, slot))
    return pieces


def piece_of(window: Window, day: Window) -> Piece:
    """Return where a window lies in the day; what goes past midnight is cut."""
    begins = (window.starts_at - day.starts_at) / day.duration
    ends = min(1.0, (window.ends_at - day.starts_at) / day.duration)
    return Piece(round(begins * 1000), max(1, round((ends - begins) * 1000)), "chosen")


def _granules(bay: Sequence[RunView], slot: Slot) -> set[datetime]:
    return {at for at, one in _slots(bay) if one == slot}


def _slots(bay: Sequence[RunView]) -> Iterator[tuple[datetime, Slot]]:
    for run in bay:
        for at in granules(Window(run.starts_at, run.ends_at)):
            yield at, Slot(run.slot)
