"""Facts as they came, and what could not be used, in SQL."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import uuid4

from sqlalchemy import Connection, delete, func, insert, select, tuple_

from cloud.adapters.sql.bulk import Upsert, stamp
from cloud.adapters.sql.tables import event_log, quarantine
from cloud.services.fact_ports import Logged

_ADD: Final = Upsert(
    event_log,
    (
        "station_id",
        "epoch",
        "seq",
        "kind",
        "charger_id",
        "observed_at",
        "received_at",
        "body",
    ),
    update=("kind", "charger_id", "observed_at", "received_at", "body"),
)
_KEPT_BYTES: Final = 65_536


class SqlEventLog:
    """See EventLog."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, facts: Sequence[Logged]) -> None:
        """See EventLog.add."""
        rows = [
            (
                one.station_id,
                one.epoch,
                one.seq,
                one.kind,
                one.charger_id,
                stamp(one.observed_at),
                stamp(one.received_at),
                one.body,
            )
            for one in facts
        ]
        _ADD.run(self._connection, rows)

    def quarantine(
        self, station_id: str | None, topic: str, error: str, payload: bytes, received_at: datetime
    ) -> None:
        """See EventLog.quarantine."""
        values = {
            "id": uuid4().hex,
            "station_id": station_id,
            "topic": topic[:255],
            "error": error[:500],
            "payload": payload[:_KEPT_BYTES].decode(errors="replace"),
            "received_at": received_at,
        }
        self._connection.execute(insert(quarantine).values(**values))

    def quarantined(self) -> int:
        """See EventLog.quarantined."""
        return self._connection.execute(select(func.count()).select_from(quarantine)).scalar_one()

    def forget(self, before: datetime, limit: int) -> int:
        """See EventLog.forget."""
        keys = (event_log.c.station_id, event_log.c.epoch, event_log.c.seq)
        query = select(*keys).where(event_log.c.received_at < before).limit(limit)
        old = [tuple(row) for row in self._connection.execute(query)]
        if old:
            self._connection.execute(delete(event_log).where(tuple_(*keys).in_(old)))
        useless = select(quarantine.c.id).where(quarantine.c.received_at < before).limit(limit)
        ids = list(self._connection.execute(useless).scalars())
        if ids:
            self._connection.execute(delete(quarantine).where(quarantine.c.id.in_(ids)))
        return len(old) + len(ids)
