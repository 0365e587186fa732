"""Drivers who book before they come: early, in time, late, not at all, or for longer than they may.

What a driver's app does stands behind `Desk`: `ApiDesk` is a client of the public API, `PaperDesk` writes
promises down itself, for rehearsals without a cloud.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from typing import Final, Protocol

from simulator.bays import Bay
from simulator.drivers import Driver, Visit
from simulator.journal import Entry, Kind
from simulator.site import Site
from simulator.vehicles import Car
from simulator.world import World

GRANULE: Final = timedelta(minutes=15)
"""Slots begin and end on quarters of an hour."""
_LOOKS_AGAIN_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Guest:
    """A driver who can log in: whose app it is, and what is shown to chargers."""

    email: str
    password: str
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a guest wants to book."""

    station_id: str
    starts_at: datetime
    ends_at: datetime
    bay_id: str | None = None
    """Null: any of the station with this plug."""
    standard: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What the guest was promised."""

    reservation_id: str
    bay_id: str
    starts_at: datetime
    ends_at: datetime
    is_live: bool = True
    """False: it is over, whyever."""


Then = Callable[[Promise | None], None]
"""Told, in the world's time, what became of it; null: nothing."""


class Desk(Protocol):
    """A driver's app."""

    def book(self, guest: Guest, wish: Wish, then: Then) -> None:
        """Find, hold, confirm and pay."""
        ...

    def look(self, guest: Guest, promise: Promise, then: Then) -> None:
        """See where the promised bay is now: it may have been moved."""
        ...

    def check_in(self, guest: Guest, promise: Promise) -> None:
        """Say "I am here"."""
        ...

    def cancel(self, guest: Guest, promise: Promise) -> None:
        """Give the promise back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """How a guest keeps to what was booked; seconds."""

    comes_s: float | None = 0
    """After the start; below 0: early; null: never."""
    goes_s: float = -120
    """After the end; above 0: overstays."""
    checks_in: bool = False
    patience_s: float = 1_200
    """How long one waits for somebody else to leave."""
    steps_s: tuple[float, float, float] = (30, 10, 20)
    """As of Visit."""


@dataclass
class Booker:
    """One guest: books, comes, charges, goes."""

    world: World
    site: Site
    desk: Desk
    guest: Guest
    car: Car
    habit: Habit = field(default_factory=Habit)
    then: Callable[[], object] | None = None
    """Called once all is over."""
    when_promised: Callable[[Promise], object] | None = None
    promise: Promise | None = field(default=None, init=False)
    came_at: datetime | None = field(default=None, init=False)
    left_at: datetime | None = field(default=None, init=False)

    def book(self, wish: Wish) -> None:
        """Book; the rest follows by itself."""
        self.desk.book(self.guest, wish, self._promised)

    def expect(self, promise: Promise) -> None:
        """Come to what is booked already."""
        self._promised(promise)

    def _promised(self, promise: Promise | None) -> None:
        self.promise = promise
        if promise is None:
            self._tell("finds nothing")
            self._finish()
            return
        self._tell("has booked")
        if self.when_promised:
            self.when_promised(promise)
        if self.habit.comes_s is None:
            self._tell("will not come")
            self.world.at(promise.ends_at, self._finish)
            return
        comes_at = promise.starts_at + timedelta(seconds=self.habit.comes_s)
        self.world.at(comes_at, self._come)

    def _come(self) -> None:
        self.came_at = self.came_at or self.world.now()
        if self.promise is not None:
            self.desk.look(self.guest, self.promise, self._directed)

    def _directed(self, promise: Promise | None) -> None:
        if promise is None or not promise.is_live:
            self._tell("is told that there is no bay")
            self._finish()
            return
        if self.promise is not None and promise.bay_id != self.promise.bay_id:
            self._tell("is sent to another bay")
        self.promise = promise
        bay = self.site.bays[promise.bay_id]
        if bay.is_occupied:
            self._wait(promise)
            return
        self._park(bay, promise)

    def _wait(self, promise: Promise) -> None:
        waited_s = (self.world.now() - (self.came_at or self.world.now())).total_seconds()
        if waited_s >= self.habit.patience_s:
            self._tell("gives up")
            self.desk.cancel(self.guest, promise)
            self._finish()
            return
        self._tell("finds somebody else there")
        self.world.after(_LOOKS_AGAIN_S, self._come)

    def _park(self, bay: Bay, promise: Promise) -> None:
        goes_at = promise.ends_at + timedelta(seconds=self.habit.goes_s)
        busy_s = sum(self.habit.steps_s) + self.habit.steps_s[1]
        stay_s = (goes_at - self.world.now()).total_seconds() - busy_s
        visit = Visit(
            self.car, self.guest.token, stay_s=max(0.0, stay_s), steps_s=self.habit.steps_s
        )
        Driver(self.world, bay, visit, self._gone).arrive()
        if self.habit.checks_in:
            self.desk.check_in(self.guest, promise)

    def _gone(self) -> None:
        self.left_at = self.world.now()
        self._finish()

    def _finish(self) -> None:
        if self.then:
            self.then()

    def _tell(self, what: str) -> None:
        promise = self.promise
        self.world.tell(
            Entry(
                at=self.world.now(),
                kind=Kind.DRIVER,
                bay_id=promise.bay_id if promise else "",
                token=self.guest.token,
                body={
                    "what": what,
                    "car": self.car.name,
                    "reservation_id": promise.reservation_id if promise else "",
                },
            )
        )


def next_slot(now: datetime, lead: timedelta, length: timedelta) -> tuple[datetime, datetime]:
    """Return the first window that begins on a quarter of an hour, at least `lead` from now."""
    earliest = now + lead
    midnight = earliest.replace(hour=0, minute=0, second=0, microsecond=0)
    granules = -((midnight - earliest) // GRANULE)
    starts_at = midnight + granules * GRANULE
    return starts_at, starts_at + length


class PaperDesk:
    """See Desk: promises whatever is asked for, as long as nobody else was promised it."""

    def __init__(self, world: World, sites: Sequence[Site]) -> None:
        self._world = world
        self._sites = {one.spec.station_id: one for one in sites}
        self._promises: dict[str, tuple[str, Promise]] = {}
        self._numbers = count(1)

    def book(self, guest: Guest, wish: Wish, then: Then) -> None:
        """See Desk.book."""
        del guest
        place = self._sites[wish.station_id]
        bays = [place.bays[wish.bay_id]] if wish.bay_id else list(place.bays.values())
        free = (bay for bay in bays if _fits(bay, wish) and self._is_free(bay, wish))
        bay = next(free, None)
        promise = None
        if bay is not None:
            promise = Promise(
                reservation_id=f"paper-{next(self._numbers)}",
                bay_id=bay.spec.bay_id,
                starts_at=wish.starts_at,
                ends_at=wish.ends_at,
            )
            self._promises[promise.reservation_id] = (wish.station_id, promise)
        self._world.after(0, lambda: then(promise))

    def look(self, guest: Guest, promise: Promise, then: Then) -> None:
        """See Desk.look: whose bay is taken is sent to another one of the same power."""
        del guest
        station_id, kept = self._promises[promise.reservation_id]
        bays = self._sites[station_id].bays
        taken = bays[kept.bay_id]
        if taken.is_occupied:
            power_w = taken.evse.spec.max_power_w
            equal = (bay for bay in bays.values() if bay.evse.spec.max_power_w == power_w)
            other = next((bay for bay in equal if bay.is_inviting), None)
            kept = replace(kept, bay_id=other.spec.bay_id) if other else kept
            self._promises[promise.reservation_id] = (station_id, kept)
        self._world.after(0, lambda: then(kept))

    def check_in(self, guest: Guest, promise: Promise) -> None:
        """See Desk.check_in."""

    def cancel(self, guest: Guest, promise: Promise) -> None:
        """See Desk.cancel."""
        del guest
        station_id, kept = self._promises[promise.reservation_id]
        self._promises[promise.reservation_id] = (station_id, replace(kept, is_live=False))

    def _is_free(self, bay: Bay, wish: Wish) -> bool:
        return not any(
            one.bay_id == bay.spec.bay_id
            and one.starts_at < wish.ends_at
            and wish.starts_at < one.ends_at
            for _, one in self._promises.values()
            if one.is_live
        )


def _fits(bay: Bay, wish: Wish) -> bool:
    standards = {str(outlet.standard) for outlet in bay.evse.spec.outlets}
    return not wish.standard or wish.standard in standards
