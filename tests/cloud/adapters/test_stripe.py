"""Stripe's own package over real HTTP, against a server that speaks its few endpoints."""

import json
import time

import pytest
from stripe import WebhookSignature

from cloud.adapters.payments.stripe import StripeGateway, StripeKeys
from cloud.domain.errors import BadSignature, PaymentDeclined
from cloud.domain.payments import StepKind
from cloud.services.money_ports import GatewayAnswer, GatewayAway
from tests.cloud.builders import NOON, a_step
from tests.support.stripe import AFTER, FakeStripe, golden

SECRET = "whsec_test"


@pytest.fixture
def stripe():
    with FakeStripe() as server:
        yield server


@pytest.fixture
def gateway(stripe):
    return StripeGateway(StripeKeys("sk_test_1", SECRET, stripe.url, timeout_s=30))


@pytest.fixture
def card(gateway):
    return gateway.keep_card("card/1", "u-1", "pm_1").gateway_ref


def test_a_card_is_kept_as_a_customer_of_its_own(stripe, gateway):
    kept = gateway.keep_card("card/1", "u-1", "pm_1")
    again = gateway.keep_card("card/1", "u-1", "pm_1")

    assert kept == again
    assert (kept.gateway_ref, kept.label) == ("cus_1/pm_1", "Visa **** 4242")
    assert len(stripe.customers) == 1
    assert stripe.customers["cus_1"]["metadata"] == {"user": "u-1"}


def test_a_token_stripe_does_not_know_is_declined(gateway):
    with pytest.raises(PaymentDeclined, match="No such PaymentMethod"):
        gateway.keep_card("card/1", "u-1", "pm_gone")


def test_a_card_is_forgotten_and_one_that_is_gone_already_too(stripe, gateway):
    gateway.forget_card("cus_1/pm_1")
    gateway.forget_card("cus_1/pm_gone")

    assert [path for _, path, _, _ in stripe.requests] == [
        "/v1/payment_methods/pm_1/detach",
        "/v1/payment_methods/pm_gone/detach",
    ]


def test_an_amount_is_kept_a_part_of_it_taken_and_a_part_of_that_given_back(stripe, gateway, card):
    kept = gateway.authorise("s-1", 1_500, "GBP", card)
    taken = gateway.capture("s-2", kept.gateway_ref, 1_000, "GBP")
    back = gateway.refund("s-3", kept.gateway_ref, 300, "GBP")

    assert kept == GatewayAnswer(is_success=True, gateway_ref="pi_2")
    assert taken.is_success
    assert back == GatewayAnswer(is_success=True, gateway_ref="pi_2")
    (intent,) = stripe.intents.values()
    assert (intent["amount_received"], intent["status"]) == (1_000, "succeeded")
    assert [one["amount"] for one in stripe.refunds.values()] == [300]


def test_what_is_kept_is_given_free_once_or_twice(stripe, gateway, card):
    kept = gateway.authorise("s-1", 1_500, "GBP", card)

    assert gateway.void("s-2", kept.gateway_ref).is_success
    assert gateway.void("s-3", kept.gateway_ref).is_success
    assert [one["status"] for one in stripe.intents.values()] == ["canceled"]


def test_a_charge_is_taken_at_once(stripe, gateway, card):
    answer = gateway.charge("s-1", 700, "GBP", card)

    assert answer.is_success
    assert stripe.intents[answer.gateway_ref]["amount_received"] == 700


def test_the_step_is_the_idempotency_key_so_that_asking_again_moves_nothing(stripe, gateway, card):
    answers = {gateway.charge("s-1", 700, "GBP", card) for _ in range(3)}

    assert len(answers) == 1
    assert len(stripe.intents) == 1
    assert stripe.requests[-1][3]["idempotency-key"] == "s-1"
    assert stripe.requests[-1][3]["authorization"] == "Bearer sk_test_1"


def test_a_bank_that_says_no_is_declined_in_its_own_words(gateway):
    card = gateway.keep_card("card/1", "u-1", "pm_insufficient").gateway_ref

    for act in (gateway.authorise, gateway.charge):
        answer = act(f"s-{act.__name__}", 700, "GBP", card)
        assert not answer.is_success
        assert answer.why == "Your card has insufficient funds."


