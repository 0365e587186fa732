"""What chargers hold, in SQL: one row a thing, replaced as it is told again."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, or_, select, tuple_

from cloud.adapters.sql.bulk import Upsert, encode, stamp
from cloud.adapters.sql.tables import charger_inventory as held
from cloud.domain.variables import merged
from cloud.services.inventory_ports import Told
from cloud.services.inventory_views import InventoryItem
from contracts.events import InventoryKind

_PUT: Final = Upsert(
    held,
    ("charger_id", "kind", "key", "body", "request_id", "reported_at"),
    update=("body", "request_id", "reported_at"),
)

_AT_ONCE: Final = 200


class SqlInventory:
    """See Inventory."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tell(self, told: Sequence[Told]) -> None:
        """See Inventory.tell."""
        for one in told:
            if one.fact.gone_like:
                self._drop_like(one)
            self._put(one)
            if one.fact.gone:
                self._drop(one, held.c.key.in_(one.fact.gone))
            if one.fact.is_whole:
                self._drop(one, _not_told_in(one))

    def items(
        self, charger_id: str, kind: str | None, after: tuple[str, str], limit: int
    ) -> list[InventoryItem]:
        """See Inventory.items."""
        is_later = or_(held.c.kind > after[0], and_(held.c.kind == after[0], held.c.key > after[1]))
        query = select(held).where(held.c.charger_id == charger_id, is_later)
        if kind is not None:
            query = query.where(held.c.kind == kind)
        ordered = query.order_by(held.c.kind, held.c.key).limit(limit)
        return [_item(row) for row in self._connection.execute(ordered)]

    def item(self, charger_id: str, kind: str, key: str) -> InventoryItem | None:
        """See Inventory.item."""
        place = tuple_(held.c.charger_id, held.c.kind, held.c.key) == (charger_id, kind, key)
        row = self._connection.execute(select(held).where(place)).one_or_none()
        return None if row is None else _item(row)

    def _put(self, told: Told) -> None:
        fact = told.fact
        latest = {entry.key: entry.body for entry in fact.entries}
        if fact.inventory is InventoryKind.VARIABLE:
            latest = self._with_what_is_known(fact.charger_id, latest)
        rows = [
            (
                fact.charger_id,
                fact.inventory,
                key,
                encode(body).decode(),
                fact.request_id,
                stamp(told.at),
            )
            for key, body in latest.items()
        ]
        _PUT.run(self._connection, rows)

    def _with_what_is_known(
        self, charger_id: str, latest: Mapping[str, dict[str, Any]]
    ) -> dict[str, dict[str, Any]]:
        """Values that were read or set say nothing of what else a report told of a variable."""
        whole, keys = dict(latest), list(latest)
        for at in range(0, len(keys), _AT_ONCE):
            query = select(held.c.key, held.c.body).where(
                held.c.charger_id == charger_id,
                held.c.kind == InventoryKind.VARIABLE,
                held.c.key.in_(keys[at : at + _AT_ONCE]),
            )
            for row in self._connection.execute(query):
                whole[row.key] = merged(row.body, latest[row.key])
        return whole

    def _drop_like(self, told: Told) -> None:
        """Bodies are compared here: the two dialects do it differently, and a charger holds few."""
        fact = told.fact
        is_its = and_(held.c.charger_id == fact.charger_id, held.c.kind == fact.inventory)
        rows = self._connection.execute(select(held.c.key, held.c.body).where(is_its)).all()
        like = [row.key for row in rows if any(_is_like(row.body, one) for one in fact.gone_like)]
        if like:
            self._drop(told, held.c.key.in_(like))

    def _drop(self, told: Told, which: ColumnElement[bool]) -> None:
        fact = told.fact
        is_its = and_(held.c.charger_id == fact.charger_id, held.c.kind == fact.inventory)
        self._connection.execute(delete(held).where(is_its, which))


def _is_like(body: Mapping[str, Any], one: Mapping[str, Any]) -> bool:
    return all(name in body and body[name] == value for name, value in one.items())


def _not_told_in(told: Told) -> ColumnElement[bool]:
    fact = told.fact
    if fact.request_id is None:
        return held.c.key.not_in([entry.key for entry in fact.entries])
    return or_(held.c.request_id.is_(None), held.c.request_id != fact.request_id)


def _item(row: Row[tuple[object, ...]]) -> InventoryItem:
    return InventoryItem(kind=row.kind, key=row.key, body=row.body, reported_at=row.reported_at)
