"""Bays with chargers, connectors and sensors, in SQL."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, false, or_, select, tuple_, update

from cloud.adapters.sql.bulk import Upsert, stamp
from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.sessions import SqlSessions
from cloud.adapters.sql.tables import bays, chargers, connectors, sensors
from cloud.domain.bays import Bay, Charger, Connector, Sensor
from cloud.domain.stations import StationLink
from cloud.domain.witnesses import Scene
from cloud.services.fact_ports import Equipment
from cloud.services.ports import TransactionLost

_BAY: Final = Reader(bays, Bay)
_CHARGER: Final = Reader(chargers, Charger)
_CONNECTOR: Final = Reader(connectors, Connector)
_SENSOR: Final = Reader(sensors, Sensor)

_TOLD_OF_BAYS: Final = (
    "is_occupied",
    "occupancy_confidence",
    "occupancy_at",
    "has_sensor",
    "contradictions",
    "is_sensor_suspect",
    "is_contradiction_counted",
    "session_id",
    "status",
    "situation",
    "reason",
    "since",
    "observed_at",
    "reserved_until",
    "next_reservation_at",
    "changed_version",
)
_TOLD_OF_CHARGERS: Final = (
    "ocpp_version",
    "vendor",
    "model",
    "serial",
    "firmware_version",
    "is_connected",
    "connection_changed_at",
    "silent_since",
    "booted_at",
    "state",
    "error_code",
    "state_at",
)
_TOLD_OF_CONNECTORS: Final = (
    "state",
    "error_code",
    "vendor_error_code",
    "info",
    "state_at",
    "state_since",
)
_TOLD_OF_SENSORS: Final = (
    "is_silent",
    "silent_since",
    "battery_ratio",
    "is_battery_low",
    "unreadable_count",
    "last_error",
)

_PUT_BAYS: Final = Upsert(
    bays,
    (
        "id",
        "station_id",
        "name",
        "max_power_w",
        "is_accessible",
        "row_version",
        "published_version",
        *_TOLD_OF_BAYS,
    ),
    _TOLD_OF_BAYS,
)
_PUT_CONNECTORS: Final = Upsert(
    connectors,
    (
        "charger_id",
        "evse_id",
        "connector_id",
        "standard",
        "power_type",
        "max_power_w",
        *_TOLD_OF_CONNECTORS,
    ),
    _TOLD_OF_CONNECTORS,
)
_PUT_SENSORS: Final = Upsert(
    sensors, ("station_id", "id", "bay_id", *_TOLD_OF_SENSORS), _TOLD_OF_SENSORS
)


class SqlBays:
    """See Bays."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def equipment(self, charger_ids: Collection[str], bay_ids: Collection[str]) -> Equipment:
        """See Bays.equipment."""
        if not charger_ids and not bay_ids:
            return Equipment({}, {}, {}, {})
        found = self._bays(_any(bays.c.charger_id, charger_ids), _any(bays.c.id, bay_ids))
        chargers_of = {one.charger_id for one in found if one.charger_id} | set(charger_ids)
        return self._around(found, chargers_of)

    def equipment_of(self, station_ids: Collection[str]) -> Equipment:
        """See Bays.equipment_of."""
        found = self._bays(_any(bays.c.station_id, station_ids))
        query = select(chargers.c.id).where(_any(chargers.c.station_id, station_ids))
        return self._around(found, set(self._connection.execute(query).scalars()))

    def names(self, bay_ids: Collection[str]) -> dict[str, str]:
        """See Bays.names."""
        query = select(bays.c.id, bays.c.name).where(_any(bays.c.id, bay_ids))
        return {row.id: row.name for row in self._connection.execute(query)}

    def scenes(
        self, station_ids: Collection[str], links: Mapping[str, StationLink]
    ) -> dict[str, list[Scene]]:
        """See Bays.scenes."""
        equipment = self.equipment_of(station_ids)
        session_ids = {one.session_id for one in equipment.bays.values() if one.session_id}
        sessions = SqlSessions(self._connection).by_ids(session_ids)
        by_station: dict[str, list[Scene]] = defaultdict(list)
        plugs, watchers = _plugs(equipment), _watchers(equipment)
        for bay in sorted(equipment.bays.values(), key=lambda one: (one.name, one.id)):
            scene = Scene(
                bay=bay,
                link=links[bay.station_id],
                charger=equipment.chargers.get(bay.charger_id or ""),
                connectors=tuple(plugs.get((bay.charger_id, bay.evse_id), ())),
                sensors=tuple(watchers.get(bay.id, ())),
                session=sessions.get(bay.session_id or ""),
            )
            by_station[bay.station_id].append(scene)
        return by_station

    def put_bays(self, bays: Sequence[Bay]) -> None:
        """See Bays.put_bays."""
        if bays:
            self._take(bays)
            _PUT_BAYS.run(self._connection, [_bay_row(one) for one in bays])

    def put_chargers(self, chargers: Sequence[Charger]) -> None:
        """See Bays.put_chargers."""
        for charger in chargers:
            self._put_charger(charger)

    def put_connectors(self, connectors: Sequence[Connector]) -> None:
        """See Bays.put_connectors."""
        rows = [
            (
                one.charger_id,
                one.evse_id,
                one.connector_id,
                one.standard,
                one.power_type,
                one.max_power_w,
                one.state,
                one.error_code,
                one.vendor_error_code,
                one.info,
                stamp(one.state_at),
                stamp(one.state_since),
            )
            for one in connectors
        ]
        _PUT_CONNECTORS.run(self._connection, rows)

    def put_sensors(self, sensors: Sequence[Sensor]) -> None:
        """See Bays.put_sensors."""
        rows = [
            (
                one.station_id,
                one.id,
                one.bay_id,
                one.is_silent,
                stamp(one.silent_since),
                one.battery_ratio,
                one.is_battery_low,
                one.unreadable_count,
                one.last_error,
            )
            for one in sensors
        ]
        _PUT_SENSORS.run(self._connection, rows)

    def unpublished(self, limit: int) -> list[str]:
        """See Bays.unpublished."""
        query = (
            select(bays.c.station_id)
            .where(bays.c.changed_version > bays.c.published_version)
            .distinct()
            .limit(limit)
        )
        return list(self._connection.execute(query).scalars())

    def mark_published(self, versions: Mapping[str, int]) -> None:
        """See Bays.mark_published."""
        is_open = bays.c.published_version < bays.c.changed_version
        query = select(bays.c.id).where(_any(bays.c.id, versions.keys()), is_open)
        for bay_id in self._connection.execute(query.order_by(bays.c.id)).scalars().all():
            version = versions[bay_id]
            self._connection.execute(
                update(bays)
                .where(bays.c.id == bay_id, bays.c.published_version < version)
                .values(published_version=version)
            )

    def _take(self, read: Sequence[Bay]) -> None:
        """Make the rows ours, counted: none may have been written since it was read."""
        versions = tuple_(bays.c.id, bays.c.row_version)
        statement = update(bays).where(
            # by the key first: not every server looks rows up by pairs
            _any(bays.c.id, {one.id for one in read}),
            versions.in_([(one.id, one.row_version) for one in read]),
        )
        done = self._connection.execute(statement.values(row_version=bays.c.row_version + 1))
        if done.rowcount != len(read):
            raise TransactionLost("a bay was written by somebody else")

    def _put_charger(self, charger: Charger) -> None:
        values = {name: getattr(charger, name) for name in _TOLD_OF_CHARGERS}
        self._connection.execute(
            update(chargers).where(chargers.c.id == charger.id).values(**values)
        )

    def _bays(self, *conditions: ColumnElement[bool]) -> list[Bay]:
        query = select(*_BAY.columns).where(or_(*conditions))
        return _BAY.all(self._connection.execute(query))

    def _around(self, found: Sequence[Bay], charger_ids: Collection[str]) -> Equipment:
        execute = self._connection.execute
        of_chargers = select(*_CHARGER.columns).where(_any(chargers.c.id, charger_ids))
        of_plugs = select(*_CONNECTOR.columns).where(_any(connectors.c.charger_id, charger_ids))
        bay_ids = [one.id for one in found]
        of_sensors = select(*_SENSOR.columns).where(_any(sensors.c.bay_id, bay_ids))
        return Equipment(
            chargers={one.id: one for one in _CHARGER.all(execute(of_chargers))},
            connectors={
                (one.charger_id, one.evse_id, one.connector_id): one
                for one in _CONNECTOR.all(execute(of_plugs))
            },
            bays={one.id: one for one in found},
            sensors={(one.station_id, one.id): one for one in _SENSOR.all(execute(of_sensors))},
        )


