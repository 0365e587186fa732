"""Subscriptions: a monthly fee that lowers prices; when it is charged, and when it ends."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

RENEW_BEFORE: Final = timedelta(days=1)
"""The next month is charged so long before the last one is over."""
CHARGE_AGAIN_AFTER: Final = (timedelta(days=1), timedelta(days=2), timedelta(days=3))
"""After each declined renewal; after the last of them the subscription is unpaid."""
GRACE: Final = timedelta(days=7)
"""Discounts last so much longer while a renewal is under way."""

COMPONENTS: Final = frozenset({"ENERGY", "TIME", "PARKING_TIME", "FLAT"})
"""What a plan can lower (OCPI TariffDimensionType)."""


class SubscriptionState(StrEnum):
    """How a subscription stands."""

    PENDING = "pending"
    """The first month is being paid for."""
    ACTIVE = "active"
    DECLINED = "declined"
    """The first month was not paid for."""
    CANCELED = "canceled"
    UNPAID = "unpaid"


RUNNING: Final = frozenset({SubscriptionState.PENDING, SubscriptionState.ACTIVE})
"""A user has at most one of these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionPlan:
    """What can be subscribed to."""

    id: str
    name: str
    currency: str
    monthly_minor: int
    discounts: Mapping[str, int]
    """Percent off, by tariff component: `{"ENERGY": 10}`."""
    is_offered: bool = True
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Somebody's plan, and until when it is paid for."""

    id: str
    user_id: str
    plan_id: str
    method: str
    """`card` or `wallet`."""
    method_id: str | None = None
    state: SubscriptionState = SubscriptionState.PENDING
    started_at: datetime
    months: int = 0
    """Paid for so far."""
    failures: int = 0
    """Renewals declined in a row."""
    paid_until: datetime | None = None
    canceled_at: datetime | None = None
    """It ends with the month that is paid for."""
    row_version: int = 0

    @property
    def is_running(self) -> bool:
        """Whether it counts, or will once it is paid for."""
        return self.state in RUNNING


class Due(StrEnum):
    """What time asks of a subscription."""

    CHARGE = "charge"
    END = "end"
    WAIT = "wait"


def months_after(start: datetime, months: int) -> datetime:
    """Return the same day so many months later, or the month's last day where it has no such day."""
    index = start.year * 12 + start.month - 1 + months
    year, month = divmod(index, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return start.replace(year=year, month=month + 1, day=min(start.day, last))


def paid(subscription: Subscription) -> Subscription:
    """Return the subscription with another month paid for."""
    months = subscription.months + 1
    return replace(
        subscription,
        state=SubscriptionState.ACTIVE,
        months=months,
        failures=0,
        paid_until=months_after(subscription.started_at, months),
    )


def refused(subscription: Subscription) -> Subscription:
    """Return the subscription after a month's fee was declined."""
    if subscription.state is SubscriptionState.PENDING:
        return replace(subscription, state=SubscriptionState.DECLINED)
    failures = subscription.failures + 1
    is_lost = failures > len(CHARGE_AGAIN_AFTER)
    state = SubscriptionState.UNPAID if is_lost else subscription.state
    return replace(subscription, state=state, failures=failures)


def canceled(subscription: Subscription, now: datetime) -> Subscription:
    """Return the subscription that ends with the month paid for; canceled twice is canceled once."""
    return replace(subscription, canceled_at=subscription.canceled_at or now)


def ended(subscription: Subscription) -> Subscription:
    """Return the subscription once its last month is over."""
    return replace(subscription, state=SubscriptionState.CANCELED)


def due(subscription: Subscription, now: datetime) -> Due:
    """Return what is to be done now."""
    until = subscription.paid_until
    if subscription.state is not SubscriptionState.ACTIVE or until is None:
        return Due.WAIT
    if subscription.canceled_at is not None:
        return Due.END if now >= until else Due.WAIT
    return Due.CHARGE if now >= until - RENEW_BEFORE else Due.WAIT


def look_again_at(subscription: Subscription, now: datetime) -> datetime | None:
    """Return when to ask `due` next, seen from now; None: it is over, or a first answer is awaited."""
    until = subscription.paid_until
    if subscription.state is not SubscriptionState.ACTIVE or until is None:
        return None
    if subscription.canceled_at is not None:
        return until
    if subscription.failures:
        return now + CHARGE_AGAIN_AFTER[subscription.failures - 1]
    return until - RENEW_BEFORE
