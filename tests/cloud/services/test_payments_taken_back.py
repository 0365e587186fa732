"""What a bank granted and takes back days later: refunds that return (FAULTS R07)."""

from datetime import timedelta
from itertools import permutations

import pytest

from cloud.adapters.payments.sandbox import Faults
from cloud.domain.payments import PaymentStatus
from tests.cloud.services.money import a_money
from tests.cloud.services.rig import DRIVER


@pytest.fixture
def money(rig, tmp_path):
    return a_money(rig, tmp_path)


def a_refund(money, due_minor=1_000, left_minor=400):
    """Return a reservation of which a part was given back, and the id of that step."""
    held = money.hold()
    money.pay(held)
    money.over(held.id, due_minor)
    money.until_quiet()
    money.settle_again(held.id, left_minor)
    money.until_quiet()
    (step,) = [one for one in money.steps() if one.kind == "refund"]
    return held, step.id


def test_r07_a_refund_that_comes_back_three_days_late_is_undone_and_everybody_is_told(money):
    held, step_id = a_refund(money)
    for webhook in money.webhooks():
        money.hear(webhook)
    money.clock.pass_by(timedelta(days=3))
    money.bank.send_back(step_id)
    told = money.webhooks()
    for webhook in told * 20:
        money.hear(webhook)
    (payment,) = money.payments_of(held.id)

    assert (payment.status, payment.refunded_minor) == (PaymentStatus.CAPTURED, 0)
    assert [one.state for one in money.steps() if one.kind == "refund"] == ["failed"]
    assert money.balances()["gateway/sandbox"] == 1_000
    assert money.balances()[f"driver/{DRIVER}"] == -600
    assert money.rig.open_alerts() == [f"stuck_payment/{held.id}"]
    assert money.telling.kinds.count("refund_returned") == 1
    assert money.open() == []
    money.check()


@pytest.mark.parametrize("order", list(permutations(range(2))))
@pytest.mark.parametrize("is_answer_lost", [True, False])
def test_r07_in_whatever_order_it_is_told_the_refund_has_come_back(money, order, is_answer_lost):
    held = money.hold()
    money.pay(held)
    money.over(held.id, 1_000)
    money.until_quiet()
    money.webhooks()
    money.settle_again(held.id, 400)
    money.gateway.faults = Faults(returned=1, after_charging=1 if is_answer_lost else 0)
    money.work_off()
    told = money.webhooks()
    money.gateway.faults = Faults()
    for place in order:
        money.hear(told[place])
    money.until_quiet()
    (payment,) = money.payments_of(held.id)

    assert len(told) == 2
    assert payment.refunded_minor == 0
    assert money.rig.open_alerts() == [f"stuck_payment/{held.id}"]
    money.check()


def test_a_refund_to_a_card_is_sent_back_once_and_never_one_that_was_refused(money):
    _, step_id = a_refund(money)
    for _ in range(3):
        money.bank.send_back(step_id)
    money.bank.send_back("nothing")
    (holding,) = money.bank.holdings()

    assert holding.refunded_minor == 0
    assert len([one for one in money.webhooks() if b"_later" in one[0]]) == 1
