"""The nearest feasible thing: what is free for a need, and what instead where something is not."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final, TypeVar

from cloud.domain.errors import NotValid
from cloud.domain.policy import Policy
from cloud.domain.ranking import (
    KEYS,
    USUAL_ENERGY_WH,
    USUAL_POWER_W,
    Candidate,
    Car,
    Order,
    cost,
    least_cost,
    usual_energy_wh,
    varied,
)
from cloud.domain.reservations import Reservation
from cloud.domain.stations import Station
from cloud.domain.windows import Window, ceiling, floor
from cloud.services.booking_ports import FoundBay, PlugWish
from cloud.services.collaborators import Exactly, Looking, Option, PriceAsk, Pricing
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.rings import rings
from cloud.services.surveys import LONGEST_BUFFER, Need, Slot, Survey, Surveyor

MOST_STATIONS: Final = 100
"""The nearest so many that have the plug are looked at, however many there are."""
FEW: Final = 3
"""So many alternatives are looked for, further and further away."""

_CHUNK: Final = 50
_PATIENCE: Final = timedelta(hours=6)
"""How much later than wanted a search looks."""
_DAY: Final = timedelta(days=1)
_LONG_S: Final = 2.0
"""So long one waits for what another looks for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a driver looks for; see the API for the units and defaults."""

    latitude: float | None = None
    longitude: float | None = None
    text: str = ""
    """Part of a station's name, city or address: the place to look around, without a point."""
    radius_m: float = 25_000
    starts_at: datetime | None = None
    """Null: now."""
    duration: timedelta | None = None
    """Null: as long as the energy takes; without that, an hour."""
    energy_wh: int | None = None
    is_exact: bool = False
    """Only what is free from `starts_at` on, nothing later."""
    standard: str = ""
    min_power_w: int = 0
    car: Car = field(default_factory=Car)
    is_accessible: bool = False
    max_price_minor: int | None = None
    order: Order = Order.COST
    limit: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundStation:
    """A station with the best it has for the need."""

    station_id: str
    name: str
    operator: str
    address: str
    city: str
    country: str
    latitude: float
    longitude: float
    timezone: str
    distance_m: int
    best: Option
    is_exact: bool
    """It begins when it was wanted to; else `best.expected_wait_s` later."""
    energy_wh: int
    charging_s: int
    """How long the energy takes there."""
    bays_free: int
    """How many of its bays would do no later than `best`."""
    status: str
    """The bay's, now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundList:
    """What a search found, best first."""

    as_of: datetime
    latitude: float | None
    longitude: float | None
    """Around where was looked; null: the place is not known."""
    order: Order
    stations: list[FoundStation]


@dataclass(frozen=True, slots=True)
class _Offered:
    """A slot as it is ranked."""

    slot: Slot
    candidate: Candidate


@dataclass(frozen=True, slots=True)
class _Best:
    """The best of a station."""

    slot: Slot
    candidate: Candidate
    status: str
    """Of the bay, now."""


_Ranked = TypeVar("_Ranked", _Offered, _Best)


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
    """Searches, and alternatives; see Finding. Reads only, and only near by."""

    open_work: OpenWork
    clock: Clock
    policy: Policy
    pricing: Pricing

    def search(self, search: Search) -> FoundList:
        """Return the stations that have something for the need, each with its best, best first.

        Raises:
            NotValid: half a point, no place at all, or a window that is over or no window.
        """
        now = self.clock.now()
        _check(search, now)
        with self.open_work(is_read_only=True) as work:
            place = _place(work, search)
            found = [] if place is None else self._search(work, search, place, now)
        latitude, longitude = place or (None, None)
        return FoundList(
            as_of=now,
            latitude=latitude,
            longitude=longitude,
            order=search.order,
            stations=found,
        )

    def alternatives(
        self, work: UnitOfWork, wanted: Reservation, now: datetime, most: int = 5
    ) -> list[Option]:
        """See Finding.alternatives. Looks further, and later, until there are enough."""
        home = work.stations.by_ids([wanted.station_id])[wanted.station_id]
        found: list[_Offered] = []
        for reach in _REACHES:
            found = self._instead(work, wanted, home, reach, now)
            if len(found) >= max(most, FEW):
                break
        chosen = varied([one.candidate for one in found], most)
        by_name = {(one.candidate.bay_id, one.candidate.window): one for one in found}
        return [_option(by_name[one.bay_id, one.window]) for one in chosen]

    def look_at(self, work: UnitOfWork, station_id: str, within: Window, now: datetime) -> Looking:
        """See Finding.look_at."""
        home = work.stations.by_ids([station_id])[station_id]
        start = within.starts_at
        whole = _plain_need(Window(start, start), within.duration, PlugWish())
        bays = work.finding.bays([home.id])
        surveyor = Surveyor(work, self.policy, now)
        seen = surveyor.look({home.id: home}, bays, whole, buffer=LONGEST_BUFFER)
        return _Look(self, work, seen)

    def equal_bay(
        self, work: UnitOfWork, wanted: Reservation, window: Window, now: datetime
    ) -> str | None:
        """See Finding.equal_bay. The weakest bay that would do; strong ones are kept for others."""
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
            and seen.usable_from(bay) <= from_at
            and seen.calendar(bay).is_free(window, buffer)
        ]
        best = min(fitting, key=lambda bay: _unlike(bay, lost), default=None)
        return None if best is None else best.bay_id

    # --- searching ----------------------------------------------------------------------------

    def _search(
        self, work: UnitOfWork, search: Search, place: tuple[float, float], now: datetime
    ) -> list[FoundStation]:
        need = _need_for(search, now)
        surveyor = Surveyor(work, self.policy, now)
        spots = partial(work.finding.spots, wish=need.wish)
        around = islice(rings(spots, *place, search.radius_m), MOST_STATIONS)
        best: list[_Best] = []
        while chunk := list(islice(around, _CHUNK)):
            if _is_enough(best, search, chunk[0][0]):
                break
            away = {one.id: away_m for away_m, one in chunk}
            seen = surveyor.look(work.stations.by_ids(away), work.finding.bays(away), need)
            slots = list(seen.slots(need, 1))
            firsts = _firsts(slots)
            offered = self.offered(work, firsts, away, need.between.starts_at, now)
            affordable = [one for one in offered if _is_affordable(one, search)]
            chosen = _of_stations(affordable, slots, seen, search.order)
            best = _sorted([*best, *chosen], search.order)[: search.limit]
        return [_found(one) for one in best]

    def offered(
        self,
        work: UnitOfWork,
        slots: Iterable[Slot],
        away_m: dict[str, float],
        wanted_at: datetime,
        now: datetime,
    ) -> list[_Offered]:
        """Return slots as they are ranked, with what they would cost."""
        known = [(_price_key(one), one) for one in slots]
        # what costs the same is asked once
        asks = {key: _ask(slot) for key, slot in known}
        found = self.pricing.prices(work, list(asks.values()), now)
        prices = dict(zip(asks, found, strict=True))
        return [
            _Offered(slot, _candidate(slot, prices[key], away_m[slot.station.id], wanted_at))
            for key, slot in known
        ]

    # --- alternatives -------------------------------------------------------------------------

    def _instead(
        self,
        work: UnitOfWork,
        wanted: Reservation,
        home: Station,
        reach: _Reach,
        now: datetime,
    ) -> list[_Offered]:
        first = max(wanted.starts_at, floor(now))
        between = Window(first, first + reach.later)
        around = rings(work.stations.within, home.latitude, home.longitude, reach.radius_m)
        near = {one.id: (away_m, one) for away_m, one in islice(around, _CHUNK)}
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
        return self.offered(work, slots, away, wanted.starts_at, now)


@dataclass(slots=True)
class SharedFinding:
    """See Finding; of those who lose the same race at once one looks, and all get what it found.

    Whatever is found may be taken a moment later anyway; so it may be a moment old.
    """

    finding: FindingService
    good_for_s: float = 0.5
    monotonic: Callable[[], float] = time.monotonic
    _known: dict[tuple[object, ...], tuple[float, Future[list[Option]]]] = field(
        default_factory=dict
    )
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def alternatives(
        self, work: UnitOfWork, wanted: Reservation, now: datetime, most: int = 5
    ) -> list[Option]:
        """See Finding.alternatives. Shared for what nobody has yet; who moves is answered alone."""
        if wanted.id:
            return self.finding.alternatives(work, wanted, now, most)
        answer, is_first = self._answer(wanted, floor(now), most)
        if is_first:
            try:
                answer.set_result(self.finding.alternatives(work, wanted, now, most))
            except BaseException as error:
                answer.set_exception(error)
                raise
        try:
            return answer.result(_LONG_S)
        except Exception:  # noqa: BLE001 - whatever kept the first from finding may not keep us
            return self.finding.alternatives(work, wanted, now, most)

    def equal_bay(
        self, work: UnitOfWork, wanted: Reservation, window: Window, now: datetime
    ) -> str | None:
        """See Finding.equal_bay."""
        return self.finding.equal_bay(work, wanted, window, now)

    def look_at(self, work: UnitOfWork, station_id: str, within: Window, now: datetime) -> Looking:
        """See Finding.look_at."""
        return self.finding.look_at(work, station_id, within, now)

    def _answer(
        self, wanted: Reservation, now: datetime, most: int
    ) -> tuple[Future[list[Option]], bool]:
        """Return where the answer is, or will be, and whether the caller is to find it."""
        key = (
            wanted.station_id,
            wanted.bay_id,
            wanted.window,
            wanted.standard,
            wanted.min_power_w,
            wanted.energy_wh,
            now,
            most,
        )
        at_s = self.monotonic()
        with self._lock:
            asked_s, answer = self._known.get(key, (-self.good_for_s, None))
            if answer is not None and at_s - asked_s < self.good_for_s:
                return answer, False
            answer = Future()
            fresh = {
                one: kept for one, kept in self._known.items() if at_s - kept[0] < self.good_for_s
            }
            self._known = fresh | {key: (at_s, answer)}
        return answer, True


@dataclass(frozen=True, slots=True)
class _Look:
    """See Looking."""

    service: FindingService
    work: UnitOfWork
    seen: Survey

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
        here = dict.fromkeys(self.seen.stations, 0.0)
        offered = self.service.offered(self.work, fitting[:1], here, start, self.seen.now)
        return _option(offered[0]) if offered else None


def _plain_need(between: Window, duration: timedelta, wish: PlugWish) -> Need:
    return Need(between=between, duration=duration, energy_wh=USUAL_ENERGY_WH, wish=wish)


def _check(search: Search, now: datetime) -> None:
    if (search.latitude is None) != (search.longitude is None):
        raise NotValid("lat", "A point has a latitude and a longitude.")
    if search.latitude is None and not search.text.strip():
        raise NotValid("lat", "Say where: a point, or a part of a name.")
    if search.starts_at is not None and search.starts_at < floor(now):
        raise NotValid("starts_at", "This time is over.")
    if search.duration is not None and not timedelta(0) < search.duration <= _DAY:
        raise NotValid("ends_at", "A window has an end after its start, within a day.")


def _place(work: UnitOfWork, search: Search) -> tuple[float, float] | None:
    if search.latitude is not None and search.longitude is not None:
        return search.latitude, search.longitude
    named = work.stations.by_name(search.text, None, 1)
    return (named[0].latitude, named[0].longitude) if named else None


def _need_for(search: Search, now: datetime) -> Need:
    first = floor(now) if search.starts_at is None else ceiling(search.starts_at)
    is_sized = search.duration is not None or search.energy_wh is not None
    duration = search.duration if is_sized else timedelta(hours=1)
    return Need(
        between=Window(first, first if search.is_exact else first + _PATIENCE),
        duration=None if duration is None else ceiling(first + duration) - first,
        energy_wh=search.energy_wh or USUAL_ENERGY_WH,
        must_fit=search.energy_wh is not None,
        car=search.car,
        wish=PlugWish(
            standards=frozenset({search.standard} - {""}),
            min_power_w=search.min_power_w,
            is_accessible=search.is_accessible,
        ),
    )


def _need_of(wanted: Reservation, lost: FoundBay | None, between: Window) -> Need:
    """Return what a reservation needs: what it asked for, or else what its bay gave."""
    plugs = () if lost is None else lost.plugs
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


def _price_key(slot: Slot) -> tuple[object, ...]:
    """Return all that a price depends on, the energy aside: it is one for all."""
    station = slot.station
    tariff = station.tariff_id or (station.currency, station.price_per_kwh_minor)
    return tariff, station.timezone, slot.window, slot.plug.max_power_w


def _ask(slot: Slot) -> PriceAsk:
    return PriceAsk(
        station=slot.station,
        window=slot.window,
        energy_wh=slot.energy_wh,
        power_w=slot.plug.max_power_w,
    )


def _candidate(slot: Slot, price: tuple[int, str], away_m: float, wanted_at: datetime) -> Candidate:
    price_minor, currency = price
    wait = max(slot.window.starts_at - wanted_at, timedelta(0))
    return Candidate(
        station_id=slot.station.id,
        bay_id=slot.bay.bay_id,
        window=slot.window,
        distance_m=away_m,
        price_minor=price_minor,
        currency=currency,
        charging_s=slot.charging_s,
        wait_s=int(wait.total_seconds()),
        max_power_w=slot.plug.max_power_w,
    )


def _is_affordable(one: _Offered, search: Search) -> bool:
    most = search.max_price_minor
    return most is None or one.candidate.price_minor <= most


def _firsts(slots: Sequence[Slot]) -> list[Slot]:
    """Return of each station's bays that are alike the one to be had first."""
    firsts: dict[tuple[str, int, int], Slot] = {}
    for one in slots:
        alike = (one.station.id, one.plug.max_power_w, one.charging_s)
        known = firsts.get(alike)
        if known is None or one.window.starts_at < known.window.starts_at:
            firsts[alike] = one
    return list(firsts.values())


