"""Payments and their steps, in SQL."""

from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from cloud.adapters.sql.rows import Reader
from cloud.adapters.sql.tables import payment_steps as steps
from cloud.adapters.sql.tables import payments
from cloud.domain.payments import (
    Method,
    Payment,
    PaymentStatus,
    Purpose,
    Step,
    StepKind,
    StepState,
)
from cloud.services.money_ports import GatewayAnswer
from cloud.services.ports import TransactionLost

_PAYMENT: Final = Reader(payments, Payment, purpose=Purpose, method=Method, status=PaymentStatus)
_STEP: Final = Reader(steps, Step, kind=StepKind, state=StepState)
_PAYMENT_NAMES: Final = tuple(one.name for one in fields(Payment))
_STEP_NAMES: Final = tuple(one.name for one in fields(Step))
_MOVING: Final = (
    "status",
    "due_minor",
    "authorised_minor",
    "captured_minor",
    "refunded_minor",
    "gateway_ref",
)


class SqlPayments:
    """See Payments."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, payment: Payment) -> None:
        """See Payments.add."""
        values = {name: getattr(payment, name) for name in _PAYMENT_NAMES}
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(payments).values(**values))
        except IntegrityError as error:
            raise TransactionLost(f"somebody else pays for {payment.subject}") from error

    def get(self, payment_id: str) -> Payment | None:
        """See Payments.get."""
        query = select(*_PAYMENT.columns).where(payments.c.id == payment_id)
        return _PAYMENT.one(self._connection.execute(query).one_or_none())

    def of_subject(self, purpose: str, subject: str) -> list[Payment]:
        """See Payments.of_subject."""
        query = (
            select(*_PAYMENT.columns)
            .where(payments.c.subject == subject, payments.c.purpose == purpose)
            .order_by(payments.c.number)
        )
        return _PAYMENT.all(self._connection.execute(query))

    def of_method(self, method_id: str) -> list[Payment]:
        """See Payments.of_method."""
        moving = (PaymentStatus.NEW, PaymentStatus.AUTHORISED)
        query = select(*_PAYMENT.columns).where(
            payments.c.method_id == method_id, payments.c.status.in_(moving)
        )
        return _PAYMENT.all(self._connection.execute(query))

    def put(self, payment: Payment) -> None:
        """See Payments.put."""
        values = {name: getattr(payment, name) for name in _MOVING}
        statement = (
            update(payments)
            .where(payments.c.id == payment.id, payments.c.row_version == payment.row_version)
            .values(**values, row_version=payment.row_version + 1)
        )
        if self._connection.execute(statement).rowcount != 1:
            raise TransactionLost(f"payment {payment.id} was changed meanwhile")

    def add_step(self, step: Step) -> bool:
        """See Payments.add_step."""
        values = {name: getattr(step, name) for name in _STEP_NAMES}
        try:
            with self._connection.begin_nested():
                self._connection.execute(insert(steps).values(**values))
        except IntegrityError:
            return False
        return True

    def step(self, step_id: str) -> Step | None:
        """See Payments.step."""
        query = select(*_STEP.columns).where(steps.c.id == step_id)
        return _STEP.one(self._connection.execute(query).one_or_none())

    def steps_of(self, payment_id: str) -> list[Step]:
        """See Payments.steps_of."""
        query = (
            select(*_STEP.columns)
            .where(steps.c.payment_id == payment_id)
            .order_by(steps.c.created_at, steps.c.cause)
        )
        return _STEP.all(self._connection.execute(query))

    def claim_due(self, now: datetime, until: datetime, limit: int) -> list[Step]:
        """See Payments.claim_due. The lock only spreads the work; the counted statement is what counts."""
        query = (
            select(*_STEP.columns)
            .where(steps.c.next_attempt_at <= now)
            .order_by(steps.c.next_attempt_at)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        due = _STEP.all(self._connection.execute(query))
        taken = [self._take(one, now, until) for one in due]
        return [one for one in taken if one is not None]

    def claim(self, step_id: str, now: datetime, until: datetime) -> Step | None:
        """See Payments.claim."""
        step = self.step(step_id)
        return None if step is None else self._take(step, now, until)

    def finish(self, step: Step, state: StepState, answer: GatewayAnswer, at: datetime) -> bool:
        """See Payments.finish."""
        return self._change(
            step,
            state=state,
            gateway_ref=answer.gateway_ref[:255],
            last_error=answer.why[:500],
            next_attempt_at=None,
            done_at=at,
        )

    def undo(self, step: Step, state: StepState, why: str) -> bool:
        """See Payments.undo."""
        statement = (
            update(steps)
            .where(steps.c.id == step.id, steps.c.state == StepState.DONE)
            .values(state=state, last_error=why[:500])
        )
        return self._connection.execute(statement).rowcount == 1

    def postpone(self, step: Step, error: str, next_attempt_at: datetime) -> None:
        """See Payments.postpone."""
        self._change(
            step,
            steps.c.attempts == step.attempts,
            last_error=error[:500],
            next_attempt_at=next_attempt_at,
        )

    def _take(self, one: Step, now: datetime, until: datetime) -> Step | None:
        is_mine = self._change(
            one,
            steps.c.attempts == one.attempts,
            steps.c.next_attempt_at <= now,
            attempts=one.attempts + 1,
            next_attempt_at=until,
        )
        return self.step(one.id) if is_mine else None

    def _change(self, step: Step, *conditions: Any, **values: Any) -> bool:
        statement = update(steps).where(
            steps.c.id == step.id, steps.c.state == StepState.PENDING, *conditions
        )
        return self._connection.execute(statement.values(**values)).rowcount == 1
