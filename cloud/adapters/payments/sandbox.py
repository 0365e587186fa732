"""The sandbox gateway: a little bank of our own, as unreliable as it is told to be.

For demonstrations and tests: money is made up, everything else is as with a real one. Faults are
drawn by the key and the number of the attempt, so that a retry has luck of its own.
"""

import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Final, Self
from urllib.parse import urlsplit

import structlog

from cloud.adapters.payments.sandbox_bank import (
    CARDS,
    Reply,
    Request,
    SandboxBank,
    Webhook,
    Webhooks,
)
from cloud.domain.errors import BadSignature, PaymentDeclined
from cloud.domain.payments import Step, StepKind
from cloud.services.money_ports import GatewayAnswer, GatewayAway, GatewayEvent, KeptCard
from contracts.clock import Clock

log = structlog.get_logger(__name__)

SIGNATURE: Final = "baywatt-sandbox-signature"
TOLERANCE: Final = timedelta(seconds=300)

_POST_TIMEOUT_S: Final = 5.0
_SUCCESS: Final = range(200, 300)
_LATE_S: Final = (0.2, 2.0)
_SILENCE_S: Final = 0.5
"""Stands for a timeout, without making everybody wait for one."""
_OUT_OF_ORDER_S: Final = (0.5, 3.0)
_EARLY_S: Final = 1.0
_RETURNED_S: Final = (2.0, 5.0)
"""Stands for some days."""
_LOOK_AGAIN_S: Final = 0.02


@dataclass(frozen=True, slots=True)
class Faults:
    """How often something goes wrong, each 0 to 1."""

    late: float = 0
    """The answer takes a second or two."""
    after_charging: float = 0
    """It is done, and the answer is lost."""
    away: float = 0
    """Nothing is done, and there is no answer."""
    twice: float = 0
    """The webhook is sent twice."""
    out_of_order: float = 0
    """The webhook is late; others overtake it."""
    early: float = 0
    """The webhook comes before the answer."""
    declined: float = 0
    """For no reason at all."""
    returned: float = 0
    """A refund comes back: the webhook says so a while after it was granted."""
    lapsed: float = 0
    """What is kept is kept no longer: the webhook says so a while after it was granted."""

    @classmethod
    def read(cls, text: str) -> Self:
        """Read `late=0.1,twice=0.5`.

        Raises:
            ValueError: a fault there is not, or no ratio.
        """
        known = {one.name for one in fields(cls)}
        values: dict[str, float] = {}
        for part in filter(None, (one.strip() for one in text.split(","))):
            name, _, ratio = part.partition("=")
            if name not in known or not 0 <= float(ratio) <= 1:
                raise ValueError(f"{part!r} is no fault: {', '.join(sorted(known))}, each 0 to 1")
            values[name] = float(ratio)
        return cls(**values)


