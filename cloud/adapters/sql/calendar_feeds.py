"""Secret addresses of calendars, in SQL."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from cloud.adapters.sql.tables import calendar_feeds, users
from cloud.services.notice_ports import CalendarFeed

_OPEN: Final = (
    select(calendar_feeds)
    .join(users, users.c.id == calendar_feeds.c.user_id)
    .where(calendar_feeds.c.revoked_at.is_(None), users.c.is_active.is_(True))
)


class SqlCalendarFeeds:
    """See CalendarFeeds. The feeds of an account that is not active are closed as well."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, feed: CalendarFeed) -> None:
        """See CalendarFeeds.add."""
        self._connection.execute(
            insert(calendar_feeds).values(
                id=feed.id,
                user_id=feed.user_id,
                secret_hash=feed.secret_hash,
                created_at=feed.created_at,
            )
        )

    def by_secret(self, secret_hash: str) -> CalendarFeed | None:
        """See CalendarFeeds.by_secret."""
        query = _OPEN.where(calendar_feeds.c.secret_hash == secret_hash)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _feed(row)

    def of_user(self, user_id: str) -> list[CalendarFeed]:
        """See CalendarFeeds.of_user."""
        query = _OPEN.where(calendar_feeds.c.user_id == user_id)
        order = (calendar_feeds.c.created_at, calendar_feeds.c.id)
        return [_feed(row) for row in self._connection.execute(query.order_by(*order))]

    def revoke(self, user_id: str, feed_id: str, at: datetime) -> bool:
        """See CalendarFeeds.revoke."""
        statement = update(calendar_feeds).where(
            calendar_feeds.c.id == feed_id,
            calendar_feeds.c.user_id == user_id,
            calendar_feeds.c.revoked_at.is_(None),
        )
        return self._connection.execute(statement.values(revoked_at=at)).rowcount == 1


def _feed(row: Row[*tuple[Any, ...]]) -> CalendarFeed:
    return CalendarFeed(
        id=row.id, user_id=row.user_id, secret_hash=row.secret_hash, created_at=row.created_at
    )
