"""Bay sensors: they look at a bay and tell MQTT, in their family's words, as well as they can."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from simulator.faults import FAIR, Way, Weather
from simulator.journal import Entry, Kind
from simulator.payloads import FORMATS, Message, Sight
from simulator.world import Repeating, World

Publish = Callable[[Message], None]

_REACTION_S: Final = (0.05, 0.4)
_FLAP_S: Final = 0.7
_DRAIN_PCT_A_REPORT: Final = 0.001


class Mood(StrEnum):
    """How a sensor is today."""

    WELL = "well"
    STUCK = "stuck"
    """Goes on telling what it last told, whatever happens in the bay."""
    FLAPPING = "flapping"
    """Tells changes that are none."""
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class SensorSpec:
    """What a sensor is; `vendor` names its family in payloads.FORMATS."""

    sensor_id: str
    vendor: str

    @property
    def topic(self) -> str:
        """Return the topic a station file gives for it."""
        return FORMATS[self.vendor].topic(self.sensor_id)


class Sensor:
    """One sensor over one bay."""

    def __init__(
        self,
        world: World,
        spec: SensorSpec,
        publish: Publish,
        *,
        clock_skew: timedelta = timedelta(0),
    ) -> None:
        self._world = world
        self.spec = spec
        self._publish = publish
        self._format = FORMATS[spec.vendor]
        self._way = Way(world, f"sensor/{spec.sensor_id}")
        self._chance = world.random("sensor", spec.sensor_id)
        self._skew = clock_skew
        self._battery_pct = self._chance.uniform(55, 100)
        self._count = 0
        self._sees = False
        self._tells = False
        self.mood = Mood.WELL
        self.flap_s = _FLAP_S
        """How long one word of a flapping sensor lasts."""
        self._flapping: Repeating | None = None
        self._reports: Repeating | None = None

    def power_on(self) -> None:
        """Say hello, tell what is seen, and go on telling."""
        for message in self._format.presence(self.spec.sensor_id, is_online=True):
            self._send(message)
        self.report()
        every_s = self._format.report_every_s
        if every_s > 0 and self._reports is None:
            first_s = self._chance.uniform(0.1, 1) * every_s
            self._reports = self._world.every(every_s, self.report, first_s)

    def report(self) -> None:
        """Tell what is seen out of turn, as when it is polled."""
        if self.mood is Mood.WELL:
            self._tells = self._sees
        self._tell(is_change=False)

    def power_off(self) -> None:
        """Say goodbye where the family does, and fall silent."""
        for message in self._format.presence(self.spec.sensor_id, is_online=False):
            self._send(message)
        if self._reports is not None:
            self._reports.cancel()
            self._reports = None

    def under(self, weather: Weather) -> None:
        """Change how its messages fare."""
        self._way.weather = weather

    def see(self, is_occupied: bool) -> None:
        """The bay's truth changed."""
        self._sees = is_occupied
        if self.mood is Mood.WELL:
            self._world.after(self._chance.uniform(*_REACTION_S), self._react)

    def become(self, mood: Mood) -> None:
        """Change how the sensor is."""
        self.mood = mood
        if self._flapping is not None:
            self._flapping.cancel()
            self._flapping = None
        if mood is Mood.FLAPPING:
            self._flapping = self._world.every(self.flap_s, self._flap)
        if mood is Mood.WELL:
            self._react()

    def _react(self) -> None:
        if self.mood is Mood.WELL and self._tells is not self._sees:
            self._tells = self._sees
            self._tell(is_change=True)

    def _flap(self) -> None:
        self._tells = not self._tells
        self._tell(is_change=True)

    def _tell(self, *, is_change: bool) -> None:
        if self.mood is Mood.SILENT:
            return
        now = self._world.now()
        sight = Sight(
            sensor_id=self.spec.sensor_id,
            is_occupied=self._tells,
            is_change=is_change,
            battery_pct=self._battery_pct,
            count=self._count,
            at=now + self._skew,
        )
        self._count += 1
        self._battery_pct = max(0.0, self._battery_pct - _DRAIN_PCT_A_REPORT)
        body = {"sensor_id": self.spec.sensor_id, "occupied": self._tells}
        self._world.tell(Entry(at=now, kind=Kind.SENSOR_SAID, body=body))
        for message in self._format.report(sight):
            self._send(message)

    def _send(self, message: Message) -> None:
        if self._way.weather is FAIR:
            self._publish(message)
        else:
            self._way.carry(lambda: self._publish(message))
