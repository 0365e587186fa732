"""Chargers in SQL, to be read."""

from typing import Any, Final

from sqlalchemy import Connection, Row, Select, select, tuple_

from cloud.adapters.sql.tables import chargers, connectors, event_log, station_links, stations
from cloud.services.admin_ports import LogPlace
from cloud.services.charger_views import ChargerLogEntry, ChargerView, ConnectorStateView

_CHARGERS: Final = (
    select(
        chargers,
        stations.c.name.label("station_name"),
        stations.c.owner_id,
        station_links.c.heard_at,
    )
    .join(stations, stations.c.id == chargers.c.station_id)
    .join(station_links, station_links.c.station_id == stations.c.id, isouter=True)
)


class SqlChargers:
    """See Chargers."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(
        self, owner_id: str | None, station_id: str | None, after: str, limit: int
    ) -> list[ChargerView]:
        """See Chargers.page."""
        query = _CHARGERS.where(chargers.c.id > after)
        if owner_id is not None:
            query = query.where(stations.c.owner_id == owner_id)
        if station_id is not None:
            query = query.where(chargers.c.station_id == station_id)
        rows = self._connection.execute(query.order_by(chargers.c.id).limit(limit))
        return [_charger(row) for row in rows]

    def get(self, charger_id: str) -> tuple[ChargerView, str | None] | None:
        """See Chargers.get."""
        query = _CHARGERS.where(chargers.c.id == charger_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else (_charger(row), row.owner_id)

    def connectors(self, charger_id: str) -> list[ConnectorStateView]:
        """See Chargers.connectors."""
        query = select(connectors).where(connectors.c.charger_id == charger_id)
        rows = self._connection.execute(
            query.order_by(connectors.c.evse_id, connectors.c.connector_id)
        )
        return [_connector(row) for row in rows]

    def log(
        self, charger_id: str, before: LogPlace | None, limit: int
    ) -> list[tuple[LogPlace, ChargerLogEntry]]:
        """See Chargers.log."""
        rows = self._connection.execute(_newest(charger_id, before).limit(limit))
        return [(LogPlace(row.received_at, row.epoch, row.seq), _entry(row)) for row in rows]


def _newest(charger_id: str, before: LogPlace | None) -> Select[*tuple[Any, ...]]:
    place = (event_log.c.received_at, event_log.c.epoch, event_log.c.seq)
    query = select(event_log).where(event_log.c.charger_id == charger_id)
    if before is not None:
        query = query.where(tuple_(*place) < tuple_(before.received_at, before.epoch, before.seq))
    return query.order_by(*(column.desc() for column in place))


def _charger(row: Row[*tuple[Any, ...]]) -> ChargerView:
    return ChargerView(
        charger_id=row.id,
        station_id=row.station_id,
        station_name=row.station_name,
        is_connected=row.is_connected,
        connection_changed_at=row.connection_changed_at,
        heard_at=row.heard_at,
        ocpp_version=row.ocpp_version,
        security_profile=row.security_profile,
        vendor=row.vendor,
        model=row.model,
        serial=row.serial,
        firmware_version=row.firmware_version,
        booted_at=row.booted_at,
        state=row.state,
        error_code=row.error_code,
        state_at=row.state_at,
        has_key=row.key_hash is not None,
        profile_set_by=row.profile_set_by,
        profile_set_at=row.profile_set_at,
    )


def _connector(row: Row[*tuple[Any, ...]]) -> ConnectorStateView:
    return ConnectorStateView(
        evse_id=row.evse_id,
        connector_id=row.connector_id,
        standard=row.standard,
        power_type=row.power_type,
        max_power_w=row.max_power_w,
        state=row.state,
        error_code=row.error_code,
        vendor_error_code=row.vendor_error_code,
        info=row.info,
        state_at=row.state_at,
    )


def _entry(row: Row[*tuple[Any, ...]]) -> ChargerLogEntry:
    return ChargerLogEntry(
        kind=row.kind,
        observed_at=row.observed_at,
        received_at=row.received_at,
        body=row.body if isinstance(row.body, dict) else {"body": row.body},
    )
