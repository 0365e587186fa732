"""Receipts, in SQL: a unique index on station and number keeps each station's count without doubles."""

from dataclasses import fields
from typing import Final

from sqlalchemy import Connection, and_, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import receipts, stations
from cloud.services.billing_ports import Receipt, ReceiptPage
from cloud.services.ports import TransactionLost

_RECEIPT: Final = Reader(receipts, Receipt)
_NAMES: Final = tuple(one.name for one in fields(Receipt))


class SqlReceipts:
    """See Receipts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def next_seq(self, station_id: str) -> int:
        """See Receipts.next_seq."""
        query = select(func.max(receipts.c.seq)).where(receipts.c.station_id == station_id)
        return (self._connection.execute(query).scalar_one_or_none() or 0) + 1

    def add(self, receipt: Receipt) -> None:
        """See Receipts.add."""
        values = {name: getattr(receipt, name) for name in _NAMES}
        try:
            self._connection.execute(insert(receipts).values(**values))
        except IntegrityError as error:
            raise TransactionLost(f"receipt {receipt.number} is somebody else's") from error

    def get(self, receipt_id: str) -> Receipt | None:
        """See Receipts.get."""
        query = select(*_RECEIPT.columns).where(receipts.c.id == receipt_id)
        return _RECEIPT.one(self._connection.execute(query).one_or_none())

    def of_reservation(self, reservation_id: str) -> Receipt | None:
        """See Receipts.of_reservation."""
        query = select(*_RECEIPT.columns).where(receipts.c.reservation_id == reservation_id)
        return _RECEIPT.one(self._connection.execute(query).one_or_none())

    def page(self, page: ReceiptPage) -> list[Receipt]:
        """See Receipts.page."""
        query = select(*_RECEIPT.columns)
        if page.user_id is not None:
            query = query.where(receipts.c.user_id == page.user_id)
        if page.owner_id is not None:
            own = select(stations.c.id).where(stations.c.owner_id == page.owner_id)
            query = query.where(receipts.c.station_id.in_(own))
        if page.before is not None:
            at, receipt_id = page.before
            is_same = and_(receipts.c.created_at == at, receipts.c.id < receipt_id)
            query = query.where(or_(receipts.c.created_at < at, is_same))
        query = query.order_by(receipts.c.created_at.desc(), receipts.c.id.desc())
        return _RECEIPT.all(self._connection.execute(query.limit(page.limit)))
