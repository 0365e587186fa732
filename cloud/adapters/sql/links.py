"""How far each station's word has come, in SQL."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import station_links as links
from cloud.domain.cursor import Cursor
from cloud.domain.stations import StationLink
from cloud.services.ports import TransactionLost


def _names(listed: list[str] | None) -> frozenset[str]:
    return frozenset(listed or ())


_LINK: Final = Reader(links, StationLink, silent_chargers=_names, silent_sensors=_names)

# built once: this is done twice for every batch of every station
_ADVANCE: Final = update(links).where(
    links.c.station_id == bindparam("of_station"),
    links.c.epoch == bindparam("from_epoch"),
    links.c.committed_seq == bindparam("from_seq"),
)


class SqlLinks:
    """See Links."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_ids(self, station_ids: Collection[str]) -> dict[str, StationLink]:
        """See Links.by_ids."""
        if not station_ids:
            return {}
        query = select(*_LINK.columns).where(links.c.station_id.in_(station_ids))
        found = {one.station_id: one for one in _LINK.all(self._connection.execute(query))}
        return {
            station_id: found.get(station_id) or StationLink(station_id=station_id)
            for station_id in station_ids
        }

    def advance(self, link: StationLink, before: Cursor) -> None:
        """See Links.advance."""
        values = _values(link)
        place = {
            "of_station": link.station_id,
            "from_epoch": before.epoch,
            "from_seq": before.committed_seq,
        }
        if self._connection.execute(_ADVANCE, values | place).rowcount == 1:
            return
        if before != Cursor(0, 0):
            raise TransactionLost(f"the cursor of {link.station_id} has moved")
        try:
            self._connection.execute(insert(links).values(station_id=link.station_id, **values))
        except IntegrityError as error:
            raise TransactionLost(f"the cursor of {link.station_id} has moved") from error

    def silent_since(self, instant: datetime, limit: int) -> list[StationLink]:
        """See Links.silent_since."""
        query = (
            select(*_LINK.columns)
            .where(links.c.heard_at <= instant, links.c.is_silent.is_(False))
            .order_by(links.c.heard_at)
            .limit(limit)
        )
        return _LINK.all(self._connection.execute(query))

    def heard_since(self, instant: datetime) -> list[str]:
        """See Links.heard_since."""
        query = select(links.c.station_id).where(links.c.heard_at >= instant)
        return list(self._connection.execute(query).scalars())

    def mark_silent(self, link: StationLink) -> bool:
        """See Links.mark_silent."""
        statement = update(links).where(
            links.c.station_id == link.station_id,
            links.c.heard_at == link.heard_at,
            links.c.is_silent.is_(False),
        )
        return self._connection.execute(statement.values(is_silent=True)).rowcount == 1


def _values(link: StationLink) -> dict[str, Any]:
    return {
        "epoch": link.epoch,
        "committed_seq": link.committed_seq,
        "heard_at": link.heard_at,
        "silent_chargers": sorted(link.silent_chargers),
        "silent_sensors": sorted(link.silent_sensors),
        "outbox_depth": link.outbox_depth,
        "is_disk_short": link.is_disk_short,
        "agent_version": link.agent_version[:40],
        "clock_skew_s": link.clock_skew_s,
        "is_silent": link.is_silent,
    }
