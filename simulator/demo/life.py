"""The city's life: 45 minutes rehearsed before the doors open, then real time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Final

from contracts.clock import SystemClock
from simulator import site
from simulator.bookings import Desk
from simulator.chargers.charger import Charger
from simulator.chargers.spec import Behaviour, ChargerSpec
from simulator.clock import VirtualClock
from simulator.demo import city
from simulator.demo.guests import Regulars
from simulator.drivers import Driver, Pace, Traffic, Visit, block
from simulator.journal import Journal
from simulator.payloads import Message
from simulator.profile import Stay, class_kw, shipped
from simulator.sensors import Mood, Publish
from simulator.site import Site, Temper
from simulator.vehicles import MODELS, Battery, Car
from simulator.world import World

REHEARSED: Final = timedelta(minutes=45)
_SAMPLE_S: Final = 10.0
_REHEARSED_SAMPLE_S: Final = 60.0
_LOOK_EVERY_S: Final = 0.2
_REPEATED_AFTER_S: Final = (3, 12)
"""Sensors that report by the hour tell again, should the agent just have missed them."""
_BUSY_SHARE: Final = 0.55
_HASTE: Final = 3.0

DRIVERS_BAYS: Final = ("dundee-greenmarket-1", "dundee-greenmarket-2")
"""Kept for the driver who can log in, so that she always charges."""
BLOCKED_BAY: Final = "dundee-olympia-3"
BROKEN_BAY: Final = "broughty-ferry-queen-street-3"
BROKEN_SENSOR_BAY: Final = "dundee-lochee-4"
FINISHED_BAY: Final = "dundee-princes-street-6"
_RESERVED: Final = {*DRIVERS_BAYS, BLOCKED_BAY, BROKEN_BAY, FINISHED_BAY}


@dataclass(frozen=True, slots=True)
class Steady:
    """See Profile: stays and energies of the real sessions, but busy at every hour of the night."""

    def arrivals_an_hour(self, power_w: int, at: datetime) -> float:
        """See Profile.arrivals_an_hour: as many as keep half the bays in use."""
        del at
        one = shipped().classes[_class_name(power_w)]
        typical_h = one.stay_min[len(one.stay_min) // 2] / 60 / _HASTE
        return _BUSY_SHARE / typical_h

    def stay(self, power_w: int, chance: Random) -> Stay:
        """See Profile.stay."""
        return shipped().stay(power_w, chance)

    def soc_arrival_pct(self, chance: Random) -> float:
        """See Profile.soc_arrival_pct."""
        return shipped().soc_arrival_pct(chance)


class Tap:
    """Lets sensors publish once it is opened; what they said before nobody heard."""

    def __init__(self) -> None:
        self.publish: Publish = _to_nobody

    def __call__(self, message: Message) -> None:
        """See Publish."""
        self.publish(message)


class City:
    """Five live stations and their people."""

    def __init__(self, journal: Journal, seed: int, now: datetime) -> None:
        self._opens_at = now
        self.world = World(VirtualClock(now - REHEARSED), seed, journal)
        self.tap = Tap()
        self.sites = [site.build(self.world, spec, self.tap, _temper) for spec in city.LIVE]
        self._bays = {bay_id: bay for one in self.sites for bay_id, bay in one.bays.items()}
        pace = Pace(haste=_HASTE, blocker_ratio=0.06, blocks_s=(90, 400))
        free = [bay for bay_id, bay in self._bays.items() if bay_id not in _RESERVED]
        self._traffic = Traffic(self.world, free, city.TOKENS[1:], Steady(), pace)
        self._drives = 0

    @property
    def chargers(self) -> list[Charger]:
        """Return all chargers of the live stations."""
        return [charger for one in self.sites for charger in one.chargers.values()]

    def station_of(self, charger: Charger) -> Site:
        """Return where a charger stands."""
        return next(one for one in self.sites if charger.charger_id in one.chargers)

    def rehearse(self) -> None:
        """Live through the minutes before opening, unheard: chargers keep what they will tell."""
        self._seat_guests()
        self._place_trouble()
        self.world.after(33 * 60, self._drive)
        self._traffic.start()
        self.world.run_until(self._opens_at)

    def open(self, publish: Publish, desk: Desk) -> None:
        """Go live: sensors are heard, guests book, and time is everybody's."""
        self.world.go_on_under(SystemClock())
        Regulars(self.world, self.sites, desk).start()
        self.tap.publish = publish
        for charger in self.chargers:
            charger.sample_every(_SAMPLE_S)
        for one in self.sites:
            self._awaken(one)

    def _awaken(self, place: Site) -> None:
        """Switch a station's sensors on once its agent is there to hear them."""
        if not any(charger.line.is_connected for charger in place.chargers.values()):
            self.world.after(_LOOK_EVERY_S, partial(self._awaken, place))
            return
        place.power_on_sensors()
        if BROKEN_SENSOR_BAY in place.bays:
            broken = place.bays[BROKEN_SENSOR_BAY].sensors[0]
            broken.power_off()
            broken.become(Mood.SILENT)
        for sensor in place.sensors.values():
            for delay_s in _REPEATED_AFTER_S:
                self.world.after(delay_s, sensor.report)

    def _seat_guests(self) -> None:
        """Half of the bays have a guest from the beginning."""
        chance = self.world.random("guests")
        for bay_id, bay in self._bays.items():
            if bay_id not in _RESERVED and chance.random() < _BUSY_SHARE:
                minutes = chance.uniform(0, 40)
                self.world.after(60 * minutes, partial(self._traffic.send_one_to, bay))

    def _place_trouble(self) -> None:
        """A van before a charger, a broken charger, and a car left where it charged."""
        van = partial(block, self.world, self._bays[BLOCKED_BAY], "white van", None)
        self.world.after(20 * 60, van)
        broken = self._bays[BROKEN_BAY]
        break_down: Callable[[], None] = partial(
            broken.charger.break_down, broken.spec.evse_id, "GroundFailure"
        )
        self.world.after(30 * 60, break_down)
        self.world.after(60, self._forget_a_car)

    def _forget_a_car(self) -> None:
        """A driver stops the charge by the app and leaves the car where it is."""
        bay = self._bays[FINISHED_BAY]
        bay.arrive("forgotten hatch")
        bay.charger.plug_in(bay.spec.evse_id, _a_car("forgotten hatch", "Hatch 58", 31, 80))
        bay.charger.present(bay.spec.evse_id, city.TOKENS[0])
        stop = partial(bay.charger.present, bay.spec.evse_id, city.TOKENS[0])
        self.world.after(30 * 60, stop)

    def _drive(self) -> None:
        """The driver charges at one of her two bays, leaves, and comes to the other."""
        bay = self._bays[DRIVERS_BAYS[self._drives % len(DRIVERS_BAYS)]]
        self._drives += 1
        car = _a_car("Dora's crossover", "Crossover 77", 26, 90)
        visit = Visit(car, city.DRIVER_TOKEN, stay_s=75 * 60, steps_s=(20, 8, 20))
        Driver(self.world, bay, visit, lambda: self.world.after(30, self._drive)).arrive()


def _temper(spec: ChargerSpec) -> Temper:
    del spec
    return Temper(Behaviour(sample_s=_REHEARSED_SAMPLE_S))


def _a_car(name: str, model_name: str, soc_pct: float, limit_pct: float) -> Car:
    model = next(one for one in MODELS if one.name == model_name)
    return Car(name, Battery(model, model.capacity_wh * soc_pct / 100), limit_pct)


def _class_name(power_w: int) -> str:
    return str(class_kw(power_w))


def _to_nobody(message: Message) -> None:
    del message
