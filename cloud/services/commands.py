"""Commands to chargers: queued while they are away, handed to the station, answered, or expired."""

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import msgspec
from msgspec import structs

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import ChargerOffline, CommandSent, NotAllowed, NotFound, NotValid
from cloud.domain.login_keys import is_login_key, sets_login_key
from cloud.services.admin_ports import ChargerPlace
from cloud.services.change_views import Change, ChangeKind
from cloud.services.command_views import CommandList, CommandView
from cloud.services.cursors import seal, unseal
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
from contracts import topics
from contracts.commands import (
    CallCharger,
    Command,
    Request,
    ReserveEvse,
    StartSession,
    WriteVariable,
)
from contracts.events import CommandAnswered
from contracts.ids import same_token
from contracts.wire import encode

QUEUED: Final = "queued"
SENT: Final = "sent"
CANCELLED: Final = "cancelled"
WAITING: Final = frozenset({QUEUED, SENT})
"""States that are not the end of a command."""
MAX_PATIENCE: Final = timedelta(days=30)

_MAX_LIMIT: Final = 200

_REPEAT_AFTER: Final = timedelta(seconds=3)
"""A command not answered this long after it was handed over is handed over again; the station
executes each id once, and a broker that was restarted has forgotten it."""
_TRY_AGAIN_AFTER: Final = timedelta(seconds=10)
"""A patient command that came back unsent is not handed over again before."""
_BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long a command may take to be answered, and before that wait to be sent."""

    lasts: timedelta
    patience: timedelta | None = None

    @property
    def is_patient(self) -> bool:
        """Whether it waits for a charger that is away."""
        return self.patience is not None

    def of(self, *, is_there: bool) -> timedelta:
        """Return after what time it is over whatever happens; `is_there`: it is sent at once."""
        if self.patience is None:
            return self.lasts
        return max(self.lasts, self.patience) if is_there else self.patience


def _as_it_is(request: Request) -> Request:
    return request


@dataclass(frozen=True, slots=True)
class CommandService:
    """The use cases of commands: maintenance's and administrators', owners' at their own."""

    open_work: OpenWork
    publish: Publish
    clock: Clock
    stale_after: timedelta
    fill: Callable[[Request], Request] = _as_it_is
    """Puts into a request, as it leaves, what is not kept in the database: keys."""

    def issue(
        self,
        viewer: Viewer,
        request: Request,
        lasts: timedelta,
        once: Once | None = None,
        *,
        patience: timedelta | None = None,
    ) -> CommandView:
        """Hand a request to a charger to its station, or keep it until the charger is there.

        Args:
            viewer: who asks.
            request: of which charger, and what.
            lasts: how long the charger may take to answer, once it is sent.
            once: how the request names itself.
            patience: how long it may wait for a charger that is away; None: not at all.

        Raises:
            NotAllowed: drivers command no chargers.
            NotFound: there is no such charger, or it is not the viewer's to command.
            ChargerOffline: it, or its station, is not connected, and the command is not patient.
            NotValid: it would set the charger's login key.
        """
        if viewer.role is Role.DRIVER:
            raise NotAllowed(viewer.user_id)
        demand_no_key(request)
        command = self._store(viewer, request, Lifetime(lasts, patience), once)
        if command.state == SENT:
            self._hand_over([command])
        return command

    @retried
    def _store(
        self, viewer: Viewer, request: Request, lifetime: Lifetime, once: Once | None
    ) -> CommandView:
        now = self.clock.now()

        def store() -> CommandView:
            place = _place(work, viewer, request.charger_id)
            is_there = can_be_reached(place, now - self.stale_after)
            if not is_there and not lifetime.is_patient:
                raise ChargerOffline(request.charger_id)
            expires_at = now + lifetime.of(is_there=is_there)
            asked = _typed(work, request)
            queued = new_command(place.station_id, viewer.user_id, asked, now, expires_at)
            command = replace(
                queued,
                is_patient=lifetime.is_patient,
                answer_within_s=math.ceil(lifetime.lasts.total_seconds()),
                state=SENT if is_there else QUEUED,
                sent_at=now if is_there else None,
            )
            work.commands.add(command)
            return command

        with self.open_work() as work:
            command = do_once(work, once, now, store, CommandView)
            work.commit()
        return command

    def of_charger(
        self,
        viewer: Viewer,
        charger_id: str,
        *,
        state: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> CommandList:
        """Return a charger's commands, newest first.

        Raises:
            NotFound: there is no such charger, or it is not the viewer's to see.
            NotValid: a cursor of another list.
        """
        limit = max(1, min(limit, _MAX_LIMIT))
        before = None if cursor is None else unseal(cursor, (datetime, str))
        with self.open_work(is_read_only=True) as work:
            _place(work, viewer, charger_id)
            place = None if before is None else (before[0], before[1])
            found = work.commands.page(charger_id, state, place, limit + 1)
        shown = found[:limit]
        last = shown[-1] if len(found) > limit else None
        return CommandList(
            commands=shown,
            next_cursor=None if last is None else seal(last.issued_at, last.command_id),
        )

    @retried
    def cancel(self, viewer: Viewer, command_id: str) -> CommandView:
        """Take back a command that still waits for its charger; one taken back stays so.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            CommandSent: it is on its way, or has ended.
        """
        with self.open_work() as work:
            command = _seen(work, viewer, command_id)
            if command.state == CANCELLED:
                return command
            cancelled = work.commands.cancel([command_id])
            if not cancelled:
                raise CommandSent(command_id)
            work.commit()
        return cancelled[0]

    def get(self, viewer: Viewer, command_id: str) -> CommandView:
        """Return a command and how it stands.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            return _seen(work, viewer, command_id)

    def hand_over_unsent(self) -> int:
        """Publish what was not handed over, or not answered; for the clock."""
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            waiting = work.commands.unsent(now, now - _REPEAT_AFTER, _BATCH)
        if waiting:
            self._hand_over(waiting)
        return len(waiting)

    def hand_over_queued(self) -> list[Change]:
        """Send what waited for chargers that are there now; returns what viewers must hear.

        What is published was claimed before: what somebody cancels meanwhile is never sent.
        """
        claimed = self._claim()
        for command in claimed:
            self._publish(command)
        return [change_of(command) for command in claimed]

    @retried
    def expire_overdue(self) -> list[Change]:
        """Close commands nobody answered in time; returns what viewers must hear. For the clock."""
        with self.open_work() as work:
            expired = work.commands.expire(self.clock.now(), _BATCH)
            work.commit()
        return [change_of(command) for command in expired]

    @retried
    def _claim(self) -> list[CommandView]:
        now = self.clock.now()
        with self.open_work() as work:
            sendable = work.commands.sendable(
                now, now - _TRY_AGAIN_AFTER, now - self.stale_after, _BATCH
            )
            claimed = work.commands.claim([one.command_id for one in sendable], now)
            work.commit()
        return claimed

    def _hand_over(self, commands: Sequence[CommandView]) -> None:
        for command in commands:
            self._publish(command)
        # they are on their way: without the mark the sweep hands them over once more, no harm
        with suppress(TransactionLost, DatabaseAway):
            self._mark_published([command.command_id for command in commands])

    def _publish(self, command: CommandView) -> None:
        self.publish(topics.commands(command.station_id), encode(self._wire(command)), False)

    def _wire(self, command: CommandView) -> Command:
        issued_at = command.sent_at or command.issued_at
        answered_by = issued_at + timedelta(seconds=command.answer_within_s)
        is_patient = command.is_patient
        return Command(
            station=command.station_id,
            id=command.command_id,
            issued_at=issued_at,
            expires_at=min(command.expires_at, answered_by) if is_patient else command.expires_at,
            is_patient=is_patient,
            request=self.fill(msgspec.convert(command.request, Request)),
        )

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


def _place(work: UnitOfWork, viewer: Viewer, charger_id: str) -> ChargerPlace:
    place = work.stations_admin.charger_place(charger_id)
    if place is None or not viewer.may_watch(place.owner_id):
        raise NotFound(charger_id)
    return place


def _typed(work: UnitOfWork, request: Request) -> Request:
    """Return a request with the type of the token it names, where it does not say one itself."""
    if not isinstance(request, StartSession | ReserveEvse) or request.token_type:
        return request
    known = work.charging_tokens.get(same_token(request.token))
    return request if known is None else structs.replace(request, token_type=known.token_type)


def can_be_reached(place: ChargerPlace, not_before: datetime) -> bool:
    """Whether a charger can be reached: its station was heard since then, and says so."""
    is_heard = place.heard_at is not None and place.heard_at >= not_before
    return place.is_connected and is_heard


def _seen(work: UnitOfWork, viewer: Viewer, command_id: str) -> CommandView:
    command = work.commands.get(command_id)
    place = None if command is None else work.stations_admin.charger_place(command.charger_id)
    owner_id = None if place is None else place.owner_id
    if command is None or not viewer.may_watch(owner_id):
        raise NotFound(command_id)
    return command


def demand_no_key(request: Request) -> None:
    """Refuse what would set a charger's login key: KeyRotationService alone does.

    Raises:
        NotValid: it would.
    """
    is_call = isinstance(request, CallCharger) and sets_login_key(request.action, request.payload)
    if is_call or (isinstance(request, WriteVariable) and is_login_key(request.name)):
        raise NotValid("key", "A charger's login key is changed by /chargers/{id}/key-rotation.")


def new_command(
    station_id: str, issued_by: str, request: Request, now: datetime, expires_at: datetime
) -> CommandView:
    """Return a command that waits to be handed over: the clock does, if nobody else."""
    body: dict[str, Any] = msgspec.to_builtins(request)
    return CommandView(
        command_id=uuid4().hex,
        station_id=station_id,
        charger_id=request.charger_id,
        kind=body["kind"],
        state=QUEUED,
        request=body,
        answer=None,
        issued_by=issued_by,
        issued_at=now,
        expires_at=expires_at,
        answered_at=None,
        version=1,
    )
