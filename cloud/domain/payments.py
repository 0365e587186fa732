"""A payment: where it stands, what a gateway may answer, and what the gateway is to do next.

One payment is one thing at the gateway: an amount kept and then taken or given free, or an amount
taken at once. It has at most one open step; after each outcome `next_step` says what follows, until
exactly `due_minor` has been taken.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class Purpose(StrEnum):
    """What a payment is for."""

    RESERVATION = "reservation"
    TOPUP = "topup"
    SUBSCRIPTION = "subscription"


class Method(StrEnum):
    """What is paid with."""

    CARD = "card"
    WALLET = "wallet"


class PaymentStatus(StrEnum):
    """Where a payment stands."""

    NEW = "new"
    """The gateway has been asked, or will be; nobody knows its answer."""
    AUTHORISED = "authorised"
    """The amount is kept for us."""
    CAPTURED = "captured"
    VOIDED = "voided"
    """Nothing is kept any more, and nothing was taken."""
    DECLINED = "declined"


class StepKind(StrEnum):
    """What the gateway is to do."""

    AUTHORISE = "authorise"
    CAPTURE = "capture"
    CHARGE = "charge"
    """Authorise and capture in one: what exceeds an authorisation, a top-up, a month's fee."""
    REFUND = "refund"
    VOID = "void"


