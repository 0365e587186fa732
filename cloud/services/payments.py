"""Paying for reservations, looking at payments, and giving money back."""

from dataclasses import dataclass, replace
from datetime import datetime

from cloud.domain import postings
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import (
    HoldExpired,
    IllegalTransition,
    NotAllowed,
    NotConfirmed,
    NotFound,
    NotValid,
    PaymentDeclined,
    PaymentUnderWay,
)
from cloud.domain.money import charge_unit
from cloud.domain.payments import Method, Payment, PaymentStatus, Purpose, Step, StepKind
from cloud.domain.reservations import PROMISED, Reservation, Status
from cloud.services.booking_ports import Told
from cloud.services.change_views import Change
from cloud.services.credit_notes import TOO_LITTLE, Taken, write_credit_note
from cloud.services.idempotency import Once, do_once
from cloud.services.payment_methods import means_of
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.retrying import retried
from cloud.services.till import Opening, TillService


@dataclass(frozen=True, slots=True, kw_only=True)
class PayBy:
    """What somebody wants to pay with."""

    method: Method
    method_id: str | None = None
    """Null: the default card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentStarted:
    """A payment that is written; the gateway may not have been asked yet."""

    payment_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentView:
    """A payment as whose it is may see it; amounts in minor units."""

    payment_id: str
    purpose: str
    """`reservation`, `topup` or `subscription`."""
    subject: str
    """A reservation's id, a top-up's own, `<subscription>/<month>`."""
    method: str
    method_id: str | None
    provider: str
    state: str
    """`pending`: the bank was asked and nobody knows its answer yet; `authorised`, `captured`,
    `voided`, `declined`."""
    currency: str
    amount_minor: int
    authorised_minor: int
    captured_minor: int
    refunded_minor: int
    due_minor: int | None
    """What is taken in the end; null: not known yet."""
    why: str
    """Of what was declined."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentList:
    """Payments for one thing, oldest first."""

    payments: list[PaymentView]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refunded:
    """What is due for a reservation after a part of it was waived."""

    reservation_id: str
    due_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class PaymentService:
    """Money for reservations; drivers' own, refunds are administrators'."""

    open_work: OpenWork
    clock: Clock
    till: TillService
    publisher: Publisher
    provider: str
    """Whose gateway new cards and payments go through."""

    def pay_reservation(
        self, viewer: Viewer, reservation_id: str, by: PayBy, once: Once | None = None
    ) -> PaymentStarted:
        """Write the payment of a confirmed hold; carry it out by the cashier's `pay_now`.

        From a wallet, and where nothing is to be paid, it is done with that.

        Raises:
            NotFound: the viewer has no such reservation.
            NotConfirmed: the one-time code has not been given.
            HoldExpired: the time to pay is over.
            PaymentUnderWay: it is paid for, or the bank has just been asked.
            NotValid: there is no such card.
        """
        started, changes = self._pay(viewer, reservation_id, by, once)
        self.publisher.publish(changes)
        return started

    def get(self, viewer: Viewer, payment_id: str) -> PaymentView:
        """Return a payment.

        Raises:
            NotFound: there is none, or it is not the viewer's.
        """
        with self.open_work(is_read_only=True) as work:
            return _view(work, _own(work, viewer, payment_id))

    def outcome(self, viewer: Viewer, payment_id: str) -> PaymentView:
        """Return a payment that is made or under way.

        Raises:
            NotFound: there is none, or it is not the viewer's.
            PaymentDeclined: it was refused; nothing was taken.
            HoldExpired: it came too late; nothing was taken.
        """
        with self.open_work(is_read_only=True) as work:
            payment = _own(work, viewer, payment_id)
            view = _view(work, payment)
            is_late = _is_late(work, payment)
        if payment.status is PaymentStatus.DECLINED:
            raise PaymentDeclined(payment_id, view.why)
        if is_late:
            raise HoldExpired(payment_id)
        return view

    def of_reservation(self, viewer: Viewer, reservation_id: str) -> PaymentList:
        """Return the payments for a reservation.

        Raises:
            NotFound: there is no such reservation, or it is not the viewer's.
        """
        with self.open_work(is_read_only=True) as work:
            _own_reservation(work, viewer, reservation_id)
            found = work.payments.of_subject(Purpose.RESERVATION, reservation_id)
            return PaymentList(payments=[_view(work, one) for one in found])

    @retried
    def refund(
        self,
        viewer: Viewer,
        reservation_id: str,
        amount_minor: int,
        why: str,
        once: Once | None = None,
    ) -> Refunded:
        """Waive a part of what was due for a reservation that is over; what was paid of it goes back.

        Never more is given back than was taken, however many ask at once.

        Raises:
            NotAllowed: the viewer is no administrator.
            NotFound: there is no such reservation.
            IllegalTransition: it is not settled yet.
            NotValid: more than is due.
        """
        if viewer.role is not Role.ADMIN:
            raise NotAllowed(viewer.user_id)
        now = self.clock.now()

        def waive() -> Refunded:
            return self._waive(work, reservation_id, amount_minor, Told("refunded", actor, why))

        actor = viewer.user_id
        with self.open_work() as work:
            refunded = do_once(work, once, now, waive, Refunded)
            work.commit()
        return refunded

    @retried
    def _pay(
        self, viewer: Viewer, reservation_id: str, by: PayBy, once: Once | None
    ) -> tuple[PaymentStarted, list[Change]]:
        now = self.clock.now()
        changes: list[Change] = []

        def start() -> PaymentStarted:
            known = self._demand_payable(work, reservation, now)
            means = means_of(work, viewer.user_id, by.method, by.method_id, self.provider)
            opening = Opening(
                purpose=Purpose.RESERVATION,
                subject=reservation.id,
                book=postings.station_book(reservation.station_id),
                user_id=viewer.user_id,
                method=means.method,
                method_id=means.method_id,
                provider=means.provider,
                currency=reservation.currency,
                amount_minor=to_authorise(reservation),
                number=known,
            )
            opened = self.till.open(work, opening, StepKind.AUTHORISE, now)
            changes.extend(opened.changes)
            return PaymentStarted(payment_id=opened.payment.id)

        with self.open_work() as work:
            reservation = _own_reservation(work, viewer, reservation_id)
            if reservation.user_id != viewer.user_id:
                # whose card it is decides
                raise NotFound(reservation_id)
            started = do_once(work, once, now, start, PaymentStarted)
            work.commit()
        return started, changes

    def _demand_payable(self, work: UnitOfWork, reservation: Reservation, now: datetime) -> int:
        """Return how many payments for it were made in vain, if another may be."""
        known = work.payments.of_subject(Purpose.RESERVATION, reservation.id)
        standing = [one for one in known if not one.is_over]
        if reservation.status is Status.BOOKED and known and known[-1].is_over:
            # the bank keeps nothing any more for a slot that is still to come
            if reservation.starts_at <= now:
                raise HoldExpired(reservation.id)
            return len(known)
        if reservation.status in PROMISED and standing:
            raise PaymentUnderWay(standing[0].id, "This reservation is paid for.")
        if reservation.status is not Status.HELD:
            raise HoldExpired(reservation.id)
        if reservation.held_until is not None and reservation.held_until <= now:
            raise HoldExpired(reservation.id)
        if not reservation.is_confirmed:
            raise NotConfirmed(reservation.id)
        if standing:
            raise PaymentUnderWay(standing[0].id)
        return len(known)

    def _waive(
        self, work: UnitOfWork, reservation_id: str, amount_minor: int, told: Told
    ) -> Refunded:
        now = self.clock.now()
        reservation = work.reservations.by_ids([reservation_id]).get(reservation_id)
        if reservation is None:
            raise NotFound(reservation_id)
        if reservation.due_minor is None or reservation.is_live:
            raise IllegalTransition(reservation_id, "The reservation is not over yet.")
        shares, _ = work.ledger.sold(reservation_id)
        due_minor = sum(shares.values())
        if not 0 < amount_minor <= due_minor:
            raise NotValid("amount_minor", f"At most {due_minor} can be given back.")
        unit = charge_unit(reservation.currency)
        if amount_minor % unit:
            raise NotValid("amount_minor", f"Cards count in steps of {unit}.")
        left = due_minor - amount_minor
        shares = postings.lessened(shares, left)
        taken = Taken(shares, told.note)
        number = write_credit_note(work, reservation.id, self.till.new_id(), taken, now)
        kept = self.till.close(work, reservation, left, shares, now, note=number)
        if kept < left:
            taken = Taken(postings.lessened(shares, kept), TOO_LITTLE)
            write_credit_note(work, reservation.id, self.till.new_id(), taken, now)
        work.reservations.put(replace(reservation, due_minor=kept), told, now)
        return Refunded(
            reservation_id=reservation_id, due_minor=kept, currency=reservation.currency
        )


