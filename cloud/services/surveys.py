"""What can be had at some stations: read in three statements, then asked in memory."""

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
from cloud.services.booking_ports import FoundBay, FoundPlug
from cloud.services.ports import UnitOfWork

LONGEST: Final = timedelta(hours=28)
"""A window with its buffer is never longer (see services/terms.py): so much later than the last start
wanted a survey must look."""


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
    standards: frozenset[str] = frozenset()
    """OCPI ConnectorTypes of which one will do; empty: any."""
    min_power_w: int = 0
    is_accessible: bool = False
    """Only bays for those who need room."""


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
    """Some stations as they stand."""

    stations: Mapping[str, Station]
    bays: Sequence[FoundBay]
    terms: Mapping[str, Terms]
    taken: Mapping[str, Sequence[Window]]
    """By bay."""
    within: Window
    """What it knows of."""
    policy: Policy
    now: datetime
    _shut: dict[str, tuple[Window, ...]] = field(default_factory=dict)

    def slots(
        self, need: Need, most: int, *, station_ids: Collection[str] | None = None
    ) -> Iterator[Slot]:
        """Yield up to `most` windows of each bay that meets the need, at these stations or at all."""
        for bay in self.bays:
            if station_ids is None or bay.station_id in station_ids:
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
        return usable_from(self.status(bay), bay.expected_end_at, self.now)

    def _slots_of(self, bay: FoundBay, need: Need, most: int) -> Iterator[Slot]:
        plug = plug_for(bay, need)
        if plug is None:
            return
        terms = self.terms[bay.station_id]
        takes_s = _charging_s(plug, need)
        duration = need.duration or _whole(takes_s, terms)
        if not terms.min_s <= duration.total_seconds() <= terms.max_s:
            return
        if need.must_fit and takes_s > duration.total_seconds():
            return
        last = self.now + timedelta(seconds=terms.ahead_s)
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


def survey(
    work: UnitOfWork,
    stations: Sequence[Station],
    within: Window,
    policy: Policy,
    now: datetime,
    *,
    but: str = "",
) -> Survey:
    """Read how these stations stand in a range; the slots of reservation `but` count as free."""
    known = {one.id: one for one in stations}
    on_granules = Window(floor(within.starts_at), ceiling(within.ends_at))
    return Survey(
        stations=known,
        bays=work.finding.bays(known),
        terms=work.terms.of(known),
        taken=work.finding.taken(known, on_granules, but),
        within=on_granules,
        policy=policy,
        now=now,
    )


def plug_for(bay: FoundBay, need: Need) -> FoundPlug | None:
    """Return the strongest plug of the bay that will do."""
    if need.is_accessible and not bay.is_accessible:
        return None
    fitting = [
        one
        for one in bay.plugs
        if one.max_power_w >= need.min_power_w
        and (not need.standards or one.standard in need.standards)
    ]
    return max(fitting, key=lambda one: one.max_power_w, default=None)


def _charging_s(plug: FoundPlug, need: Need) -> int:
    car_w = need.car.max_dc_w if plug.is_dc else need.car.max_ac_w
    return charging_s(need.energy_wh, plug.max_power_w, car_w, is_dc=plug.is_dc)


def _whole(takes_s: int, terms: Terms) -> timedelta:
    """Return the granules a charge needs, at least as many as the station asks for."""
    needed = timedelta(seconds=max(takes_s, terms.min_s))
    return GRANULE * -(-needed // GRANULE)
