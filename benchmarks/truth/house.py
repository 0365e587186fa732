"""The cloud of the simulated week: the real services on SQLite, the world's clock instead of ours.

`cloud/wiring/` builds everything. What differs: publishing goes to whom the benchmark says, the
database does not wait for the disk, as nobody cuts the power here, and there is neither money nor mail.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import event, insert

from cloud.adapters.sql import tables
from cloud.domain.reservations import Reservation
from cloud.services.change_views import Change, ChangeKind
from cloud.services.ingest import Incoming
from cloud.services.ports import UnitOfWork
from cloud.settings import Settings
from cloud.wiring import House
from contracts.batch import Batch
from contracts.clock import Clock
from contracts.wire import encode
from simulator.site import StationSpec

_BATCH: Final = 100
"""A whole one, of deadlines: there may be more."""

Publish = Callable[[str, bytes, bool], None]


class _Telling:
    """See Publisher: tells changes to the benchmark's viewer, and no booking client."""

    def __init__(self, hear: Callable[[Iterable[Change]], None]) -> None:
        self.publish = hear

    def publish_stations(self, station_ids: Iterable[str]) -> None:
        """See Publisher.publish_stations."""
        del station_ids

    def republish_changes(self, station_id: str) -> list[Change]:
        """See Publisher.republish_changes."""
        del station_id
        return []


class _NoCodes:
    """See Codes."""

    def send(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> None:
        """See Codes.send."""


class _NoMoney:
    """See Till."""

    def close(
        self,
        work: UnitOfWork,
        reservation: Reservation,
        due_minor: int,
        shares: Mapping[str, int],
        now: datetime,
    ) -> int:
        """See Till.close."""
        del work, reservation, shares, now
        return due_minor


class Cloud(House):
    """See House."""

    def __init__(
        self, folder: Path, clock: Clock, hear: Callable[[Iterable[Change]], None], send: Publish
    ) -> None:
        """Set an empty database up.

        Args:
            folder: for the database.
            clock: the world's.
            hear: told what commits changed.
            send: what would go to the broker: plans, commands.
        """
        super().__init__(Settings(data_dir=folder, database_url=f"sqlite:///{folder / 'cloud.db'}"))
        self.__dict__ |= {
            "clock": clock,
            "publisher": _Telling(self._heard),
            "otps": _NoCodes(),
            "till": _NoMoney(),
        }
        self._hear = hear
        self._hear_reservation: Callable[[Reservation], None] = _to_nobody
        self._send = send
        self.migrate()
        event.listen(self.engine, "connect", _hurry)

    def publish(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """See House.publish."""
        self._send(topic, payload, is_retained)

    def is_connected(self) -> bool:
        """See House.is_connected."""
        return True

    def hear_reservations(self, hear: Callable[[Reservation], None]) -> None:
        """Tell `hear` of each reservation that was changed."""
        self._hear_reservation = hear

    def set_up(self, stations: Iterable[StationSpec], tokens: Mapping[str, str | None]) -> None:
        """Put stations and tokens into the database, as their owners would by the API.

        Args:
            stations: with all they have.
            tokens: each with the id of its driver, who is made; null: a card of nobody known.
        """
        now = self.clock.now()
        with self.engine.begin() as connection:
            for token, user_id in tokens.items():
                if user_id is not None:
                    user: dict[str, Any] = {
                        "id": user_id,
                        "email": f"{user_id}@truth.example",
                        "name": user_id,
                    }
                    user |= {"role": "driver", "created_at": now}
                    connection.execute(insert(tables.users), user)
                row = {"token": token.casefold(), "user_id": user_id, "created_at": now}
                connection.execute(insert(tables.charging_tokens), row)
            for station in stations:
                for table, rows in _rows(station, now):
                    connection.execute(insert(table), rows)

    def take(self, batches: Sequence[Batch]) -> None:
        """Apply what came, in one transaction, as a worker does."""
        now = self.clock.now()
        incoming = [Incoming(one.station, encode(one), now) for one in batches]
        applied = self.ingest.service.apply_all(incoming)
        if applied.refused:
            raise RuntimeError(f"refused: {applied.refused}")
        self._heard(applied.changes)

    def tick(self) -> None:
        """Do what time alone does, as the clock does every other second."""
        worker = self.clock_worker
        worker.deadlines.mark_silent()
        while worker.deadlines.do_due() >= _BATCH:
            pass
        worker.sweeps.plans.publish_changed()

    def pay(self, reservation_id: str) -> None:
        """Have a hold paid for."""
        with self.open_work() as work:
            changes = self.advancer.paid(work, reservation_id, 0, self.clock.now())
            work.commit()
        self._heard(changes or ())

    def reservation(self, reservation_id: str) -> Reservation:
        """Return a reservation as it is held."""
        with self.open_work(is_read_only=True) as work:
            return work.reservations.by_ids([reservation_id])[reservation_id]

    def _heard(self, changes: Iterable[Change]) -> None:
        told = list(changes)
        self._hear(told)
        for change in told:
            if change.change is ChangeKind.RESERVATION:
                self._hear_reservation(self.reservation(change.subject))


def _to_nobody(reservation: Reservation) -> None:
    del reservation


def _hurry(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous = OFF")


def _rows(station: StationSpec, now: Any) -> Iterable[tuple[Any, list[dict[str, Any]]]]:
    yield (
        tables.stations,
        [
            {
                "id": station.station_id,
                "name": station.name,
                "latitude": station.latitude,
                "longitude": station.longitude,
                "price_per_kwh_minor": station.price_per_kwh_minor,
                "created_at": now,
            }
        ],
    )
    yield tables.station_links, [{"station_id": station.station_id}]
    chargers = [
        {"id": one.charger_id, "station_id": station.station_id} for one in station.chargers
    ]
    yield tables.chargers, chargers
    bays = [
        {
            "id": bay.bay_id,
            "station_id": station.station_id,
            "name": bay.name,
            "charger_id": bay.charger_id,
            "evse_id": bay.evse_id,
            "max_power_w": station.evse_of(bay).max_power_w,
            "has_sensor": bool(bay.sensors),
        }
        for bay in station.bays
    ]
    yield tables.bays, bays
    connectors = [
        {
            "charger_id": charger.charger_id,
            "evse_id": evse.evse_id,
            "connector_id": outlet.connector_id,
            "standard": str(outlet.standard),
            "power_type": "DC" if outlet.standard.is_dc else "AC_3_PHASE",
            "max_power_w": outlet.max_power_w,
        }
        for charger in station.chargers
        for evse in charger.evses
        for outlet in evse.outlets
    ]
    yield tables.connectors, connectors
    sensors = [
        {"station_id": station.station_id, "id": sensor.sensor_id, "bay_id": bay.bay_id}
        for bay in station.bays
        for sensor in bay.sensors
    ]
    yield tables.sensors, sensors
