"""Commands to chargers: issued, handed to the station, answered, or expired."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import msgspec

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import ChargerOffline, NotAllowed, NotFound
from cloud.services.admin_ports import ChargerPlace
from cloud.services.idempotency import Once, do_once
from cloud.services.ports import (
    Clock,
    DatabaseAway,
    OpenWork,
    Publish,
    TransactionLost,
    UnitOfWork,
)
from cloud.services.retrying import retried
from cloud.services.views import Change, ChangeKind, CommandView
from contracts import topics
from contracts.commands import Command, Request
from contracts.events import CommandAnswered
from contracts.wire import encode

QUEUED: Final = "queued"

_REPEAT_AFTER: Final = timedelta(seconds=3)
"""A command not answered this long after it was handed over is handed over again; the station
executes each id once, and a broker that was restarted has forgotten it."""
_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class CommandService:
    """The use cases of commands: maintenance's and administrators', owners' at their own."""

    open_work: OpenWork
    publish: Publish
    clock: Clock
    stale_after: timedelta

    def issue(
        self, viewer: Viewer, request: Request, lasts: timedelta, once: Once | None = None
    ) -> CommandView:
        """Queue a request to a charger and hand it to its station.

        Raises:
            NotAllowed: drivers command no chargers.
            NotFound: there is no such charger, or it is not the viewer's to command.
            ChargerOffline: it, or its station, is not connected.
        """
        if viewer.role is Role.DRIVER:
            raise NotAllowed(viewer.user_id)
        command = self._queue(viewer, request, lasts, once)
        if command.state == QUEUED:
            self._hand_over([command])
        return command

    @retried
    def _queue(
        self, viewer: Viewer, request: Request, lasts: timedelta, once: Once | None
    ) -> CommandView:
        now = self.clock.now()

        def queue() -> CommandView:
            place = _reachable(work, viewer, request.charger_id, now - self.stale_after)
            command = _new(place.station_id, viewer, request, now, now + lasts)
            work.commands.add(command)
            return command

        with self.open_work() as work:
            command = do_once(work, once, now, queue, CommandView)
            work.commit()
        return command

    def get(self, viewer: Viewer, command_id: str) -> CommandView:
        """Return a command and how it stands.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            command = work.commands.get(command_id)
            place = (
                None if command is None else work.stations_admin.charger_place(command.charger_id)
            )
        owner_id = None if place is None else place.owner_id
        if command is None or not viewer.may_watch(owner_id):
            raise NotFound(command_id)
        return command

    def hand_over_unsent(self) -> int:
        """Publish what was queued and not handed over, or not answered; for the clock."""
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            waiting = work.commands.unsent(now, now - _REPEAT_AFTER, _BATCH)
        if waiting:
            self._hand_over(waiting)
        return len(waiting)

    @retried
    def expire_overdue(self) -> list[Change]:
        """Close commands nobody answered in time; returns what viewers must hear. For the clock."""
        with self.open_work() as work:
            expired = work.commands.expire(self.clock.now(), _BATCH)
            work.commit()
        return [change_of(command) for command in expired]

    def _hand_over(self, commands: Sequence[CommandView]) -> None:
        for command in commands:
            self.publish(topics.commands(command.station_id), encode(_wire(command)), False)
        # they are on their way: without the mark the sweep hands them over once more, no harm
        with suppress(TransactionLost, DatabaseAway):
            self._mark_published([command.command_id for command in commands])

    @retried
    def _mark_published(self, command_ids: Sequence[str]) -> None:
        with self.open_work() as work:
            work.commands.mark_published(command_ids, self.clock.now())
            work.commit()


def apply_answers(
    work: UnitOfWork, station_id: str, answers: Sequence[CommandAnswered], now: datetime
) -> list[Change]:
    """Store a station's answers within the caller's transaction; a second answer has no effect.

    Returns:
        What viewers must hear once the transaction is committed.
    """
    return [change_of(command) for command in work.commands.answer(station_id, answers, now)]


def change_of(command: CommandView) -> Change:
    """Return what to tell about a command that changed."""
    return Change(
        change=ChangeKind.COMMAND,
        station_id=command.station_id,
        subject=command.command_id,
        version=command.version,
        user_id=command.issued_by,
        view=command,
    )


def _reachable(
    work: UnitOfWork, viewer: Viewer, charger_id: str, not_before: datetime
) -> ChargerPlace:
    place = work.stations_admin.charger_place(charger_id)
    if place is None or not viewer.may_watch(place.owner_id):
        raise NotFound(charger_id)
    is_heard = place.heard_at is not None and place.heard_at >= not_before
    if not (place.is_connected and is_heard):
        raise ChargerOffline(charger_id)
    return place


def _new(
    station_id: str, viewer: Viewer, request: Request, now: datetime, expires_at: datetime
) -> CommandView:
    body: dict[str, Any] = msgspec.to_builtins(request)
    return CommandView(
        command_id=uuid4().hex,
        station_id=station_id,
        charger_id=request.charger_id,
        kind=body["kind"],
        state=QUEUED,
        request=body,
        answer=None,
        issued_by=viewer.user_id,
        issued_at=now,
        expires_at=expires_at,
        answered_at=None,
        version=1,
    )


def _wire(command: CommandView) -> Command:
    return Command(
        station=command.station_id,
        id=command.command_id,
        issued_at=command.issued_at,
        expires_at=command.expires_at,
        request=msgspec.convert(command.request, Request),
    )
