"""A wallet is topped up by card, pays for reservations, and is never overdrawn."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from cloud.domain.errors import NotValid, PaymentDeclined
from cloud.domain.payments import Method, PaymentStatus, Purpose
from cloud.domain.reservations import Status
from cloud.services.idempotency import Once
from cloud.services.payments import PayBy
from cloud.services.ports import TransactionLost
from cloud.services.wallets import TopUp
from tests.cloud.services.money import AUTHORISE, VIEWER, a_money
from tests.cloud.services.rig import DRIVER

WALLET = PayBy(method=Method.WALLET)


@pytest.fixture
def money(rig, tmp_path):
    return a_money(rig, tmp_path)


def fill(money, amount_minor=10_000, once=None):
    asked = TopUp(amount_minor=amount_minor, currency="GBP")
    started = money.wallets.top_up(VIEWER, asked, once)
    money.cashier.pay_now(started.payment_id)
    return started


def available(money) -> int:
    balances = money.wallets.get(VIEWER).balances
    return sum(one.available_minor for one in balances)


def owes(money) -> int:
    return sum(one.owed_minor for one in money.wallets.get(VIEWER).balances)


def test_a_topup_can_be_spent_once_the_bank_has_said_yes(money):
    started = money.wallets.top_up(VIEWER, TopUp(amount_minor=2_000, currency="GBP"))
    before = available(money)
    money.cashier.pay_now(started.payment_id)

    assert (before, available(money)) == (0, 2_000)
    assert money.payments.outcome(VIEWER, started.payment_id).state == "captured"
    assert money.telling.told[-1].data["balance_minor"] == 2_000
    money.check()


def test_a_topup_that_is_declined_brings_nothing(money):
    money.save_card("card_insufficient_funds")
    started = fill(money)

    with pytest.raises(PaymentDeclined, match="not enough money"):
        money.payments.outcome(VIEWER, started.payment_id)
    assert available(money) == 0
    money.check()


def test_r05_a_topup_with_the_same_key_is_charged_once(money):
    once = Once(DRIVER, "key-0001", b"top up")

    assert fill(money, once=once) == fill(money, once=once)
    assert available(money) == 10_000


def test_a_wallet_needs_a_card_to_be_filled(money):
    (card,) = money.methods.list(VIEWER).methods
    money.methods.remove(VIEWER, card.method_id)

    with pytest.raises(NotValid):
        fill(money)


def test_what_is_kept_for_a_reservation_cannot_be_spent_and_the_rest_comes_back(money):
    fill(money)
    held = money.hold()
    payment = money.pay(held, Method.WALLET)
    kept, status = available(money), money.reservation(held.id).status
    money.check()
    money.over(held.id, 600)

    assert payment.status is PaymentStatus.AUTHORISED
    assert status is Status.BOOKED
    assert kept == 10_000 - AUTHORISE
    assert available(money) == 10_000 - 600
    assert money.open() == []
    money.check()


@pytest.mark.parametrize(
    ("dues", "left"),
    [((0,), 10_000), ((AUTHORISE + 500,), 8_000), ((600, 100), 9_900), ((600, 100, 900), 9_100)],
)
def test_a_wallet_pays_exactly_what_is_due_in_the_end(money, dues, left):
    fill(money)
    held = money.hold()
    money.pay(held, Method.WALLET)
    money.over(held.id, dues[0])
    for due in dues[1:]:
        money.settle_again(held.id, due)

    assert available(money) == left
    assert money.balances().get(f"driver/{DRIVER}", 0) == 0
    assert money.balances().get(f"wallet_hold/{DRIVER}", 0) == 0
    money.check()


def test_an_empty_wallet_declines_and_the_hold_stands(money):
    held = money.hold()
    payment = money.pay(held, Method.WALLET)

    with pytest.raises(PaymentDeclined, match="not enough in your wallet"):
        money.payments.outcome(VIEWER, payment.id)
    assert money.reservation(held.id).status is Status.HELD
    money.check()


def test_what_a_wallet_cannot_pay_is_owed_and_taken_once_it_can(money):
    fill(money, AUTHORISE)
    held = money.hold()
    money.pay(held, Method.WALLET)
    money.over(held.id, AUTHORISE + 500)
    owed = owes(money)
    money.check()
    fill(money, 10_000)
    (step,) = money.open()
    money.clock.at = step.next_attempt_at
    money.work_off()

    assert owed == 500
    assert owes(money) == 0
    assert available(money) == 10_000 - 500
    money.check()


def test_wallets_are_never_overdrawn_however_many_reservations_are_paid_at_once(money):
    fill(money, 4 * AUTHORISE + 1)
    holds = [money.hold() for _ in range(12)]

    def pay(held):
        for _ in range(80):
            try:
                started = money.payments.pay_reservation(VIEWER, held.id, WALLET)
            except TransactionLost:
                continue
            return money.payment(started.payment_id).status
        raise AssertionError("it never got through")

    with ThreadPoolExecutor(12) as pool:
        statuses = list(pool.map(pay, holds))

    assert statuses.count(PaymentStatus.AUTHORISED) == 4
    assert statuses.count(PaymentStatus.DECLINED) == 8
    assert available(money) == 1
    booked = [money.reservation(one.id).status for one in holds].count(Status.BOOKED)
    assert booked == 4
    money.check()


def test_a_wallet_filled_twenty_times_at_once_for_the_first_time_has_all_of_it(money):
    started = [
        money.wallets.top_up(VIEWER, TopUp(amount_minor=100, currency="GBP")) for _ in range(20)
    ]

    def carry_out(one):
        # whoever loses too often leaves it to the cashier
        with suppress(TransactionLost):
            money.cashier.pay_now(one.payment_id)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(carry_out, started))
    money.until_quiet()

    assert available(money) == 2_000
    assert {one.status for one in map(money.payment, [one.payment_id for one in started])} == {
        PaymentStatus.CAPTURED
    }
    money.check()


def test_wallets_of_two_currencies_do_not_mix(money):
    fill(money)
    started = money.wallets.top_up(VIEWER, TopUp(amount_minor=500, currency="EUR"))
    money.cashier.pay_now(started.payment_id)
    balances = {one.currency: one.available_minor for one in money.wallets.get(VIEWER).balances}

    assert balances == {"EUR": 500, "GBP": 10_000}
    assert len(money.payments_of(money.payment(started.payment_id).subject, Purpose.TOPUP)) == 1
