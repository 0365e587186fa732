"""Cards people saved, in SQL."""

from dataclasses import fields
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import payment_methods as methods
from cloud.services.money_ports import SavedMethod

_METHOD: Final = Reader(methods, SavedMethod)
_NAMES: Final = tuple(one.name for one in fields(SavedMethod))


class SqlPaymentMethods:
    """See PaymentMethods."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, method: SavedMethod) -> bool:
        """See PaymentMethods.add."""
        values = {name: getattr(method, name) for name in _NAMES}
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(methods).values(**values))
        except IntegrityError:
            return False
        return True

    def restore(self, method: SavedMethod) -> None:
        """See PaymentMethods.restore."""
        statement = update(methods).where(methods.c.id == method.id)
        values = {"gateway_ref": method.gateway_ref, "label": method.label, "removed_at": None}
        self._connection.execute(statement.values(**values))

    def get(self, method_id: str) -> SavedMethod | None:
        """See PaymentMethods.get."""
        query = select(*_METHOD.columns).where(methods.c.id == method_id)
        return _METHOD.one(self._connection.execute(query).one_or_none())

    def of_user(self, user_id: str) -> list[SavedMethod]:
        """See PaymentMethods.of_user."""
        query = (
            select(*_METHOD.columns)
            .where(methods.c.user_id == user_id, methods.c.removed_at.is_(None))
            .order_by(methods.c.created_at.desc(), methods.c.id)
        )
        return _METHOD.all(self._connection.execute(query))

    def set_default(self, user_id: str, method_id: str) -> None:
        """See PaymentMethods.set_default. One statement: there is never none, never two."""
        statement = update(methods).where(methods.c.user_id == user_id)
        self._connection.execute(statement.values(is_default=methods.c.id == method_id))

    def remove(self, method_id: str, at: datetime) -> bool:
        """See PaymentMethods.remove."""
        statement = update(methods).where(methods.c.id == method_id, methods.c.removed_at.is_(None))
        changed = self._connection.execute(statement.values(removed_at=at, is_default=False))
        return changed.rowcount == 1
