"""When a bay can be booked: opening hours, blackouts and what is taken, as windows of UTC.

Opening hours are wall-clock times: where clocks are put back an hour that comes twice is open twice,
and one that is skipped is open never. What is taken is a live reservation's window with its buffer.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import groupby
from typing import Final

from cloud.domain.terms import OpenHours, Terms
from cloud.domain.windows import GRANULE, Window, ceiling, floor, granules

_DAY: Final = timedelta(days=1)
_TWO_DAYS_MIN: Final = 2880


class Slot(StrEnum):
    """What a granule is to somebody who wants to book it."""

    FREE = "free"
    TAKEN = "taken"
    CLOSED = "closed"
    """Outside the opening hours, in a blackout, too far ahead, or over."""


@dataclass(frozen=True, slots=True)
class Run:
    """Granules in a row that are the same, and in how many bays they are free."""

    starts_at: datetime
    ends_at: datetime
    slot: Slot
    bays_free: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """One bay's: windows in order that do not touch, within the range they were asked for."""

    closed: tuple[Window, ...] = ()
    taken: tuple[Window, ...] = ()

    def is_free(self, window: Window, buffer: timedelta = timedelta(0)) -> bool:
        """Whether the window can be booked, with so much kept free after it."""
        kept = Window(window.starts_at, window.ends_at + buffer)
        is_open = not any(one.overlaps(window) for one in self.closed)
        return is_open and not any(one.overlaps(kept) for one in self.taken)

    def starts(
        self,
        duration: timedelta,
        buffer: timedelta,
        earliest: datetime,
        latest: datetime,
    ) -> Iterator[datetime]:
        """Yield every start on a granule, from `earliest` to `latest`, that can be booked for so long."""
        # a start is no good after where its end still just fits before what is not free
        barred = sorted(
            [Window(one.starts_at - duration, one.ends_at) for one in self.closed]
            + [Window(one.starts_at - duration - buffer, one.ends_at) for one in self.taken]
        )
        at = ceiling(earliest)
        for one in barred:
            while at <= min(one.starts_at, latest):
                yield at
                at += GRANULE
            at = max(at, ceiling(one.ends_at))
        while at <= latest:
            yield at
            at += GRANULE


def merged(windows: Iterable[Window]) -> list[Window]:
    """Return the moments of all the windows as few windows in order."""
    found: list[Window] = []
    for one in sorted(windows):
        if one.starts_at >= one.ends_at:
            continue
        if found and one.starts_at <= found[-1].ends_at:
            if one.ends_at > found[-1].ends_at:
                found[-1] = Window(found[-1].starts_at, one.ends_at)
        else:
            found.append(one)
    return found


def without(window: Window, others: Iterable[Window]) -> list[Window]:
    """Return what is left of a window when others are cut out of it."""
    left = []
    at = window.starts_at
    for one in merged(others):
        if at < min(one.starts_at, window.ends_at):
            left.append(Window(at, min(one.starts_at, window.ends_at)))
        at = max(at, one.ends_at)
    if at < window.ends_at:
        left.append(Window(at, window.ends_at))
    return left


def opened(hours: Sequence[OpenHours], zone: tzinfo, within: Window) -> list[Window]:
    """Return when a place with these hours is open; without hours: always."""
    if not hours:
        return [within]
    found = []
    for part, offset in _by_offset(zone, within):
        for one in _as_on_the_wall(hours, part, offset):
            begins, ends = max(one.starts_at, part.starts_at), min(one.ends_at, part.ends_at)
            found.append(Window(begins, ends))
    return merged(found)


def closed(bay_id: str, terms: Terms, zone: tzinfo, within: Window) -> tuple[Window, ...]:
    """Return when a bay cannot be booked whoever asks, by its station's terms."""
    if not terms.is_bookable or bay_id in terms.unbookable_bays:
        return (within,)
    shut = without(within, opened(terms.hours, zone, within)) if terms.hours else []
    shut += [
        Window(one.starts_at, one.ends_at)
        for one in terms.blackouts
        if one.bay_id in {None, bay_id}
        and one.starts_at < within.ends_at
        and within.starts_at < one.ends_at
    ]
    return tuple(merged(shut))


def bookable(terms: Terms, now: datetime) -> Window:
    """Return from when to when bookings may lie: from the granule that runs, as far as one may."""
    return Window(floor(now), now + timedelta(seconds=terms.ahead_s))


def runs(calendars: Sequence[Calendar], within: Window, open_for: Window) -> list[Run]:
    """Return a range's granules, those alike in a row as one: of one bay, or of several together.

    Of several, a granule is free where one of them is, and closed only where all are.

    Args:
        calendars: of the bays; none: everything is closed.
        within: the range, on granules.
        open_for: what may be booked at all; see `bookable`.
    """
    columns = [_slots(one, within, open_for) for one in calendars]
    together = [_together(slots) for slots in zip(*columns, strict=True)]
    if not together:
        together = [(Slot.CLOSED, 0)] * sum(1 for _ in granules(within))
    found = []
    at = within.starts_at
    for (slot, bays_free), same in groupby(together):
        ends_at = at + GRANULE * sum(1 for _ in same)
        found.append(Run(at, ends_at, slot, bays_free))
        at = ends_at
    return found


def _together(slots: tuple[Slot, ...]) -> tuple[Slot, int]:
    bays_free = slots.count(Slot.FREE)
    if bays_free:
        return Slot.FREE, bays_free
    return (Slot.TAKEN if Slot.TAKEN in slots else Slot.CLOSED), 0


def _slots(calendar: Calendar, within: Window, open_for: Window) -> list[Slot]:
    number = (within.ends_at - within.starts_at) // GRANULE
    slots = [Slot.FREE] * number

    def mark(one: Window, slot: Slot) -> None:
        first = max(0, (one.starts_at - within.starts_at) // GRANULE)
        last = min(number, -((within.starts_at - one.ends_at) // GRANULE))
        for index in range(first, last):
            slots[index] = slot

    for one in calendar.taken:
        mark(one, Slot.TAKEN)
    for one in [*calendar.closed, *without(within, [open_for])]:
        mark(one, Slot.CLOSED)
    return slots


def _by_offset(zone: tzinfo, within: Window) -> Iterator[tuple[Window, timedelta]]:
    """Yield the parts of a range in which the zone's clocks are not put on or back."""
    at = within.starts_at
    while at < within.ends_at:
        offset = _offset(zone, at)
        ends_at = at
        while ends_at < within.ends_at and _offset(zone, ends_at) == offset:
            is_same_tomorrow = _offset(zone, ends_at + _DAY) == offset
            ends_at = ends_at + _DAY if is_same_tomorrow else floor(ends_at) + GRANULE
        ends_at = min(ends_at, within.ends_at)
        yield Window(at, ends_at), offset
        at = ends_at


def _offset(zone: tzinfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _as_on_the_wall(
    hours: Sequence[OpenHours], part: Window, offset: timedelta
) -> Iterator[Window]:
    # hours that begin the day before may last into this one
    day = (part.starts_at + offset).date() - _DAY
    last = (part.ends_at + offset).date()
    while day <= last:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC) - offset
        for one in hours:
            if one.weekday == day.weekday():
                opens_at = midnight + timedelta(minutes=one.opens_min)
                closes_min = min(one.closes_min, _TWO_DAYS_MIN)
                yield Window(opens_at, midnight + timedelta(minutes=closes_min))
        day += _DAY