def _of_stations(
    offered: Sequence[_Offered], slots: Sequence[Slot], seen: Survey, order: Order
) -> Iterator[_Best]:
    """Yield each station's best, with its capacity."""
    starts: dict[str, list[datetime]] = defaultdict(list)
    for slot in slots:
        starts[slot.station.id].append(slot.window.starts_at)
    by_station: dict[str, list[_Offered]] = defaultdict(list)
    for one in offered:
        by_station[one.slot.station.id].append(one)
    for station_id, those in by_station.items():
        first = _sorted(those, order)[0]
        bays_free = sum(at <= first.slot.window.starts_at for at in starts[station_id])
        candidate = replace(first.candidate, bays_free=bays_free)
        yield _Best(first.slot, candidate, seen.status(first.slot.bay))


def _sorted(those: Iterable[_Ranked], order: Order) -> list[_Ranked]:
    return sorted(those, key=lambda one: KEYS[order](one.candidate))


def _is_enough(best: Sequence[_Best], search: Search, next_m: float) -> bool:
    """Whether nothing so far away could be among the best."""
    if len(best) < search.limit:
        return False
    last = best[-1].candidate
    if search.order is Order.NEAREST:
        return last.wait_s == 0
    return cost(last) <= least_cost(next_m)


def _unlike(bay: FoundBay, lost: FoundBay | None) -> tuple[bool, bool, int, str, str]:
    """Return how much another bay differs from the one that was lost."""
    if lost is None:
        return False, False, bay.max_power_w, bay.name, bay.bay_id
    more_w = bay.max_power_w - lost.max_power_w
    is_other = bay.is_accessible != lost.is_accessible
    return is_other, more_w < 0, abs(more_w), bay.name, bay.bay_id


def _option(one: _Offered | _Best) -> Option:
    slot, candidate = one.slot, one.candidate
    return Option(
        station_id=slot.station.id,
        station_name=slot.station.name,
        bay_id=slot.bay.bay_id,
        bay_name=slot.bay.name,
        starts_at=slot.window.starts_at,
        ends_at=slot.window.ends_at,
        distance_m=round(candidate.distance_m),
        price_minor=candidate.price_minor,
        currency=candidate.currency,
        expected_wait_s=candidate.wait_s,
        max_power_w=candidate.max_power_w,
        cost=round(cost(candidate), 2),
    )


def _found(one: _Best) -> FoundStation:
    station = one.slot.station
    return FoundStation(
        station_id=station.id,
        name=station.name,
        operator=station.operator,
        address=station.address,
        city=station.city,
        country=station.country,
        latitude=station.latitude,
        longitude=station.longitude,
        timezone=station.timezone,
        distance_m=round(one.candidate.distance_m),
        best=_option(one),
        is_exact=one.candidate.wait_s == 0,
        energy_wh=one.slot.energy_wh,
        charging_s=one.slot.charging_s,
        bays_free=one.candidate.bays_free,
        status=one.status,
    )
