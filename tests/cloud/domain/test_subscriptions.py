"""Months of a subscription: when they are charged, until when they are paid, and how it ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.subscriptions import (
    CHARGE_AGAIN_AFTER,
    RENEW_BEFORE,
    Due,
    Subscription,
    SubscriptionState,
    canceled,
    due,
    ended,
    look_again_at,
    months_after,
    paid,
    refused,
)
from tests.cloud.builders import NOON


def a_subscription(**more) -> Subscription:
    known = {"id": "m-1", "user_id": "u-1", "plan_id": "plan", "method": "card"}
    return Subscription(**(known | {"started_at": NOON} | more))


ACTIVE = paid(a_subscription())


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ((2026, 1, 31), 1, (2026, 2, 28)),
        ((2026, 1, 31), 2, (2026, 3, 31)),
        ((2028, 1, 31), 1, (2028, 2, 29)),
        ((2026, 11, 15), 2, (2027, 1, 15)),
        ((2026, 12, 31), 12, (2027, 12, 31)),
    ],
)
def test_a_month_later_is_the_same_day_or_the_months_last(start, months, end):
    at = datetime(*start, 9, 30, tzinfo=UTC)

    assert months_after(at, months) == datetime(*end, 9, 30, tzinfo=UTC)


@given(st.integers(0, 36_000), st.integers(0, 200))
def test_months_never_shrink_and_never_drift(days, months):
    start = NOON + timedelta(days=days)

    assert months_after(start, months + 1) > months_after(start, months)
    assert months_after(start, months + 1).day in {start.day, 28, 29, 30}


def test_the_first_month_makes_it_count_and_each_more_lengthens_it():
    second = paid(ACTIVE)

    assert (ACTIVE.state, ACTIVE.paid_until) == (SubscriptionState.ACTIVE, months_after(NOON, 1))
    assert second.paid_until == months_after(NOON, 2)
    assert ACTIVE.is_running


def test_a_first_month_that_is_declined_makes_it_nothing():
    after = refused(a_subscription())

    assert after.state is SubscriptionState.DECLINED
    assert not after.is_running
    assert look_again_at(after, NOON) is None


def test_a_month_is_charged_a_day_before_the_last_one_ends():
    at = look_again_at(ACTIVE, NOON)

    assert at == ACTIVE.paid_until - RENEW_BEFORE
    assert due(ACTIVE, at) is Due.CHARGE
    assert due(ACTIVE, at - timedelta(seconds=1)) is Due.WAIT


def test_declined_renewals_are_tried_again_and_then_it_is_unpaid():
    subscription, pauses = ACTIVE, []
    while subscription.state is SubscriptionState.ACTIVE:
        subscription = refused(subscription)
        at = look_again_at(subscription, NOON)
        pauses.append(None if at is None else at - NOON)

    assert pauses == [*CHARGE_AGAIN_AFTER, None]
    assert subscription.state is SubscriptionState.UNPAID
    assert paid(refused(ACTIVE)).failures == 0


def test_a_canceled_one_lasts_to_its_end_and_is_not_charged_again():
    going = canceled(ACTIVE, NOON)

    assert canceled(going, NOON + timedelta(days=1)) == going
    assert look_again_at(going, NOON) == going.paid_until
    assert due(going, going.paid_until - timedelta(seconds=1)) is Due.WAIT
    assert due(going, going.paid_until) is Due.END
    assert not ended(going).is_running


def test_one_that_is_not_paid_for_yet_waits_for_the_bank():
    pending = a_subscription()

    assert due(pending, NOON + timedelta(days=400)) is Due.WAIT
    assert look_again_at(pending, NOON) is None
    assert look_again_at(replace(ACTIVE, paid_until=None), NOON) is None