def test_a_capture_of_what_was_given_free_is_refused_and_of_what_was_taken_granted(gateway, card):
    gone = gateway.authorise("s-1", 1_500, "GBP", card).gateway_ref
    gateway.void("s-2", gone)
    taken = gateway.authorise("s-3", 1_500, "GBP", card).gateway_ref
    gateway.capture("s-4", taken, 500, "GBP")

    assert not gateway.capture("s-5", gone, 100, "GBP").is_success
    assert gateway.capture("s-6", taken, 500, "GBP").is_success
    assert not gateway.void("s-7", taken).is_success


def test_more_than_was_taken_is_not_given_back(gateway, card):
    ref = gateway.charge("s-1", 700, "GBP", card).gateway_ref

    answer = gateway.refund("s-2", ref, 701, "GBP")

    assert not answer.is_success
    assert "greater" in answer.why


@pytest.mark.parametrize("fault", [500, 503, 429, 401, 409, AFTER])
def test_an_answer_that_says_nothing_leaves_it_unknown(stripe, gateway, card, fault):
    stripe.faults = [fault]

    with pytest.raises(GatewayAway):
        gateway.authorise("s-1", 1_500, "GBP", card)


def test_a_stripe_that_is_not_there_leaves_it_unknown(gateway, card):
    away = StripeGateway(StripeKeys("sk_test_1", SECRET, "http://127.0.0.1:1", timeout_s=1))

    with pytest.raises(GatewayAway):
        away.authorise("s-1", 1_500, "GBP", card)


def test_a_bank_that_is_not_done_leaves_it_unknown(gateway):
    card = gateway.keep_card("card/1", "u-1", "pm_slow").gateway_ref

    with pytest.raises(GatewayAway):
        gateway.authorise("s-1", 1_500, "GBP", card)


# --- finding what was lost ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [StepKind.AUTHORISE, StepKind.CHARGE])
def test_what_was_taken_before_the_answer_was_lost_is_found_even_days_later(
    stripe, gateway, card, kind
):
    step = a_step(kind=kind)
    before = gateway.find(step, "", card)
    stripe.faults = [AFTER]
    with pytest.raises(GatewayAway):
        getattr(gateway, kind)(step.id, 1_500, "GBP", card)
    stripe.forget_keys()

    assert before is None
    assert gateway.find(step, "", card) == GatewayAnswer(is_success=True, gateway_ref="pi_2")
    assert gateway.find(a_step(id="other"), "", card) is None
    assert gateway.find(step, "", "") is None


def test_a_decline_that_was_lost_is_found(stripe, gateway):
    card = gateway.keep_card("card/1", "u-1", "pm_declined").gateway_ref
    stripe.faults = [AFTER]
    with pytest.raises(GatewayAway):
        gateway.authorise("s-1", 1_500, "GBP", card)

    found = gateway.find(a_step(), "", card)
    assert found is not None
    assert not found.is_success
    assert "insufficient" in found.why


def test_captures_voids_and_refunds_are_found_too(gateway, card):
    first = gateway.authorise("s-1", 1_500, "GBP", card).gateway_ref
    second = gateway.authorise("s-2", 1_500, "GBP", card).gateway_ref
    capture, void, refund = (
        a_step(id=f"s-{kind}", kind=kind)
        for kind in (StepKind.CAPTURE, StepKind.VOID, StepKind.REFUND)
    )
    before = [
        gateway.find(capture, first, card),
        gateway.find(void, second, card),
        gateway.find(refund, first, card),
    ]
    gateway.capture(capture.id, first, 500, "GBP")
    gateway.void(void.id, second)
    gateway.refund(refund.id, first, 100, "GBP")

    assert before == [None, None, None]
    assert gateway.find(capture, first, card).is_success
    assert gateway.find(void, second, card).is_success
    assert gateway.find(refund, first, card).is_success
    assert not gateway.find(capture, second, card).is_success


