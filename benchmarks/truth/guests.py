"""Guests of the simulated week: they book by the cloud's own use cases, and come as people do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Final

from benchmarks.truth.house import Cloud
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import Refused
from cloud.domain.reservations import Reservation, Status
from cloud.domain.terms import Terms
from cloud.services.booking_ports import NewReservation
from contracts.ids import BayId
from simulator.bookings import Booker, Guest, Habit, Promise, Then, Wish, next_slot
from simulator.profile import shipped
from simulator.site import Site
from simulator.vehicles import Standard, a_car
from simulator.world import World

_GUESTS: Final = 300
GUESTS: Final = tuple(
    Guest(f"guest-{number}@truth.example", "", f"GUEST{number:04d}") for number in range(_GUESTS)
)
_TERMS: Final = Terms()
_OPENS_H: Final = 6
_CLOSES_H: Final = 22
_LEAST_LEAD: Final = timedelta(minutes=20)
_MEAN_LEAD_H: Final = 6.0
_LENGTHS_MIN: Final = {True: (30, 45, 60), False: (60, 90, 120, 180)}
"""By whether direct current is wanted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manners:
    """How guests keep to what they booked; ratios are shares of the bookings."""

    bookings_a_day: float = 8
    """At each station."""
    no_show_ratio: float = 0.10
    overstay_ratio: float = 0.20
    overstay_s: tuple[float, float] = (300, 2_400)
    early_ratio: float = 0.25
    early_s: tuple[float, float] = (120, 840)
    late_ratio: float = 0.25
    late_s: tuple[float, float] = (120, 840)
    app_ratio: float = 0.30
    """Who checks in by the app."""


class HouseDesk:
    """See Desk: an app that calls the use cases themselves, without HTTP, codes and money."""

    def __init__(self, world: World, cloud: Cloud) -> None:
        self._world = world
        self._cloud = cloud

    def book(self, guest: Guest, wish: Wish, then: Then) -> None:
        """See Desk.book; pays at once."""
        ask = NewReservation(
            station_id=wish.station_id,
            bay_id=wish.bay_id,
            starts_at=wish.starts_at,
            ends_at=wish.ends_at,
            standard=wish.standard,
        )
        try:
            held = self._cloud.reservations.hold(_viewer(guest), ask)
        except Refused:
            then(None)
            return
        self._cloud.pay(held.reservation_id)
        then(self._promise(held.reservation_id))

    def look(self, guest: Guest, promise: Promise, then: Then) -> None:
        """See Desk.look."""
        del guest
        then(self._promise(promise.reservation_id))

    def check_in(self, guest: Guest, promise: Promise) -> None:
        """See Desk.check_in; whoever comes too early for it does not try again."""
        self._act(lambda: self._cloud.reservations.check_in(_viewer(guest), promise.reservation_id))

    def cancel(self, guest: Guest, promise: Promise) -> None:
        """See Desk.cancel."""
        self._act(lambda: self._cloud.reservations.cancel(_viewer(guest), promise.reservation_id))

    def _act(self, what: Callable[[], object]) -> None:
        try:
            what()
        except Refused:
            return

    def _promise(self, reservation_id: str) -> Promise:
        found = self._cloud.reservation(reservation_id)
        return Promise(
            reservation_id=found.id,
            bay_id=found.bay_id,
            starts_at=found.starts_at,
            ends_at=found.ends_at,
            is_live=found.is_live,
        )


class Promises:
    """What was promised, and what truly became of it: the guests know better than the cloud."""

    def __init__(self) -> None:
        self._reservations: dict[str, Reservation] = {}
        self._on: dict[BayId, set[str]] = {}
        self._bookers: dict[str, Booker] = {}
        self.count = 0
        """How many were made."""

    def hear(self, reservation: Reservation) -> None:
        """Take a reservation as the cloud has it now: where and when it is promised."""
        before = self._reservations.get(reservation.id)
        if before is not None:
            self._on[before.bay_id].discard(before.id)
        self._reservations[reservation.id] = reservation
        self._on.setdefault(reservation.bay_id, set()).add(reservation.id)

    def made_to(self, booker: Booker) -> None:
        """Note whose it is."""
        if booker.promise is not None:
            self._bookers[booker.promise.reservation_id] = booker
            self.count += 1

    def protects(self, bay_id: BayId, now: datetime) -> str:
        """Return the reservation that truly keeps a bay now; empty: none does."""
        for reservation_id in sorted(self._on.get(bay_id, ())):
            one = self._reservations[reservation_id]
            if one.starts_at - _TERMS.protect <= now < one.ends_at and not self._is_over(one, now):
                return reservation_id
        return ""

    def _is_over(self, reservation: Reservation, now: datetime) -> bool:
        """Whether the guest was told so, has left, or has not come within the grace."""
        if reservation.status in {Status.CANCELED, Status.FAILED, Status.REJECTED}:
            return True
        booker = self._bookers.get(reservation.id)
        if booker is None:
            return False
        has_come_in_time = (
            booker.came_at is not None and booker.came_at <= reservation.starts_at + _TERMS.grace
        )
        is_missed = now >= reservation.starts_at + _TERMS.grace and not has_come_in_time
        return booker.left_at is not None or is_missed


