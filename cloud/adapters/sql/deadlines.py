"""What must happen at a time, in SQL."""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select

from cloud.adapters.sql.bulk import Upsert, stamp
from cloud.adapters.sql.tables import deadlines
from cloud.services.fact_ports import Deadline

_SET: Final = Upsert(deadlines, ("kind", "subject", "due_at", "attempts"), update=("due_at",))


class SqlDeadlines:
    """See Deadlines."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def set(self, deadlines: Iterable[Deadline]) -> None:
        """See Deadlines.set."""
        rows = [(one.kind, one.subject, stamp(one.due_at), 0) for one in deadlines]
        _SET.run(self._connection, sorted(rows))

    def due(self, now: datetime, limit: int) -> list[Deadline]:
        """See Deadlines.due. The lock only spreads the work; `finish` is what counts."""
        query = (
            select(deadlines.c.kind, deadlines.c.subject, deadlines.c.due_at)
            .where(deadlines.c.due_at <= now)
            .order_by(deadlines.c.due_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [Deadline(*row) for row in self._connection.execute(query)]

    def next_due_at(self) -> datetime | None:
        """See Deadlines.next_due_at."""
        query = select(deadlines.c.due_at).order_by(deadlines.c.due_at).limit(1)
        return self._connection.execute(query).scalar()

    def finish(self, deadlines_: Iterable[Deadline]) -> None:
        """See Deadlines.finish."""
        for one in deadlines_:
            self._connection.execute(
                delete(deadlines).where(
                    deadlines.c.kind == one.kind,
                    deadlines.c.subject == one.subject,
                    deadlines.c.due_at == one.due_at,
                )
            )