def to_authorise(reservation: Reservation) -> int:
    """Return for how much a payment of the reservation must stand: as it was quoted when it was held."""
    return int((reservation.quote or {})["authorise_minor"])


def _own(work: UnitOfWork, viewer: Viewer, payment_id: str) -> Payment:
    payment = work.payments.get(payment_id)
    if payment is None or not _may_see(viewer, payment.user_id):
        raise NotFound(payment_id)
    return payment


def _own_reservation(work: UnitOfWork, viewer: Viewer, reservation_id: str) -> Reservation:
    reservation = work.reservations.by_ids([reservation_id]).get(reservation_id)
    if reservation is None or not _may_see(viewer, reservation.user_id):
        raise NotFound(reservation_id)
    return reservation


def _may_see(viewer: Viewer, user_id: str) -> bool:
    return viewer.user_id == user_id or viewer.role is Role.ADMIN


def _is_late(work: UnitOfWork, payment: Payment) -> bool:
    """Whether the hold was gone before the money came: then it goes back, and nothing was booked."""
    if payment.purpose is not Purpose.RESERVATION or payment.due_minor != 0:
        return False
    reservation = work.reservations.by_ids([payment.subject]).get(payment.subject)
    return reservation is None or reservation.booked_at is None


def _view(work: UnitOfWork, payment: Payment) -> PaymentView:
    is_new = payment.status is PaymentStatus.NEW
    return PaymentView(
        payment_id=payment.id,
        purpose=payment.purpose,
        subject=payment.subject,
        method=payment.method,
        method_id=payment.method_id,
        provider=payment.provider,
        state="pending" if is_new else payment.status,
        currency=payment.currency,
        amount_minor=payment.amount_minor,
        authorised_minor=payment.authorised_minor,
        captured_minor=payment.captured_minor,
        refunded_minor=payment.refunded_minor,
        due_minor=payment.due_minor,
        why=_why(payment, work.payments.steps_of(payment.id)),
        created_at=payment.created_at,
    )


def _why(payment: Payment, steps: list[Step]) -> str:
    if payment.status is not PaymentStatus.DECLINED:
        return ""
    return next((one.last_error for one in steps if one.last_error), "")
