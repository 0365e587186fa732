"""Receipts and credit notes, in SQL: a unique index on station and number keeps each count without doubles."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, and_, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import credit_notes, receipts, stations
from cloud.services.billing_ports import Receipt, ReceiptPage
from cloud.services.ports import TransactionLost

_NAMES: Final = tuple(one.name for one in fields(Receipt) if one.name != "corrects_id")
_COLUMNS: Final = [receipts.c[name] for name in _NAMES]
_NOTE_COLUMNS: Final = [credit_notes.c[name] for name in (*_NAMES, "corrects_id")]


class SqlReceipts:
    """See Receipts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_seq(self, station_id: str) -> int:
        """See Receipts.next_seq."""
        return self._next(receipts, station_id)

    def next_note_seq(self, station_id: str) -> int:
        """See Receipts.next_note_seq."""
        return self._next(credit_notes, station_id)

    def add(self, receipt: Receipt) -> None:
        """See Receipts.add."""
        values = {name: getattr(receipt, name) for name in _NAMES}
        statement = insert(receipts).values(**values)
        if receipt.corrects_id is not None:
            statement = insert(credit_notes).values(**values, corrects_id=receipt.corrects_id)
        try:
            self._connection.execute(statement)
        except IntegrityError as error:
            raise TransactionLost(f"receipt {receipt.number} is somebody else's") from error

    def get(self, receipt_id: str) -> Receipt | None:
        """See Receipts.get."""
        found = self._all(select(*_COLUMNS).where(receipts.c.id == receipt_id))
        if not found:
            found = self._all(select(*_NOTE_COLUMNS).where(credit_notes.c.id == receipt_id))
        return found[0] if found else None

    def of_reservation(self, reservation_id: str) -> Receipt | None:
        """See Receipts.of_reservation."""
        found = self._all(select(*_COLUMNS).where(receipts.c.reservation_id == reservation_id))
        return found[0] if found else None

    def notes_of(self, receipt_id: str) -> list[Receipt]:
        """See Receipts.notes_of."""
        query = select(*_NOTE_COLUMNS).where(credit_notes.c.corrects_id == receipt_id)
        return self._all(query.order_by(credit_notes.c.seq))

    def page(self, page: ReceiptPage) -> list[Receipt]:
        """See Receipts.page. Each table gives as many as are wanted, and the newest of both count."""
        found = self._page(receipts, _COLUMNS, page) + self._page(credit_notes, _NOTE_COLUMNS, page)
        return sorted(found, key=lambda one: (one.created_at, one.id), reverse=True)[: page.limit]

    def _next(self, table: Table, station_id: str) -> int:
        query = select(func.max(table.c.seq)).where(table.c.station_id == station_id)
        return (self._connection.execute(query).scalar_one_or_none() or 0) + 1

    def _page(self, table: Table, columns: Sequence[Any], page: ReceiptPage) -> list[Receipt]:
        query = select(*columns)
        if page.user_id is not None:
            query = query.where(table.c.user_id == page.user_id)
        if page.owner_id is not None:
            own = select(stations.c.id).where(stations.c.owner_id == page.owner_id)
            query = query.where(table.c.station_id.in_(own))
        if page.before is not None:
            at, receipt_id = page.before
            is_same = and_(table.c.created_at == at, table.c.id < receipt_id)
            query = query.where(or_(table.c.created_at < at, is_same))
        query = query.order_by(table.c.created_at.desc(), table.c.id.desc())
        return self._all(query.limit(page.limit))

    def _all(self, query: Select[Any]) -> list[Receipt]:
        return [Receipt(**row) for row in self._connection.execute(query).mappings()]
