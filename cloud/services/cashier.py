"""The cashier: has gateways do the steps that are written, and writes down what became of them.

A gateway is called outside of any transaction, with the step's id as idempotency key: however often
it is asked, it does it once. A step whose outcome nobody knows is asked for again, for ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, assert_never

import structlog

from cloud.domain.alerts.snapshots import PaymentSnapshot
from cloud.domain.errors import NotFound
from cloud.domain.payments import (
    LOUD_AFTER,
    Method,
    Payment,
    Purpose,
    Step,
    StepKind,
    StepState,
    open_step,
    pause_after,
)
from cloud.domain.policy import Policy
from cloud.services.alerting import Alerting
from cloud.services.change_views import Change
from cloud.services.money_mails import stuck
from cloud.services.money_ports import (
    GatewayAnswer,
    GatewayAway,
    GatewayEvent,
    PaymentGateway,
)
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.retrying import retried
from cloud.services.till import TillService

log = structlog.get_logger(__name__)

GATEWAY_TIMEOUT_S: Final = 8.0
"""The longest a gateway may take to answer; adapters keep to it."""
_LEASE: Final = timedelta(seconds=40)
"""A killed cashier's steps are taken up by another after so long: well within a minute (R06)."""
_BATCH: Final = 4
"""As many as fit into a lease, each as slow as can be."""

_NO_CARD: Final = GatewayAnswer(
    is_success=False, gateway_ref="", why="This card is not there any more."
)


@dataclass(frozen=True, slots=True)
class _Errand:
    """A claimed step with all a gateway needs to know."""

    step: Step
    payment: Payment
    card_ref: str | None


