"""Drivers: they come, plug in, show a token, stay, come back, leave; some only block the bay."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from simulator.bays import Bay
from simulator.journal import Entry, Kind
from simulator.profile import Profile
from simulator.vehicles import AC_EFFICIENCY, DC_EFFICIENCY, Car, a_car
from simulator.world import World

_UK: Final = ZoneInfo("Europe/London")
_TO_PLUG_S: Final = (15, 75)
_TO_TOKEN_S: Final = (4, 20)
_TO_LEAVE_S: Final = (10, 60)
_LEAST_STAY_MIN: Final = 4.0
_LEAST_ROOM_PCT: Final = 8.0


@dataclass(frozen=True, slots=True)
class Visit:
    """What one driver is about to do."""

    car: Car
    token: str
    stay_s: float
    unplugs_only: bool = False
    """Ends by pulling the cable rather than by showing the token."""
    steps_s: tuple[float, float, float] = (30, 10, 20)
    """From parking to plugging in, from there to the token, from stopping to leaving."""


@dataclass
class Driver:
    """One driver with a car, at one bay."""

    world: World
    bay: Bay
    visit: Visit
    then: Callable[[], object] | None = None
    """Called once the bay is left."""
    was_refused: bool = field(default=False, init=False)

    def arrive(self) -> None:
        """Park; the rest follows by itself."""
        self.bay.arrive(self.visit.car.name)
        self._tell("parks")
        self.world.after(self.visit.steps_s[0], self._plug_in)

    def _plug_in(self) -> None:
        if not self.bay.charger.plug_in(self.bay.spec.evse_id, self.visit.car):
            self._tell("cannot plug in")
            self._walk_off()
            return
        self._tell("plugs in")
        self.world.after(self.visit.steps_s[1], self._show_token)

    def _show_token(self) -> None:
        if self._is_charging():
            self._stay()
            return
        self.bay.charger.present(self.bay.spec.evse_id, self.visit.token, self._answered)

    def _answered(self, is_accepted: bool) -> None:
        if is_accepted:
            self._tell("charges")
            self._stay()
            return
        self.was_refused = True
        self._tell("is refused")
        self._unplug()

    def _stay(self) -> None:
        self.world.after(self.visit.stay_s, self._come_back)

    def _come_back(self) -> None:
        self._tell("comes back")
        is_own = self._is_charging() and not self.visit.unplugs_only
        if is_own:
            self.bay.charger.present(self.bay.spec.evse_id, self.visit.token)
        self.world.after(self.visit.steps_s[1], self._unplug)

    def _unplug(self) -> None:
        if self.bay.evse.car is self.visit.car:
            self.bay.charger.unplug(self.bay.spec.evse_id)
        self._walk_off()

    def _walk_off(self) -> None:
        self.world.after(self.visit.steps_s[2], self._leave)

    def _leave(self) -> None:
        self.bay.leave()
        self._tell("leaves")
        if self.then:
            self.then()

    def _is_charging(self) -> bool:
        session = self.bay.evse.session
        return session is not None and session.token == self.visit.token

    def _tell(self, what: str) -> None:
        self.world.tell(
            Entry(
                at=self.world.now(),
                kind=Kind.DRIVER,
                charger_id=self.bay.spec.charger_id,
                evse_id=self.bay.spec.evse_id,
                bay_id=self.bay.spec.bay_id,
                token=self.visit.token,
                body={"what": what, "car": self.visit.car.name, "model": self.visit.car.model.name},
            )
        )


def block(world: World, bay: Bay, vehicle: str, for_s: float | None) -> None:
    """Park a vehicle that will not charge; None: it stays."""
    bay.arrive(vehicle)
    if for_s is not None:
        world.after(for_s, bay.leave)


def draw_visit(
    profile: Profile, bay: Bay, chance: Random, *, car_name: str, token: str, haste: float = 1.0
) -> Visit:
    """Draw a visit to a bay; `haste` shortens stays and what is taken alike."""
    outlet = max(bay.evse.spec.outlets, key=lambda one: one.max_power_w)
    wanted = profile.stay(outlet.max_power_w, chance)
    soc_pct = profile.soc_arrival_pct(chance)
    car = a_car(chance, name=car_name, standard=outlet.standard, soc_pct=soc_pct)
    efficiency = DC_EFFICIENCY if outlet.standard.is_dc else AC_EFFICIENCY
    room_pct = 100 * wanted.energy_wh / haste * efficiency / car.model.capacity_wh
    car.limit_pct = min(100.0, soc_pct + max(_LEAST_ROOM_PCT, room_pct))
    return Visit(
        car,
        token,
        stay_s=60 * max(_LEAST_STAY_MIN, wanted.minutes / haste),
        unplugs_only=chance.random() < 0.25,  # noqa: PLR2004 - a habit, read off the street
        steps_s=(
            chance.uniform(*_TO_PLUG_S),
            chance.uniform(*_TO_TOKEN_S),
            chance.uniform(*_TO_LEAVE_S),
        ),
    )


@dataclass(frozen=True, slots=True)
class Pace:
    """How busy a place is made."""

    rush: float = 1.0
    """Arrivals, as a multiple of the profile's."""
    haste: float = 1.0
    """By how much stays are shortened."""
    blocker_ratio: float = 0.0
    """Which share of arrivals only park."""
    blocks_s: tuple[float, float] = (240, 900)


