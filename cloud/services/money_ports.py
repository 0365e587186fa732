"""What money needs of the database and of the gateway; see also ports.py."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cloud.domain.ledger import Entry, Posting
from cloud.domain.payments import Payment, Step, StepState
from cloud.domain.subscriptions import Subscription, SubscriptionPlan


class Payments(Protocol):
    """Payments and their steps."""

    def add(self, payment: Payment) -> None:
        """Store a new payment.

        Raises:
            TransactionLost: its subject has a payment of this number by now.
        """
        ...

    def get(self, payment_id: str) -> Payment | None:
        """Return the payment, if there is one."""
        ...

    def of_subject(self, purpose: str, subject: str) -> list[Payment]:
        """Return the payments for a subject, oldest first."""
        ...

    def of_method(self, method_id: str) -> list[Payment]:
        """Return the payments made by a saved method that may still move."""
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

    def claim(self, step_id: str, now: datetime, until: datetime) -> Step | None:
        """Take one step as `claim_due` does; None: it is not due, or somebody else has it."""
        ...

    def finish(self, step: Step, state: StepState, answer: "GatewayAnswer", at: datetime) -> bool:
        """Close a pending step, once; False: it was closed before."""
        ...

    def undo(self, step: Step, state: StepState, why: str) -> bool:
        """Note that what a done step did was taken back, once; False: it was noted before."""
        ...

    def postpone(self, step: Step, error: str, next_attempt_at: datetime) -> None:
        """Note that nobody knows the outcome of the claimed attempt; a closed step stays closed."""
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
    removed_at: datetime | None = None


class PaymentMethods(Protocol):
    """Cards people saved."""

    def add(self, method: SavedMethod) -> bool:
        """Store a new method; False: its id is known, nothing was changed."""
        ...

    def restore(self, method: SavedMethod) -> None:
        """Have a removed method be used again, as the gateway keeps it now."""
        ...

    def get(self, method_id: str) -> SavedMethod | None:
        """Return the method, removed or not, if there is one."""
        ...

    def of_user(self, user_id: str) -> list[SavedMethod]:
        """Return the user's methods that were not removed, the newest first."""
        ...

    def set_default(self, user_id: str, method_id: str) -> None:
        """Make it the one that is used when none is named."""
        ...

    def remove(self, method_id: str, at: datetime) -> bool:
        """Have it not be used again; False: it was removed before."""
        ...


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
    why: str = ""
    """Of a refusal, in words for the driver."""
    body: Mapping[str, Any]


class GatewayEvents(Protocol):
    """What gateways told, each once."""

    def add(self, event: GatewayEvent, at: datetime) -> bool:
        """Keep an event; False: it was told before."""
        ...

    def applied(self, event: GatewayEvent, at: datetime) -> None:
        """Note that it had an effect."""
        ...


@dataclass(frozen=True, slots=True)
class GatewayAnswer:
    """What the gateway did."""

    is_success: bool
    gateway_ref: str
    why: str = ""
    """Of a refusal, in words for the driver."""


class GatewayAway(Exception):
    """No answer, or none that says whether it was done: ask again under the same key."""


@dataclass(frozen=True, slots=True)
class KeptCard:
    """A card the gateway keeps for us."""

    gateway_ref: str
    label: str
    """What its owner knows it by: `Visa **** 4242`."""


