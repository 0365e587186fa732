"""Chargers nobody used before, at stations of the size people build, set up as they are needed."""

from itertools import count
from typing import Final

from tests.support.stack import Stack, Station

_SIZE: Final = 16
_IN_USE: Final = 2
"""A test that takes several may begin at one station and go on at the next."""


class FreshChargers:
    """Gives out chargers of running stations; those of which all were given out are closed down.

    One station for all would be thousands of bays to work out anew with each word of any charger.
    """

    def __init__(self, stack: Stack, name: str, **agent_settings: str) -> None:
        self.stack = stack
        self._name = name
        self._agent_settings = agent_settings
        self._numbers = count(1)
        self._stations: list[Station] = []
        self._free: list[str] = []
        self.open_next()

    @property
    def station(self) -> Station:
        """Return the station the next charger is of, if it has one left."""
        return self._stations[-1]

    def take(self) -> tuple[Station, str]:
        """Return a charger, and the station it is of."""
        if not self._free:
            self.open_next()
        return self.station, self._free.pop(0)

    def station_of(self, charger_id: str) -> Station:
        """Return the station a charger is of that was given out."""
        return next(one for one in self._stations if charger_id in one.charger_keys)

    def open_next(self) -> None:
        """Set up another station, start its agent, and close down the one before the last."""
        station = self.stack.add_station(f"{self._name}-{next(self._numbers)}", chargers=_SIZE)
        self.stack.start_agent(station, **self._agent_settings)
        self.stack.wait_until_known(station)
        self._stations.append(station)
        self._free = station.charger_ids
        for left in self._stations[-_IN_USE - 1 : -_IN_USE]:
            self.stack.agents[left.station_id].stop()
