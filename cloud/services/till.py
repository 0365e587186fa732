"""The till: what is written when money is to move, and once it is known to have moved.

Everything here happens within the caller's transaction; who asks the gateway is `cashier.py`. A wallet
needs no gateway: its steps are done in the transaction they are written in.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final, Protocol
from uuid import uuid4

import structlog

from cloud.domain import payments as rules
from cloud.domain import postings
from cloud.domain.notices import NoticeKind
from cloud.domain.payments import (
    Ask,
    Method,
    Payment,
    PaymentStatus,
    Purpose,
    Step,
    StepKind,
)
from cloud.domain.reservations import Reservation
from cloud.services.change_views import Change
from cloud.services.collaborators import Notice, Paid, Telling
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.money_ports import GatewayAnswer
from cloud.services.ports import TransactionLost, UnitOfWork

log = structlog.get_logger(__name__)

WALLET: Final = "wallet"
"""The provider of payments from wallets."""
NOT_ENOUGH: Final = "There is not enough in your wallet."

_GRANTED: Final = GatewayAnswer(is_success=True, gateway_ref="")
_EMPTY: Final = GatewayAnswer(is_success=False, gateway_ref="", why=NOT_ENOUGH)


def _new_id() -> str:
    return uuid4().hex


def _nothing_is_too_little(provider: str, currency: str) -> int:
    del provider, currency
    return 0


class Months(Protocol):
    """subscriptions.py: what follows from a month's fee."""

    def account(self, work: UnitOfWork, subject: str) -> str:
        """Return the ledger account the fee is for."""
        ...

    def paid(self, work: UnitOfWork, subject: str, amount_minor: int, now: datetime) -> bool:
        """Note that a month is paid for; False: the subscription is over, and the money must go back."""
        ...

    def refused(self, work: UnitOfWork, subject: str, now: datetime) -> None:
        """Note that the fee was declined."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A payment to be made."""

    purpose: Purpose
    subject: str
    book: str
    user_id: str
    method: Method
    method_id: str | None
    provider: str
    currency: str
    amount_minor: int
    number: int
    """How many payments for the subject were known to who decided that there must be one more."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A payment that was written, and what viewers must hear after the commit."""

    payment: Payment
    changes: Sequence[Change] = ()