class StepState(StrEnum):
    """How a step stands."""

    PENDING = "pending"
    DONE = "done"
    DECLINED = "declined"
    FAILED = "failed"
    """Refused where it should not be: for a person to look at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money for one purpose, as the gateway last said; amounts in minor units."""

    id: str
    purpose: Purpose
    subject: str
    """A reservation's id, a top-up's own, `<subscription>/<month>`."""
    number: int = 0
    """How many there were for the subject before."""
    book: str
    """Whose book of the ledger it is written in."""
    user_id: str
    method: Method
    method_id: str | None = None
    provider: str
    currency: str
    amount_minor: int
    """What was asked for first."""
    status: PaymentStatus = PaymentStatus.NEW
    due_minor: int | None = None
    """What is to be taken in the end; null: not known yet. Once known it only ever falls."""
    authorised_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    gateway_ref: str = ""
    created_at: datetime
    row_version: int = 0

    @property
    def kept_minor(self) -> int:
        """Return what was taken and not given back."""
        return self.captured_minor - self.refunded_minor

    @property
    def is_over(self) -> bool:
        """Whether nothing can be taken by it any more."""
        return self.status in {PaymentStatus.VOIDED, PaymentStatus.DECLINED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing for the gateway to do; its id is the idempotency key there."""

    id: str
    cause: str
    payment_id: str
    kind: StepKind
    amount_minor: int
    state: StepState = StepState.PENDING
    created_at: datetime
    next_attempt_at: datetime | None = None
    attempts: int = 0
    gateway_ref: str = ""
    last_error: str = ""
    done_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What the gateway is to do, and of how much."""

    kind: StepKind
    amount_minor: int


class ImpossibleOutcome(ValueError):
    """A gateway's answer to something this payment never asked for."""


NEXT: Final[dict[tuple[PaymentStatus, StepKind, bool], PaymentStatus]] = {
    (PaymentStatus.NEW, StepKind.AUTHORISE, True): PaymentStatus.AUTHORISED,
    (PaymentStatus.NEW, StepKind.AUTHORISE, False): PaymentStatus.DECLINED,
    (PaymentStatus.NEW, StepKind.CHARGE, True): PaymentStatus.CAPTURED,
    (PaymentStatus.NEW, StepKind.CHARGE, False): PaymentStatus.DECLINED,
    (PaymentStatus.AUTHORISED, StepKind.CAPTURE, True): PaymentStatus.CAPTURED,
    # the bank keeps it no longer: too old, or withdrawn
    (PaymentStatus.AUTHORISED, StepKind.CAPTURE, False): PaymentStatus.VOIDED,
    (PaymentStatus.AUTHORISED, StepKind.VOID, True): PaymentStatus.VOIDED,
    (PaymentStatus.AUTHORISED, StepKind.VOID, False): PaymentStatus.AUTHORISED,
    (PaymentStatus.CAPTURED, StepKind.REFUND, True): PaymentStatus.CAPTURED,
    (PaymentStatus.CAPTURED, StepKind.REFUND, False): PaymentStatus.CAPTURED,
}
"""Status, what was asked, whether it was granted: the status after it."""

STATE: Final[dict[tuple[StepKind, bool], StepState]] = {
    **{(kind, True): StepState.DONE for kind in StepKind},
    (StepKind.AUTHORISE, False): StepState.DECLINED,
    (StepKind.CHARGE, False): StepState.DECLINED,
    (StepKind.CAPTURE, False): StepState.DECLINED,
    (StepKind.VOID, False): StepState.FAILED,
    (StepKind.REFUND, False): StepState.FAILED,
}
"""How a step ends; what a bank may well refuse is declined, what it may not has failed."""


UNDONE: Final[dict[tuple[PaymentStatus, StepKind], tuple[PaymentStatus, StepState]]] = {
    # sent back days later: the card's owner never got it
    (PaymentStatus.CAPTURED, StepKind.REFUND): (PaymentStatus.CAPTURED, StepState.FAILED),
    # the bank keeps it no longer: too old, or withdrawn
    (PaymentStatus.AUTHORISED, StepKind.AUTHORISE): (PaymentStatus.VOIDED, StepState.DECLINED),
}
"""Status, what a bank granted and takes back later: the status and the step after it."""


def moved(payment: Payment, ask: Ask, gateway_ref: str, *, is_success: bool) -> Payment:
    """Return the payment after a gateway's answer.

    Raises:
        ImpossibleOutcome: `NEXT` has no such row.
    """
    try:
        status = NEXT[payment.status, ask.kind, is_success]
    except KeyError:
        raise ImpossibleOutcome(f"{payment.id} is {payment.status}: no {ask.kind}") from None
    after = replace(payment, status=status)
    if not is_success:
        return after
    match ask.kind:
        case StepKind.AUTHORISE:
            return replace(after, authorised_minor=ask.amount_minor, gateway_ref=gateway_ref)
        case StepKind.CHARGE:
            return replace(after, captured_minor=ask.amount_minor, gateway_ref=gateway_ref)
        case StepKind.CAPTURE:
            return replace(after, captured_minor=ask.amount_minor)
        case StepKind.REFUND:
            return replace(after, refunded_minor=payment.refunded_minor + ask.amount_minor)
        case _:
            return after


def undone(payment: Payment, ask: Ask) -> tuple[Payment, StepState]:
    """Return payment and step after a bank has taken back what it had granted.

    Raises:
        ImpossibleOutcome: `UNDONE` has no such row.
    """
    try:
        status, state = UNDONE[payment.status, ask.kind]
    except KeyError:
        raise ImpossibleOutcome(f"{payment.id} is {payment.status}: {ask.kind} stays") from None
    after = replace(payment, status=status)
    if ask.kind is StepKind.REFUND:
        after = replace(after, refunded_minor=payment.refunded_minor - ask.amount_minor)
    return after, state


def next_step(payment: Payment) -> Ask | None:
    """Return what the gateway is to do now, so that `due_minor` is taken in the end.

    None while a first answer is awaited, while nobody knows what is due, or when all is done. Never
    more is given back than was taken.
    """
    due = payment.due_minor
    if due is None:
        return None
    if payment.status is PaymentStatus.AUTHORISED and payment.authorised_minor > 0:
        if due == 0:
            return Ask(StepKind.VOID, payment.authorised_minor)
        return Ask(StepKind.CAPTURE, min(due, payment.authorised_minor))
    if payment.status is PaymentStatus.CAPTURED and payment.kept_minor > due:
        return Ask(StepKind.REFUND, payment.kept_minor - due)
    return None


@dataclass(frozen=True, slots=True)
class Allotment:
    """What is due, shared out among payments for the same thing."""

    payments: tuple[Payment, ...]
    """With their new `due_minor`."""
    missing_minor: int
    """To be charged anew: none of them covers it."""


def allotted(payments: Iterable[Payment], due_minor: int) -> Allotment:
    """Share out what is due among payments that can still bear it, the oldest first.

    Raises:
        ValueError: the due amount is negative.
    """
    if due_minor < 0:
        raise ValueError(f"nobody can owe {due_minor}")
    shared: list[Payment] = []
    left = due_minor
    for payment in payments:
        if payment.is_over:
            continue
        part = min(left, _most(payment))
        shared.append(replace(payment, due_minor=part))
        left -= part
    return Allotment(tuple(shared), left)


def forgiven_minor(allotment: Allotment, last: Payment, least_minor: int) -> int:
    """Return what no card can be charged with, because it is so little: nobody pays it.

    Args:
        allotment: of what is due.
        last: the payment by whose means what is missing would be charged.
        least_minor: the least a card is charged with.
    """
    too_little = sum(
        one.due_minor or 0
        for one in allotment.payments
        if one.method is Method.CARD
        and one.status is PaymentStatus.AUTHORISED
        and (one.due_minor or 0) < least_minor
    )
    missing = allotment.missing_minor + too_little
    is_by_card = last.method is Method.CARD
    return missing if is_by_card and missing < least_minor else 0


def _most(payment: Payment) -> int:
    """Return what a payment can bear; one whose due is known has a step on its way for just that."""
    if payment.due_minor is not None:
        return payment.due_minor
    return max(payment.amount_minor, payment.kept_minor)


PAUSES: Final = tuple(
    timedelta(seconds=one) for one in (2, 4, 8, 12, 20, 30, 60, 120, 300, 600, 1800, 3600)
)
"""Between attempts at a step whose outcome nobody knows; the last of them for ever: money that may
have moved is never given up."""

LOUD_AFTER: Final = 6
"""So many attempts, about a minute, and staff are told."""

CHARGE_AGAIN_AFTER: Final = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
"""What is owed after a declined extra charge is tried again so long after each decline."""


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait before the next attempt, after so many."""
    return PAUSES[min(max(attempts, 1), len(PAUSES)) - 1]


def open_step(steps: Sequence[Step]) -> Step | None:
    """Return the step whose outcome nobody knows yet."""
    return next((one for one in steps if one.state is StepState.PENDING), None)