class SandboxGateway:
    """See PaymentGateway."""

    provider = "sandbox"

    def __init__(
        self,
        bank: SandboxBank,
        faults: Faults,
        *,
        seed: str = "",
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.bank = bank
        self.faults = faults
        self._seed = seed
        self._luck = Random(seed or None)  # noqa: S311 - bad luck is no secret
        self._pause = pause
        self._secret = bank.webhook_secret().encode()

    def least_minor(self, currency: str) -> int:
        """See PaymentGateway.least_minor; nothing is too little here."""
        del currency
        return 0

    def keep_card(self, key: str, user_id: str, token: str) -> KeptCard:
        """See PaymentGateway.keep_card; the tokens are those of CARDS."""
        del key, user_id
        card = CARDS.get(token)
        if card is None:
            names = ", ".join(CARDS)
            raise PaymentDeclined(token, f"There is no such card; the sandbox knows {names}.")
        return KeptCard(gateway_ref=token, label=card.label)

    def forget_card(self, gateway_ref: str) -> None:
        """See PaymentGateway.forget_card."""

    def authorise(
        self, key: str, amount_minor: int, currency: str, method_ref: str
    ) -> GatewayAnswer:
        """See PaymentGateway.authorise."""
        return self._do(key, Request(StepKind.AUTHORISE, amount_minor, currency, method_ref))

    def capture(
        self, key: str, gateway_ref: str, amount_minor: int, currency: str
    ) -> GatewayAnswer:
        """See PaymentGateway.capture."""
        return self._do(key, Request(StepKind.CAPTURE, amount_minor, currency, gateway_ref))

    def charge(self, key: str, amount_minor: int, currency: str, method_ref: str) -> GatewayAnswer:
        """See PaymentGateway.charge."""
        return self._do(key, Request(StepKind.CHARGE, amount_minor, currency, method_ref))

    def refund(self, key: str, gateway_ref: str, amount_minor: int, currency: str) -> GatewayAnswer:
        """See PaymentGateway.refund."""
        return self._do(key, Request(StepKind.REFUND, amount_minor, currency, gateway_ref))

    def void(self, key: str, gateway_ref: str) -> GatewayAnswer:
        """See PaymentGateway.void."""
        return self._do(key, Request(StepKind.VOID, 0, "", gateway_ref))

    def find(self, step: Step, gateway_ref: str, method_ref: str) -> GatewayAnswer | None:
        """See PaymentGateway.find. What was done with a silent card, nobody is told."""
        asked = Request(step.kind, step.amount_minor, "", gateway_ref or method_ref)
        reply = self.bank.find(step.id)
        if self._is_away() or (reply is not None and self._is_silent(asked)):
            raise GatewayAway("the sandbox does not answer")
        return None if reply is None else _answer(reply)

    def read_webhook(
        self, body: bytes, headers: Mapping[str, str], now: datetime
    ) -> GatewayEvent | None:
        """See PaymentGateway.read_webhook."""
        check_signature(self._secret, body, headers.get(SIGNATURE, ""), now)
        event: dict[str, Any] = json.loads(body)
        return GatewayEvent(
            provider=self.provider,
            event_id=event["id"],
            kind=event["kind"],
            step_id=event["key"],
            is_success=event["is_success"],
            gateway_ref=event["ref"],
            why=event["why"],
            body=event,
        )

    def _do(self, key: str, request: Request) -> GatewayAnswer:
        # how often it was asked is known to the bank alone: it counts across processes
        luck = Random(f"{self._seed}/{key}")  # noqa: S311
        faults = self.faults
        webhooks = Webhooks(
            times=2 if luck.random() < faults.twice else 1,
            after_s=luck.uniform(*_OUT_OF_ORDER_S) if luck.random() < faults.out_of_order else 0,
        )
        is_unlucky = luck.random() < faults.declined
        if self._is_away():
            raise GatewayAway("the sandbox does not answer")
        done = self.bank.do(key, request, is_unlucky=is_unlucky, webhooks=webhooks)
        if request.kind is StepKind.REFUND and luck.random() < faults.returned:
            self.bank.send_back(key, after_s=luck.uniform(*_RETURNED_S))
        if request.kind is StepKind.AUTHORISE and luck.random() < faults.lapsed:
            self.bank.lapse(done.reply.ref, after_s=luck.uniform(*_RETURNED_S))
        self._misbehave(key, request, Random(f"{self._seed}/{key}/{done.asked}"))  # noqa: S311
        return _answer(done.reply)

    def _is_away(self) -> bool:
        return self._luck.random() < self.faults.away

    def _misbehave(self, key: str, request: Request, luck: Random) -> None:
        """Take long, or raise GatewayAway after all was done."""
        faults = self.faults
        if luck.random() < faults.early:
            self._wait_until_told(key)
        if luck.random() < faults.late:
            self._pause(luck.uniform(*_LATE_S))
        is_lost = luck.random() < faults.after_charging
        if is_lost or self._is_silent(request):
            self._pause(_SILENCE_S)
            raise GatewayAway("the sandbox has not answered in time")

    def _is_silent(self, request: Request) -> bool:
        card = CARDS.get(request.target)
        if card is None:
            holding = self.bank.holding(request.target)
            card = None if holding is None else CARDS[holding.card]
        return card is not None and card.is_silent

    def _wait_until_told(self, key: str) -> None:
        for _ in range(round(_EARLY_S / _LOOK_AGAIN_S)):
            if self.bank.is_announced(key):
                return
            self._pause(_LOOK_AGAIN_S)


class SandboxPost:
    """Posts the bank's webhooks to our own address, signed as Stripe signs."""

    def __init__(self, bank: SandboxBank, url: str, clock: Clock) -> None:
        self._bank = bank
        self._url = urlsplit(url)
        self._clock = clock
        self._secret = bank.webhook_secret().encode()

    def step(self) -> bool:
        """Post what is due first; whether there was anything."""
        webhook = self._bank.take_webhook(time.time())
        if webhook is None:
            return False
        if self._post(webhook):
            self._bank.webhook_sent(webhook)
        else:
            self._bank.webhook_failed(webhook, time.time())
        return True

    def _post(self, webhook: Webhook) -> bool:
        body = webhook.body.encode()
        headers = {
            "Content-Type": "application/json",
            SIGNATURE: signature(self._secret, body, self._clock.now()),
        }
        host, port = self._url.hostname or "", self._url.port
        is_tls = self._url.scheme == "https"
        kind = http.client.HTTPSConnection if is_tls else http.client.HTTPConnection
        connection = kind(host, port, timeout=_POST_TIMEOUT_S)
        try:
            connection.request("POST", self._url.path, body, headers)
            return connection.getresponse().status in _SUCCESS
        except (OSError, http.client.HTTPException) as error:
            log.info("sandbox.webhook_not_taken", event_id=webhook.event_id, error=str(error))
            return False
        finally:
            connection.close()


def signature(secret: bytes, body: bytes, at: datetime) -> str:
    """Return the header that proves a body and its time (the scheme of Stripe-Signature)."""
    stamp = int(at.timestamp())
    return f"t={stamp},v1={_digest(secret, stamp, body)}"


def check_signature(secret: bytes, body: bytes, header: str, now: datetime) -> None:
    """Hold a header against a body.

    Raises:
        BadSignature: it is not of this body, or more than 300 s from now.
    """
    parts = dict(one.partition("=")[::2] for one in header.split(","))
    stamp = parts.get("t", "")
    # a number no calendar holds is no time either
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= len("9999999999")):
        raise BadSignature
    if abs(datetime.fromtimestamp(int(stamp), UTC) - now) > TOLERANCE:
        raise BadSignature("time", "The message is too old.")
    expected = _digest(secret, int(stamp), body)
    if not hmac.compare_digest(expected.encode(), parts.get("v1", "").encode()):
        raise BadSignature


def _digest(secret: bytes, stamp: int, body: bytes) -> str:
    return hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def _answer(reply: Reply) -> GatewayAnswer:
    return GatewayAnswer(reply.is_success, reply.ref, reply.why)
