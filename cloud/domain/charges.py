"""A charge as tariffs see it: a curve of whole seconds and watt-hours, cut where a price may change.

Instants count by the second they lie in, and the energy at a cut is interpolated along the curve and
rounded down to the watt-hour, as a register would show it. So all parts of a charge sum to the whole,
nothing is ever a float, and a cut where no price changes changes nothing.
OCPI 2.3.0 mod_cdrs, ChargingPeriod: the moment a price changes may be interpolated from the readings
before and after it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final, NamedTuple

from cloud.domain.money import ceil_div

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_DAY_S: Final = 86_400
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_OFFSET_STEP_S: Final = 6 * 3600
"""No zone changes its clock twice within so long."""


@dataclass(frozen=True, slots=True)
class Point:
    """A reading: the energy since the stretch began, and the power where it was told."""

    at: datetime
    energy_wh: int
    power_w: int | None = None
    """Holds until the next point; null: the mean of the energy until then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A car at a plug: charging from `starts_at` to `charging_ended_at`, then parked."""

    starts_at: datetime
    ends_at: datetime
    charging_ended_at: datetime | None = None
    """Null: it charged to the end."""
    points: tuple[Point, ...] = ()
    """In the order of their instants."""


@dataclass(frozen=True, slots=True)
class Charge:
    """What is billed as one: mostly one stretch, more where the car was plugged in again."""

    stretches: tuple[Stretch, ...]

    @property
    def energy_wh(self) -> int:
        """Return the energy of all stretches."""
        return sum(
            max((one.energy_wh for one in part.points), default=0) for part in self.stretches
        )


@dataclass(frozen=True, slots=True)
class Marks:
    """Where a tariff's prices may change."""

    wh: frozenset[int] = frozenset()
    """Energy charged so far."""
    elapsed_s: frozenset[int] = frozenset()
    minutes: frozenset[int] = frozenset()
    """Of the local day; empty: the time of day does not matter."""
    by_power: bool = False

    @property
    def is_flat(self) -> bool:
        """Whether nothing but the beginning and the end of a charge matters."""
        return not (self.wh or self.elapsed_s or self.minutes or self.by_power)


class Period(NamedTuple):
    """A part of a charge in which no price changes, with how things stand at its beginning."""

    length_s: int
    energy_wh: int
    is_parked: bool
    so_far_wh: int
    elapsed_s: int
    power: tuple[int, int]
    """A fraction of watts: (3600 x Wh, s), or (W, 1); (0, 1) while parked."""
    minute: int
    """Of the local day; 0 where the time of day does not matter."""
    day: int
    """The local date's ordinal, as `date.toordinal`; 0 where it does not matter."""


class _Node(NamedTuple):
    at_s: int
    wh: int


