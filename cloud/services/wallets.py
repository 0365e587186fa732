"""Wallets: what users have paid in and not spent yet."""

from dataclasses import dataclass

from cloud.domain import postings
from cloud.domain.access import Viewer
from cloud.domain.payments import Method, Purpose, StepKind
from cloud.services.idempotency import Once, do_once
from cloud.services.payment_methods import means_of
from cloud.services.payments import PaymentStarted
from cloud.services.ports import Clock, OpenWork
from cloud.services.retrying import retried
from cloud.services.till import Opening, TillService


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceView:
    """A wallet of one currency; amounts in minor units."""

    currency: str
    available_minor: int
    """What can be spent; what is kept for open payments is not in it."""
    owed_minor: int = 0
    """Billed and not paid: under way, or declined and to be tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletView:
    """What a user can spend and what they owe, by currency."""

    balances: list[BalanceView]


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """What is to be paid in."""

    amount_minor: int
    currency: str
    method_id: str | None = None
    """Null: the default card."""


@dataclass(frozen=True, slots=True)
class WalletService:
    """The use cases of wallets; everybody's own."""

    open_work: OpenWork
    clock: Clock
    till: TillService
    provider: str

    def get(self, viewer: Viewer) -> WalletView:
        """Return the viewer's wallet; one nobody has used is empty."""
        with self.open_work(is_read_only=True) as work:
            found = work.wallets.all_of(viewer.user_id)
            owed = work.ledger.balances(postings.driver(viewer.user_id))
        return WalletView(
            balances=[
                BalanceView(
                    currency=currency,
                    available_minor=found.get(currency, 0),
                    # less than nothing: a refund is on its way
                    owed_minor=max(0, owed.get(currency, 0)),
                )
                for currency in sorted({*found, *(one for one, sum_ in owed.items() if sum_ > 0)})
            ]
        )

    @retried
    def top_up(self, viewer: Viewer, asked: TopUp, once: Once | None = None) -> PaymentStarted:
        """Write the charge of a card; what it brings can be spent once the bank has said yes.

        Raises:
            NotValid: there is no such card.
        """
        now = self.clock.now()

        def start() -> PaymentStarted:
            user_id = viewer.user_id
            means = means_of(work, user_id, Method.CARD, asked.method_id, self.provider)
            opening = Opening(
                purpose=Purpose.TOPUP,
                subject=self.till.new_id(),
                book=postings.user_book(user_id),
                user_id=user_id,
                method=means.method,
                method_id=means.method_id,
                provider=means.provider,
                currency=asked.currency,
                amount_minor=asked.amount_minor,
                number=0,
            )
            opened = self.till.open(work, opening, StepKind.CHARGE, now)
            return PaymentStarted(payment_id=opened.payment.id)

        with self.open_work() as work:
            started = do_once(work, once, now, start, PaymentStarted)
            work.commit()
        return started