class PaymentGateway(Protocol):
    """Who moves money. Every call may be repeated under the same key: it happens once."""

    @property
    def provider(self) -> str:
        """Its name: in addresses of webhooks, and in the ledger."""
        ...

    def least_minor(self, currency: str) -> int:
        """Return the least a card can be charged with; what is less is not worth asking for."""
        ...

    def keep_card(self, key: str, user_id: str, token: str) -> KeptCard:
        """Keep the card that a token of the gateway's own stands for, to be used again and again.

        Raises:
            PaymentDeclined: there is no such token, or the card cannot be used.
            GatewayAway: nobody knows whether it was done.
        """
        ...

    def forget_card(self, gateway_ref: str) -> None:
        """Have a card not be used again; of one that is not there nothing is done.

        Raises:
            GatewayAway: nobody knows whether it was done.
        """
        ...

    def find(self, step: Step, gateway_ref: str, method_ref: str) -> GatewayAnswer | None:
        """Return what became of a step that was asked before, or None: nothing that is known of.

        However old: gateways forget their keys after a day or so.

        Args:
            step: with its id, the key of the attempts before.
            gateway_ref: the payment's; empty: it has none yet.
            method_ref: the card's; empty: none.

        Raises:
            GatewayAway: it does not answer.
        """
        ...

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A row of the ledger with its lines, as it is kept: whether it holds is to be checked."""

    book: str
    seq: int
    cause: str
    kind: str
    at: datetime
    currency: str
    user_id: str | None
    reservation_id: str | None
    payment_id: str | None
    note: str
    entries: tuple[Entry, ...]
    previous_hash: str
    hash: str


class Ledger(Protocol):
    """Double entry, chained by hash; rows are only ever added."""

    def post(self, posting: Posting, at: datetime) -> bool:
        """Append a transaction to its book; False: its cause was posted before.

        Raises:
            TransactionLost: somebody else appended to the book meanwhile.
        """
        ...

    def balances(self, account: str) -> dict[str, int]:
        """Return the sum of an account, by currency."""
        ...

    def sold(self, reservation_id: str) -> tuple[dict[str, int], int]:
        """Return what a reservation has earned so far, by account, and in how many transactions."""
        ...

    def page_of_user(
        self, user_id: str, before: tuple[datetime, str, int] | None, limit: int
    ) -> list[Transaction]:
        """Return a user's transactions by (at, book, seq), newest first."""
        ...

    def books(self) -> list[str]:
        """Return all books."""
        ...

    def totals(self) -> dict[str, int]:
        """Return the sum of all lines, by currency; each is zero."""
        ...

    def transactions(self, book: str, after_seq: int, limit: int) -> list[Transaction]:
        """Return a book's transactions in order: for checking the chain."""
        ...


class Wallets(Protocol):
    """What users can spend."""

    def available(self, user_id: str, currency: str) -> int:
        """Return it; 0 where there is no wallet."""
        ...

    def all_of(self, user_id: str) -> dict[str, int]:
        """Return what the user can spend, by currency."""
        ...

    def add(self, user_id: str, currency: str, amount_minor: int) -> bool:
        """Add, or with a negative amount take; False: there is not so much, nothing was changed."""
        ...


class Subscriptions(Protocol):
    """Plans, and who has subscribed to them."""

    def add_plan(self, plan: SubscriptionPlan) -> None:
        """Store a new plan."""
        ...

    def plan(self, plan_id: str) -> SubscriptionPlan | None:
        """Return the plan, if there is one."""
        ...

    def plans(self, *, is_offered: bool | None = None) -> list[SubscriptionPlan]:
        """Return plans, by name."""
        ...

    def offer_plan(self, plan_id: str, *, is_offered: bool) -> None:
        """Offer a plan to new subscribers, or do so no more."""
        ...

    def add(self, subscription: Subscription) -> bool:
        """Store a new one; False: the user has one that runs."""
        ...

    def get(self, subscription_id: str) -> Subscription | None:
        """Return the subscription, if there is one."""
        ...

    def of_user(self, user_id: str) -> list[Subscription]:
        """Return the user's subscriptions, newest first."""
        ...

    def put(self, subscription: Subscription) -> None:
        """Store a subscription read with `row_version` (which grows).

        Raises:
            TransactionLost: it was written by somebody else since it was read.
        """
        ...

    def discounts_of(self, user_id: str, now: datetime) -> dict[str, int]:
        """Return what the user's running subscription takes off, in percent, by tariff component."""
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
