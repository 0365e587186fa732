"""Requests that were carried out, in SQL."""

from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import idempotency
from cloud.services.admin_ports import KeptAnswer

_DONE: Final = 200


class SqlIdempotency:
    """See Idempotency."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def claim(self, user_id: str, key_hash: str, request_hash: str, now: datetime) -> bool:
        """See Idempotency.claim. A second claim waits in the database for the first to end."""
        claimed = insert(idempotency).values(
            user_id=user_id, key=key_hash, request_hash=request_hash, created_at=now
        )
        try:
            with self._connection.begin_nested():
                self._connection.execute(claimed)
        except IntegrityError:
            return False
        return True

    def kept(self, user_id: str, key_hash: str) -> KeptAnswer | None:
        """See Idempotency.kept."""
        query = select(idempotency.c.request_hash, idempotency.c.body).where(
            idempotency.c.user_id == user_id,
            idempotency.c.key == key_hash,
            idempotency.c.status == _DONE,
        )
        row = self._connection.execute(query).one_or_none()
        return None if row is None else KeptAnswer(request_hash=row.request_hash, body=row.body)

    def keep(self, user_id: str, key_hash: str, body: str) -> None:
        """See Idempotency.keep."""
        self._connection.execute(
            update(idempotency)
            .where(idempotency.c.user_id == user_id, idempotency.c.key == key_hash)
            .values(status=_DONE, body=body)
        )

    def forget(self, before: datetime) -> int:
        """See Idempotency.forget."""
        statement = delete(idempotency).where(idempotency.c.created_at < before)
        return self._connection.execute(statement).rowcount
