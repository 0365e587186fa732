"""Telemetry on its way out, in SQL."""

from collections.abc import Collection

from sqlalchemy import Connection, delete, insert, select

from cloud.adapters.sql.tables import telemetry_outbox as outbox
from cloud.services.fact_ports import TelemetryChunk


class SqlTelemetryOutbox:
    """See TelemetryOutbox."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, lines: str) -> None:
        """See TelemetryOutbox.add."""
        self._connection.execute(insert(outbox).values(lines=lines))

    def next(self, limit: int) -> list[TelemetryChunk]:
        """See TelemetryOutbox.next."""
        query = select(outbox.c.seq, outbox.c.lines).order_by(outbox.c.seq).limit(limit)
        return [TelemetryChunk(*row) for row in self._connection.execute(query)]

    def forget(self, seqs: Collection[int]) -> None:
        """See TelemetryOutbox.forget."""
        if seqs:
            self._connection.execute(delete(outbox).where(outbox.c.seq.in_(seqs)))
