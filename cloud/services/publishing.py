"""Telling what a commit changed: to our own web processes, and to booking clients."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import msgspec
import structlog

from cloud.services.availability import AvailabilityService
from cloud.services.change_views import Change, ChangeKind
from cloud.services.ports import DatabaseAway, OpenWork, Publish, TransactionLost
from cloud.services.retrying import retried
from cloud.services.station_views import StationDetail
from contracts import topics

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes after the commit; what it could not mark as published, the sweep does again."""

    open_work: OpenWork
    availability: AvailabilityService
    send: Publish
    is_heard: Callable[[], bool] = lambda: True
    """Whether the broker is connected: what is said to nobody is not noted as published."""

    def publish(self, changes: Sequence[Change]) -> None:
        """Tell of changes; of bays also as the station's availability, retained. Never raises."""
        for change in changes:
            self.send(topics.changes(change.station_id), msgspec.json.encode(change), False)
        stations = {one.station_id for one in changes if one.change is ChangeKind.BAY}
        if stations:
            self.publish_stations(stations)

    def publish_stations(self, station_ids: Iterable[str]) -> None:
        """Publish these stations' availability, and note which versions went out. Never raises."""
        try:
            details = self.availability.stations(sorted(station_ids))
            for detail in details:
                self._send(detail)
            if self.is_heard():
                self._mark(details)
        except (DatabaseAway, TransactionLost) as error:
            log.info("publishing.left_to_sweep", error=str(error))

    def republish_changes(self, station_id: str) -> list[Change]:
        """Return and send every bay of a station as a change: for what a crash kept back."""
        detail = self.availability.station(station_id)
        changes = [
            Change(
                change=ChangeKind.BAY,
                station_id=station_id,
                subject=bay.bay_id,
                version=bay.version,
                user_id=None,
                view=bay,
            )
            for bay in detail.station.bays
        ]
        self.publish(changes)
        return changes

    def _send(self, detail: StationDetail) -> None:
        station_id = detail.station.station_id
        self.send(topics.availability(station_id), msgspec.json.encode(detail), True)

    @retried
    def _mark(self, details: Sequence[StationDetail]) -> None:
        versions = {bay.bay_id: bay.version for one in details for bay in one.station.bays}
        with self.open_work() as work:
            work.bays.mark_published(versions)
            work.commit()
