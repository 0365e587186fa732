"""The same house with Stripe in the sandbox's place, over real HTTP: answers lost, keys forgotten."""

import json
import time
from datetime import timedelta

import pytest
from stripe import WebhookSignature

from cloud.adapters.payments.stripe import StripeGateway, StripeKeys
from cloud.domain.payments import PaymentStatus
from cloud.domain.reservations import Status
from cloud.services.cashier import CashierService
from cloud.services.payment_methods import PaymentMethodService
from cloud.services.payments import PaymentService
from tests.cloud.services.money import AUTHORISE, VIEWER, a_money
from tests.cloud.services.rig import DRIVER
from tests.support.stripe import AFTER, FakeStripe, golden

SECRET = "whsec_test"


@pytest.fixture
def stripe():
    with FakeStripe() as server:
        yield server


@pytest.fixture
def money(rig, tmp_path, stripe):
    made = a_money(rig, tmp_path)
    gateway = StripeGateway(StripeKeys("sk_test_1", SECRET, stripe.url, timeout_s=30))
    work, clock, till = made.open_work, made.clock, made.till
    made.cashier = CashierService(work, clock, {"stripe": gateway}, till, rig.publisher, rig.policy)
    made.payments = PaymentService(work, clock, till, rig.publisher, "stripe")
    made.methods = PaymentMethodService(work, clock, gateway)
    made.save_card("pm_1")
    return made


def taken(stripe) -> list[tuple[str, int]]:
    return [(one["status"], one["amount_received"]) for one in stripe.intents.values()]


@pytest.mark.parametrize(
    ("dues", "intents", "refunded"),
    [
        ((0, 0), [("canceled", 0)], 0),
        ((900, 900), [("succeeded", 900)], 0),
        ((900, 200), [("succeeded", 900)], 700),
        ((2_000, 2_000), [("succeeded", AUTHORISE), ("succeeded", 500)], 0),
    ],
)
def test_exactly_what_is_due_is_taken(money, stripe, dues, intents, refunded):
    held = money.hold()
    money.pay(held)
    money.over(held.id, dues[0])
    money.until_quiet()
    money.settle_again(held.id, dues[1])
    money.until_quiet()

    assert taken(stripe) == intents
    assert sum(one["amount"] for one in stripe.refunds.values()) == refunded
    assert money.balances().get("gateway/stripe", 0) == dues[1]
    assert money.balances().get("authorised/stripe", 0) == 0


def test_r06_every_answer_is_lost_and_everything_happens_once(money, stripe):
    held = money.hold()
    stripe.faults = [AFTER] * 2
    unknown = money.pay(held)
    money.until_quiet()
    booked = money.reservation(held.id).status
    money.over(held.id, 900)
    stripe.faults = [AFTER] * 2
    money.until_quiet()
    money.settle_again(held.id, 200)
    stripe.faults = [AFTER, 500, 429]
    money.until_quiet()

    assert unknown.status is PaymentStatus.NEW
    assert booked is Status.BOOKED
    assert taken(stripe) == [("succeeded", 900)]
    assert [one["amount"] for one in stripe.refunds.values()] == [700]
    assert money.balances().get("gateway/stripe", 0) == 200


def test_a_lost_answer_is_found_after_stripe_forgot_the_key(money, stripe):
    held = money.hold()
    stripe.faults = [AFTER]
    money.pay(held)
    stripe.forget_keys()
    money.clock.pass_by(timedelta(days=3))
    money.work_off()

    assert len(stripe.intents) == 1
    assert money.reservation(held.id).status is Status.BOOKED


def test_a_failure_stripe_repeats_for_a_key_does_not_last(money, stripe):
    held = money.hold()
    stripe.faults = [500, 500, 500, 503]
    money.pay(held)
    money.until_quiet()

    assert money.reservation(held.id).status is Status.BOOKED
    assert len(stripe.intents) == 1


def test_r07_stripes_webhook_books_what_we_have_no_answer_for(money, stripe):
    held = money.hold()
    stripe.faults = [AFTER]
    money.pay(held)
    (intent,) = stripe.intents.values()
    event = golden("event") | {"data": {"object": intent}}
    body = json.dumps(event)
    header = WebhookSignature.generate_signature_header(body, SECRET, int(time.time()))
    for _ in range(3):
        money.cashier.hear("stripe", body.encode(), {"stripe-signature": header})

    assert money.reservation(held.id).status is Status.BOOKED
    assert money.balances() == {
        "authorised/stripe": AUTHORISE,
        f"promised/{DRIVER}": -AUTHORISE,
    }


def test_a_declined_card_is_told_in_the_banks_words(money):
    held = money.hold()
    card = money.save_card("pm_insufficient")
    payment = money.pay(held, method_id=card)

    assert payment.status is PaymentStatus.DECLINED
    assert money.payments.get(VIEWER, payment.id).why == "Your card has insufficient funds."
