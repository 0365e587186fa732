"""Reservations are paid once, for what is due, whatever the gateway does (FAULTS R03, R05 to R09)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from cloud.adapters.payments.sandbox import SIGNATURE, Faults
from cloud.adapters.sql import tables
from cloud.domain import postings
from cloud.domain.errors import (
    BadSignature,
    HoldExpired,
    IllegalTransition,
    KeyReused,
    NotAllowed,
    NotConfirmed,
    NotFound,
    NotValid,
    PaymentDeclined,
    PaymentUnderWay,
)
from cloud.domain.payments import LOUD_AFTER, Method, PaymentStatus, Purpose, StepKind
from cloud.domain.reservations import Happening, Status
from cloud.services.idempotency import Once
from cloud.services.payments import PayBy
from cloud.services.ports import TransactionLost
from cloud.services.till import Opening
from tests.cloud.builders import STATION
from tests.cloud.services.money import ADMIN, AUTHORISE, VIEWER, a_money
from tests.cloud.services.rig import DRIVER

CARD = PayBy(method=Method.CARD)


@pytest.fixture
def money(rig, tmp_path):
    return a_money(rig, tmp_path)


# --- paying ---------------------------------------------------------------------------------------


def test_a_confirmed_hold_that_is_paid_is_booked_and_the_amount_kept_not_taken(money):
    held = money.hold()

    payment = money.pay(held)

    assert money.reservation(held.id).status is Status.BOOKED
    assert money.reservation(held.id).authorised_minor == AUTHORISE
    assert payment.status is PaymentStatus.AUTHORISED
    (holding,) = money.bank.holdings()
    assert (holding.held_minor, holding.captured_minor) == (AUTHORISE, 0)
    assert money.balances() == {
        "authorised/sandbox": AUTHORISE,
        f"promised/{DRIVER}": -AUTHORISE,
    }
    money.check()


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"is_confirmed": False}, NotConfirmed),
        ({"user_id": "u-owner"}, NotFound),
        ({"held_until": None, "status": Status.CANCELED}, HoldExpired),
    ],
)
def test_what_cannot_be_paid_for_is_refused_and_nothing_is_written(money, change, refusal):
    held = money.hold(**change)

    with pytest.raises(refusal):
        money.payments.pay_reservation(VIEWER, held.id, CARD)
    assert money.rig.rows(tables.payments) == []
    assert money.bank.holdings() == []


def test_a_hold_is_paid_for_before_it_ends_or_not_at_all(money):
    held = money.hold()
    money.clock.pass_by(timedelta(minutes=10))

    with pytest.raises(HoldExpired):
        money.payments.pay_reservation(VIEWER, held.id, CARD)


def test_without_a_card_there_is_nothing_to_pay_with(money):
    (card,) = money.methods.list(VIEWER).methods
    money.methods.remove(VIEWER, card.method_id)
    held = money.hold()

    with pytest.raises(NotValid):
        money.payments.pay_reservation(VIEWER, held.id, CARD)
    with pytest.raises(NotValid):
        money.payments.pay_reservation(
            VIEWER, held.id, PayBy(method=Method.CARD, method_id=card.method_id)
        )


def test_what_is_paid_for_is_not_paid_for_again(money):
    held = money.hold()
    payment = money.pay(held)

    with pytest.raises(PaymentUnderWay, match=payment.id):
        money.payments.pay_reservation(VIEWER, held.id, CARD)
    assert len(money.bank.holdings()) == 1


def test_a_declined_card_leaves_the_hold_for_another_card(money):
    money.save_card("card_declined")
    held = money.hold()
    declined = money.pay(held)
    with pytest.raises(PaymentDeclined, match="declined"):
        money.payments.outcome(VIEWER, declined.id)
    paid = money.pay(held, method_id=money.save_card("card_ok"))

    assert declined.status is PaymentStatus.DECLINED
    assert paid.status is PaymentStatus.AUTHORISED
    assert money.reservation(held.id).status is Status.BOOKED
    assert "payment_failed" in money.telling.kinds
    money.check()


def test_for_nothing_no_bank_is_asked(money):
    held = money.hold(authorise_minor=0)

    payment = money.pay(held)
    money.over(held.id, 0)
    money.until_quiet()

    assert payment.status is PaymentStatus.AUTHORISED
    assert money.bank.holdings() == []
    assert money.steps() == []


def test_a_free_quote_that_comes_to_something_is_charged(money):
    held = money.hold(authorise_minor=0)
    money.pay(held)
    money.over(held.id, 400)
    money.until_quiet()

    assert [one.captured_minor for one in money.bank.holdings()] == [400]
    money.check()


# --- closing --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("due", "captured"),
    [
        (0, []),
        (1, [1]),
        (AUTHORISE - 1, [AUTHORISE - 1]),
        (AUTHORISE, [AUTHORISE]),
        (AUTHORISE + 700, [AUTHORISE, 700]),
    ],
)
def test_exactly_what_is_due_is_taken(money, due, captured):
    held = money.hold()
    money.pay(held)
    money.over(held.id, due)
    money.until_quiet()

    assert [one.captured_minor for one in money.bank.holdings() if one.captured_minor] == captured
    assert money.balances().get(f"driver/{DRIVER}", 0) == 0
    assert money.balances().get(f"revenue/{STATION}", 0) == -(due - due // 6)
    money.check()


def test_settled_again_for_less_the_difference_goes_back_and_for_more_it_is_charged(money):
    held = money.hold()
    money.pay(held)
    money.over(held.id, 1_000)
    money.until_quiet()
    for due in (1_000, 400, 400, 2_000, 1_999, 0):
        money.settle_again(held.id, due)
        money.until_quiet()
        money.check()
        kept = sum(one.captured_minor - one.refunded_minor for one in money.bank.holdings())
        assert kept == due
    assert "refunded" in money.telling.kinds
    assert money.balances() == {}


@pytest.mark.parametrize(
    "dues", [(1_000, 300, 800, 100), (300, 800), (0, 500), (1_000, 2_000, 300), (500, 0, 500)]
)
def test_settled_again_while_the_first_figure_is_on_its_way(money, dues):
    held = money.hold()
    money.pay(held)
    money.over(held.id, dues[0])
    for due in dues[1:]:
        money.settle_again(held.id, due)
    money.until_quiet()

    kept = sum(one.captured_minor - one.refunded_minor for one in money.bank.holdings())
    assert kept == dues[-1]
    assert money.balances().get(f"driver/{DRIVER}", 0) == 0
    money.check()


def test_an_authorisation_the_bank_keeps_no_longer_is_charged_anew(money):
    held = money.hold()
    money.pay(held, method_id=money.save_card("card_capture_refused"))
    money.over(held.id, 900)
    money.until_quiet()

    statuses = [one.status for one in money.payments_of(held.id)]
    assert statuses == [PaymentStatus.VOIDED, PaymentStatus.CAPTURED]
    assert money.balances()["gateway/sandbox"] == 900
    assert money.balances().get(f"driver/{DRIVER}", 0) == 0
    money.check()


def test_an_extra_charge_that_is_declined_is_owed_and_tried_again_for_days(money):
    card = money.save_card("card_declined")
    held = money.hold(authorise_minor=0)
    money.pay(held, method_id=card)
    money.over(held.id, 400)
    money.until_quiet()
    waiting = money.open()
    money.clock.pass_by(timedelta(days=20))
    for _ in range(5):
        money.until_quiet()
        money.clock.pass_by(timedelta(days=20))

    assert [one.kind for one in waiting] == [StepKind.CHARGE]
    assert money.open() == []
    assert [one.state for one in money.steps()] == ["declined"] * 4
    assert [one.owed_minor for one in money.wallets.get(VIEWER).balances] == [400]
    money.check()


def test_shares_that_do_not_sum_to_what_is_due_are_a_bug(money):
    held = money.hold()
    with pytest.raises(ValueError, match="shares"), money.open_work() as work:
        money.till.close(work, held, 5, {"revenue/x": 4}, money.clock.now())


# --- R03: the hold ends as the money comes --------------------------------------------------------


def test_r03_money_for_a_hold_that_is_gone_goes_back(money):
    held = money.hold()
    started = money.payments.pay_reservation(VIEWER, held.id, CARD)
    money.over(held.id, 0, Happening.HOLD_EXPIRED)
    money.cashier.pay_now(started.payment_id)
    with pytest.raises(HoldExpired):
        money.payments.outcome(VIEWER, started.payment_id)
    money.until_quiet()

    assert money.reservation(held.id).status is Status.REJECTED
    assert money.payment(started.payment_id).status is PaymentStatus.VOIDED
    assert [one.held_minor for one in money.bank.holdings()] == [0]
    assert money.balances() == {}


@pytest.mark.parametrize("rounds", [25, pytest.param(2_000, marks=pytest.mark.faults)])
def test_r03_a_hold_that_ends_while_the_money_comes_is_booked_or_refunded_never_both(money, rounds):
    def try_hard(act):
        for _ in range(30):
            try:
                return act()
            except TransactionLost:
                continue
            except IllegalTransition:
                return None
        raise AssertionError("it never got through")

    outcomes = set()
    for _ in range(rounds):
        held = money.hold()
        started = money.payments.pay_reservation(VIEWER, held.id, CARD)
        pay = partial(money.cashier.pay_now, started.payment_id)
        end = partial(money.over, held.id, 0, Happening.HOLD_EXPIRED)
        with ThreadPoolExecutor(2) as pool:
            paying, ending = pool.submit(try_hard, pay), pool.submit(try_hard, end)
            paying.result(30)
            ending.result(30)
        money.until_quiet()
        status = money.reservation(held.id).status
        payment = money.payment(started.payment_id)
        outcomes.add((status, payment.status))

    assert outcomes <= {
        (Status.BOOKED, PaymentStatus.AUTHORISED),
        (Status.REJECTED, PaymentStatus.VOIDED),
    }
    money.check()


# --- R05: the same request again ------------------------------------------------------------------


def test_r05_the_same_key_twenty_times_at_once_is_one_payment(money):
    held = money.hold()
    once = Once(DRIVER, "key-0001", b"pay")

    def pay(_):
        for _ in range(50):
            try:
                started = money.payments.pay_reservation(VIEWER, held.id, CARD, once)
                money.cashier.pay_now(started.payment_id)
            except TransactionLost:
                continue
            return started
        raise AssertionError("it never got through")

    with ThreadPoolExecutor(20) as pool:
        answers = set(pool.map(pay, range(20)))
    money.until_quiet()

    assert len(answers) == 1
    assert len(money.bank.holdings()) == 1
    assert money.reservation(held.id).status is Status.BOOKED
    money.check()


def test_r05_the_same_key_with_another_request_is_refused(money):
    held = money.hold()
    money.payments.pay_reservation(VIEWER, held.id, CARD, Once(DRIVER, "key-0001", b"card"))

    with pytest.raises(KeyReused):
        money.payments.pay_reservation(VIEWER, held.id, CARD, Once(DRIVER, "key-0001", b"wallet"))


def test_without_a_key_twenty_at_once_are_one_payment_too(money):
    held = money.hold()

    def pay(_):
        for _ in range(50):
            try:
                return money.payments.pay_reservation(VIEWER, held.id, CARD)
            except TransactionLost:
                continue
            except PaymentUnderWay:
                return None
        raise AssertionError("it never got through")

    with ThreadPoolExecutor(20) as pool:
        started = [one for one in pool.map(pay, range(20)) if one]

    assert len(started) == 1
    assert len(money.rig.rows(tables.payments)) == 1


def test_a_payment_decided_on_before_another_was_written_is_decided_on_again(money):
    held = money.hold()
    opening = Opening(
        purpose=Purpose.RESERVATION,
        subject=held.id,
        book=postings.station_book(held.station_id),
        user_id=DRIVER,
        method=Method.CARD,
        method_id=money.save_card(),
        provider="sandbox",
        currency="GBP",
        amount_minor=AUTHORISE,
        number=0,
    )
    money.payments.pay_reservation(VIEWER, held.id, CARD)

    with pytest.raises(TransactionLost), money.open_work() as work:
        money.till.open(work, opening, StepKind.AUTHORISE, money.clock.now())

    assert len(money.rig.rows(tables.payments)) == 1


# --- R06: no answer -------------------------------------------------------------------------------


def test_r06_a_bank_that_charges_and_does_not_answer_is_found_out_within_a_minute(rig, tmp_path):
    money = a_money(rig, tmp_path, faults="after_charging=1")
    held = money.hold()
    payment = money.pay(held)
    began = money.clock.now()
    while money.reservation(held.id).status is Status.HELD:
        money.clock.pass_by(timedelta(seconds=1))
        money.work_off()

    assert payment.status is PaymentStatus.NEW
    assert money.clock.now() - began < timedelta(seconds=60)
    assert [one.held_minor for one in money.bank.holdings()] == [AUTHORISE]
    money.check()


def test_r06_a_cashier_killed_after_the_call_is_followed_by_another_within_a_minute(money):
    held = money.hold()
    started = money.payments.pay_reservation(VIEWER, held.id, CARD)
    (step,) = money.cashier.claim()
    money.gateway.authorise(step.id, step.amount_minor, "GBP", "card_ok")
    began = money.clock.now()
    while money.reservation(held.id).status is Status.HELD:
        money.clock.pass_by(timedelta(seconds=1))
        money.work_off()

    assert money.clock.now() - began < timedelta(seconds=60)
    assert money.payment(started.payment_id).status is PaymentStatus.AUTHORISED
    assert len(money.bank.holdings()) == 1


def test_money_that_may_have_moved_is_asked_for_for_ever_and_staff_are_told(rig, tmp_path):
    money = a_money(rig, tmp_path, faults="away=1")
    held = money.hold()
    money.pay(held)
    for _ in range(LOUD_AFTER):
        money.clock.pass_by(timedelta(hours=1))
        money.work_off()
    alerts = rig.open_alerts()
    for _ in range(48):
        money.clock.pass_by(timedelta(hours=1))
        money.work_off()
    still = money.open()
    money.gateway.faults = Faults()
    money.clock.pass_by(timedelta(hours=2))
    money.work_off()

    assert alerts == [f"stuck_payment/{held.id}"]
    assert len(still) == 1
    assert money.reservation(held.id).status is Status.BOOKED
    assert rig.open_alerts() == []


def test_a_refund_the_bank_refuses_is_an_alert_for_a_person_and_not_asked_again(money):
    held = money.hold()
    money.pay(held, method_id=money.save_card("card_refund_refused"))
    money.over(held.id, 1_000)
    money.until_quiet()
    money.settle_again(held.id, 400)
    money.until_quiet()
    money.settle_again(held.id, 300)
    money.until_quiet()

    assert [one.state for one in money.steps() if one.kind == "refund"] == ["failed"]
    assert money.rig.open_alerts() == [f"stuck_payment/{held.id}"]
    mailed = {one.recipient for one in money.rig.rows(tables.messages) if "stuck" in one.subject}
    assert mailed == {"u-owner@bays.example", "u-maint@bays.example"}
    assert money.balances()[f"driver/{DRIVER}"] == -700
    money.check()


def test_a_provider_nobody_set_up_is_waited_for(money):
    held = money.hold()
    started = money.payments.pay_reservation(VIEWER, held.id, CARD)
    money.cashier.gateways.clear()
    money.cashier.pay_now(started.payment_id)

    assert [one.attempts for one in money.open()] == [1]
    assert "no gateway" in money.open()[0].last_error


# --- R07: webhooks --------------------------------------------------------------------------------


def test_r07_a_webhook_before_our_own_answer_books_and_the_answer_changes_nothing(money):
    held = money.hold()
    money.payments.pay_reservation(VIEWER, held.id, CARD)
    (step,) = money.cashier.claim()
    money.gateway.authorise(step.id, step.amount_minor, "GBP", "card_ok")
    for webhook in money.webhooks():
        money.hear(webhook)
    status = money.reservation(held.id).status
    money.cashier.carry_out(step)

    assert status is Status.BOOKED
    assert len(money.rig.rows(tables.ledger_transactions)) == 1
    money.check()


def test_r07_a_hundred_of_the_same_webhook_at_once_have_one_effect(rig, tmp_path):
    money = a_money(rig, tmp_path, faults="after_charging=1")
    held = money.hold()
    money.pay(held)
    (webhook,) = money.webhooks()

    def hear(_):
        for _ in range(50):
            try:
                return money.hear(webhook)
            except TransactionLost:
                continue
        raise AssertionError("it never got through")

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(hear, range(100)))

    assert money.reservation(held.id).status is Status.BOOKED
    assert len(money.rig.rows(tables.gateway_events)) == 1
    assert len(money.rig.rows(tables.ledger_transactions)) == 1
    money.check()


def test_r07_webhooks_in_any_order_and_three_days_late_end_the_same(money):
    held = money.hold()
    money.pay(held)
    money.over(held.id, 500)
    money.until_quiet()
    before = money.balances()
    money.clock.pass_by(timedelta(days=3))
    for webhook in reversed(money.webhooks()):
        money.hear(webhook)
        money.hear(webhook)

    assert money.balances() == before
    assert {one.applied_at for one in money.rig.rows(tables.gateway_events)} == {None}
    money.check()


def test_r07_a_card_the_bank_never_answers_is_booked_by_its_webhook_alone(money):
    held = money.hold()
    payment = money.pay(held, method_id=money.save_card("card_always_times_out"))
    money.clock.pass_by(timedelta(minutes=1))
    money.work_off()
    unknown = money.payment(payment.id).status
    for webhook in money.webhooks():
        money.hear(webhook)

    assert unknown is PaymentStatus.NEW
    assert money.reservation(held.id).status is Status.BOOKED


def test_r07_a_declined_webhook_declines(money):
    held = money.hold()
    money.payments.pay_reservation(VIEWER, held.id, CARD)
    (step,) = money.cashier.claim()
    money.gateway.authorise(step.id, step.amount_minor, "GBP", "card_declined")
    for webhook in money.webhooks():
        money.hear(webhook)

    assert [one.status for one in money.payments_of(held.id)] == [PaymentStatus.DECLINED]
    assert money.reservation(held.id).status is Status.HELD


# --- R08: false webhooks --------------------------------------------------------------------------


SPOILT = {
    "old": lambda money, body, _: money.signed(body, money.clock.now() - timedelta(seconds=301)),
    "early": lambda money, body, _: money.signed(body, money.clock.now() + timedelta(seconds=301)),
    "altered": lambda _, body, said: (body.replace(b"1500", b"1501"), {SIGNATURE: said}),
    "other secret": lambda _, body, said: (body, {SIGNATURE: said.replace("v1=", "v1=0")}),
    "unsigned": lambda _, body, _said: (body, {}),
    "garbage": lambda _, body, _said: (body, {SIGNATURE: "t=\u00b2,v1=\u00e9"}),
    "without a time": lambda _, body, _said: (body, {SIGNATURE: "v1=abc"}),
    "beyond the calendar": lambda _, body, said: (
        *(body, {SIGNATURE: said.replace("t=", "t=9999999999999")}),
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_r08_a_webhook_that_is_not_the_banks_has_no_effect(rig, tmp_path, how):
    money = a_money(rig, tmp_path, faults="after_charging=1")
    held = money.hold()
    money.pay(held)
    ((body, headers),) = money.webhooks()

    with pytest.raises(BadSignature):
        money.hear(SPOILT[how](money, body, headers[SIGNATURE]))
    assert rig.rows(tables.gateway_events) == []
    assert money.reservation(held.id).status is Status.HELD


def test_r08_a_gateway_nobody_knows_is_not_found(money):
    with pytest.raises(NotFound):
        money.cashier.hear("other", b"{}", {})


# --- R09: refunds ---------------------------------------------------------------------------------


def test_r09_refunds_at_once_never_give_back_more_than_was_taken(money):
    held = money.hold()
    money.pay(held)
    money.over(held.id, 1_000)
    money.until_quiet()

    def refund(number):
        for _ in range(80):
            try:
                return money.payments.refund(ADMIN, held.id, 300, f"number {number}")
            except TransactionLost:
                continue
            except NotValid:
                return None
        raise AssertionError("it never got through")

    with ThreadPoolExecutor(8) as pool:
        granted = [one for one in pool.map(refund, range(8)) if one]
    money.until_quiet()

    assert len(granted) == 3
    (holding,) = money.bank.holdings()
    assert (holding.captured_minor, holding.refunded_minor) == (1_000, 900)
    balances = money.balances()
    assert balances["tax/GB"] + balances[f"revenue/{STATION}"] == -100
    assert balances["tax/GB"] in {-16, -17}
    assert money.reservation(held.id).due_minor == 100
    money.check()


def test_r09_more_than_is_due_and_what_is_not_over_is_refused(money):
    held = money.hold()
    money.pay(held)
    with pytest.raises(IllegalTransition):
        money.payments.refund(ADMIN, held.id, 1, "too early")
    money.over(held.id, 1_000)
    for amount in (1_001, 0, -5):
        with pytest.raises(NotValid):
            money.payments.refund(ADMIN, held.id, amount, "too much")
    with pytest.raises(NotAllowed):
        money.payments.refund(VIEWER, held.id, 1, "my own")
    with pytest.raises(NotFound):
        money.payments.refund(ADMIN, "nothing", 1, "what")


def test_a_refund_with_a_key_is_given_once(money):
    held = money.hold()
    money.pay(held)
    money.over(held.id, 1_000)
    once = Once(ADMIN.user_id, "key-0001", b"refund")
    first = money.payments.refund(ADMIN, held.id, 300, "why", once)
    second = money.payments.refund(ADMIN, held.id, 300, "why", once)
    money.until_quiet()

    assert first == second
    assert money.balances()["gateway/sandbox"] == 700


# --- looking --------------------------------------------------------------------------------------


def test_payments_are_their_payers_and_administrators_to_see(money):
    held = money.hold()
    payment = money.pay(held)

    assert money.payments.get(VIEWER, payment.id) == money.payments.get(ADMIN, payment.id)
    assert len(money.payments.of_reservation(VIEWER, held.id).payments) == 1
    for viewer_id in ("u-owner", "u-maint"):
        stranger = type(VIEWER)(viewer_id, VIEWER.role)
        with pytest.raises(NotFound):
            money.payments.get(stranger, payment.id)
        with pytest.raises(NotFound):
            money.payments.of_reservation(stranger, held.id)
    with pytest.raises(NotFound):
        money.payments.get(VIEWER, "nothing")
