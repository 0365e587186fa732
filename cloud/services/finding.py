"""The nearest feasible thing instead of what cannot be had: other bays, other times."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Final

from cloud.domain.policy import Policy
from cloud.domain.ranking import USUAL_ENERGY_WH, USUAL_POWER_W, usual_energy_wh, varied
from cloud.domain.reservations import Reservation
from cloud.domain.stations import Station
from cloud.domain.windows import Window, floor
from cloud.services.billing import discounts_for, discounts_of
from cloud.services.booking_ports import FoundBay, FoundPlug, PlugWish
from cloud.services.collaborators import Exactly, Looking, Option, Pricing
from cloud.services.ports import UnitOfWork
from cloud.services.priced import Priced, Pricer, option_of
from cloud.services.rings import rings
from cloud.services.surveys import LONGEST_BUFFER, Need, Survey, Surveyor

FEW: Final = 3
"""So many alternatives are looked for, further and further away."""

_MOST_STATIONS: Final = 50
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Reach:
    """How far is looked for alternatives."""

    radius_m: float
    later: timedelta
    each: int
    """Windows of a bay."""


_REACHES: Final = (
    _Reach(3_000.0, _DAY, 2),
    _Reach(15_000.0, _DAY, 3),
    _Reach(100_000.0, 7 * _DAY, 5),
)


@dataclass(frozen=True, slots=True)
class FindingService:
    """See Finding. Reads only, and only near by."""

    policy: Policy
    pricing: Pricing

    def alternatives(
        self, work: UnitOfWork, wanted: Reservation, now: datetime, most: int = 5
    ) -> list[Option]:
        """See Finding.alternatives. Looks further, and later, until there are enough."""
        home = work.stations.by_ids([wanted.station_id])[wanted.station_id]
        pricer = Pricer(work, self.pricing, discounts_for(work, wanted, now))
        found: list[Priced] = []
        for reach in _REACHES:
            found = self._instead(pricer, wanted, home, reach, now)
            if len(found) >= max(most, FEW):
                break
        chosen = varied([one.candidate for one in found], most)
        by_name = {(one.candidate.bay_id, one.candidate.window): one for one in found}
        return [option_of(by_name[one.bay_id, one.window]) for one in chosen]

    def still_free(
        self, work: UnitOfWork, options: Sequence[Option], now: datetime, but: str = ""
    ) -> list[Option]:
        """See Finding.still_free."""
        windows = {one: Window(one.starts_at, one.ends_at) for one in options}
        if not windows:
            return []
        stations = work.stations.by_ids({one.station_id for one in options})
        named = {one.bay_id for one in options}
        bays = [one for one in work.finding.bays(stations) if one.bay_id in named]
        first = min(one.starts_at for one in options)
        lasts = max(one.ends_at for one in options) - first
        need = _plain_need(Window(first, first), lasts, PlugWish())
        surveyor = Surveyor(work, self.policy, now)
        seen = surveyor.look(stations, bays, need, buffer=LONGEST_BUFFER, but=but)
        there = {bay.bay_id: bay for bay in seen.bays}
        return [
            one
            for one, window in windows.items()
            if one.bay_id in there and seen.is_to_be_had(there[one.bay_id], window)
        ]

    def look_at(self, work: UnitOfWork, station_id: str, within: Window, now: datetime) -> Looking:
        """See Finding.look_at."""
        home = work.stations.by_ids([station_id])[station_id]
        start = within.starts_at
        whole = _plain_need(Window(start, start), within.duration, PlugWish())
        bays = work.finding.bays([home.id])
        surveyor = Surveyor(work, self.policy, now)
        seen = surveyor.look({home.id: home}, bays, whole, buffer=LONGEST_BUFFER)
        return _Look(work, self.pricing, seen, now)

    def equal_bays(
        self, work: UnitOfWork, wanted: Reservation, window: Window, now: datetime
    ) -> list[str]:
        """See Finding.equal_bays. The weakest bay first; strong ones are kept for others."""
        home = work.stations.by_ids([wanted.station_id])[wanted.station_id]
        bays = work.finding.bays([home.id])
        lost = next((one for one in bays if one.bay_id == wanted.bay_id), None)
        need = _need_of(wanted, lost, Window(window.starts_at, window.starts_at))
        need = replace(need, duration=window.duration)
        buffer = timedelta(seconds=wanted.buffer_s)
        surveyor = Surveyor(work, self.policy, now)
        seen = surveyor.look({home.id: home}, bays, need, buffer=buffer, but=wanted.id)
        from_at = max(window.starts_at, now)
        fitting = [
            bay
            for bay in seen.bays
            if bay.bay_id != wanted.bay_id
            and (lost is None or _is_as_good(bay, lost, wanted))
            and seen.usable_from(bay) <= from_at
            and seen.calendar(bay).is_free(window, buffer)
        ]
        return [bay.bay_id for bay in sorted(fitting, key=lambda bay: _unlike(bay, lost))]

    def _instead(
        self,
        pricer: Pricer,
        wanted: Reservation,
        home: Station,
        reach: _Reach,
        now: datetime,
    ) -> list[Priced]:
        work = pricer.work
        first = max(wanted.starts_at, floor(now))
        between = Window(first, first + reach.later)
        around = rings(work.stations.within, home.latitude, home.longitude, reach.radius_m)
        near = {one.id: (away_m, one) for away_m, one in islice(around, _MOST_STATIONS)}
        near[home.id] = (0.0, home)
        bays = work.finding.bays(near)
        lost = next((one for one in bays if one.bay_id == wanted.bay_id), None)
        need = _need_of(wanted, lost, between)
        stations = {station_id: station for station_id, (_, station) in near.items()}
        seen = Surveyor(work, self.policy, now).look(stations, bays, need, but=wanted.id)
        slots = (
            slot
            for slot in seen.slots(need, reach.each)
            if (slot.bay.bay_id, slot.window) != (wanted.bay_id, wanted.window)
        )
        away = {station_id: away_m for station_id, (away_m, _) in near.items()}
        return pricer.priced(slots, away, wanted.starts_at)


@dataclass(frozen=True, slots=True)
class _Look:
    """See Looking."""

    work: UnitOfWork
    pricing: Pricing
    seen: Survey
    now: datetime

    def option(self, asked: Exactly, barred: Collection[tuple[str, Window]] = ()) -> Option | None:
        """See Looking.option."""
        start = asked.window.starts_at
        need = _plain_need(Window(start, start), asked.window.duration, asked.wish)
        bays = [
            bay
            for bay in self.seen.bays
            if asked.bay_id in {None, bay.bay_id}
            and not any(
                bay_id == bay.bay_id and one.overlaps(asked.window) for bay_id, one in barred
            )
        ]
        fitting = sorted(self.seen.slots(need, 1, bays), key=lambda one: one.plug.max_power_w)
        if not fitting:
            return None
        discounts = discounts_of(self.work, asked.user_id, self.now)
        here = dict.fromkeys(self.seen.stations, 0.0)
        [priced] = Pricer(self.work, self.pricing, discounts).priced(fitting[:1], here, start)
        return option_of(priced)


def _plain_need(between: Window, duration: timedelta, wish: PlugWish) -> Need:
    return Need(between=between, duration=duration, energy_wh=USUAL_ENERGY_WH, wish=wish)


def _need_of(wanted: Reservation, lost: FoundBay | None, between: Window) -> Need:
    """Return what a reservation needs: what it asked for, or else what its bay gave."""
    plugs = [] if lost is None else _chosen(lost, wanted)
    power_w = max((one.max_power_w for one in plugs), default=0)
    duration = wanted.window.duration
    return Need(
        between=between,
        duration=duration,
        energy_wh=wanted.energy_wh or usual_energy_wh(power_w or USUAL_POWER_W, duration),
        wish=PlugWish(
            standards=frozenset({wanted.standard} - {""} or {one.standard for one in plugs} - {""}),
            min_power_w=wanted.min_power_w or power_w // 2,
        ),
    )


def _is_as_good(bay: FoundBay, lost: FoundBay, wanted: Reservation) -> bool:
    """Whether a bay that meets the need is no worse than the one that was lost."""
    if bay.is_accessible != lost.is_accessible:
        return False
    if wanted.fixed_at is not None:  # any bay would have done
        return True
    plugs = _chosen(lost, wanted)
    if not plugs:
        return bay.max_power_w >= lost.max_power_w
    return all(_power_w(bay, one.standard) >= _power_w(lost, one.standard) for one in plugs)


def _chosen(bay: FoundBay, wanted: Reservation) -> list[FoundPlug]:
    """Return the plugs of its bay that a reservation is for."""
    return [one for one in bay.plugs if wanted.standard in {"", one.standard}]


def _power_w(bay: FoundBay, standard: str) -> int:
    """Return what the bay gives by such a plug; -1: it has none. One that names no power has its bay's."""
    powers = (one.max_power_w or bay.max_power_w for one in bay.plugs if one.standard == standard)
    return max(powers, default=-1)


def _unlike(bay: FoundBay, lost: FoundBay | None) -> tuple[bool, int, str, str]:
    """Return how much another bay differs from the one that was lost."""
    more_w = bay.max_power_w - (0 if lost is None else lost.max_power_w)
    return more_w < 0, abs(more_w), bay.name, bay.bay_id
