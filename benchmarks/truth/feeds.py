"""What is said of each bay: by Baywatt, and by who believes the charger alone, or the sensor alone."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from cloud.services.bay_views import BayView
from cloud.services.change_views import Change, ChangeKind
from cloud.services.station_views import HeardView
from contracts.events import (
    BayOccupancyChanged,
    ChargerConnected,
    ChargerDisconnected,
    ConnectorState,
    ConnectorStateReported,
    Event,
    SensorFellSilent,
    SensorHeardAgain,
)
from contracts.ids import BayId, ChargerId
from station_agent.station_file import StationLayout


class Said(StrEnum):
    """What a feed says of a bay, in the three words that matter to who wants to park."""

    FREE = "free"
    NOT_FREE = "not free"
    UNKNOWN = "unknown"


class Feed(Protocol):
    """Who can be asked about a bay."""

    name: str

    def say(self, bay_id: BayId, now: datetime) -> Said:
        """Return what is said of a bay."""
        ...


class Published:
    """Ours: what a viewer of the published changes holds, with the validity they carry."""

    name = "Baywatt"

    def __init__(self) -> None:
        self._bays: dict[BayId, BayView] = {}
        self._valid_until: dict[str, datetime] = {}

    def hear(self, changes: Iterable[Change]) -> None:
        """Take what a commit has changed."""
        for change in changes:
            match change.change, change.view:
                case ChangeKind.BAY, BayView() as view:
                    self._bays[view.bay_id] = view
                    if view.valid_until is not None:
                        self._valid_until[view.station_id] = view.valid_until
                case ChangeKind.HEARD, HeardView() as heard:
                    self._valid_until[heard.station_id] = heard.valid_until

    def view(self, bay_id: BayId) -> BayView | None:
        """Return the bay as last told."""
        return self._bays.get(bay_id)

    def say(self, bay_id: BayId, now: datetime) -> Said:
        """See Feed.say."""
        view = self._bays.get(bay_id)
        if view is None or view.status == "UNKNOWN":
            return Said.UNKNOWN
        if now > self._valid_until.get(view.station_id, now):
            return Said.UNKNOWN
        return Said.FREE if view.status == "AVAILABLE" else Said.NOT_FREE


class ChargerAlone:
    """What a central system without sensors shows: the connector's own word."""

    name = "charger alone"

    def __init__(self, stations: Iterable[StationLayout]) -> None:
        self._place = {
            bay.bay_id: (bay.charger_id, bay.evse_id)
            for station in stations
            for bay in station.bays.values()
        }
        self._states: dict[tuple[ChargerId, int], dict[int, ConnectorState]] = {}
        self._connected: set[ChargerId] = set()

    def hear(self, fact: Event) -> None:
        """Take a fact, if it is a charger's."""
        match fact:
            case ConnectorStateReported() if fact.evse_id:
                states = self._states.setdefault((fact.charger_id, fact.evse_id), {})
                states[fact.connector_id] = fact.state
            case ChargerConnected():
                self._connected.add(fact.charger_id)
            case ChargerDisconnected():
                self._connected.discard(fact.charger_id)

    def say(self, bay_id: BayId, now: datetime) -> Said:
        """See Feed.say."""
        del now
        place = self._place[bay_id]
        states = self._states.get(place)
        if place[0] not in self._connected or not states:
            return Said.UNKNOWN
        is_free = all(state is ConnectorState.FREE for state in states.values())
        return Said.FREE if is_free else Said.NOT_FREE


class SensorAlone:
    """What a parking guidance system shows: the sensor's last word, while it is heard."""

    name = "sensor alone"

    def __init__(self) -> None:
        self._is_occupied: dict[BayId, bool] = {}
        self._silent: set[BayId] = set()

    def hear(self, fact: Event) -> None:
        """Take a fact, if it is a sensor's."""
        match fact:
            case BayOccupancyChanged():
                self._is_occupied[fact.bay_id] = fact.is_occupied
            case SensorFellSilent():
                self._silent.add(fact.bay_id)
            case SensorHeardAgain():
                self._silent.discard(fact.bay_id)

    def say(self, bay_id: BayId, now: datetime) -> Said:
        """See Feed.say."""
        del now
        is_occupied = self._is_occupied.get(bay_id)
        if is_occupied is None or bay_id in self._silent:
            return Said.UNKNOWN
        return Said.NOT_FREE if is_occupied else Said.FREE
