"""Stripe: PaymentIntents with manual capture, refunds, and its signed webhooks.

A saved card is a customer of its own (`<customer>/<payment method>`), so that everything ever asked of
it can be listed. Each object carries the step it was made by in its metadata: that is how an answer
that was lost is found again.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

import stripe
from stripe import RequestsClient, StripeClient

from cloud.domain.errors import BadSignature, PaymentDeclined
from cloud.domain.payments import Step, StepKind
from cloud.services.money_ports import GatewayAnswer, GatewayAway, GatewayEvent, KeptCard

_T = TypeVar("_T")

_TOLERANCE_S: Final = 300
_CONFLICT: Final = 409
"""The same key is being worked on just now."""
_DECLINED: Final = "Your bank declined the payment."
_LIST: Final = 100

_GRANTED: Final[dict[StepKind, frozenset[str]]] = {
    StepKind.AUTHORISE: frozenset({"requires_capture", "succeeded"}),
    StepKind.CHARGE: frozenset({"succeeded"}),
    StepKind.CAPTURE: frozenset({"succeeded"}),
    StepKind.VOID: frozenset({"canceled"}),
}
"""Statuses of a PaymentIntent that say yes to what was asked."""
_REFUSED: Final = frozenset({"requires_payment_method", "requires_action", "canceled"})
"""Those that say no; any other means that the bank is not done."""
_REFUND_GRANTED: Final = frozenset({"succeeded", "pending"})
"""What is pending is on its way; should it not arrive, `refund.failed` says so days later."""
_REFUND_REFUSED: Final = frozenset({"failed", "canceled"})

_SCALE: Final = {"ISK": 100, "UGX": 100}
"""Currencies without decimals that Stripe counts in hundredths (docs.stripe.com/currencies)."""

LEAST_CHARGE_MINOR: Final[dict[str, int]] = {
    **dict.fromkeys(("AUD", "BRL", "CAD", "CHF", "EUR", "INR", "NZD", "SGD", "USD"), 50),
    "AED": 200,
    "BGN": 100,
    "CZK": 1500,
    "DKK": 250,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17_500,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "THB": 1000,
}
"""The least a card is charged (docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""

_EVENTS: Final[dict[str, tuple[frozenset[StepKind], bool]]] = {
    "payment_intent.amount_capturable_updated": (frozenset({StepKind.AUTHORISE}), True),
    "payment_intent.succeeded": (frozenset({StepKind.CHARGE, StepKind.CAPTURE}), True),
    # what was kept is kept no longer: too old, or canceled by hand
    "payment_intent.canceled": (frozenset({StepKind.AUTHORISE}), False),
    "payment_intent.payment_failed": (frozenset({StepKind.AUTHORISE, StepKind.CHARGE}), False),
    "refund.created": (frozenset({StepKind.REFUND}), True),
    "refund.updated": (frozenset({StepKind.REFUND}), True),
    "refund.failed": (frozenset({StepKind.REFUND}), False),
}
"""What we listen to: steps it can be about, and whether it says yes."""


@dataclass(frozen=True, slots=True)
class StripeKeys:
    """How we are known to Stripe, and Stripe to us."""

    secret_key: str
    webhook_secret: str
    api_url: str = ""
    """Empty: Stripe's own."""
    timeout_s: float = 8.0


class StripeGateway:
    """See PaymentGateway."""

    provider = "stripe"

    def __init__(self, keys: StripeKeys) -> None:
        self._webhook_secret = keys.webhook_secret
        self._client = StripeClient(
            keys.secret_key,
            base_addresses={"api": keys.api_url} if keys.api_url else None,
            http_client=RequestsClient(timeout=keys.timeout_s),
            # who asks again is the cashier
            max_network_retries=0,
        )

    def least_minor(self, currency: str) -> int:
        """See PaymentGateway.least_minor."""
        return LEAST_CHARGE_MINOR.get(currency, 0)

    # --- cards ------------------------------------------------------------------------------------

    def keep_card(self, key: str, user_id: str, token: str) -> KeptCard:
        """See PaymentGateway.keep_card; the token is a PaymentMethod's id, made by Stripe's scripts."""
        api = self._client.v1
        try:
            customer = _asked(
                lambda: api.customers.create(
                    {"payment_method": token, "metadata": {"user": user_id}},
                    {"idempotency_key": key},
                )
            )
            method = _asked(lambda: api.payment_methods.retrieve(token))
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            raise PaymentDeclined(token, error.user_message or _DECLINED) from error
        card = getattr(method, "card", None)
        label = f"{card.brand.title()} **** {card.last4}" if card else method.type
        return KeptCard(gateway_ref=f"{customer.id}/{token}", label=label)

    def forget_card(self, gateway_ref: str) -> None:
        """See PaymentGateway.forget_card."""
        _, _, method = gateway_ref.partition("/")
        try:
            _asked(lambda: self._client.v1.payment_methods.detach(method))
        except stripe.InvalidRequestError:
            return

    # --- money ------------------------------------------------------------------------------------

    def authorise(
        self, key: str, amount_minor: int, currency: str, method_ref: str
    ) -> GatewayAnswer:
        """See PaymentGateway.authorise."""
        return self._take(key, StepKind.AUTHORISE, (amount_minor, currency), method_ref)

    def charge(self, key: str, amount_minor: int, currency: str, method_ref: str) -> GatewayAnswer:
        """See PaymentGateway.charge."""
        return self._take(key, StepKind.CHARGE, (amount_minor, currency), method_ref)

    def capture(
        self, key: str, gateway_ref: str, amount_minor: int, currency: str
    ) -> GatewayAnswer:
        """See PaymentGateway.capture."""
        intents = self._client.v1.payment_intents

        def ask() -> Any:
            return intents.capture(
                gateway_ref,
                {
                    "amount_to_capture": _amount(amount_minor, currency),
                    "metadata": _metadata(key, StepKind.CAPTURE),
                },
                {"idempotency_key": key},
            )

        return self._on_intent(StepKind.CAPTURE, gateway_ref, ask)

    def void(self, key: str, gateway_ref: str) -> GatewayAnswer:
        """See PaymentGateway.void."""
        intents = self._client.v1.payment_intents
        return self._on_intent(
            StepKind.VOID,
            gateway_ref,
            lambda: intents.cancel(gateway_ref, options={"idempotency_key": key}),
        )

    def refund(self, key: str, gateway_ref: str, amount_minor: int, currency: str) -> GatewayAnswer:
        """See PaymentGateway.refund."""
        refunds = self._client.v1.refunds
        try:
            made = _asked(
                lambda: refunds.create(
                    {
                        "payment_intent": gateway_ref,
                        "amount": _amount(amount_minor, currency),
                        "metadata": _metadata(key, StepKind.REFUND),
                    },
                    {"idempotency_key": key},
                )
            )
        except stripe.InvalidRequestError as error:
            return _refused(gateway_ref, error)
        return _of_refund(made)

    def find(self, step: Step, gateway_ref: str, method_ref: str) -> GatewayAnswer | None:
        """See PaymentGateway.find. Lists are consistent at once, unlike Stripe's search."""
        match step.kind:
            case StepKind.AUTHORISE | StepKind.CHARGE:
                return self._find_intent(step, method_ref)
            case StepKind.REFUND:
                return self._find_refund(step, gateway_ref)
            case StepKind.CAPTURE | StepKind.VOID:
                intent = _asked(lambda: self._client.v1.payment_intents.retrieve(gateway_ref))
                return _of_intent(step.kind, intent) if _is_over(intent) else None

    # --- webhooks ---------------------------------------------------------------------------------

    def read_webhook(
        self, body: bytes, headers: Mapping[str, str], now: datetime
    ) -> GatewayEvent | None:
        """See PaymentGateway.read_webhook. Stripe's own package measures the age, by our system clock."""
        del now
        try:
            stripe.Webhook.construct_event(
                body, headers.get("stripe-signature", ""), self._webhook_secret, _TOLERANCE_S
            )
            event: dict[str, Any] = json.loads(body)
        except (stripe.SignatureVerificationError, ValueError) as error:
            raise BadSignature("stripe") from error
        known = _EVENTS.get(event["type"])
        if known is None:
            return None
        kinds, is_yes = known
        about: dict[str, Any] = event["data"]["object"]
        if about.get("object") == "refund" and about.get("status") in _REFUND_REFUSED:
            is_yes = False
        said: dict[str, str] = about.get("metadata") or {}
        is_ours = said.get("kind") in kinds
        said_no: dict[str, str] = about.get("last_payment_error") or {}
        why = said_no.get("message") or _failure_of(about) or _DECLINED
        return GatewayEvent(
            provider=self.provider,
            event_id=event["id"],
            kind=said["kind"] if is_ours else event["type"],
            step_id=said["step"] if is_ours else "",
            is_success=is_yes,
            gateway_ref=str(about.get("payment_intent") or about["id"]),
            why="" if is_yes else why,
            body=event,
        )

    # --- inside -----------------------------------------------------------------------------------

    def _take(
        self, key: str, kind: StepKind, money: tuple[int, str], method_ref: str
    ) -> GatewayAnswer:
        amount_minor, currency = money
        customer, _, method = method_ref.partition("/")
        intents = self._client.v1.payment_intents
        try:
            intent = _asked(
                lambda: intents.create(
                    {
                        "amount": _amount(amount_minor, currency),
                        "currency": currency.lower(),
                        "customer": customer,
                        "payment_method": method,
                        "capture_method": "manual" if kind is StepKind.AUTHORISE else "automatic",
                        "confirm": True,
                        # the driver may be gone when an extra charge comes
                        "off_session": True,
                        "metadata": _metadata(key, kind),
                    },
                    {"idempotency_key": key},
                )
            )
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            return _refused("", error)
        return _of_intent(kind, intent)

    def _on_intent(self, kind: StepKind, ref: str, ask: Callable[[], Any]) -> GatewayAnswer:
        """Ask for a change of an intent; where it is refused, the intent itself says why."""
        try:
            return _of_intent(kind, _asked(ask))
        except stripe.InvalidRequestError as error:
            intent = _asked(lambda: self._client.v1.payment_intents.retrieve(ref))
            if not _is_over(intent):
                return _refused(ref, error)
            return _of_intent(kind, intent)

    def _find_intent(self, step: Step, method_ref: str) -> GatewayAnswer | None:
        customer = method_ref.partition("/")[0]
        if not customer:
            return None
        intents = self._client.v1.payment_intents
        page = _asked(lambda: intents.list({"customer": customer, "limit": _LIST}))
        for intent in page.auto_paging_iter():
            if _step_of(intent) == step.id:
                return _of_intent(step.kind, intent)
        return None

    def _find_refund(self, step: Step, gateway_ref: str) -> GatewayAnswer | None:
        refunds = self._client.v1.refunds
        page = _asked(lambda: refunds.list({"payment_intent": gateway_ref, "limit": _LIST}))
        for made in page.auto_paging_iter():
            if _step_of(made) == step.id:
                return _of_refund(made)
        return None


def _asked(ask: Callable[[], _T]) -> _T:
    """Ask Stripe.

    Raises:
        GatewayAway: there is no answer, or none that says whether it was done.
        stripe.CardError: the bank says no.
        stripe.InvalidRequestError: Stripe says no.
    """
    try:
        return ask()
    except (stripe.CardError, stripe.InvalidRequestError) as error:
        if error.http_status == _CONFLICT:
            raise GatewayAway(f"Stripe is at it: {error.code}") from error
        raise
    except stripe.StripeError as error:
        raise GatewayAway(f"{type(error).__name__}: {error.http_status or 'no answer'}") from error


def _of_intent(kind: StepKind, intent: Any) -> GatewayAnswer:
    if intent.status in _GRANTED[kind]:
        return GatewayAnswer(is_success=True, gateway_ref=intent.id)
    if intent.status in _REFUSED or kind is StepKind.VOID:
        error = getattr(intent, "last_payment_error", None)
        why = getattr(error, "message", None) or f"The payment is {intent.status}."
        return GatewayAnswer(is_success=False, gateway_ref=intent.id, why=why)
    raise GatewayAway(f"the payment is {intent.status}")


def _is_over(intent: Any) -> bool:
    return intent.status in {"succeeded", "canceled"}


def _of_refund(made: Any) -> GatewayAnswer:
    is_success = made.status in _REFUND_GRANTED
    why = "" if is_success else str(getattr(made, "failure_reason", "") or made.status)
    return GatewayAnswer(is_success=is_success, gateway_ref=str(made.payment_intent), why=why)


def _failure_of(about: Mapping[str, Any]) -> str:
    """Return Stripe's word for why a refund came back, in words: `lost_or_stolen_card`."""
    return str(about.get("failure_reason") or "").replace("_", " ")


def _refused(ref: str, error: stripe.CardError | stripe.InvalidRequestError) -> GatewayAnswer:
    return GatewayAnswer(is_success=False, gateway_ref=ref, why=error.user_message or _DECLINED)


def _metadata(key: str, kind: StepKind) -> dict[str, str]:
    return {"step": key, "kind": kind}


def _step_of(made: Any) -> str:
    return str(getattr(made.metadata, "step", ""))


def _amount(amount_minor: int, currency: str) -> int:
    return amount_minor * _SCALE.get(currency, 1)
