"""What meters signed, in SQL: each word once, however often a charger repeats it."""

import hashlib
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from cloud.adapters.sql.bulk import Upsert, stamp
from cloud.adapters.sql.tables import signed_readings
from cloud.services.session_views import SignedReadingView
from contracts.events import SignedReadingReported

_MAX_WORD: Final = 64
_COLUMNS: Final = (
    "session_id",
    "digest",
    "charger_id",
    "observed_at",
    "context",
    "data",
    "method",
    "encoding",
    "public_key",
)
_ADD: Final = Upsert(signed_readings, _COLUMNS, merge=("data",))


class SqlSignedReadings:
    """See SignedReadings."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, facts: Sequence[SignedReadingReported]) -> None:
        """See SignedReadings.add."""
        _ADD.run(self._connection, [_row(one) for one in facts])

    def of_session(self, session_id: str) -> list[SignedReadingView]:
        """See SignedReadings.of_session."""
        table = signed_readings.c
        query = select(signed_readings).where(table.session_id == session_id)
        ordered = query.order_by(table.observed_at, table.digest)
        return [_view(row) for row in self._connection.execute(ordered)]


def _row(fact: SignedReadingReported) -> tuple[Any, ...]:
    return (
        fact.session_id,
        hashlib.sha256(fact.data.encode()).hexdigest(),
        fact.charger_id,
        stamp(fact.observed_at),
        fact.context[:_MAX_WORD],
        fact.data,
        fact.method[:_MAX_WORD],
        fact.encoding[:_MAX_WORD],
        fact.public_key,
    )


def _view(row: Row[tuple[Any, ...]]) -> SignedReadingView:
    return SignedReadingView(
        at=row.observed_at,
        context=row.context,
        data=row.data,
        method=row.method,
        encoding=row.encoding,
        public_key=row.public_key,
    )
