"""Commands in SQL. The first answer wins, by a conditional update that is counted."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    delete,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from cloud.adapters.sql.tables import chargers, commands, fleet_commands, station_links
from cloud.domain.waves import Status
from cloud.services.command_views import CommandView
from contracts.events import CommandAnswered, CommandOutcome

QUEUED: Final = "queued"
SENT: Final = "sent"
EXPIRED: Final = "expired"
CANCELLED: Final = "cancelled"

RUNNING: Final = Status.RUNNING
"""Of a fleet command: only then its commands go out."""

_WAITING: Final = commands.c.state.in_((QUEUED, SENT))
_UNANSWERED: Final = commands.c.answered_at.is_(None)
"""Waiting, or ended here without a word of the station, whose answer may be late."""
_NOT_HEARD: Final = frozenset({CommandOutcome.CHARGER_OFFLINE, CommandOutcome.EXPIRED})
"""Outcomes that say the command was not sent to the charger."""


class SqlCommands:
    """See Commands."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, *new: CommandView) -> None:
        """See Commands.add."""
        rows = [
            {
                "id": command.command_id,
                "station_id": command.station_id,
                "charger_id": command.charger_id,
                "kind": command.kind,
                "request": command.request,
                "issued_by": command.issued_by,
                "issued_at": command.issued_at,
                "expires_at": command.expires_at,
                "state": command.state,
                "changed_version": command.version,
                "is_patient": command.is_patient,
                "answer_within_s": command.answer_within_s,
                "sent_at": command.sent_at,
                "fleet_command_id": command.fleet_command_id,
            }
            for command in new
        ]
        self._connection.execute(insert(commands), rows)

    def get(self, command_id: str) -> CommandView | None:
        """See Commands.get."""
        found = self._views([command_id])
        return found[0] if found else None

    def latest(self, charger_id: str, limit: int) -> list[CommandView]:
        """See Commands.latest."""
        return self.page(charger_id, None, None, limit)

    def page(
        self, charger_id: str, state: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[CommandView]:
        """See Commands.page."""
        place = (commands.c.issued_at, commands.c.id)
        query = select(commands).where(commands.c.charger_id == charger_id)
        if state is not None:
            query = query.where(commands.c.state == state)
        if before is not None:
            query = query.where(tuple_(*place) < tuple_(*before))
        newest = query.order_by(*(column.desc() for column in place)).limit(limit)
        return [_view(row) for row in self._connection.execute(newest)]

    def unsent(self, now: datetime, before: datetime, limit: int) -> list[CommandView]:
        """See Commands.unsent."""
        query = select(commands).where(commands.c.state == SENT)
        return self._due(query, now, before, limit)

    def sendable(
        self, now: datetime, before: datetime, heard_since: datetime, limit: int
    ) -> list[CommandView]:
        """See Commands.sendable."""
        is_there = (chargers.c.is_connected, station_links.c.heard_at >= heard_since)
        is_let = or_(commands.c.fleet_command_id.is_(None), fleet_commands.c.status == RUNNING)
        of_fleet = fleet_commands.c.id == commands.c.fleet_command_id
        query = (
            select(commands)
            .join(chargers, chargers.c.id == commands.c.charger_id)
            .join(station_links, station_links.c.station_id == chargers.c.station_id)
            .join(fleet_commands, of_fleet, isouter=True)
            .where(commands.c.state == QUEUED, *is_there, is_let)
        )
        return self._due(query, now, before, limit)

    def claim(self, command_ids: Sequence[str], now: datetime) -> list[CommandView]:
        """See Commands.claim."""
        is_in_time = commands.c.expires_at > now
        return self._from_queue(command_ids, is_in_time, state=SENT, sent_at=now, published_at=now)

    def cancel(self, command_ids: Sequence[str]) -> list[CommandView]:
        """See Commands.cancel."""
        return self._from_queue(command_ids, state=CANCELLED)

    def mark_published(self, command_ids: Collection[str], at: datetime) -> None:
        """See Commands.mark_published."""
        statement = update(commands).where(commands.c.id.in_(command_ids))
        self._connection.execute(statement.values(published_at=at))

    def answer(
        self, station_id: str, answers: Sequence[CommandAnswered], now: datetime
    ) -> list[CommandView]:
        """See Commands.answer."""
        changed = [
            answer.command_id for answer in answers if self._answer_one(station_id, answer, now)
        ]
        return self._views(changed)

    def expire(self, now: datetime, limit: int) -> list[CommandView]:
        """See Commands.expire."""
        query = select(commands.c.id).where(_WAITING, commands.c.expires_at <= now)
        overdue = self._connection.execute(query.order_by(commands.c.expires_at).limit(limit))
        changed = [
            command_id
            for command_id in overdue.scalars().all()
            if self._change((commands.c.id == command_id, _WAITING), state=EXPIRED)
        ]
        return self._views(changed)

    def _answer_one(self, station_id: str, answer: CommandAnswered, now: datetime) -> bool:
        its: tuple[ColumnElement[bool], ...] = (
            commands.c.station_id == station_id,
            commands.c.id == answer.command_id,
        )
        if answer.outcome in _NOT_HEARD:
            its = (*its, commands.c.state != CANCELLED)
            may_wait = (commands.c.is_patient.is_(True), commands.c.expires_at > now, _WAITING)
            if self._change((*its, *may_wait), state=QUEUED):
                return True
        return self._change(its, state=answer.outcome, answer=answer.answer, answered_at=now)

    def _due(
        self, query: Select[Any], now: datetime, before: datetime, limit: int
    ) -> list[CommandView]:
        is_due = or_(commands.c.published_at.is_(None), commands.c.published_at < before)
        in_time = query.where(commands.c.expires_at > now, is_due)
        ordered = in_time.order_by(commands.c.issued_at, commands.c.id).limit(limit)
        return [_view(row) for row in self._connection.execute(ordered)]

    def forget(self, before: datetime, limit: int) -> int:
        """See Commands.forget."""
        query = select(commands.c.id).where(
            commands.c.expires_at < before, ~_WAITING, commands.c.fleet_command_id.is_(None)
        )
        old = list(self._connection.execute(query.limit(limit)).scalars())
        self._connection.execute(delete(commands).where(commands.c.id.in_(old)))
        return len(old)

    def _from_queue(
        self, command_ids: Sequence[str], *which: ColumnElement[bool], **values: Any
    ) -> list[CommandView]:
        changed = [
            one
            for one in command_ids
            if self._change((commands.c.id == one, commands.c.state == QUEUED, *which), **values)
        ]
        return self._views(changed)

    def _change(self, which: Iterable[Any], **values: Any) -> bool:
        statement = update(commands).where(*which, _UNANSWERED)
        values["changed_version"] = commands.c.changed_version + 1
        return self._connection.execute(statement.values(**values)).rowcount > 0

    def _views(self, command_ids: Collection[str]) -> list[CommandView]:
        if not command_ids:
            return []
        query = select(commands).where(commands.c.id.in_(command_ids))
        ordered = query.order_by(commands.c.issued_at, commands.c.id)
        return [_view(row) for row in self._connection.execute(ordered)]


def _view(row: Row[*tuple[Any, ...]]) -> CommandView:
    return CommandView(
        command_id=row.id,
        station_id=row.station_id,
        charger_id=row.charger_id,
        kind=row.kind,
        state=row.state,
        request=row.request,
        answer=row.answer,
        issued_by=row.issued_by,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        answered_at=row.answered_at,
        version=row.changed_version,
        is_patient=row.is_patient,
        answer_within_s=row.answer_within_s,
        sent_at=row.sent_at,
        fleet_command_id=row.fleet_command_id,
    )