@dataclass(frozen=True, slots=True)
class CashierService:
    """Several may run: a step is carried out by whoever claims it, and its outcome written once."""

    open_work: OpenWork
    clock: Clock
    gateways: Mapping[str, PaymentGateway]
    till: TillService
    publisher: Publisher
    policy: Policy
    public_url: str = ""
    always_told: tuple[str, ...] = ()
    """Addresses told of every alert, beside the owners and the maintenance staff."""

    # --- what is due ------------------------------------------------------------------------------

    @retried
    def claim(self) -> list[Step]:
        """Take what is due; what is taken and not carried out comes back after a while."""
        now = self.clock.now()
        with self.open_work() as work:
            steps = work.payments.claim_due(now, now + _LEASE, _BATCH)
            work.commit()
        return steps

    def carry_out(self, step: Step) -> None:
        """Have a claimed step done, and write what became of it."""
        errand = self._errand(step)
        if errand.payment.method is Method.WALLET:
            self.publisher.publish(self._do_wallet(step.id))
            return
        try:
            answer = self._ask(errand)
        except GatewayAway as error:
            self.postpone(step, str(error))
            return
        self.publisher.publish(self._record(step.id, answer))

    def pay_now(self, payment_id: str) -> bool:
        """Carry out the payment's open step at once; False: there is none, or somebody else is at it."""
        step = self._claim_of(payment_id)
        if step is None:
            return False
        self.carry_out(step)
        return True

    def postpone(self, step: Step, why: str) -> None:
        """Note that nobody knows whether a step was done; it is asked for again."""
        log.warning(
            "cashier.unknown", step_id=step.id, kind=step.kind, attempts=step.attempts, why=why
        )
        self.publisher.publish(self._postpone(step, why))

    # --- what gateways tell -----------------------------------------------------------------------

    def hear(self, provider: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Take what a gateway tells by itself; the same event has one effect, however often it comes.

        Raises:
            NotFound: there is no such gateway here.
            BadSignature: it is not the gateway's, or too old; nothing was done.
        """
        gateway = self.gateways.get(provider)
        if gateway is None:
            raise NotFound(provider)
        event = gateway.read_webhook(body, headers, self.clock.now())
        if event is not None:
            self.publisher.publish(self._hear(event))

    # --- inside -----------------------------------------------------------------------------------

    @retried
    def _claim_of(self, payment_id: str) -> Step | None:
        now = self.clock.now()
        with self.open_work() as work:
            waiting = open_step(work.payments.steps_of(payment_id))
            step = waiting and work.payments.claim(waiting.id, now, now + _LEASE)
            work.commit()
        return step

    def _errand(self, step: Step) -> _Errand:
        with self.open_work(is_read_only=True) as work:
            payment = work.payments.get(step.payment_id)
            if payment is None:
                raise RuntimeError(f"step {step.id} has no payment")
            card = work.payment_methods.get(payment.method_id) if payment.method_id else None
        return _Errand(step, payment, None if card is None else card.gateway_ref)

    def _ask(self, errand: _Errand) -> GatewayAnswer:
        step, payment = errand.step, errand.payment
        gateway = self.gateways.get(payment.provider)
        if gateway is None:
            raise GatewayAway(f"no gateway is set up for {payment.provider}")
        if step.attempts > 1:
            # asked before: look first, for a gateway forgets its keys, and may repeat a failure
            found = gateway.find(step, payment.gateway_ref, errand.card_ref or "")
            if found is not None:
                return found
        return _call(gateway, errand)

    @retried
    def _record(self, step_id: str, answer: GatewayAnswer) -> list[Change]:
        now = self.clock.now()
        with self.open_work() as work:
            step = _step(work, step_id)
            changes = self.till.apply(work, step, answer, now)
            changes += self._alert(work, step_id, now)
            work.commit()
        return changes

    @retried
    def _do_wallet(self, step_id: str) -> list[Change]:
        with self.open_work() as work:
            step = _step(work, step_id)
            if step.state is not StepState.PENDING:
                return []
            changes = self.till.apply_wallet(work, step, self.clock.now())
            work.commit()
        return changes

    @retried
    def _postpone(self, step: Step, why: str) -> list[Change]:
        now = self.clock.now()
        with self.open_work() as work:
            work.payments.postpone(step, why, now + pause_after(step.attempts))
            changes = self._alert(work, step.id, now)
            work.commit()
        return changes

    @retried
    def _hear(self, event: GatewayEvent) -> list[Change]:
        now = self.clock.now()
        with self.open_work() as work:
            if not work.gateway_events.add(event, now):
                return []
            step = work.payments.step(event.step_id) if event.step_id else None
            changes: list[Change] = []
            if step is not None and step.kind == event.kind:
                changes = self._apply_event(work, step, event, now)
            work.commit()
        return changes

    def _apply_event(
        self, work: UnitOfWork, step: Step, event: GatewayEvent, now: datetime
    ) -> list[Change]:
        answer = GatewayAnswer(event.is_success, event.gateway_ref, event.why)
        if step.state is StepState.PENDING:
            changes = self.till.apply(work, step, answer, now)
        elif step.state is StepState.DONE and not event.is_success:
            log.error("cashier.undone", step_id=step.id, kind=step.kind, why=event.why)
            changes = self.till.undo(work, step, answer, now)
        else:
            return []
        changes += self._alert(work, step.id, now)
        work.gateway_events.applied(event, now)
        return changes

    def _alert(self, work: UnitOfWork, step_id: str, now: datetime) -> list[Change]:
        """Have the station's people told of money that does not move, and that it does again.

        Of money that belongs to no station staff are written.
        """
        step = _step(work, step_id)
        if step.attempts < LOUD_AFTER and step.state is not StepState.FAILED:
            return []
        log.error("cashier.stuck", step_id=step.id, state=step.state, why=step.last_error)
        payment = work.payments.get(step.payment_id)
        if payment is None:
            return []
        if payment.purpose is not Purpose.RESERVATION:
            told = {*work.messages.staff(), *self.always_told}
            work.messages.add(stuck(step, payment, told, self.public_url, now))
            return []
        reservation = work.reservations.by_ids([payment.subject]).get(payment.subject)
        if reservation is None:
            return []
        snapshot = PaymentSnapshot(reservation.station_id, reservation.id, step)
        alerting = Alerting(self.policy, self.public_url, self.always_told, self.till.new_id)
        return alerting.judge(work, snapshot, now)


def _call(gateway: PaymentGateway, errand: _Errand) -> GatewayAnswer:
    step, payment = errand.step, errand.payment
    amount, currency, ref = step.amount_minor, payment.currency, payment.gateway_ref
    match step.kind:
        case StepKind.AUTHORISE | StepKind.CHARGE if errand.card_ref is None:
            return _NO_CARD
        case StepKind.AUTHORISE:
            return gateway.authorise(step.id, amount, currency, errand.card_ref or "")
        case StepKind.CHARGE:
            return gateway.charge(step.id, amount, currency, errand.card_ref or "")
        case StepKind.CAPTURE:
            return gateway.capture(step.id, ref, amount, currency)
        case StepKind.REFUND:
            return gateway.refund(step.id, ref, amount, currency)
        case StepKind.VOID:
            return gateway.void(step.id, ref)
        case _:
            assert_never(step.kind)


def _step(work: UnitOfWork, step_id: str) -> Step:
    step = work.payments.step(step_id)
    if step is None:
        raise NotFound(step_id)
    return step
