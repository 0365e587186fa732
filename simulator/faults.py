"""What goes wrong on the way: messages lost, late, doubled, out of order; clocks that are off."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from simulator.world import World


@dataclass(frozen=True, slots=True)
class Weather:
    """How a way treats messages; ratios are chances per message, 0 to 1."""

    lost_ratio: float = 0
    doubled_ratio: float = 0
    late_ratio: float = 0
    late_s: float = 2
    """The most a late message is held back; later ones overtake it: so order is lost too."""

    def delays(self, chance: Random) -> list[float]:
        """Return the delay of each copy that arrives, in seconds; none: the message is lost."""
        if chance.random() < self.lost_ratio:
            return []
        copies = 2 if chance.random() < self.doubled_ratio else 1
        return [self._delay(chance) for _ in range(copies)]

    def _delay(self, chance: Random) -> float:
        return chance.uniform(0, self.late_s) if chance.random() < self.late_ratio else 0.0


FAIR: Final = Weather()
STORM: Final = Weather(lost_ratio=0.05, doubled_ratio=0.05, late_ratio=0.1, late_s=3)


class Way:
    """A one-way street under some weather."""

    def __init__(self, world: World, name: str, weather: Weather = FAIR) -> None:
        self._world = world
        self._chance = world.random("way", name)
        self.weather = weather

    def carry(self, arrive: Callable[[], None]) -> None:
        """Let a message arrive as the weather has it: at once, late, twice or never."""
        if self.weather is FAIR:
            arrive()
            return
        for delay_s in self.weather.delays(self._chance):
            if delay_s == 0:
                arrive()
            else:
                self._world.after(delay_s, arrive)


CHARGER_FAULTS: Final = (
    "ConnectorLockFailure",
    "EVCommunicationError",
    "GroundFailure",
    "HighTemperature",
    "InternalError",
    "OtherError",
    "OverCurrentFailure",
    "OverVoltage",
    "PowerMeterFailure",
    "PowerSwitchFailure",
    "ReaderFailure",
    "UnderVoltage",
)
"""Faults that take an EVSE out, by their 1.6 error codes (ChargePointErrorCode); 2.x tells them in info."""