def _bay_row(one: Bay) -> tuple[Any, ...]:
    return (
        one.id,
        one.station_id,
        one.name,
        one.max_power_w,
        one.is_accessible,
        one.row_version,
        one.published_version,
        one.is_occupied,
        one.occupancy_confidence,
        stamp(one.occupancy_at),
        one.has_sensor,
        one.contradictions,
        one.is_sensor_suspect,
        one.is_contradiction_counted,
        one.session_id,
        one.status,
        one.situation,
        one.reason,
        stamp(one.since),
        stamp(one.observed_at),
        stamp(one.reserved_until),
        stamp(one.next_reservation_at),
        one.changed_version,
    )


def _any(column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    return column.in_(sorted(values)) if values else false()


def _plugs(equipment: Equipment) -> dict[tuple[str | None, int | None], list[Connector]]:
    plugs: dict[tuple[str | None, int | None], list[Connector]] = defaultdict(list)
    for key in sorted(equipment.connectors):
        one = equipment.connectors[key]
        plugs[one.charger_id, one.evse_id].append(one)
    return plugs


def _watchers(equipment: Equipment) -> dict[str | None, list[Sensor]]:
    watchers: dict[str | None, list[Sensor]] = defaultdict(list)
    for key in sorted(equipment.sensors):
        one = equipment.sensors[key]
        watchers[one.bay_id].append(one)
    return watchers
