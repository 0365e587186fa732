"""What money needs of the database and of the gateway; see also ports.py."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from cloud.domain.ledger import Posting


class PaymentStatus(StrEnum):
    """Where a payment stands."""

    NEW = "new"
    AUTHORISED = "authorised"
    CAPTURED = "captured"
    VOIDED = "voided"
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
    """Given up, for a person to look at; alerted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money for one purpose, as the gateway last said; amounts in minor units."""

    id: str
    purpose: str
    """`reservation`, `topup` or `subscription`."""
    subject: str
    user_id: str
    method: str
    """`card` or `wallet`."""
    method_id: str | None
    provider: str
    currency: str
    status: PaymentStatus
    authorised_minor: int = 0
    captured_minor: int = 0
    refunded_minor: int = 0
    gateway_ref: str = ""
    created_at: datetime
    row_version: int = 0


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


class Payments(Protocol):
    """Payments and their steps."""

    def add(self, payment: Payment) -> None:
        """Store a new payment."""
        ...

    def get(self, payment_id: str) -> Payment | None:
        """Return the payment, if there is one."""
        ...

    def of_subject(self, purpose: str, subject: str) -> list[Payment]:
        """Return the payments for a subject, oldest first."""
        ...

    def put(self, payment: Payment) -> None:
        """Store a payment read with `row_version` (which grows).

        Raises:
            TransactionLost: it was written by somebody else since it was read.
        """
        ...

    def add_step(self, step: Step) -> bool:
        """Store a new step; False: its cause has one already."""
        ...

    def step(self, step_id: str) -> Step | None:
        """Return the step, if there is one."""
        ...

    def steps_of(self, payment_id: str) -> list[Step]:
        """Return a payment's steps, oldest first."""
        ...

    def claim_due(self, now: datetime, until: datetime, limit: int) -> list[Step]:
        """Take pending steps that are due; nobody else gets them before `until`."""
        ...

    def finish(self, step: Step, state: StepState, gateway_ref: str, at: datetime) -> bool:
        """Close a pending step, once; False: it was closed before."""
        ...

    def postpone(self, step: Step, error: str, next_attempt_at: datetime | None) -> None:
        """Note a failed attempt."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedMethod:
    """A card the gateway keeps; of it we know a reference and a label."""

    id: str
    user_id: str
    provider: str
    gateway_ref: str
    label: str
    is_default: bool
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayEvent:
    """Something a gateway tells by itself, verified."""

    provider: str
    event_id: str
    kind: str
    """The StepKind it confirms or denies, or the gateway's own word."""
    step_id: str
    """Our idempotency key; empty: not about a step of ours."""
    is_success: bool
    gateway_ref: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """What the gateway did."""

    is_success: bool
    gateway_ref: str
    why: str = ""
    """Of a refusal, in words for the driver."""


class GatewayAway(Exception):
    """No answer, or none that says whether it was done: ask again under the same key."""


class PaymentGateway(Protocol):
    """Who moves money. Every call may be repeated under the same key: it happens once."""

    provider: str

    def authorise(
        self, key: str, amount_minor: int, currency: str, method_ref: str
    ) -> GatewayAnswer:
        """Keep an amount for us.

        Raises:
            GatewayAway: nobody knows whether it was done.
        """
        ...

    def capture(
        self, key: str, gateway_ref: str, amount_minor: int, currency: str
    ) -> GatewayAnswer:
        """Take a part of what is kept; the rest is given free."""
        ...

    def charge(self, key: str, amount_minor: int, currency: str, method_ref: str) -> GatewayAnswer:
        """Keep and take at once."""
        ...

    def refund(self, key: str, gateway_ref: str, amount_minor: int, currency: str) -> GatewayAnswer:
        """Give back."""
        ...

    def void(self, key: str, gateway_ref: str) -> GatewayAnswer:
        """Give free what is kept."""
        ...

    def read_webhook(
        self, body: bytes, headers: Mapping[str, str], now: datetime
    ) -> GatewayEvent | None:
        """Verify and read an event; None: verified, but nothing to us.

        Raises:
            BadSignature: it is not the gateway's, or older than 300 s.
        """
        ...


class Ledger(Protocol):
    """Double entry, chained by hash; rows are only ever added."""

    def post(self, posting: Posting, at: datetime) -> bool:
        """Append a transaction to its book; False: its cause was posted before.

        Raises:
            TransactionLost: somebody else appended to the book meanwhile.
        """
        ...

    def balance(self, account: str) -> int:
        """Return the sum of an account."""
        ...

    def page_of_user(
        self, user_id: str, before: tuple[datetime, str, int] | None, limit: int
    ) -> Sequence[Any]:
        """Return a user's transactions with their lines, newest first."""
        ...

    def books(self) -> list[str]:
        """Return all books."""
        ...

    def transactions(self, book: str, after_seq: int, limit: int) -> Sequence[Any]:
        """Return a book's transactions with their lines, in order: for checking the chain."""
        ...


class Wallets(Protocol):
    """What users can spend."""

    def available(self, user_id: str, currency: str) -> int:
        """Return it; 0 where there is no wallet."""
        ...

    def add(self, user_id: str, currency: str, amount_minor: int) -> bool:
        """Add, or with a negative amount take; False: there is not so much, nothing was changed."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffVersion:
    """A tariff as it was at a time; never changed, so that its id freezes a price."""

    id: str
    key: str
    version: int
    owner_id: str | None
    name: str
    currency: str
    body: Mapping[str, Any]
    """OCPI 2.3.0 Tariff elements and restrictions, as domain/tariffs.py reads them."""
    created_at: datetime


class Tariffs(Protocol):
    """Tariffs in all their versions."""

    def by_ids(self, tariff_ids: Collection[str]) -> dict[str, TariffVersion]:
        """Return those there are."""
        ...

    def newest(self, key: str) -> TariffVersion | None:
        """Return the newest version of a tariff."""
        ...

    def all_newest(self, owner_id: str | None) -> list[TariffVersion]:
        """Return the newest versions of an owner's tariffs, or of all, by name."""
        ...

    def add(self, tariff: TariffVersion) -> None:
        """Store a new version.

        Raises:
            TransactionLost: somebody else added this version meanwhile.
        """
        ...

    def assign(self, station_id: str, tariff_id: str | None) -> None:
        """Have a station charge by this version from now on."""
        ...

    def stations_with(self, key: str) -> list[str]:
        """Return the stations that charge by a version of this tariff."""
        ...
