"""How users want to be told, and what they were told, in SQL."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, and_, func, or_, select, update

from cloud.adapters.sql.bulk import Upsert, encode, stamp
from cloud.adapters.sql.push_subscriptions import SqlPushSubscriptions
from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import bays, messages, notice_preferences, stations, users
from cloud.adapters.sql.webhook_endpoints import SqlWebhookEndpoints
from cloud.domain.notices import Channel, NoticeKind, Preferences
from cloud.services.fact_ports import Message
from cloud.services.notice_ports import Addressee, InboxPage

_MESSAGE: Final = Reader(messages, Message)
_PUT: Final = Upsert(
    notice_preferences, ("user_id", "body", "changed_at"), update=("body", "changed_at")
)
_PLACE: Final = ("name", "address", "city", "timezone")


class SqlNotices:
    """See Notices."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def addressee(self, user_id: str) -> Addressee | None:
        """See Notices.addressee."""
        is_theirs = notice_preferences.c.user_id == users.c.id
        query = (
            select(users.c.email, notice_preferences.c.body)
            .outerjoin(notice_preferences, is_theirs)
            .where(users.c.id == user_id, users.c.is_active.is_(True))
        )
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        pushes = SqlPushSubscriptions(self._connection).of_user(user_id)
        endpoints = SqlWebhookEndpoints(self._connection).of_user(user_id)
        return Addressee(
            user_id=user_id,
            email=row.email,
            preferences=_preferences(row.body),
            push_ids=tuple(one.id for one in pushes),
            endpoints=tuple(one for one in endpoints if one.disabled_at is None),
        )

    def preferences(self, user_id: str) -> Preferences:
        """See Notices.preferences."""
        query = select(notice_preferences.c.body).where(notice_preferences.c.user_id == user_id)
        return _preferences(self._connection.execute(query).scalar_one_or_none())

    def put_preferences(self, user_id: str, preferences: Preferences, at: datetime) -> None:
        """See Notices.put_preferences."""
        row = (user_id, encode(preferences), stamp(at))
        _PUT.run(self._connection, [row])

    def names(
        self, station_ids: Collection[str], bay_ids: Collection[str]
    ) -> tuple[dict[str, Mapping[str, str]], dict[str, str]]:
        """See Notices.names."""
        places: dict[str, Mapping[str, str]] = {}
        if station_ids:
            columns = [stations.c[name] for name in _PLACE]
            query = select(stations.c.id, *columns).where(stations.c.id.in_(station_ids))
            for station_id, *values in self._connection.execute(query):
                places[station_id] = dict(zip(_PLACE, values, strict=True))
        if not bay_ids:
            return places, {}
        named = select(bays.c.id, bays.c.name).where(bays.c.id.in_(bay_ids))
        return places, {row.id: row.name for row in self._connection.execute(named)}

    def inbox(self, page: InboxPage) -> list[Message]:
        """See Notices.inbox."""
        order = (messages.c.created_at.desc(), messages.c.id.desc())
        query = select(*_MESSAGE.columns).where(*_inbox_of(page.user_id))
        if page.is_unread is not None:
            unread = messages.c.read_at.is_(None)
            query = query.where(unread if page.is_unread else ~unread)
        if page.before is not None:
            at, message_id = page.before
            is_same = and_(messages.c.created_at == at, messages.c.id < message_id)
            query = query.where(or_(messages.c.created_at < at, is_same))
        rows = self._connection.execute(query.order_by(*order).limit(page.limit))
        return _MESSAGE.all(rows)

    def count_unread(self, user_id: str) -> int:
        """See Notices.count_unread."""
        query = select(func.count()).select_from(messages)
        query = query.where(*_inbox_of(user_id), messages.c.read_at.is_(None))
        return int(self._connection.execute(query).scalar_one())

    def mark_read(self, user_id: str, message_ids: Collection[str] | None, at: datetime) -> int:
        """See Notices.mark_read."""
        unread = [*_inbox_of(user_id), messages.c.read_at.is_(None)]
        if message_ids is not None:
            unread.append(messages.c.id.in_(message_ids))
        statement = update(messages).where(*unread).values(read_at=at)
        return self._connection.execute(statement).rowcount

    def has(self, user_id: str, message_id: str) -> bool:
        """See Notices.has."""
        query = select(messages.c.id).where(*_inbox_of(user_id), messages.c.id == message_id)
        return self._connection.execute(query).one_or_none() is not None


def _inbox_of(user_id: str) -> list[Any]:
    return [messages.c.user_id == user_id, messages.c.channel == Channel.APP]


def _preferences(body: dict[str, Any] | None) -> Preferences:
    """Read what was stored; what a newer version knows and this one does not is passed over."""
    if body is None:
        return Preferences()
    choices = {
        kind: {channel: is_on for channel, is_on in chosen.items() if channel in set(Channel)}
        for kind, chosen in body.get("choices", {}).items()
        if kind in set(NoticeKind)
    }
    return msgspec.convert(body | {"choices": choices}, Preferences)
