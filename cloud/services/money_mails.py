"""What staff are written about money of no station: a subscription's, or a wallet's, that does not move.

What belongs to a reservation is an alert of its station (cloud/domain/alerts/stuck_payment.py).
"""

from collections.abc import Collection
from datetime import datetime
from uuid import uuid4

from cloud.domain.money import written
from cloud.domain.payments import Payment, Step, StepState
from cloud.services.alert_mails import MAIL
from cloud.services.fact_ports import Message


def stuck(
    step: Step, payment: Payment, recipients: Collection[str], public_url: str, now: datetime
) -> list[Message]:
    """Return the mails about a step that is stuck; told again, each is sent once."""
    return [_mail(step, payment, one, public_url, now) for one in sorted(recipients)]


def _mail(step: Step, payment: Payment, recipient: str, public_url: str, now: datetime) -> Message:
    return Message(
        id=uuid4().hex,
        idempotency_key=f"stuck_payment/{step.id}/{recipient}"[:200],
        channel=MAIL,
        recipient=recipient,
        subject=f"Payment stuck: {step.kind} for {payment.purpose} {payment.subject}"[:255],
        body=_body(step, payment, public_url),
        created_at=now,
    )


def _body(step: Step, payment: Payment, public_url: str) -> str:
    what = "It is tried again by itself. See whether the gateway is down, or our key wrong."
    if step.state is StepState.FAILED:
        what = "Look at the payment at the gateway, and settle it with the driver by hand."
    parts = (
        f"{step.kind} of {written(step.amount_minor, payment.currency)} for user {payment.user_id}",
        step.last_error,
        f"What to do: {what}",
        f"Payment: {payment.id}, at {payment.provider}",
        public_url,
    )
    return "\n\n".join(one for one in parts if one) + "\n"