@dataclass(frozen=True, slots=True)
class TillService:
    """See Till."""

    paid: Callable[[], Paid]
    """Asked for when needed: what is paid for needs the till itself."""
    months: Months
    telling: Telling
    new_id: Callable[[], str] = field(default=_new_id)
    least_minor: Callable[[str, str], int] = _nothing_is_too_little
    """Of a provider and a currency: the least a card is charged with."""

    # --- opening and closing ----------------------------------------------------------------------

    def open(self, work: UnitOfWork, opening: Opening, kind: StepKind, now: datetime) -> Opened:
        """Write a payment with its first step; from a wallet, and for nothing, it is done at once.

        Raises:
            TransactionLost: somebody opened another one for the same subject since it was decided.
        """
        payment = self._new_payment(opening, kind, now)
        if opening.amount_minor == 0:
            return self._open_for_nothing(work, payment, now)
        work.payments.add(payment)
        cause = f"first/{opening.purpose}/{opening.subject}/{payment.number:03d}"
        ask = Ask(kind, opening.amount_minor)
        changes = self._ask(work, payment, ask, cause, now)
        return Opened(work.payments.get(payment.id) or payment, changes)

    def close(
        self,
        work: UnitOfWork,
        reservation: Reservation,
        due_minor: int,
        shares: Mapping[str, int],
        now: datetime,
        *,
        note: str = "",
    ) -> int:
        """See Till.close. May be called again with another figure: the difference moves.

        `note` is kept with it in the ledger.
        """
        if sum(shares.values()) != due_minor:
            raise ValueError(f"{reservation.id}: the shares do not sum to {due_minor}")
        known = work.payments.of_subject(Purpose.RESERVATION, reservation.id)
        before = {one.id: one.due_minor for one in known}
        allotment = rules.allotted(known, due_minor)
        if known:
            least_minor = self.least_minor(known[-1].provider, reservation.currency)
            forgiven_minor = rules.forgiven_minor(allotment, known[-1], least_minor)
            due_minor -= forgiven_minor
            allotment = rules.allotted(known, due_minor)
            shares = postings.lessened(shares, due_minor) if forgiven_minor else shares
        self._sell(work, reservation, shares, note, now)
        for payment in allotment.payments:
            if payment.due_minor != before[payment.id]:
                work.payments.put(payment)
                self._go_on(work, payment.id, now)
        if allotment.missing_minor > 0 and known:
            self._charge_missing(work, known[-1], known, allotment.missing_minor, now)
        elif allotment.missing_minor > 0:
            log.warning("till.nothing_to_charge", reservation_id=reservation.id)
        return due_minor

    def apply(
        self, work: UnitOfWork, step: Step, answer: GatewayAnswer, now: datetime
    ) -> list[Change]:
        """Write the outcome of a step with all that follows; one that is known already changes nothing.

        Whoever learns the outcome calls this: the request, the cashier, a webhook, in any order.
        Returns what viewers must hear after the commit.
        """
        if not work.payments.finish(step, rules.STATE[step.kind, answer.is_success], answer, now):
            return []
        return self._move(work, Outcome(step, answer, now))

    def undo(
        self, work: UnitOfWork, step: Step, answer: GatewayAnswer, now: datetime
    ) -> list[Change]:
        """Write that a bank has taken back what it granted by a done step; known already, nothing.

        Where the payment is asked for more just now, that step's own outcome says what became of it.
        """
        before, ask = _payment_of(work, step), Ask(step.kind, step.amount_minor)
        if (before.status, ask.kind) not in rules.UNDONE:
            return []
        waiting = rules.open_step(work.payments.steps_of(before.id))
        if step.kind is StepKind.AUTHORISE and waiting is not None:
            is_void = waiting.kind is StepKind.VOID
            return self.apply(work, waiting, _GRANTED, now) if is_void else []
        after, state = rules.undone(before, ask)
        if not work.payments.undo(step, state, answer.why):
            return []
        work.payments.put(after)
        earned_by = self._earned_by(work, before)
        work.ledger.post(postings.undone(before, ask, step.id, earned_by), now)
        if step.kind is StepKind.REFUND:
            self._tell(work, after, NoticeKind.REFUND_RETURNED, Outcome(step, answer, now))
        elif before.purpose is Purpose.RESERVATION:
            work.deadlines.set([Deadline(DeadlineKind.AUTHORISATION, before.subject, now)])
        return []

    def apply_wallet(self, work: UnitOfWork, step: Step, now: datetime) -> list[Change]:
        """Do a step of a wallet's, and write its outcome.

        Raises:
            TransactionLost: somebody else did it meanwhile.
        """
        payment = _payment_of(work, step)
        answer = wallet_answer(work, payment, Ask(step.kind, step.amount_minor))
        if not work.payments.finish(step, rules.STATE[step.kind, answer.is_success], answer, now):
            raise TransactionLost(f"step {step.id} was done by somebody else")
        return self._move(work, Outcome(step, answer, now))

    def _move(self, work: UnitOfWork, outcome: "Outcome") -> list[Change]:
        step, is_success = outcome.step, outcome.answer.is_success
        before = _payment_of(work, step)
        ask = Ask(step.kind, step.amount_minor)
        after = rules.moved(before, ask, outcome.answer.gateway_ref, is_success=is_success)
        changes, after = self._book(work, after, outcome)
        work.payments.put(after)
        posting = postings.outcome(
            before, ask, step.id, self._earned_by(work, before), is_success=is_success
        )
        if posting is not None:
            work.ledger.post(posting, outcome.now)
        self._follow(work, after, outcome)
        self._go_on(work, after.id, outcome.now)
        return list(changes)

    # --- steps ------------------------------------------------------------------------------------

    def _new_payment(self, opening: Opening, kind: StepKind, now: datetime) -> Payment:
        return Payment(
            id=self.new_id(),
            purpose=opening.purpose,
            subject=opening.subject,
            number=opening.number,
            book=opening.book,
            user_id=opening.user_id,
            method=opening.method,
            method_id=opening.method_id,
            provider=opening.provider,
            currency=opening.currency,
            amount_minor=opening.amount_minor,
            # what is charged at once is due as it is
            due_minor=opening.amount_minor if kind is StepKind.CHARGE else None,
            created_at=now,
        )

    def _open_for_nothing(self, work: UnitOfWork, payment: Payment, now: datetime) -> Opened:
        payment = replace(payment, status=PaymentStatus.AUTHORISED)
        work.payments.add(payment)
        booked = self.paid().paid(work, payment.subject, 0, now)
        if booked is None:
            void = replace(payment, status=PaymentStatus.VOIDED, due_minor=0)
            work.payments.put(void)
            return Opened(void)
        return Opened(payment, booked)

    def _go_on(self, work: UnitOfWork, payment_id: str, now: datetime) -> None:
        """Write the step that follows, unless one is on its way; its outcome leads here again."""
        payment, steps = work.payments.get(payment_id), work.payments.steps_of(payment_id)
        if payment is None or rules.open_step(steps) is not None:
            return
        if any(one.state is rules.StepState.FAILED for one in steps):
            # the gateway has said no where it may not: a person looks at it, asking again is no use
            return
        ask = rules.next_step(payment)
        if ask is not None:
            self._ask(work, payment, ask, f"next/{payment.id}/{len(steps):03d}", now)

    def _ask(  # noqa: PLR0917 - the last one is a rarity
        self,
        work: UnitOfWork,
        payment: Payment,
        ask: Ask,
        cause: str,
        now: datetime,
        at: datetime | None = None,
    ) -> list[Change]:
        step = Step(
            id=self.new_id(),
            cause=cause,
            payment_id=payment.id,
            kind=ask.kind,
            amount_minor=ask.amount_minor,
            created_at=now,
            next_attempt_at=at or now,
        )
        if not work.payments.add_step(step):
            raise TransactionLost(f"{cause} was written by somebody else")
        if payment.method is Method.WALLET and at is None:
            return self.apply_wallet(work, step, now)
        return []

    def _charge_missing(
        self,
        work: UnitOfWork,
        like: Payment,
        known: Sequence[Payment],
        missing_minor: int,
        now: datetime,
    ) -> None:
        """Charge what none of the known payments for the subject covers, by the means of one of them."""
        declined = [one for one in known if one.status is PaymentStatus.DECLINED]
        extra = [one for one in declined if one.due_minor is not None]
        at = None
        if extra:
            if len(extra) > len(rules.CHARGE_AGAIN_AFTER):
                log.error("till.owed", payment_id=like.id, subject=like.subject)
                return
            at = now + rules.CHARGE_AGAIN_AFTER[len(extra) - 1]
        payment = replace(
            like,
            id=self.new_id(),
            number=len(known),
            amount_minor=missing_minor,
            status=PaymentStatus.NEW,
            due_minor=missing_minor,
            authorised_minor=0,
            captured_minor=0,
            refunded_minor=0,
            gateway_ref="",
            created_at=now,
            row_version=0,
        )
        work.payments.add(payment)
        cause = f"first/{like.purpose}/{like.subject}/{payment.number:03d}"
        self._ask(work, payment, Ask(StepKind.CHARGE, missing_minor), cause, now, at)

    def _sell(
        self,
        work: UnitOfWork,
        reservation: Reservation,
        shares: Mapping[str, int],
        note: str,
        now: datetime,
    ) -> None:
        earned, number = work.ledger.sold(reservation.id)
        change = {
            account: shares.get(account, 0) - earned.get(account, 0)
            for account in {*shares, *earned}
        }
        if not any(change.values()):
            return
        sale = replace(postings.sale(reservation, number, change), note=note)
        if not work.ledger.post(sale, now):
            raise TransactionLost(f"{reservation.id} was settled by somebody else")

    # --- what follows -----------------------------------------------------------------------------

    def _book(
        self, work: UnitOfWork, after: Payment, outcome: "Outcome"
    ) -> tuple[Sequence[Change], Payment]:
        """Tell the reservation of its authorisation; what came too late goes back."""
        if after.purpose is Purpose.SUBSCRIPTION and after.status is PaymentStatus.CAPTURED:
            return (), self._book_month(work, after, outcome)
        is_first = outcome.step.kind is StepKind.AUTHORISE and after.due_minor is None
        if after.purpose is not Purpose.RESERVATION or not is_first:
            return (), after
        answer, now = outcome.answer, outcome.now
        known = work.payments.of_subject(after.purpose, after.subject)
        before = [one for one in known if one.number < after.number and one.authorised_minor]
        if before:
            return self._book_again(work, after, outcome, before)
        if not answer.is_success:
            return self.paid().declined(work, after.subject, answer.why, now), after
        booked = self.paid().paid(work, after.subject, outcome.step.amount_minor, now)
        if booked is None:
            return (), replace(after, due_minor=0)
        return booked, after

    def _book_again(
        self, work: UnitOfWork, after: Payment, outcome: "Outcome", before: Sequence[Payment]
    ) -> tuple[Sequence[Change], Payment]:
        """Have what was authorised anew stand for the booking, and what stood for it before go back."""
        answer, now = outcome.answer, outcome.now
        if not answer.is_success:
            return self.paid().not_renewed(work, after.subject, answer.why, now), after
        booked = self.paid().renewed(work, after.subject, outcome.step.amount_minor, now)
        if booked is None:
            return (), replace(after, due_minor=0)
        for one in before:
            if one.status is PaymentStatus.AUTHORISED and one.due_minor is None:
                work.payments.put(replace(one, due_minor=0))
                self._go_on(work, one.id, now)
        return booked, after

    def _book_month(self, work: UnitOfWork, after: Payment, outcome: "Outcome") -> Payment:
        step = outcome.step
        if step.kind is not StepKind.CHARGE:
            return after
        is_wanted = self.months.paid(work, after.subject, step.amount_minor, outcome.now)
        return after if is_wanted else replace(after, due_minor=0)

    def _follow(self, work: UnitOfWork, after: Payment, outcome: "Outcome") -> None:
        kind, is_success, now = outcome.step.kind, outcome.answer.is_success, outcome.now
        match after.purpose, kind, is_success:
            case Purpose.RESERVATION, (StepKind.CHARGE | StepKind.CAPTURE), False:
                if after.due_minor:
                    known = work.payments.of_subject(after.purpose, after.subject)
                    self._charge_missing(work, after, known, after.due_minor, now)
            case Purpose.RESERVATION, StepKind.REFUND, True:
                self._tell(work, after, NoticeKind.REFUNDED, outcome)
            case Purpose.TOPUP, StepKind.CHARGE, True:
                work.wallets.add(after.user_id, after.currency, outcome.step.amount_minor)
                self._tell(work, after, NoticeKind.WALLET_TOPPED_UP, outcome)
            case Purpose.SUBSCRIPTION, StepKind.CHARGE, False:
                self.months.refused(work, after.subject, now)
            case _:
                pass

    def _tell(
        self, work: UnitOfWork, payment: Payment, kind: NoticeKind, outcome: "Outcome"
    ) -> None:
        data = {
            "amount_minor": outcome.step.amount_minor,
            "currency": payment.currency,
            "balance_minor": work.wallets.available(payment.user_id, payment.currency),
        }
        if payment.purpose is Purpose.RESERVATION:
            data["reservation_id"] = payment.subject
        if outcome.answer.why:
            data["reason"] = outcome.answer.why
        cause = f"{kind}/{outcome.step.id}"
        notice = Notice(user_id=payment.user_id, kind=kind, cause=cause, data=data)
        self.telling.tell(work, notice, outcome.now)

    def _earned_by(self, work: UnitOfWork, payment: Payment) -> str:
        match payment.purpose:
            case Purpose.RESERVATION:
                return postings.driver(payment.user_id)
            case Purpose.TOPUP:
                return postings.wallet(payment.user_id)
            case Purpose.SUBSCRIPTION:
                return self.months.account(work, payment.subject)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step, and when we heard of it."""

    step: Step
    answer: GatewayAnswer
    now: datetime


def wallet_answer(work: UnitOfWork, payment: Payment, ask: Ask) -> GatewayAnswer:
    """Do what is asked of a wallet, at once; never more is taken than there is."""
    match ask.kind:
        case StepKind.AUTHORISE | StepKind.CHARGE:
            change = -ask.amount_minor
        case StepKind.CAPTURE:
            change = payment.authorised_minor - ask.amount_minor
        case StepKind.VOID:
            change = payment.authorised_minor
        case StepKind.REFUND:
            change = ask.amount_minor
    is_done = change == 0 or work.wallets.add(payment.user_id, payment.currency, change)
    return _GRANTED if is_done else _EMPTY


def _payment_of(work: UnitOfWork, step: Step) -> Payment:
    payment = work.payments.get(step.payment_id)
    if payment is None:
        raise RuntimeError(f"step {step.id} has no payment")
    return payment
