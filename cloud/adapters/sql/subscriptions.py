"""Subscription plans and subscriptions, in SQL. The unique `active_user_id` lets a user have one."""

from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import subscription_plans as plans
from cloud.adapters.sql.tables import subscriptions
from cloud.domain.subscriptions import (
    GRACE,
    Subscription,
    SubscriptionPlan,
    SubscriptionState,
)
from cloud.services.ports import TransactionLost

_PLAN: Final = Reader(plans, SubscriptionPlan)
_SUBSCRIPTION: Final = Reader(subscriptions, Subscription, state=SubscriptionState)
_PLAN_NAMES: Final = tuple(one.name for one in fields(SubscriptionPlan))
_NAMES: Final = tuple(one.name for one in fields(Subscription))


class SqlSubscriptions:
    """See Subscriptions."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_plan(self, plan: SubscriptionPlan) -> None:
        """See Subscriptions.add_plan."""
        values = {name: getattr(plan, name) for name in _PLAN_NAMES}
        self._connection.execute(insert(plans).values(**values))

    def plan(self, plan_id: str) -> SubscriptionPlan | None:
        """See Subscriptions.plan."""
        query = select(*_PLAN.columns).where(plans.c.id == plan_id)
        return _PLAN.one(self._connection.execute(query).one_or_none())

    def plans(self, *, is_offered: bool | None = None) -> list[SubscriptionPlan]:
        """See Subscriptions.plans."""
        query = select(*_PLAN.columns).order_by(plans.c.name, plans.c.id)
        if is_offered is not None:
            query = query.where(plans.c.is_offered == is_offered)
        return _PLAN.all(self._connection.execute(query))

    def offer_plan(self, plan_id: str, *, is_offered: bool) -> None:
        """See Subscriptions.offer_plan."""
        statement = update(plans).where(plans.c.id == plan_id)
        self._connection.execute(statement.values(is_offered=is_offered))

    def add(self, subscription: Subscription) -> bool:
        """See Subscriptions.add."""
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(subscriptions).values(**_row(subscription)))
        except IntegrityError:
            return False
        return True

    def get(self, subscription_id: str) -> Subscription | None:
        """See Subscriptions.get."""
        query = select(*_SUBSCRIPTION.columns).where(subscriptions.c.id == subscription_id)
        return _SUBSCRIPTION.one(self._connection.execute(query).one_or_none())

    def of_user(self, user_id: str) -> list[Subscription]:
        """See Subscriptions.of_user."""
        query = (
            select(*_SUBSCRIPTION.columns)
            .where(subscriptions.c.user_id == user_id)
            .order_by(subscriptions.c.started_at.desc(), subscriptions.c.id)
        )
        return _SUBSCRIPTION.all(self._connection.execute(query))

    def put(self, subscription: Subscription) -> None:
        """See Subscriptions.put."""
        values = _row(subscription) | {"row_version": subscription.row_version + 1}
        statement = update(subscriptions).where(
            subscriptions.c.id == subscription.id,
            subscriptions.c.row_version == subscription.row_version,
        )
        if self._connection.execute(statement.values(**values)).rowcount != 1:
            raise TransactionLost(f"subscription {subscription.id} was changed meanwhile")

    def discounts_of(self, user_id: str, now: datetime) -> dict[str, int]:
        """See Subscriptions.discounts_of."""
        query = (
            select(plans.c.discounts)
            .join(subscriptions, subscriptions.c.plan_id == plans.c.id)
            .where(
                subscriptions.c.active_user_id == user_id,
                subscriptions.c.state == SubscriptionState.ACTIVE,
                subscriptions.c.paid_until > now - GRACE,
            )
        )
        found = self._connection.execute(query).scalar_one_or_none()
        return dict(found or {})


def _row(subscription: Subscription) -> dict[str, Any]:
    values = {name: getattr(subscription, name) for name in _NAMES}
    return values | {"active_user_id": subscription.user_id if subscription.is_running else None}
