"""What is free for a need: the nearest stations that have the plug, each with its best, ranked."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final

from cloud.domain.errors import NotValid
from cloud.domain.policy import Policy
from cloud.domain.ranking import (
    KEYS,
    USUAL_ENERGY_WH,
    Candidate,
    Car,
    Order,
    cost,
    least_cost,
)
from cloud.domain.windows import Window, ceiling, floor
from cloud.services.billing import discounts_of
from cloud.services.booking_ports import PlugWish
from cloud.services.collaborators import Option, Pricing
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.priced import Priced, Pricer, option_of
from cloud.services.rings import rings
from cloud.services.surveys import Need, Slot, Survey, Surveyor

MOST_STATIONS: Final = 100
"""The nearest so many that have the plug are looked at, however many there are."""

_CHUNK: Final = 50
_PATIENCE: Final = timedelta(hours=6)
"""How much later than wanted a search looks."""
_DAY: Final = timedelta(days=1)


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
    user_id: str | None = None
    """Whose subscription counts; null: nobody is logged in."""


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
class _Best:
    """The best of a station."""

    priced: Priced
    status: str
    """Of the bay, now."""

    @property
    def candidate(self) -> Candidate:
        """Return it as it is ranked."""
        return self.priced.candidate


@dataclass(frozen=True, slots=True)
class SearchService:
    """Reads only, and only near by."""

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

    def _search(
        self, work: UnitOfWork, search: Search, place: tuple[float, float], now: datetime
    ) -> list[FoundStation]:
        need = _need_for(search, now)
        discounts = discounts_of(work, search.user_id, now) if search.user_id else {}
        surveyor = Surveyor(work, self.policy, now)
        pricer = Pricer(work, self.pricing, discounts)
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
            priced = pricer.priced(firsts, away, need.between.starts_at)
            affordable = [one for one in priced if _is_affordable(one, search)]
            best += _of_stations(affordable, slots, seen, search.order)
            best.sort(key=lambda one: KEYS[search.order](one.candidate))
            del best[search.limit :]
        return [_found(one) for one in best]


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


def _is_affordable(one: Priced, search: Search) -> bool:
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
    offered: Sequence[Priced], slots: Sequence[Slot], seen: Survey, order: Order
) -> Iterator[_Best]:
    """Yield each station's best, with its capacity."""
    starts: dict[str, list[datetime]] = defaultdict(list)
    for slot in slots:
        starts[slot.station.id].append(slot.window.starts_at)
    by_station: dict[str, list[Priced]] = defaultdict(list)
    for one in offered:
        by_station[one.slot.station.id].append(one)
    for station_id, those in by_station.items():
        first = min(those, key=lambda one: KEYS[order](one.candidate))
        bays_free = sum(at <= first.slot.window.starts_at for at in starts[station_id])
        candidate = replace(first.candidate, bays_free=bays_free)
        yield _Best(Priced(first.slot, candidate), seen.status(first.slot.bay))


def _is_enough(best: Sequence[_Best], search: Search, next_m: float) -> bool:
    """Whether nothing so far away could be among the best."""
    if len(best) < search.limit:
        return False
    last = best[-1].candidate
    if search.order is Order.NEAREST:
        return last.wait_s == 0
    return cost(last) <= least_cost(next_m)


def _found(one: _Best) -> FoundStation:
    slot = one.priced.slot
    station = slot.station
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
        best=option_of(one.priced),
        is_exact=one.candidate.wait_s == 0,
        energy_wh=slot.energy_wh,
        charging_s=slot.charging_s,
        bays_free=one.candidate.bays_free,
        status=one.status,
    )
