"""Logs chargers were asked for, in SQL; their content lies in files."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Row, delete, insert, select, update

from cloud.adapters.sql.tables import charger_log_files as files
from cloud.services.log_file_ports import LogFileView


class SqlLogFiles:
    """See LogFiles."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(
        self, charger_id: str, log: str, secret_hash: str, asked_at: datetime, expires_at: datetime
    ) -> LogFileView:
        """See LogFiles.add."""
        values = {
            "charger_id": charger_id,
            "log": log,
            "secret_hash": secret_hash,
            "asked_at": asked_at,
            "expires_at": expires_at,
        }
        made = self._connection.execute(insert(files).values(values)).inserted_primary_key
        if made is None:
            raise RuntimeError("the database named no key")
        found = self.get(made[0])
        if found is None:
            raise RuntimeError("what was just written is not there")
        return found

    def of_charger(self, charger_id: str, limit: int) -> list[LogFileView]:
        """See LogFiles.of_charger."""
        query = select(files).where(files.c.charger_id == charger_id)
        newest = query.order_by(files.c.id.desc()).limit(limit)
        return [_view(row) for row in self._connection.execute(newest)]

    def get(self, log_id: int) -> LogFileView | None:
        """See LogFiles.get."""
        row = self._connection.execute(select(files).where(files.c.id == log_id)).one_or_none()
        return None if row is None else _view(row)

    def by_secret(self, secret_hash: str) -> LogFileView | None:
        """See LogFiles.by_secret."""
        query = select(files).where(files.c.secret_hash == secret_hash)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _view(row)

    def receive(self, log_id: int, file_name: str, size_bytes: int, at: datetime) -> bool:
        """See LogFiles.receive."""
        statement = update(files).where(files.c.id == log_id, files.c.received_at.is_(None))
        values = {"file_name": file_name, "size_bytes": size_bytes, "received_at": at}
        return self._connection.execute(statement.values(values)).rowcount == 1

    def forget(self, before: datetime, limit: int) -> Sequence[int]:
        """See LogFiles.forget."""
        query = select(files.c.id).where(files.c.asked_at < before).limit(limit)
        old = list(self._connection.execute(query).scalars())
        if old:
            self._connection.execute(delete(files).where(files.c.id.in_(old)))
        return old


def _view(row: Row[tuple[object, ...]]) -> LogFileView:
    return LogFileView(
        log_id=row.id,
        charger_id=row.charger_id,
        log=row.log,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        received_at=row.received_at,
        file_name=row.file_name,
        size_bytes=row.size_bytes,
    )