@dataclass
class Demand:
    """Who books at one station, as often as the day has it."""

    world: World
    site: Site
    desk: HouseDesk
    manners: Manners
    promises: Promises

    def __post_init__(self) -> None:
        """Begin."""
        self._chance = self.world.random("demand", self.site.spec.station_id)
        self._standards = [
            outlet.standard
            for bay in self.site.bays.values()
            for outlet in bay.evse.spec.outlets[:1]
        ]
        self._cars = 0
        self._expect_next()

    def _expect_next(self) -> None:
        wait_s = self._chance.expovariate(self.manners.bookings_a_day / 86_400)
        self.world.after(wait_s, self._ask)

    def _ask(self) -> None:
        chance = self._chance
        standard = chance.choice(self._standards)
        lead = _LEAST_LEAD + timedelta(hours=chance.expovariate(1 / _MEAN_LEAD_H))
        length = timedelta(minutes=chance.choice(_LENGTHS_MIN[standard.is_dc]))
        starts_at, ends_at = next_slot(self.world.now(), lead, length)
        if _OPENS_H <= starts_at.hour < _CLOSES_H:
            self._book(standard, starts_at, ends_at)
        self._expect_next()

    def _book(self, standard: Standard, starts_at: datetime, ends_at: datetime) -> None:
        chance = self._chance
        self._cars += 1
        soc_pct = shipped().soc_arrival_pct(chance)
        car = a_car(
            chance,
            name=f"guest-{self.site.spec.station_id}-{self._cars}",
            standard=standard,
            soc_pct=soc_pct,
            limit_pct=min(100.0, soc_pct + chance.uniform(15, 60)),
        )
        guest = chance.choice(GUESTS)
        booker = Booker(self.world, self.site, self.desk, guest, car, self._habit())
        booker.when_promised = partial(self._made, booker)
        booker.book(
            Wish(
                station_id=self.site.spec.station_id,
                starts_at=starts_at,
                ends_at=ends_at,
                standard=str(standard),
            )
        )

    def _made(self, booker: Booker, promise: Promise) -> None:
        del promise
        self.promises.made_to(booker)

    def _habit(self) -> Habit:
        manners, chance = self.manners, self._chance
        goes_s = -chance.uniform(60, 900)
        if chance.random() < manners.overstay_ratio:
            goes_s = chance.uniform(*manners.overstay_s)
        habit = Habit(
            comes_s=_comes_s(manners, chance),
            goes_s=goes_s,
            checks_in=chance.random() < manners.app_ratio,
            steps_s=(chance.uniform(15, 75), chance.uniform(4, 20), chance.uniform(10, 60)),
        )
        is_no_show = chance.random() < manners.no_show_ratio
        return replace(habit, comes_s=None) if is_no_show else habit


def _comes_s(manners: Manners, chance: Random) -> float:
    rank = chance.random()
    if rank < manners.early_ratio:
        return -chance.uniform(*manners.early_s)
    if rank < manners.early_ratio + manners.late_ratio:
        return chance.uniform(*manners.late_s)
    return chance.uniform(-60, 60)


def start_bookings(world: World, sites: Sequence[Site], cloud: Cloud, manners: Manners) -> Promises:
    """Let guests book at every station; returns what they were promised."""
    promises = Promises()
    cloud.hear_reservations(promises.hear)
    desk = HouseDesk(world, cloud)
    if manners.bookings_a_day:
        for place in sites:
            Demand(world, place, desk, manners, promises)
    return promises


def _viewer(guest: Guest) -> Viewer:
    return Viewer(user_id_of(guest), Role.DRIVER)


def user_id_of(guest: Guest) -> str:
    """Return the guest's user id in the cloud."""
    return guest.email.partition("@")[0]