@dataclass(slots=True)
class _Walk:
    """How far the charge was followed, over all its stretches."""

    marks: Marks
    wall: "_Wall"
    so_far_wh: int = 0
    elapsed_s: int = 0
    periods: list[Period] = field(default_factory=list)

    def follow(self, stretch: Stretch) -> None:
        start_s, end_s = second(stretch.starts_at), second(stretch.ends_at)
        end_s = max(start_s, end_s)
        parked_s = end_s
        if stretch.charging_ended_at is not None:
            parked_s = min(max(second(stretch.charging_ended_at), start_s), end_s)
        base = self.elapsed_s - start_s
        cuts = sorted({parked_s, *self._time_cuts(start_s, end_s)})
        for before, after, power in self._pieces(stretch, start_s, end_s):
            nodes = [before, *self._between(before, after, cuts), after]
            nodes.sort()
            for one, two in pairwise(nodes):
                if one != two:
                    is_parked = one.at_s >= parked_s and two.at_s > parked_s
                    self._add(one, two, base, power, is_parked=is_parked)
        self.elapsed_s += end_s - start_s

    def _add(
        self, one: _Node, two: _Node, base: int, power: tuple[int, int], *, is_parked: bool
    ) -> None:
        minute, day = self.wall.at(one.at_s)
        period = Period(
            length_s=two.at_s - one.at_s,
            energy_wh=two.wh - one.wh,
            is_parked=is_parked,
            so_far_wh=self.so_far_wh,
            elapsed_s=one.at_s + base,
            power=(0, 1) if is_parked else power,
            minute=minute,
            day=day,
        )
        self.periods.append(period)
        self.so_far_wh += period.energy_wh

    def _pieces(
        self, stretch: Stretch, start_s: int, end_s: int
    ) -> Iterator[tuple[_Node, _Node, tuple[int, int]]]:
        """Yield the curve's pieces with their powers; where only the ends matter, one."""
        points = stretch.points
        if self.marks.is_flat:
            points = (max(points, key=_energy),) if points else ()
            points = tuple(Point(stretch.ends_at, one.energy_wh) for one in points)
        before = _Node(start_s, 0)
        told = next((one.power_w for one in points if one.power_w is not None), None)
        for point in points:
            at_s = min(max(second(point.at), before.at_s), end_s)
            after = _Node(at_s, max(point.energy_wh, before.wh))
            yield before, after, _power(before, after, told)
            told = told if point.power_w is None else point.power_w
            before = after
        yield before, _Node(end_s, before.wh), _power(before, before, told)

    def _between(self, before: _Node, after: _Node, cuts: list[int]) -> Iterator[_Node]:
        """Yield the nodes to be put between two of the curve."""
        length_s, energy_wh = after.at_s - before.at_s, after.wh - before.wh
        first, last = bisect_right(cuts, before.at_s), bisect_left(cuts, after.at_s)
        for cut_s in cuts[first:last]:
            share = energy_wh * (cut_s - before.at_s) // length_s
            yield _Node(cut_s, before.wh + share)
        for mark in self.marks.wh:
            wh = mark - (self.so_far_wh - before.wh)
            if before.wh < wh < after.wh:
                passed_s = ceil_div((wh - before.wh) * length_s, energy_wh)
                yield _Node(before.at_s + passed_s, wh)

    def _time_cuts(self, start_s: int, end_s: int) -> Iterator[int]:
        for mark in self.marks.elapsed_s:
            yield start_s + mark - self.elapsed_s
        yield from self.wall.cuts(start_s, end_s, self.marks.minutes)


class _Wall:
    """The clock on the station's wall."""

    def __init__(self, zone: tzinfo, *, is_read: bool) -> None:
        self._zone = zone
        self._is_read = is_read

    def at(self, at_s: int) -> tuple[int, int]:
        """Return minute of the day and date."""
        if not self._is_read:
            return 0, 0
        day, second_of_day = divmod(at_s + self._offset_s(at_s), _DAY_S)
        return second_of_day // 60, _EPOCH_DAY + day

    def cuts(self, start_s: int, end_s: int, minutes: Iterable[int]) -> Iterator[int]:
        """Yield when the wall shows one of these minutes, and when it is set to another time."""
        if not self._is_read:
            return
        since_s = start_s
        for until_s in self._changes(start_s, end_s):
            offset_s = self._offset_s(since_s)
            for minute in minutes:
                first = ceil_div(since_s + offset_s - minute * 60, _DAY_S)
                yield from range(first * _DAY_S + minute * 60 - offset_s, until_s, _DAY_S)
            yield until_s
            since_s = until_s

    def _changes(self, start_s: int, end_s: int) -> Iterator[int]:
        """Yield the instants the zone's offset changes, and at last the end."""
        for from_s in range(start_s, end_s, _OFFSET_STEP_S):
            low, high = from_s, min(from_s + _OFFSET_STEP_S, end_s)
            if self._offset_s(low) == self._offset_s(high):
                continue
            while high - low > 1:
                middle = (low + high) // 2
                if self._offset_s(middle) == self._offset_s(low):
                    low = middle
                else:
                    high = middle
            yield high
        yield end_s

    def _offset_s(self, at_s: int) -> int:
        offset = datetime.fromtimestamp(at_s, self._zone).utcoffset()
        return (offset or timedelta(0)) // _SECOND


def periods(charge: Charge, marks: Marks, zone: tzinfo) -> list[Period]:
    """Return the charge in parts, in order; at least one, which may be empty."""
    walk = _Walk(marks, _Wall(zone, is_read=bool(marks.minutes)))
    for stretch in charge.stretches:
        walk.follow(stretch)
    if walk.periods:
        return walk.periods
    start_s = second(charge.stretches[0].starts_at)
    minute, day = walk.wall.at(start_s)
    return [Period(0, 0, False, 0, 0, (0, 1), minute, day)]


def second(at: datetime) -> int:
    """Return the second an instant lies in, since 1970."""
    return (at - _EPOCH) // _SECOND


def _energy(point: Point) -> int:
    return point.energy_wh


def _power(before: _Node, after: _Node, told: int | None) -> tuple[int, int]:
    if told is not None:
        return told, 1
    return 3600 * (after.wh - before.wh), after.at_s - before.at_s
