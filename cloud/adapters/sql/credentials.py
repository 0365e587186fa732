"""Logins in SQL."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from cloud.adapters.sql.tables import credentials, users
from cloud.domain.access import Role, Viewer
from cloud.services.admin_ports import Credential, CredentialKind, Login

_LOGINS: Final = (
    select(
        credentials.c.id,
        credentials.c.kind,
        credentials.c.expires_at,
        users.c.id.label("user_id"),
        users.c.role,
        users.c.email,
        users.c.name,
    )
    .join(users, users.c.id == credentials.c.user_id)
    .where(users.c.is_active, credentials.c.revoked_at.is_(None))
)


class SqlCredentials:
    """See Credentials."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, credential: Credential) -> None:
        """See Credentials.add."""
        self._connection.execute(
            insert(credentials).values(
                id=credential.credential_id,
                user_id=credential.user_id,
                kind=credential.kind,
                secret_hash=credential.secret_hash,
                label=credential.label,
                created_at=credential.created_at,
                expires_at=credential.expires_at,
            )
        )

    def login_by_secret(self, secret_hash: str, now: datetime) -> Login | None:
        """See Credentials.login_by_secret."""
        query = _LOGINS.where(credentials.c.secret_hash == secret_hash)
        row = self._connection.execute(query.where(credentials.c.expires_at > now)).one_or_none()
        return None if row is None else _login(row)

    def logins(self, credential_ids: Collection[str], now: datetime) -> dict[str, Login]:
        """See Credentials.logins."""
        query = _LOGINS.where(credentials.c.id.in_(credential_ids), credentials.c.expires_at > now)
        return {row.id: _login(row) for row in self._connection.execute(query)}

    def revoke(self, credential_id: str, now: datetime) -> None:
        """See Credentials.revoke."""
        self._revoke(credentials.c.id == credential_id, now)

    def revoke_all(self, user_id: str, now: datetime) -> None:
        """See Credentials.revoke_all."""
        self._revoke(credentials.c.user_id == user_id, now)

    def forget(self, before: datetime) -> int:
        """See Credentials.forget."""
        is_old = or_(credentials.c.expires_at < before, credentials.c.revoked_at < before)
        return self._connection.execute(delete(credentials).where(is_old)).rowcount

    def _revoke(self, which: Any, now: datetime) -> None:
        statement = update(credentials).where(which, credentials.c.revoked_at.is_(None))
        self._connection.execute(statement.values(revoked_at=now))


def _login(row: Row[*tuple[Any, ...]]) -> Login:
    return Login(
        credential_id=row.id,
        kind=CredentialKind(row.kind),
        viewer=Viewer(row.user_id, Role(row.role)),
        email=row.email,
        name=row.name,
        expires_at=row.expires_at,
    )
