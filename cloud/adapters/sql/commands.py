"""Commands in SQL. The first answer wins, by a conditional update that is counted."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, or_, select, update

from cloud.adapters.sql.tables import commands
from cloud.services.views import CommandView
from contracts.events import CommandAnswered

QUEUED: Final = "queued"
EXPIRED: Final = "expired"

_UNANSWERED: Final = commands.c.answered_at.is_(None)
"""Queued, or expired here without a word of the station, whose answer may be late."""


class SqlCommands:
    """See Commands."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, command: CommandView) -> None:
        """See Commands.add."""
        self._connection.execute(
            insert(commands).values(
                id=command.command_id,
                station_id=command.station_id,
                charger_id=command.charger_id,
                kind=command.kind,
                request=command.request,
                issued_by=command.issued_by,
                issued_at=command.issued_at,
                expires_at=command.expires_at,
                state=QUEUED,
                changed_version=command.version,
            )
        )

    def get(self, command_id: str) -> CommandView | None:
        """See Commands.get."""
        found = self._views([command_id])
        return found[0] if found else None

    def latest(self, charger_id: str, limit: int) -> list[CommandView]:
        """See Commands.latest."""
        query = select(commands).where(commands.c.charger_id == charger_id)
        newest = query.order_by(commands.c.issued_at.desc(), commands.c.id).limit(limit)
        return [_view(row) for row in self._connection.execute(newest)]

    def unsent(self, now: datetime, before: datetime, limit: int) -> list[CommandView]:
        """See Commands.unsent."""
        query = (
            select(commands)
            .where(
                commands.c.state == QUEUED,
                commands.c.expires_at > now,
                or_(commands.c.published_at.is_(None), commands.c.published_at < before),
            )
            .order_by(commands.c.issued_at)
            .limit(limit)
        )
        return [_view(row) for row in self._connection.execute(query)]

    def mark_published(self, command_ids: Collection[str], at: datetime) -> None:
        """See Commands.mark_published."""
        statement = update(commands).where(commands.c.id.in_(command_ids))
        self._connection.execute(statement.values(published_at=at))

    def answer(
        self, station_id: str, answers: Sequence[CommandAnswered], now: datetime
    ) -> list[CommandView]:
        """See Commands.answer."""
        changed = [
            answer.command_id
            for answer in answers
            if self._change(
                (commands.c.station_id == station_id, commands.c.id == answer.command_id),
                state=answer.outcome,
                answer=answer.answer,
                answered_at=now,
            )
        ]
        return self._views(changed)

    def expire(self, now: datetime, limit: int) -> list[CommandView]:
        """See Commands.expire."""
        query = select(commands.c.id).where(
            commands.c.state == QUEUED, commands.c.expires_at <= now
        )
        overdue = self._connection.execute(query.order_by(commands.c.expires_at).limit(limit))
        changed = [
            command_id
            for command_id in overdue.scalars().all()
            if self._change(
                (commands.c.id == command_id, commands.c.state == QUEUED), state=EXPIRED
            )
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
        return [_view(row) for row in self._connection.execute(query)]


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
    )