def test_currencies_without_decimals_are_sent_as_stripe_counts_them(stripe, gateway, card):
    gateway.charge("s-1", 500, "JPY", card)
    gateway.charge("s-2", 500, "ISK", card)

    assert [one["amount"] for one in stripe.intents.values()] == [500, 50_000]


# --- webhooks -------------------------------------------------------------------------------------


def a_webhook(kind: str, about: dict, at: float | None = None) -> tuple[bytes, dict[str, str]]:
    event = golden("event") | {"type": kind, "data": {"object": about}}
    body = json.dumps(event)
    stamp = int(at or time.time())
    header = WebhookSignature.generate_signature_header(body, SECRET, stamp)
    return body.encode(), {"stripe-signature": header}


def intent(**more):
    return golden("payment_intent") | more


@pytest.mark.parametrize(
    ("kind", "about", "step_kind", "is_success"),
    [
        ("payment_intent.amount_capturable_updated", intent(), "authorise", True),
        ("payment_intent.canceled", intent(status="canceled"), "authorise", False),
        (
            "payment_intent.payment_failed",
            intent(last_payment_error=golden("card_error")["error"]),
            *("authorise", False),
        ),
        (
            "payment_intent.succeeded",
            intent(metadata={"step": "s-1", "kind": "capture"}),
            *("capture", True),
        ),
        (
            "payment_intent.succeeded",
            intent(metadata={"step": "s-1", "kind": "charge"}),
            *("charge", True),
        ),
        (
            "refund.created",
            golden("refund") | {"metadata": {"step": "s-1", "kind": "refund"}},
            *("refund", True),
        ),
        (
            "refund.updated",
            golden("refund") | {"metadata": {"step": "s-1", "kind": "refund"}, "status": "failed"},
            *("refund", False),
        ),
        (
            "refund.failed",
            golden("refund") | {"metadata": {"step": "s-1", "kind": "refund"}},
            *("refund", False),
        ),
    ],
)
def test_webhooks_tell_of_our_steps(gateway, kind, about, step_kind, is_success):
    event = gateway.read_webhook(*a_webhook(kind, about), NOON)

    assert (event.event_id, event.step_id, event.kind) == ("evt_1", "s-1", step_kind)
    assert event.is_success is is_success
    assert event.gateway_ref == "pi_1"
    assert bool(event.why) is not is_success


def test_what_is_not_about_a_step_of_ours_is_kept_without_effect(gateway):
    foreign = gateway.read_webhook(
        *a_webhook("payment_intent.succeeded", intent(metadata={})), NOON
    )
    other_step = gateway.read_webhook(*a_webhook("payment_intent.succeeded", intent()), NOON)

    assert (foreign.step_id, foreign.kind) == ("", "payment_intent.succeeded")
    assert other_step.step_id == ""
    assert gateway.read_webhook(*a_webhook("customer.created", golden("customer")), NOON) is None


@pytest.mark.parametrize(
    "spoil",
    [
        lambda body, headers: (body.replace(b"1500", b"1501"), headers),
        lambda body, _: (body, {}),
        lambda body, _: (body, {"stripe-signature": "nonsense"}),
        lambda body, headers: (
            body,
            {"stripe-signature": headers["stripe-signature"].replace("v1=", "v1=0")},
        ),
        lambda _, headers: (b"\xff\xfe", headers),
    ],
)
def test_r08_a_webhook_that_is_not_stripes_is_refused(gateway, spoil):
    body, headers = a_webhook("payment_intent.succeeded", intent())

    with pytest.raises(BadSignature):
        gateway.read_webhook(*spoil(body, headers), NOON)


def test_r08_a_webhook_older_than_five_minutes_is_refused(gateway):
    old = a_webhook("payment_intent.succeeded", intent(), time.time() - 301)
    young = a_webhook("payment_intent.succeeded", intent(), time.time() - 200)

    with pytest.raises(BadSignature):
        gateway.read_webhook(*old, NOON)
    assert gateway.read_webhook(*young, NOON) is not None


def test_what_is_too_little_to_charge_is_known_of_each_currency(gateway):
    assert [gateway.least_minor(one) for one in ("GBP", "USD", "JPY", "ISK")] == [30, 50, 50, 0]
