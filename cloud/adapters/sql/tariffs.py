"""Tariffs in all their versions, in SQL. A version is never changed: its id freezes a price."""

from collections.abc import Collection
from dataclasses import fields
from typing import Final

from sqlalchemy import Connection, and_, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import stations, tariffs
from cloud.services.money_ports import TariffVersion
from cloud.services.ports import TransactionLost

_TARIFF: Final = Reader(tariffs, TariffVersion)
_NAMES: Final = tuple(one.name for one in fields(TariffVersion))


class SqlTariffs:
    """See Tariffs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_ids(self, tariff_ids: Collection[str]) -> dict[str, TariffVersion]:
        """See Tariffs.by_ids."""
        if not tariff_ids:
            return {}
        query = select(*_TARIFF.columns).where(tariffs.c.id.in_(tariff_ids))
        return {one.id: one for one in _TARIFF.all(self._connection.execute(query))}

    def newest(self, key: str) -> TariffVersion | None:
        """See Tariffs.newest."""
        query = select(*_TARIFF.columns).where(tariffs.c.key == key)
        query = query.order_by(tariffs.c.version.desc()).limit(1)
        return _TARIFF.one(self._connection.execute(query).one_or_none())

    def all_newest(self, owner_id: str | None) -> list[TariffVersion]:
        """See Tariffs.all_newest."""
        last = (
            select(tariffs.c.key, func.max(tariffs.c.version).label("version"))
            .group_by(tariffs.c.key)
            .subquery()
        )
        is_last = and_(tariffs.c.key == last.c.key, tariffs.c.version == last.c.version)
        query = select(*_TARIFF.columns).join(last, is_last)
        if owner_id is not None:
            query = query.where(tariffs.c.owner_id == owner_id)
        query = query.order_by(tariffs.c.name, tariffs.c.key)
        return _TARIFF.all(self._connection.execute(query))

    def add(self, tariff: TariffVersion) -> None:
        """See Tariffs.add."""
        values = {name: getattr(tariff, name) for name in _NAMES}
        try:
            self._connection.execute(insert(tariffs).values(**values))
        except IntegrityError as error:
            raise TransactionLost(f"{tariff.key} has a version {tariff.version}") from error

    def assign(self, station_id: str, tariff_id: str | None) -> None:
        """See Tariffs.assign."""
        statement = update(stations).where(stations.c.id == station_id)
        self._connection.execute(statement.values(tariff_id=tariff_id))

    def stations_with(self, key: str) -> list[str]:
        """See Tariffs.stations_with."""
        versions = select(tariffs.c.id).where(tariffs.c.key == key)
        query = select(stations.c.id).where(stations.c.tariff_id.in_(versions))
        return list(self._connection.execute(query.order_by(stations.c.id)).scalars())
