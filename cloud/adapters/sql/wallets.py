"""Wallets in SQL: no statement here can take more than there is."""

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import wallets


class SqlWallets:
    """See Wallets."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def available(self, user_id: str, currency: str) -> int:
        """See Wallets.available."""
        return self.all_of(user_id).get(currency, 0)

    def all_of(self, user_id: str) -> dict[str, int]:
        """See Wallets.all_of."""
        query = select(wallets.c.currency, wallets.c.available_minor)
        rows = self._connection.execute(query.where(wallets.c.user_id == user_id))
        return {row.currency: row.available_minor for row in rows}

    def add(self, user_id: str, currency: str, amount_minor: int) -> bool:
        """See Wallets.add. One conditional statement: races cannot overdraw."""
        if self._add(user_id, currency, amount_minor):
            return True
        if amount_minor < 0:
            return False
        return self._open(user_id, currency, amount_minor) or self._add(
            user_id, currency, amount_minor
        )

    def _add(self, user_id: str, currency: str, amount_minor: int) -> bool:
        after = wallets.c.available_minor + amount_minor
        statement = (
            update(wallets)
            .where(wallets.c.user_id == user_id, wallets.c.currency == currency, after >= 0)
            .values(available_minor=after)
        )
        return self._connection.execute(statement).rowcount == 1

    def _open(self, user_id: str, currency: str, amount_minor: int) -> bool:
        values = {"user_id": user_id, "currency": currency, "available_minor": amount_minor}
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(wallets).values(**values))
        except IntegrityError:
            return False
        return True
