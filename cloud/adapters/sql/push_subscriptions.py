"""Browsers that want to be told, in SQL."""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.tables import push_subscriptions
from cloud.services.notice_ports import PushSubscription
from cloud.services.ports import TransactionLost

_LIVE: Final = select(
    push_subscriptions.c.id,
    push_subscriptions.c.user_id,
    push_subscriptions.c.subscription,
    push_subscriptions.c.created_at,
).where(push_subscriptions.c.gone_at.is_(None))


class SqlPushSubscriptions:
    """See PushSubscriptions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, subscription: PushSubscription) -> PushSubscription:
        """See PushSubscriptions.put. Addresses are long: what is unique is their hash."""
        hashed = hashlib.sha256(subscription.endpoint.encode()).hexdigest()
        is_known = push_subscriptions.c.endpoint_hash == hashed
        values = {
            "user_id": subscription.user_id,
            "subscription": {
                "endpoint": subscription.endpoint,
                "p256dh": subscription.p256dh,
                "auth": subscription.auth,
            },
            "gone_at": None,
        }
        query = select(push_subscriptions.c.id).where(is_known)
        known = self._connection.execute(query).scalar_one_or_none()
        if known is not None:
            self._connection.execute(update(push_subscriptions).where(is_known).values(**values))
            return replace(subscription, id=known)
        statement = insert(push_subscriptions).values(
            id=subscription.id,
            endpoint_hash=hashed,
            created_at=subscription.created_at,
            **values,
        )
        try:
            self._connection.execute(statement)
        except IntegrityError as error:
            raise TransactionLost("the same browser was faster") from error
        return subscription

    def get(self, subscription_id: str) -> PushSubscription | None:
        """See PushSubscriptions.get."""
        query = _LIVE.where(push_subscriptions.c.id == subscription_id)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _subscription(row)

    def of_user(self, user_id: str) -> list[PushSubscription]:
        """See PushSubscriptions.of_user."""
        query = _LIVE.where(push_subscriptions.c.user_id == user_id)
        order = (push_subscriptions.c.created_at, push_subscriptions.c.id)
        return [_subscription(row) for row in self._connection.execute(query.order_by(*order))]

    def gone(self, subscription_id: str, at: datetime) -> None:
        """See PushSubscriptions.gone."""
        is_live = push_subscriptions.c.gone_at.is_(None)
        statement = update(push_subscriptions).where(
            push_subscriptions.c.id == subscription_id, is_live
        )
        self._connection.execute(statement.values(gone_at=at))


def _subscription(row: Row[*tuple[Any, ...]]) -> PushSubscription:
    return PushSubscription(
        id=row.id, user_id=row.user_id, created_at=row.created_at, **row.subscription
    )
