"""The simulated week: stations, cars, vans, and all that goes wrong with sensors and connections."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Final

from simulator.bays import Bay
from simulator.chargers.charger import Charger
from simulator.chargers.spec import Behaviour, ChargerSpec
from simulator.drivers import Pace, Traffic
from simulator.profile import shipped
from simulator.sensors import Mood, Sensor
from simulator.site import Post, Site, StationSpec, Temper, station
from simulator.vehicles import Standard
from simulator.world import World

_HOUR_S: Final = 3_600.0
_TOKENS: Final = 400
_SAMPLE_S: Final = 1_800.0
_STEP_S: Final = 60.0
_FLAP_S: Final = 3.0
_WILL_AFTER_S: Final = 90.0
"""A broker misses a sensor after one and a half keep-alives of a minute."""
_WITH_WILL: Final = frozenset({"esphome", "tasmota"})
"""Families whose broker says goodbye for a sensor that has gone; the others just say nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """How the week goes; ratios are shares of visits, of sensor time, of charger time."""

    blocked_ratio: float = 0.08
    """Of those who come: they park and do not charge."""
    blocks_s: tuple[float, float] = (600, 7_200)
    dropped_ratio: float = 0.02
    dropped_h: float = 3
    """How long a sensor that falls silent stays so, on average."""
    stuck_ratio: float = 0.01
    stuck_h: float = 4
    flapping_ratio: float = 0.01
    flapping_h: float = 1
    offline_ratio: float = 0.02
    offline_h: float = 1
    """How long a charger's connection is gone, on average; it charges all the same."""


TOKENS: Final = tuple(f"04{number:04X}C3D4E5{number % 256:02X}" for number in range(_TOKENS))


def stations(count: int) -> list[StationSpec]:
    """Return stations of eight bays: every OCPP version, AC and DC, every family of sensors."""
    return [_station(number) for number in range(1, count + 1)]


def _station(number: int) -> StationSpec:
    rapid = (Standard.CCS, Standard.CHADEMO)
    return station(
        f"truth-{number:02d}",
        f"Truth {number}",
        f"TR{number:02d}",
        (
            Post("1.6", 22, bays=2, sensor="tasmota"),
            Post("2.0.1", 50, plugs=rapid, sensor="zigbee2mqtt"),
            Post("1.6", 50, plugs=(Standard.CCS,), sensor="plain"),
            Post("2.0.1", 22, bays=2, sensor="chirpstack" if number % 2 else "thethingsstack"),
            Post("2.1", 150, plugs=(Standard.CCS,), sensor="esphome"),
            Post("1.6", 7, sensor="esphome" if number % 2 else "zigbee2mqtt"),
        ),
        latitude=56.4 + number / 100,
        longitude=-2.97,
        price_per_kwh_minor=50,
    )


def temper(spec: ChargerSpec) -> Temper:
    """Return how chargers behave: they sample rarely, as no figure here is of energy."""
    del spec
    return Temper(Behaviour(sample_s=_SAMPLE_S, step_s=_STEP_S))


def start_traffic(world: World, bays: Sequence[Bay], chances: Chances) -> Traffic:
    """Let cars come by the shipped profile, and vans among them."""
    pace = Pace(blocker_ratio=chances.blocked_ratio, blocks_s=chances.blocks_s)
    traffic = Traffic(world, bays, TOKENS, shipped(), pace)
    traffic.start()
    return traffic


class Ailing:
    """One sensor that is well most of the time: it falls silent, sticks or flaps, and recovers."""

    def __init__(self, world: World, sensor: Sensor, chances: Chances) -> None:
        self._world = world
        self._sensor = sensor
        sensor.flap_s = _FLAP_S
        self._chance = world.random("ailing", sensor.spec.sensor_id)
        self._ills = (
            (Mood.SILENT, chances.dropped_ratio, chances.dropped_h),
            (Mood.STUCK, chances.stuck_ratio, chances.stuck_h),
            (Mood.FLAPPING, chances.flapping_ratio, chances.flapping_h),
        )
        self._stay_well()

    def _stay_well(self) -> None:
        ill_ratio = sum(ratio for _, ratio, _ in self._ills)
        rates = [ratio / hours / (1 - ill_ratio) for _, ratio, hours in self._ills]
        if sum(rates) == 0:
            return
        mood, _, hours = self._chance.choices(self._ills, weights=rates)[0]
        self._after_h(self._chance.expovariate(sum(rates)), partial(self._fall_ill, mood, hours))

    def _fall_ill(self, mood: Mood, hours: float) -> None:
        sensor = self._sensor
        sensor.become(mood)
        if mood is Mood.SILENT and sensor.spec.vendor in _WITH_WILL:
            self._world.after(_WILL_AFTER_S, self._say_goodbye)
        self._after_h(self._chance.expovariate(1 / hours), self._recover)

    def _say_goodbye(self) -> None:
        if self._sensor.mood is Mood.SILENT:
            self._sensor.power_off()

    def _recover(self) -> None:
        self._sensor.become(Mood.WELL)
        self._sensor.power_on()
        self._stay_well()

    def _after_h(self, hours: float, what: Callable[[], None]) -> None:
        self._world.after(hours * _HOUR_S, what)


class Wavering:
    """One charger whose connection is lost now and then."""

    def __init__(
        self,
        world: World,
        charger: Charger,
        chances: Chances,
        connect: Callable[[Charger], None],
        disconnect: Callable[[str], None],
    ) -> None:
        self._world = world
        self._charger = charger
        self._chance: Random = world.random("wavering", charger.charger_id)
        self._ratio, self._hours = chances.offline_ratio, chances.offline_h
        self._connect = connect
        self._disconnect = disconnect
        self._come()

    def _come(self) -> None:
        self._connect(self._charger)
        if self._ratio:
            hours = self._hours * (1 - self._ratio) / self._ratio
            self._after_h(self._chance.expovariate(1 / hours), self._go)

    def _go(self) -> None:
        self._disconnect(self._charger.charger_id)
        self._after_h(self._chance.expovariate(1 / self._hours), self._come)

    def _after_h(self, hours: float, what: Callable[[], None]) -> None:
        self._world.after(hours * _HOUR_S, what)


def bays_of(sites: Sequence[Site]) -> list[Bay]:
    """Return all bays, station by station."""
    return [bay for site in sites for bay in site.bays.values()]
