"""What can be had at some stations: read in a few statements, then asked in memory."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cloud.domain.calendar import Calendar, closed
from cloud.domain.policy import Policy
from cloud.domain.ranking import Car, charging_s, next_starts, usable_from
from cloud.domain.reconcile import Status
from cloud.domain.stations import Station
from cloud.domain.terms import Terms
from cloud.domain.windows import GRANULE, Window, ceiling, floor
from cloud.services.booking_ports import FoundBay, FoundPlug, PlugWish
from cloud.services.ports import UnitOfWork

LONGEST_BUFFER: Final = timedelta(hours=4)
"""See terms_check.BOUNDS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a car needs: a plug, a time to begin, and so long or so much."""

    between: Window
    """The first and the last instant to begin at."""
    duration: timedelta | None = None
    """Null: as long as the energy takes."""
    energy_wh: int
    """By which prices and times are compared."""
    must_fit: bool = False
    """A window too short for the energy will not do."""
    car: Car = field(default_factory=Car)
    wish: PlugWish = field(default_factory=PlugWish)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A bay and a window that can be had."""

    station: Station
    bay: FoundBay
    plug: FoundPlug
    window: Window
    energy_wh: int
    charging_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Some bays as they stand."""

    stations: Mapping[str, Station]
    bays: Sequence[FoundBay]
    terms: Mapping[str, Terms]
    """By station."""
    taken: Mapping[str, Sequence[Window]]
    """By bay."""
    within: Window
    """What it knows of."""
    policy: Policy
    now: datetime
    _shut: dict[str, tuple[Window, ...]] = field(default_factory=dict)

    def slots(
        self, need: Need, most: int, bays: Sequence[FoundBay] | None = None
    ) -> Iterator[Slot]:
        """Yield up to `most` windows of each bay, or of these, that meet a need within its range."""
        for bay in self.bays if bays is None else bays:
            yield from self._slots_of(bay, need, most)

    def calendar(self, bay: FoundBay) -> Calendar:
        """Return when the bay is closed, and taken."""
        return Calendar(self._closed(bay), tuple(self.taken.get(bay.bay_id, ())))

    def status(self, bay: FoundBay) -> str:
        """Return what is true of the bay now: of a station that is silent, nothing is known."""
        heard_at = bay.heard_at
        is_heard = heard_at is not None and self.now - heard_at < self.policy.stale_after
        return bay.status if is_heard else Status.UNKNOWN

    def usable_from(self, bay: FoundBay) -> datetime:
        """Return from when the bay can be counted on."""
        status = self.status(bay)
        usable_at = usable_from(status, bay.expected_end_at, self.now)
        if status != Status.UNKNOWN:
            return usable_at
        # nobody books what is unknown so shortly before that its chargers protect it already
        return max(usable_at, self.now + self.terms[bay.station_id].protect)

    def is_to_be_had(self, bay: FoundBay, window: Window) -> bool:
        """Whether the bay can be booked for the very window, which may have just begun."""
        buffer = timedelta(seconds=self.terms[bay.station_id].buffer_s)
        is_usable = self.usable_from(bay) <= max(window.starts_at, self.now)
        is_coming = window.starts_at >= floor(self.now)
        return is_coming and is_usable and self.calendar(bay).is_free(window, buffer)

    def _slots_of(self, bay: FoundBay, need: Need, most: int) -> Iterator[Slot]:
        terms = self.terms[bay.station_id]
        found = _measured(bay, terms, need)
        if found is None:
            return
        plug, duration, takes_s = found
        last = self.now + timedelta(seconds=terms.ahead_s) - duration
        between = Window(
            max(need.between.starts_at, self.usable_from(bay)), min(need.between.ends_at, last)
        )
        buffer = timedelta(seconds=terms.buffer_s)
        for at in next_starts(self.calendar(bay), duration, buffer, between, most):
            yield Slot(
                station=self.stations[bay.station_id],
                bay=bay,
                plug=plug,
                window=Window(at, at + duration),
                energy_wh=need.energy_wh,
                charging_s=takes_s,
            )

    def _closed(self, bay: FoundBay) -> tuple[Window, ...]:
        terms = self.terms[bay.station_id]
        is_named = bay.bay_id in terms.unbookable_bays or any(
            one.bay_id == bay.bay_id for one in terms.blackouts
        )
        # bays the terms do not name are closed alike: reckoned once a station
        key = bay.bay_id if is_named else f"/{bay.station_id}"
        if key not in self._shut:
            zone = ZoneInfo(self.stations[bay.station_id].timezone)
            self._shut[key] = closed(bay.bay_id, terms, zone, self.within)
        return self._shut[key]


@dataclass(frozen=True, slots=True)
class Surveyor:
    """Reads how bays stand."""

    work: UnitOfWork
    policy: Policy
    now: datetime

    def look(
        self,
        stations: Mapping[str, Station],
        bays: Sequence[FoundBay],
        need: Need,
        *,
        buffer: timedelta = timedelta(0),
        but: str = "",
    ) -> Survey:
        """Return a survey of the bays that have the plug.

        Args:
            stations: where the bays are.
            bays: of `work.finding.bays`.
            need: of which windows are asked.
            buffer: so much after them is asked of, at least.
            but: a reservation whose slots count as free.
        """
        fitting = [bay for bay in bays if plug_for(bay, need.wish) is not None]
        terms = self.work.terms.of(stations)
        within = _range(fitting, terms, need, buffer)
        return Survey(
            stations=stations,
            bays=fitting,
            terms=terms,
            taken=self.work.finding.taken([bay.bay_id for bay in fitting], within, but),
            within=within,
            policy=self.policy,
            now=self.now,
        )


def plug_for(bay: FoundBay, wish: PlugWish) -> FoundPlug | None:
    """Return the strongest plug of the bay that will do."""
    if wish.is_accessible and not bay.is_accessible:
        return None
    fitting = [
        one
        for one in bay.plugs
        if one.max_power_w >= wish.min_power_w
        and (not wish.standards or one.standard in wish.standards)
    ]
    return max(fitting, key=lambda one: one.max_power_w, default=None)


def _range(
    bays: Collection[FoundBay], terms: Mapping[str, Terms], need: Need, buffer: timedelta
) -> Window:
    """Return all that windows for the need, with their buffers, may reach into."""
    lengths = [buffer + (need.duration or timedelta(0))]
    for bay in bays:
        of_station = terms[bay.station_id]
        found = _measured(bay, of_station, need)
        if found is not None:
            _, duration, _ = found
            lengths.append(duration + timedelta(seconds=of_station.buffer_s))
    last = need.between.ends_at + max(lengths)
    return Window(floor(need.between.starts_at), ceiling(last))


def _measured(bay: FoundBay, terms: Terms, need: Need) -> tuple[FoundPlug, timedelta, int] | None:
    """Return the plug, how long the window is, and the charge takes; None: it will not do."""
    plug = plug_for(bay, need.wish)
    if plug is None:
        return None
    car_w = need.car.max_dc_w if plug.is_dc else need.car.max_ac_w
    takes_s = charging_s(need.energy_wh, plug.max_power_w, car_w, is_dc=plug.is_dc)
    duration = need.duration or _whole(takes_s, terms)
    is_s = duration.total_seconds()
    if not terms.min_s <= is_s <= terms.max_s or (need.must_fit and takes_s > is_s):
        return None
    return plug, duration, takes_s


def _whole(takes_s: int, terms: Terms) -> timedelta:
    """Return the granules a charge needs, at least as many as the station asks for."""
    needed = timedelta(seconds=max(takes_s, terms.min_s))
    return GRANULE * -(-needed // GRANULE)
