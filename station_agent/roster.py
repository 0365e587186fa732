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
        self._ranks: dict[StationAgent, int] = {}
        self._stations: tuple[StationAgent, ...] = ()
        self._by_charger: dict[ChargerId, StationAgent] = {}
        self._by_folded: dict[str, StationAgent] = {}
        self._watchers: list[Callable[[], None]] = []

    def stations(self) -> tuple[StationAgent, ...]:
        """Return the stations served now, by their rank."""
        return self._stations

    def charger_ids(self) -> list[ChargerId]:
        """Return every charger of their station files."""
        return list(self._by_charger)

    def planned_ids(self) -> list[ChargerId]:
        """Return every charger no file lists, but a plan knows."""
        known = {one: None for agent in self._stations for one in sorted(agent.plan.charger_ids)}
        return [one for one in known if one not in self._by_charger]

    def add(self, agent: StationAgent, rank: int = 0) -> None:
        """Serve a station's chargers; one that several list is that one's of the lowest rank."""
        self._ranks[agent] = rank
        agent.plan.watch(self._tell_watchers)
        self._index()
        for charger_id in agent.station.chargers:
            rivals = [one for one in self._stations if charger_id in one.station.chargers]
            if len(rivals) > 1:
                log.error(
                    "roster.charger_of_two_stations",
                    charger_id=charger_id,
                    stations=[one.station.station_id for one in rivals],
                )

    def remove(self, agent: StationAgent) -> None:
        """Serve a station's chargers no more."""
        del self._ranks[agent]
        self._index()

    def watch(self, watcher: Callable[[], None]) -> None:
        """Call `watcher` whenever a station came or went, or a plan knows other chargers."""
        self._watchers.append(watcher)

    def find(self, charger_id: ChargerId) -> StationChargers | None:
        """Return the station of a charger: whose file lists it, else whose plan knows its key.

        Where nobody has it as written, its case does not count (QUIRKS 3).
        """
        agent = self._by_charger.get(charger_id) or self._by_plan(charger_id)
        agent = agent or self._by_folded.get(charger_id.casefold())
        return agent.chargers if agent else None

    def _by_plan(self, charger_id: ChargerId) -> StationAgent | None:
        known = (one for one in self._stations if one.plan.credential_of(charger_id) is not None)
        return next(known, None)

    def _index(self) -> None:
        self._stations = tuple(sorted(self._ranks, key=self._ranks.__getitem__))
        by_charger: dict[ChargerId, StationAgent] = {}
        for agent in self._stations:
            for charger_id in agent.station.chargers:
                by_charger.setdefault(charger_id, agent)
        self._by_charger = by_charger
        self._by_folded = {one.casefold(): agent for one, agent in by_charger.items()}
        self._tell_watchers()

    def _tell_watchers(self) -> None:
        for watcher in self._watchers:
            watcher()
