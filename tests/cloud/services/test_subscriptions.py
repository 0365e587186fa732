"""Subscriptions are paid month by month, lower prices while they run, and end as they were asked to."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.adapters.payments.sandbox import Faults
from cloud.adapters.sql import tables
from cloud.domain.errors import AlreadyExists, NotAllowed, NotFound, NotValid, PaymentDeclined
from cloud.domain.payments import Method, PaymentStatus, Purpose
from cloud.domain.subscriptions import CHARGE_AGAIN_AFTER, GRACE, RENEW_BEFORE, months_after
from cloud.services.deadlines import DeadlineService
from cloud.services.payments import PayBy
from cloud.services.ports import TransactionLost
from cloud.services.subscriptions import NewPlan
from cloud.services.wallets import TopUp
from tests.cloud.builders import NOON
from tests.cloud.services.money import ADMIN, VIEWER, a_money
from tests.cloud.services.rig import DRIVER

CARD, WALLET = PayBy(method=Method.CARD), PayBy(method=Method.WALLET)


@pytest.fixture
def money(rig, tmp_path):
    made = a_money(rig, tmp_path)
    made.deadlines = DeadlineService(
        made.open_work, made.clock, rig.settling, rig.publisher, NOON, made.subscriptions
    )
    return made


@pytest.fixture
def plan(money):
    return a_plan(money)


def a_plan(money, **more):
    known = {"name": "Commuter", "currency": "GBP", "monthly_minor": 999}
    asked = NewPlan(**(known | {"discounts": {"ENERGY": 10}} | more))
    return money.subscriptions.add_plan(ADMIN, asked)


def subscribe(money, plan, by=CARD):
    made = money.subscriptions.subscribe(VIEWER, plan.plan_id, by)
    money.cashier.pay_now(made.payment_id)
    return made


def pass_until(money, at):
    """Let time pass hour by hour, with clock and cashier at work."""
    while money.clock.now() < at:
        money.clock.at = min(at, money.clock.now() + timedelta(hours=6))
        money.deadlines.do_due()
        money.work_off(2)


def discounts(money):
    with money.open_work(is_read_only=True) as work:
        return work.subscriptions.discounts_of(DRIVER, money.clock.now())


def mine(money):
    return money.subscriptions.mine(VIEWER).subscriptions


def test_a_subscription_counts_once_its_first_month_is_paid(money, plan):
    made = money.subscriptions.subscribe(VIEWER, plan.plan_id, CARD)
    before = discounts(money)
    money.cashier.pay_now(made.payment_id)
    view = money.subscriptions.get(VIEWER, made.subscription_id)

    assert before == {}
    assert discounts(money) == {"ENERGY": 10}
    assert (view.state, view.paid_until) == ("active", months_after(NOON, 1))
    assert money.balances() == {
        "gateway/sandbox": 999,
        f"subscription/{plan.plan_id}": -999,
    }
    money.check()


def test_one_whose_first_month_is_declined_is_nothing_and_may_be_tried_again(money, plan):
    made = subscribe(
        money, plan, PayBy(method=Method.CARD, method_id=money.save_card("card_declined"))
    )
    with pytest.raises(PaymentDeclined):
        money.payments.outcome(VIEWER, made.payment_id)
    declined = mine(money)[0].state
    again = subscribe(money, plan, PayBy(method=Method.CARD, method_id=money.save_card("card_ok")))

    assert declined == "declined"
    assert money.subscriptions.get(VIEWER, again.subscription_id).state == "active"


def test_a_user_has_one_subscription_at_a_time(money, plan):
    def try_it(_):
        for _ in range(50):
            try:
                return money.subscriptions.subscribe(VIEWER, plan.plan_id, CARD)
            except TransactionLost:
                continue
            except AlreadyExists:
                return None
        raise AssertionError("it never got through")

    with ThreadPoolExecutor(8) as pool:
        made = [one for one in pool.map(try_it, range(8)) if one]

    assert len(made) == 1
    assert len(mine(money)) == 1


def test_it_renews_a_day_before_each_month_ends_for_a_year(money, plan):
    subscribe(money, plan)
    pass_until(money, months_after(NOON, 1) - RENEW_BEFORE - timedelta(hours=7))
    first = money.bank.holdings()
    pass_until(money, months_after(NOON, 12) - timedelta(days=2))

    (subscription,) = mine(money)
    assert len(first) == 1
    assert len(money.bank.holdings()) == 12
    assert subscription.paid_until == months_after(NOON, 12)
    assert discounts(money) == {"ENERGY": 10}
    assert money.telling.kinds.count("subscription_renewed") == 12
    money.check()


def test_a_wallet_renews_too(money, plan):
    started = money.wallets.top_up(VIEWER, TopUp(amount_minor=2_500, currency="GBP"))
    money.cashier.pay_now(started.payment_id)
    subscribe(money, plan, WALLET)
    pass_until(money, months_after(NOON, 2) - timedelta(days=2))

    assert mine(money)[0].paid_until == months_after(NOON, 2)
    assert money.balances()[f"subscription/{plan.plan_id}"] == -2 * 999
    money.check()


def test_declined_renewals_are_tried_again_and_then_it_is_unpaid(money, plan):
    made = subscribe(money, plan)
    money.gateway.faults = Faults(declined=1)
    pass_until(money, months_after(NOON, 1))
    failing = (mine(money)[0].state, discounts(money))
    pass_until(money, money.clock.now() + sum(CHARGE_AGAIN_AFTER, timedelta()))
    unpaid = money.subscriptions.get(VIEWER, made.subscription_id)
    steps = len(money.steps())
    pass_until(money, money.clock.now() + timedelta(days=40))

    assert failing == ("active", {"ENERGY": 10})
    assert unpaid.state == "unpaid"
    assert discounts(money) == {}
    assert steps == len(money.steps()) == 1 + 1 + len(CHARGE_AGAIN_AFTER)
    assert money.telling.kinds.count("subscription_unpaid") == 1
    money.check()


def test_a_renewal_that_comes_through_at_the_second_try_goes_on(money, plan):
    subscribe(money, plan)
    money.gateway.faults = Faults(declined=1)
    pass_until(money, months_after(NOON, 1) - RENEW_BEFORE + timedelta(hours=12))
    money.gateway.faults = Faults()
    pass_until(money, months_after(NOON, 2) - timedelta(days=2))

    (subscription,) = mine(money)
    assert (subscription.state, subscription.paid_until) == ("active", months_after(NOON, 2))


def test_canceled_it_lasts_to_the_end_of_the_month_and_is_charged_no_more(money, plan):
    made = subscribe(money, plan)
    money.clock.pass_by(timedelta(days=3))
    going = money.subscriptions.cancel(VIEWER, made.subscription_id)
    again = money.subscriptions.cancel(VIEWER, made.subscription_id)
    pass_until(money, months_after(NOON, 1) - timedelta(hours=1))
    last = (mine(money)[0].state, discounts(money))
    pass_until(money, months_after(NOON, 1) + timedelta(hours=1))

    assert going.is_ending
    assert going == again
    assert last == ("active", {"ENERGY": 10})
    assert mine(money)[0].state == "canceled"
    assert discounts(money) == {}
    assert len(money.bank.holdings()) == 1
    subscribe(money, plan)


def given_back(money, plan):
    """Have a month paid that had ended; returns the payment, its refund done."""
    made = subscribe(money, plan)
    card = money.save_card("card_always_times_out")
    money.rig.execute(f"UPDATE subscriptions SET method_id = '{card}'")
    pass_until(money, months_after(NOON, 1) - timedelta(hours=12))
    money.subscriptions.cancel(VIEWER, made.subscription_id)
    pass_until(money, months_after(NOON, 1) + timedelta(hours=1))
    ended = mine(money)[0].state
    for webhook in money.webhooks():
        money.hear(webhook)
    money.work_off()
    for webhook in money.webhooks():
        money.hear(webhook)
    (late,) = money.payments_of(f"{made.subscription_id}/2", Purpose.SUBSCRIPTION)
    return ended, late


def test_a_month_paid_after_it_ended_is_given_back(money, plan):
    ended, late = given_back(money, plan)

    assert ended == "canceled"
    assert mine(money)[0].state == "canceled"
    assert (late.status, late.refunded_minor) == (PaymentStatus.CAPTURED, 999)
    money.check()


def mails(money):
    return [one for one in money.rig.rows(tables.messages) if one.channel == "mail"]


def test_a_refund_of_a_month_that_a_bank_sends_back_is_written_to_staff_once(money, plan):
    money.cashier = replace(money.cashier, always_told=("ops@bays.example",))
    _, late = given_back(money, plan)
    money.rig.execute("DELETE FROM messages")
    (refund,) = [one for one in money.steps() if one.kind == "refund"]
    money.bank.send_back(refund.id)
    for webhook in money.webhooks() * 3:
        money.hear(webhook)

    assert money.payment(late.id).refunded_minor == 0
    assert {one.recipient for one in mails(money)} == {
        *("admin@bays.example", "u-maint@bays.example", "ops@bays.example"),
    }
    assert len(mails(money)) == 3
    mail = mails(money)[0]
    assert mail.subject == f"Payment stuck: refund for subscription {late.subject}"
    assert all(one in mail.body for one in ("9.99", DRIVER, late.id, "by hand"))
    assert money.telling.kinds.count("refund_returned") == 1
    assert money.rig.open_alerts() == []
    money.check()


def test_discounts_outlast_a_renewal_under_way_but_not_for_ever(money, plan):
    subscribe(money, plan)
    money.clock.at = months_after(NOON, 1) + GRACE - timedelta(seconds=1)
    within = discounts(money)
    money.clock.pass_by(timedelta(seconds=1))

    assert within == {"ENERGY": 10}
    assert discounts(money) == {}


def test_a_card_a_subscription_is_paid_with_stays(money, plan):
    subscribe(money, plan)
    (card,) = money.methods.list(VIEWER).methods

    with pytest.raises(NotValid):
        money.methods.remove(VIEWER, card.method_id)


@pytest.mark.parametrize(
    "wrong", [{"discounts": {"WEATHER": 10}}, {"discounts": {"ENERGY": 101}}, {"monthly_minor": 0}]
)
def test_a_plan_that_cannot_be_is_refused(money, wrong):
    with pytest.raises(NotValid):
        a_plan(money, **wrong)


def test_plans_are_administrators_to_make_and_to_withdraw(money, plan):
    asked = NewPlan(name="Mine", currency="GBP", monthly_minor=1, discounts={})
    with pytest.raises(NotAllowed):
        money.subscriptions.add_plan(VIEWER, asked)
    with pytest.raises(NotAllowed):
        money.subscriptions.offer_plan(VIEWER, plan.plan_id, is_offered=False)
    with pytest.raises(NotFound):
        money.subscriptions.offer_plan(ADMIN, "nothing", is_offered=False)
    subscribe(money, plan)
    money.subscriptions.offer_plan(ADMIN, plan.plan_id, is_offered=False)

    assert money.subscriptions.plans(VIEWER).plans == []
    assert len(money.subscriptions.plans(ADMIN).plans) == 1
    assert discounts(money) == {"ENERGY": 10}
    with pytest.raises(NotFound):
        money.subscriptions.subscribe(ADMIN, plan.plan_id, CARD)


def test_subscriptions_are_their_owners_own(money, plan):
    made = subscribe(money, plan)

    with pytest.raises(NotFound):
        money.subscriptions.get(ADMIN, made.subscription_id)
    with pytest.raises(NotFound):
        money.subscriptions.cancel(ADMIN, made.subscription_id)
    with pytest.raises(NotFound):
        money.subscriptions.subscribe(VIEWER, "nothing", CARD)
    money.subscriptions.cancel(VIEWER, made.subscription_id)
    pass_until(money, months_after(NOON, 1) + timedelta(hours=1))
    with pytest.raises(NotValid):
        money.subscriptions.cancel(VIEWER, made.subscription_id)
