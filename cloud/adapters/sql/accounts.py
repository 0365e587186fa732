"""Users in SQL."""

from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import users
from cloud.domain.access import Role
from cloud.domain.errors import AlreadyExists
from cloud.services.admin_ports import Account


class SqlAccounts:
    """See Accounts."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def by_id(self, user_id: str) -> Account | None:
        """See Accounts.by_id."""
        return self._one(select(users).where(users.c.id == user_id))

    def by_email(self, email: str) -> Account | None:
        """See Accounts.by_email."""
        return self._one(select(users).where(users.c.email == email))

    def page(self, limit: int, after_email: str) -> list[Account]:
        """See Accounts.page."""
        query = select(users).where(users.c.email > after_email)
        rows = self._connection.execute(query.order_by(users.c.email).limit(limit))
        return [_account(row) for row in rows]

    def add(self, account: Account) -> None:
        """See Accounts.add."""
        try:
            self._connection.execute(insert(users).values(**_columns(account)))
        except IntegrityError as error:
            raise AlreadyExists(account.email) from error

    def change(self, account: Account) -> None:
        """See Accounts.change."""
        statement = update(users).where(users.c.id == account.user_id).values(**_columns(account))
        try:
            self._connection.execute(statement)
        except IntegrityError as error:
            raise AlreadyExists(account.email) from error

    def count_active(self, role: Role) -> int:
        """See Accounts.count_active. Locks the rows, in one order."""
        query = select(users.c.id).where(users.c.role == role, users.c.is_active)
        return len(self._connection.execute(query.order_by(users.c.id).with_for_update()).all())

    def _one(self, query: Any) -> Account | None:
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _account(row)


def _columns(account: Account) -> dict[str, Any]:
    return {
        "id": account.user_id,
        "email": account.email,
        "name": account.name,
        "password_hash": account.password_hash,
        "role": account.role,
        "is_active": account.is_active,
        "created_at": account.created_at,
    }


def _account(row: Row[*tuple[Any, ...]]) -> Account:
    return Account(
        user_id=row.id,
        email=row.email,
        name=row.name,
        role=Role(row.role),
        is_active=row.is_active,
        created_at=row.created_at,
        password_hash=row.password_hash,
    )
