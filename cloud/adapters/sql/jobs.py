"""What chargers do for a while, in SQL: one row a job, the latest step in it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Row, delete, insert, select, tuple_, update

from cloud.adapters.sql.tables import charger_jobs
from cloud.domain.customer_data import FORGOTTEN, without_customer
from cloud.services.inventory_ports import JobStep
from cloud.services.job_views import JobView
from contracts.events import JobKind

_MAX_STATUS: Final = 64
_ANSWERS: Final = frozenset({"Accepted", "AcceptedCanceled"})
"""The charger's words to the order itself: the answer may be told after its first step."""


class SqlJobs:
    """See Jobs."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def tell(self, steps: Sequence[JobStep]) -> None:
        """See Jobs.tell. One batch of a station after another: nobody else writes its rows."""
        for step in steps:
            known = self.get(step.fact.charger_id, step.fact.job, step.fact.request_id)
            if step.fact.status == "AcceptedCanceled" and not step.fact.is_over:
                self._cancel_others(step)
            if known is None:
                self._begin(step)
            elif step.fact.request_id and step.fact.status in _ANSWERS and not step.fact.is_over:
                self._complete(step, known)
            elif step.at >= known.changed_at:
                self._go_on(step, known)

    def latest(self, charger_id: str, limit: int) -> list[JobView]:
        """See Jobs.latest."""
        query = select(charger_jobs).where(charger_jobs.c.charger_id == charger_id)
        newest = query.order_by(charger_jobs.c.changed_at.desc(), charger_jobs.c.request_id.desc())
        return [_view(row) for row in self._connection.execute(newest.limit(limit))]

    def forget_customers(self, before: datetime, limit: int) -> int:
        """See Jobs.forget_customers."""
        columns = charger_jobs.c
        query = select(charger_jobs).where(
            columns.job == JobKind.CUSTOMER_INFORMATION,
            columns.status != FORGOTTEN,
            columns.changed_at < before,
        )
        old = [_view_of(row) for row in self._connection.execute(query.limit(limit))]
        for charger_id, view in old:
            statement = update(charger_jobs).where(*_place(charger_id, view.job, view.request_id))
            values = {"detail": without_customer(view.detail), "status": FORGOTTEN, "is_over": True}
            self._connection.execute(statement.values(values))
        return len(old)

    def forget(self, before: datetime, limit: int) -> int:
        """See Jobs.forget."""
        key = (charger_jobs.c.charger_id, charger_jobs.c.job, charger_jobs.c.request_id)
        query = select(*key).where(charger_jobs.c.changed_at < before).limit(limit)
        old = [tuple(row) for row in self._connection.execute(query)]
        if old:
            self._connection.execute(delete(charger_jobs).where(tuple_(*key).in_(old)))
        return len(old)

    def get(self, charger_id: str, job: str, request_id: int) -> JobView | None:
        """See Jobs.get."""
        query = select(charger_jobs).where(*_place(charger_id, job, request_id))
        row = self._connection.execute(query).one_or_none()
        return None if row is None else _view(row)

    def _begin(self, step: JobStep) -> None:
        fact = step.fact
        self._connection.execute(
            insert(charger_jobs).values(
                charger_id=fact.charger_id,
                job=fact.job,
                request_id=fact.request_id,
                detail=fact.detail,
                started_at=step.at,
                **_state(step),
            )
        )

    def _cancel_others(self, step: JobStep) -> None:
        """What was under way gives way to the new one (OCPP 2.0.1 L01.FR.24)."""
        fact, columns = step.fact, charger_jobs.c
        others = update(charger_jobs).where(
            columns.charger_id == fact.charger_id,
            columns.job == fact.job,
            columns.request_id != fact.request_id,
            columns.is_over.is_(False),
        )
        self._connection.execute(others.values(status="Canceled", is_over=True, changed_at=step.at))

    def _complete(self, step: JobStep, known: JobView) -> None:
        fact = step.fact
        place = _place(fact.charger_id, fact.job, fact.request_id)
        statement = update(charger_jobs).where(*place)
        self._connection.execute(statement.values(detail=fact.detail | known.detail))

    def _go_on(self, step: JobStep, known: JobView) -> None:
        """What is over and begins anew under its number, as 1.6's do, is another job in its place."""
        fact = step.fact
        is_anew = known.is_over and not fact.is_over
        detail = fact.detail if is_anew else known.detail | fact.detail
        more = {"started_at": step.at} if is_anew else {}
        statement = update(charger_jobs).where(*_place(fact.charger_id, fact.job, fact.request_id))
        self._connection.execute(statement.values(detail=detail, **_state(step), **more))


def _place(charger_id: str, job: str, request_id: int) -> tuple[ColumnElement[bool], ...]:
    columns = charger_jobs.c
    return (
        columns.charger_id == charger_id,
        columns.job == job,
        columns.request_id == request_id,
    )


def _state(step: JobStep) -> dict[str, object]:
    return {
        "status": step.fact.status[:_MAX_STATUS],
        "is_over": step.fact.is_over,
        "has_failed": step.fact.has_failed,
        "changed_at": step.at,
    }


def _view_of(row: Row[tuple[object, ...]]) -> tuple[str, JobView]:
    return row.charger_id, _view(row)


def _view(row: Row[tuple[object, ...]]) -> JobView:
    return JobView(
        job=row.job,
        request_id=row.request_id,
        status=row.status,
        is_over=row.is_over,
        has_failed=row.has_failed,
        detail=row.detail,
        started_at=row.started_at,
        changed_at=row.changed_at,
    )
