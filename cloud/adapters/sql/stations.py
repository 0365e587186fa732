"""Stations, to be read, in SQL."""

from collections.abc import Collection
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, or_, select

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import bays, connectors, station_links, stations
from cloud.domain.stations import Station
from cloud.services.fact_ports import Box, StationCounts

_STATION: Final = Reader(stations, Station)


class SqlStations:
    """See Stations."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_ids(self, station_ids: Collection[str]) -> dict[str, Station]:
        """See Stations.by_ids."""
        if not station_ids:
            return {}
        query = select(*_STATION.columns).where(stations.c.id.in_(station_ids))
        return {one.id: one for one in _STATION.all(self._connection.execute(query))}

    def within(self, box: Box) -> list[Station]:
        """See Stations.within."""
        query = select(*_STATION.columns).where(*is_in(box))
        return _STATION.all(self._connection.execute(query))

    def ids(self) -> list[str]:
        """See Stations.ids."""
        query = select(stations.c.id).order_by(stations.c.id)
        return list(self._connection.execute(query).scalars())

    def timezones(self) -> list[str]:
        """See Stations.timezones."""
        query = select(stations.c.timezone).distinct().order_by(stations.c.timezone)
        return list(self._connection.execute(query).scalars())

    def by_name(self, text: str, after: tuple[str, str] | None, limit: int) -> list[Station]:
        """See Stations.by_name."""
        query = select(*_STATION.columns).order_by(stations.c.name, stations.c.id).limit(limit)
        query = query.where(*_says(text))
        if after is not None:
            name, station_id = after
            is_next = and_(stations.c.name == name, stations.c.id > station_id)
            query = query.where(or_(stations.c.name > name, is_next))
        return _STATION.all(self._connection.execute(query))

    def counts(
        self, text: str, standard: str | None, min_power_w: int | None
    ) -> list[StationCounts]:
        """See Stations.counts. Two statements, however many stations there are."""
        has_filter = standard is not None or min_power_w is not None
        counted = self._counted(standard, min_power_w)
        query = (
            select(
                stations.c.id,
                stations.c.name,
                stations.c.latitude,
                stations.c.longitude,
                station_links.c.heard_at,
            )
            .outerjoin(station_links, station_links.c.station_id == stations.c.id)
            .where(*_says(text))
            .order_by(stations.c.name, stations.c.id)
        )
        return [
            StationCounts(
                station_id=row.id,
                name=row.name,
                latitude=row.latitude,
                longitude=row.longitude,
                heard_at=row.heard_at,
                statuses=counted.get(row.id, {}),
            )
            for row in self._connection.execute(query)
            if row.id in counted or not has_filter
        ]

    def _counted(self, standard: str | None, min_power_w: int | None) -> dict[str, dict[str, int]]:
        query = select(bays.c.station_id, bays.c.status, func.count()).group_by(
            bays.c.station_id, bays.c.status
        )
        if min_power_w is not None:
            query = query.where(bays.c.max_power_w >= min_power_w)
        if standard is not None:
            is_plug_of_bay = and_(
                connectors.c.charger_id == bays.c.charger_id,
                connectors.c.evse_id == bays.c.evse_id,
                connectors.c.standard == standard,
            )
            query = query.where(select(connectors.c.charger_id).where(is_plug_of_bay).exists())
        counted: dict[str, dict[str, int]] = {}
        for station_id, status, count in self._connection.execute(query):
            counted.setdefault(station_id, {})[status] = count
        return counted


def is_in(box: Box) -> list[ColumnElement[bool]]:
    """Return the conditions that a station is in an area."""
    east, west = stations.c.longitude <= box.east, stations.c.longitude >= box.west
    return [
        stations.c.latitude.between(box.south, box.north),
        and_(east, west) if box.west <= box.east else or_(east, west),
    ]


def _says(text: str) -> list[ColumnElement[bool]]:
    """Return the condition that name, city or address contain the text; none for no text."""
    wanted = text.strip().lower()
    if not wanted:
        return []
    said = (stations.c.name, stations.c.city, stations.c.address)
    return [or_(*(func.lower(one).contains(wanted, autoescape=True) for one in said))]
