"""What must be sent, in SQL."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select, update

from cloud.adapters.sql.bulk import Upsert, encode, stamp
from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import messages, stations, users
from cloud.domain.access import STAFF, Role
from cloud.domain.notices import Channel
from cloud.services.fact_ports import Message

_MESSAGE: Final = Reader(messages, Message)
_COLUMNS: Final = (
    "id",
    "idempotency_key",
    "channel",
    "recipient",
    "subject",
    "body",
    "user_id",
    "kind",
    "data",
    "created_at",
    "next_attempt_at",
    "attempts",
    "last_error",
)
_ADD: Final = Upsert(messages, _COLUMNS, update=("channel",))


class SqlMessages:
    """See Messages."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, messages_: Sequence[Message]) -> int:
        """See Messages.add."""
        keys = [one.idempotency_key for one in messages_]
        if not keys:
            return 0
        query = select(messages.c.idempotency_key).where(messages.c.idempotency_key.in_(keys))
        known = set(self._connection.execute(query).scalars())
        rows = [
            (
                one.id,
                one.idempotency_key,
                one.channel,
                one.recipient[:254],
                one.subject[:255],
                one.body,
                one.user_id,
                one.kind,
                None if one.data is None else encode(one.data),
                stamp(one.created_at),
                # nobody carries what lies in the inbox: it is there
                None
                if one.channel == Channel.APP
                else stamp(one.next_attempt_at or one.created_at),
                0,
                "",
            )
            for one in messages_
            if one.idempotency_key not in known
        ]
        _ADD.run(self._connection, rows)
        return len(rows)

    def claim(
        self,
        now: datetime,
        lease: timedelta,
        limit: int,
        *,
        only: str | None = None,
        but: str | None = None,
    ) -> list[Message]:
        """See Messages.claim."""
        query = (
            select(*_MESSAGE.columns)
            .where(messages.c.next_attempt_at <= now)
            .order_by(messages.c.next_attempt_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        if only is not None:
            query = query.where(messages.c.channel == only)
        if but is not None:
            query = query.where(messages.c.channel != but)
        due = _MESSAGE.all(self._connection.execute(query))
        return [one for one in due if self._take(one, now, lease)]

    def sent(self, message_id: str, at: datetime, note: str) -> None:
        """See Messages.sent."""
        self._update(message_id, sent_at=at, next_attempt_at=None, last_error=note[:500])

    def failed(self, message_id: str, error: str, next_attempt_at: datetime | None) -> None:
        """See Messages.failed."""
        self._update(message_id, next_attempt_at=next_attempt_at, last_error=error[:500])

    def page(self, limit: int, recipient: str | None = None) -> list[Message]:
        """See Messages.page."""
        order = (messages.c.created_at.desc(), messages.c.id.desc())
        query = select(*_MESSAGE.columns).order_by(*order).limit(limit)
        if recipient is not None:
            query = query.where(messages.c.recipient == recipient)
        return _MESSAGE.all(self._connection.execute(query))

    def forget(self, before: datetime, limit: int) -> int:
        """See Messages.forget."""
        is_old = messages.c.created_at < before
        query = select(messages.c.id).where(is_old, messages.c.next_attempt_at.is_(None))
        old = list(self._connection.execute(query.limit(limit)).scalars())
        if not old:
            return 0
        return self._connection.execute(delete(messages).where(messages.c.id.in_(old))).rowcount

    def alert_recipients(self, station_ids: Collection[str]) -> dict[str, set[str]]:
        """See Messages.alert_recipients."""
        is_staff = users.c.role == Role.MAINTENANCE
        query = select(users.c.email).where(is_staff, users.c.is_active.is_(True))
        staff = set(self._connection.execute(query).scalars())
        told: dict[str, set[str]] = defaultdict(set)
        for station_id in station_ids:
            told[station_id] |= staff
        owners = (
            select(stations.c.id, users.c.email)
            .join(users, users.c.id == stations.c.owner_id)
            .where(stations.c.id.in_(station_ids), users.c.is_active.is_(True))
        )
        for station_id, email in self._connection.execute(owners):
            told[station_id].add(email)
        return told

    def staff(self) -> set[str]:
        """See Messages.staff."""
        is_staff = users.c.role.in_(sorted(STAFF))
        query = select(users.c.email).where(is_staff, users.c.is_active.is_(True))
        return set(self._connection.execute(query).scalars())

    def _take(self, one: Message, now: datetime, lease: timedelta) -> bool:
        # counted: on a cluster the row lock alone keeps nobody out
        statement = update(messages).where(
            messages.c.id == one.id,
            messages.c.attempts == one.attempts,
            messages.c.next_attempt_at <= now,
        )
        values = {"attempts": one.attempts + 1, "next_attempt_at": now + lease}
        return self._connection.execute(statement.values(**values)).rowcount == 1

    def _update(self, message_id: str, **values: object) -> None:
        self._connection.execute(
            update(messages).where(messages.c.id == message_id).values(**values)
        )