class Traffic:
    """Cars coming to bays by a profile: each bay has its own stream of chance."""

    def __init__(
        self,
        world: World,
        bays: Sequence[Bay],
        tokens: Sequence[str],
        profile: Profile,
        pace: Pace | None = None,
    ) -> None:
        self._world = world
        self._tokens = list(tokens)
        self._profile = profile
        self._pace = pace or Pace()
        self._in_use: set[str] = set()
        self._bays = list(bays)
        self._cars = 0
        self.arrivals = 0
        self.turned_away = 0

    def start(self) -> None:
        """Let them come."""
        for bay in self._bays:
            self._expect_next(bay, self._world.random("traffic", bay.spec.bay_id))

    def send_one_to(self, bay: Bay) -> bool:
        """Let a driver arrive at a bay now; False: it was not free."""
        return self._come(bay, self._world.random("one", bay.spec.bay_id, self.arrivals))

    def _expect_next(self, bay: Bay, chance: Random) -> None:
        """Draw the next arrival of a Poisson process by thinning hour after hour."""
        power_w = bay.evse.spec.max_power_w
        local = self._world.now().astimezone(_UK)
        rate = self._pace.rush * self._profile.arrivals_an_hour(power_w, local)
        wait_s = chance.expovariate(rate / 3600) if rate > 0 else 3600.0
        if wait_s >= 3600:  # noqa: PLR2004 - an hour: then another rate holds
            self._world.after(3600, lambda: self._expect_next(bay, chance))
            return

        def arrive() -> None:
            self._come(bay, chance)
            self._expect_next(bay, chance)

        self._world.after(wait_s, arrive)

    def _come(self, bay: Bay, chance: Random) -> bool:
        self.arrivals += 1
        token = self._free_token(chance)
        if bay.is_occupied or token is None:
            self.turned_away += 1
            return False
        is_blocker = chance.random() < self._pace.blocker_ratio
        # whoever only parks does not ask whether the charger is kept for somebody
        if not is_blocker and not bay.is_inviting:
            self.turned_away += 1
            return False
        self._cars += 1
        name = f"car-{self._cars}"
        if is_blocker:
            block(self._world, bay, f"van-{self._cars}", chance.uniform(*self._pace.blocks_s))
            return True
        visit = draw_visit(
            self._profile, bay, chance, car_name=name, token=token, haste=self._pace.haste
        )
        self._in_use.add(token)
        Driver(self._world, bay, visit, lambda: self._in_use.discard(token)).arrive()
        return True

    def _free_token(self, chance: Random) -> str | None:
        free = [token for token in self._tokens if token not in self._in_use]
        return chance.choice(free) if free else None
