"""The stations of this process, and whose charger is whose."""

from collections.abc import Callable

import structlog

from contracts.ids import ChargerId
from station_agent.ocpp.chargers import StationChargers
from station_agent.wiring import StationAgent

log = structlog.get_logger()


class Roster:
    """Read by the endpoint at each login, and by whoever counts."""

    def __init__(self) -> None:
        self._stations: tuple[StationAgent, ...] = ()
        self._by_charger: dict[ChargerId, StationAgent] = {}
        self._watchers: list[Callable[[], None]] = []

    def stations(self) -> tuple[StationAgent, ...]:
        """Return the stations served now, in the order they came."""
        return self._stations

    def charger_ids(self) -> list[ChargerId]:
        """Return every charger of their station files."""
        return list(self._by_charger)

    def add(self, agent: StationAgent) -> None:
        """Serve a station's chargers; one that another station has already stays with that one."""
        self._index((*self._stations, agent))
        for charger_id in agent.station.chargers:
            owner = self._by_charger[charger_id].station.station_id
            if owner != agent.station.station_id:
                log.error(
                    "roster.charger_of_two_stations",
                    charger_id=charger_id,
                    stations=[owner, agent.station.station_id],
                )

    def remove(self, agent: StationAgent) -> None:
        """Serve a station's chargers no more."""
        self._index(tuple(one for one in self._stations if one is not agent))

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever a station came or went."""
        self._watchers.append(watcher)

    def find(self, charger_id: ChargerId) -> StationChargers | None:
        """Return the station of a charger: whose file lists it, else whose plan knows its key."""
        agent = self._by_charger.get(charger_id) or self._by_plan(charger_id)
        return agent.chargers if agent else None

    def _by_plan(self, charger_id: ChargerId) -> StationAgent | None:
        known = (one for one in self._stations if one.plan.credential_of(charger_id) is not None)
        return next(known, None)

    def _index(self, stations: tuple[StationAgent, ...]) -> None:
        self._stations = stations
        by_charger: dict[ChargerId, StationAgent] = {}
        for agent in stations:
            for charger_id in agent.station.chargers:
                by_charger.setdefault(charger_id, agent)
        self._by_charger = by_charger
        for watcher in self._watchers:
            watcher()
