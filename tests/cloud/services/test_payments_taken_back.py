"""What a bank granted and takes back days later: refunds that return, amounts kept no longer (FAULTS R07)."""

from datetime import timedelta
from itertools import permutations

import pytest

from cloud.adapters.payments.sandbox import Faults
from cloud.adapters.sql import tables
from cloud.domain.errors import HoldExpired, NotValid, PaymentUnderWay
from cloud.domain.payments import Method, PaymentStatus
from cloud.domain.reservations import Happening, Status
from cloud.services.payments import PayBy
from cloud.services.wallets import TopUp
from tests.cloud.services.money import ADMIN, AUTHORISE, VIEWER, a_money
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


# --- amounts a bank keeps no longer ---------------------------------------------------------------

DAY_S = 86_400


def far(money, days=20, **more):
    """Return a booking so many days ahead, and what the bank keeps for it."""
    held = money.hold(start_s=days * DAY_S)
    money.pay(held, **more)
    return held


def lapse(money):
    for one in money.bank.holdings():
        money.bank.lapse(one.ref)
    for webhook in money.webhooks() * 3:
        money.hear(webhook)


def until(money, reservation, hours_before):
    start = money.reservation(reservation.id).starts_at
    money.clock.pass_by(start - timedelta(hours=hours_before) - money.clock.now())
    money.tend(reservation.id)
    money.work_off()


def deadline_of(money, reservation):
    rows = money.rig.rows(tables.deadlines)
    return next(
        (
            one.due_at
            for one in rows
            if (one.kind, one.subject) == ("authorisation", reservation.id)
        ),
        None,
    )


def test_what_a_bank_keeps_no_longer_is_no_longer_in_our_books(money):
    held = far(money)
    lapse(money)
    (payment,) = money.payments_of(held.id)

    assert payment.status is PaymentStatus.VOIDED
    assert [one.state for one in money.steps()] == ["declined"]
    assert money.balances() == {}
    assert money.reservation(held.id).status is Status.BOOKED
    assert deadline_of(money, held) == money.clock.now()
    money.check()


@pytest.mark.parametrize("is_told", [True, False])
def test_a_booking_far_ahead_is_authorised_again_the_day_before(money, is_told):
    held = far(money)
    assert deadline_of(money, held) == held.starts_at - timedelta(hours=24)
    if is_told:
        lapse(money)
    until(money, held, 25)
    assert len(money.payments_of(held.id)) == 1
    until(money, held, 24)
    until(money, held, 23)
    money.until_quiet()
    first, second = money.payments_of(held.id)

    assert (first.status, second.status) == (PaymentStatus.VOIDED, PaymentStatus.AUTHORISED)
    assert [one.held_minor for one in money.bank.holdings()] == [0, AUTHORISE]
    assert money.reservation(held.id).authorised_minor == AUTHORISE
    money.over(held.id, 900)
    money.until_quiet()
    assert money.balances()["gateway/sandbox"] == 900
    assert money.telling.kinds.count("pay_again") == 0
    money.check()


@pytest.mark.parametrize("by", [{"days": 3}, {"method": Method.WALLET}])
def test_what_lasts_is_left_alone(money, by):
    card = money.save_card()
    asked = TopUp(amount_minor=6_000, currency="GBP", method_id=card)
    money.cashier.pay_now(money.wallets.top_up(VIEWER, asked).payment_id)
    held = far(money, **by)
    until(money, held, 1)

    assert len(money.payments_of(held.id)) == 1


def declined(money):
    held = far(money)
    lapse(money)
    money.gateway.faults = Faults(declined=1)
    until(money, held, 24)
    money.gateway.faults = Faults()
    return held


def test_a_card_that_is_declined_then_leaves_time_to_pay_another_way(money):
    held = declined(money)
    (notice,) = [one for one in money.telling.told if one.kind == "pay_again"]
    until(money, held, 3)
    paid = money.pay(held, method_id=money.save_card())
    until(money, held, 1)

    assert notice.data["held_until"] == (held.starts_at - timedelta(hours=2)).isoformat()
    assert notice.data["reason"]
    assert paid.status is PaymentStatus.AUTHORISED
    assert money.reservation(held.id).status is Status.BOOKED
    with pytest.raises(PaymentUnderWay):
        money.pay(held)
    money.check()


def test_who_does_not_pay_another_way_loses_the_bay_and_owes_nothing(money):
    held = declined(money)
    until(money, held, 2.1)
    assert money.reservation(held.id).status is Status.BOOKED
    until(money, held, 2)
    money.until_quiet()
    over = money.reservation(held.id)

    assert (over.status, over.reason) == (Status.REJECTED, "payment_declined")
    assert over.due_minor == 0
    assert money.telling.kinds[-1] == "canceled"
    assert money.rig.rows(tables.bay_slots) == []
    assert money.balances() == {}
    with pytest.raises(HoldExpired):
        money.pay(held)


def test_what_comes_for_a_bay_that_was_released_meanwhile_goes_back(money):
    held = declined(money)
    started = money.payments.pay_reservation(VIEWER, held.id, PayBy(method=Method.CARD))
    money.over(held.id, 0, Happening.CANCELED_BY_DRIVER)
    money.cashier.pay_now(started.payment_id)
    money.until_quiet()

    assert [one.held_minor for one in money.bank.holdings()] == [0, 0]
    assert money.balances() == {}


def test_a_void_that_is_confirmed_by_the_banks_word_alone_is_no_lapse(money):
    held = far(money)
    money.over(held.id, 0)
    lapse(money)
    money.until_quiet()
    (payment,) = money.payments_of(held.id)

    assert payment.status is PaymentStatus.VOIDED
    assert sorted(one.state for one in money.steps()) == ["done", "done"]
    money.check()


def test_a_capture_of_what_is_kept_no_longer_is_charged_anew(money):
    held = far(money)
    money.over(held.id, 700)
    lapse(money)
    money.until_quiet()

    assert money.balances()["gateway/sandbox"] == 700
    money.check()


def test_of_three_decimals_only_what_a_card_can_be_given_back_is_waived(money):
    held = money.hold(currency="KWD")
    money.pay(held)
    money.over(held.id, 1_000)
    with pytest.raises(NotValid):
        money.payments.refund(ADMIN, held.id, 205, "sorry")

    assert money.payments.refund(ADMIN, held.id, 200, "sorry").due_minor == 800
