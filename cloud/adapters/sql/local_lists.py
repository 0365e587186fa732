"""Chargers' own lists of tokens, in SQL."""

from dataclasses import asdict
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import charger_local_lists as lists
from cloud.domain.local_lists import LocalList

_READ: Final = Reader(lists, LocalList)


class SqlLocalLists:
    """See LocalLists."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, charger_id: str) -> LocalList | None:
        """See LocalLists.get."""
        query = select(*_READ.columns).where(lists.c.charger_id == charger_id)
        return _READ.one(self._connection.execute(query).one_or_none())

    def put(self, held: LocalList) -> None:
        """See LocalLists.put."""
        which = lists.c.charger_id == held.charger_id
        values = asdict(held)
        if not self._connection.execute(update(lists).where(which).values(values)).rowcount:
            self._connection.execute(delete(lists).where(which))
            self._connection.execute(insert(lists).values(values))

    def kept(self) -> list[str]:
        """See LocalLists.kept."""
        query = select(lists.c.charger_id).where(lists.c.is_kept).order_by(lists.c.charger_id)
        return list(self._connection.execute(query).scalars())
