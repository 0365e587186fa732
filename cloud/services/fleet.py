"""Fleet commands: one request to many chargers, in waves, moved on by the clock."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import msgspec
import structlog

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotAllowed, NotFound, NotValid, SecondPersonNeeded
from cloud.domain.waves import (
    Happening,
    Move,
    Progress,
    Status,
    WavePlan,
    advance,
    decide,
    in_order,
    needs_second_person,
    step_after,
)
from cloud.services.command_views import CommandView
from cloud.services.commands import MAX_PATIENCE, demand_no_key, new_command
from cloud.services.cursors import seal, unseal
from cloud.services.fleet_mails import halted
from cloud.services.fleet_ports import Count, FleetCommand, FleetTarget, Selector
from cloud.services.fleet_views import (
    FleetCommandList,
    FleetCommandView,
    FleetTargetList,
    target_view,
    view_of,
)
from cloud.services.idempotency import Once, do_once
from cloud.services.ports import Clock, OpenWork, TransactionLost, UnitOfWork
from cloud.services.retrying import retried
from contracts.commands import (
    CallCharger,
    CancelReservation,
    ChangeAvailability,
    Request,
    ReserveEvse,
    StartSession,
    StopSession,
)

log = structlog.get_logger(__name__)

NOBODY: Final = "-"
"""Stands for the charger in the request that is kept."""
MAX_TARGETS: Final = 10_000
_MAX_LIMIT: Final = 200
_NOT_FOR_MANY: Final = (StartSession, StopSession, ReserveEvse, CancelReservation)
"""What is said to one charger of one driver."""


@dataclass(frozen=True, slots=True)
class AskFleet:
    """What is asked, of whom, and how fast it may spread."""

    selector: Selector
    request: Request
    plan: WavePlan = field(default_factory=WavePlan)
    answer_within: timedelta = timedelta(seconds=30)
    keep: timedelta = timedelta(days=1)
    """After this it goes to nobody any more."""


@dataclass(frozen=True, slots=True)
class FleetService:
    """Staff's, of all chargers; owners', of theirs."""

    open_work: OpenWork
    clock: Clock
    stale_after: timedelta
    public_url: str = ""
    """Where those who are written to find it."""

    @retried
    def issue(self, viewer: Viewer, ask: AskFleet, once: Once | None = None) -> FleetCommandView:
        """Begin; what changes chargers of several stations waits for a second person (S21).

        Raises:
            NotAllowed: drivers command no chargers.
            NotValid: it is meant for nobody, for too many, or is not to be said to many.
        """
        if viewer.role is Role.DRIVER:
            raise NotAllowed(viewer.user_id)
        _check(ask)
        now = self.clock.now()

        def begin() -> FleetCommandView:
            owner_id = None if viewer.is_staff else viewer.user_id
            heard_since = now - self.stale_after
            found = work.fleet_commands.candidates(
                ask.selector, owner_id, heard_since, MAX_TARGETS + 1
            )
            if not 0 < len(found) <= MAX_TARGETS:
                raise NotValid(
                    detail=f"It is meant for {len(found)} chargers: that is none, or too many."
                )
            stations = len({one.station_id for one in found})
            fleet = _new(viewer, ask, now, (stations, len(found)))
            work.fleet_commands.add(fleet, in_order(found))
            return view_of(fleet, work.fleet_commands.count(fleet, now))

        with self.open_work() as work:
            view = do_once(work, once, now, begin, FleetCommandView)
            work.commit()
        return view

    def get(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """Return one and how far it is.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            fleet = _seen(work, viewer, fleet_command_id)
            return view_of(fleet, work.fleet_commands.count(fleet, self.clock.now()))

    def page(
        self, viewer: Viewer, *, limit: int = 50, cursor: str | None = None
    ) -> FleetCommandList:
        """Return fleet commands, newest first: staff see all, owners theirs.

        Raises:
            NotAllowed: drivers see none.
            NotValid: a cursor of another list.
        """
        if viewer.role is Role.DRIVER:
            raise NotAllowed(viewer.user_id)
        limit = max(1, min(limit, _MAX_LIMIT))
        before = None if cursor is None else unseal(cursor, (datetime, str))
        owner_id = None if viewer.is_staff else viewer.user_id
        with self.open_work(is_read_only=True) as work:
            place = None if before is None else (before[0], before[1])
            found = work.fleet_commands.page(owner_id, place, limit + 1)
            now = self.clock.now()
            shown = [view_of(one, work.fleet_commands.count(one, now)) for one in found[:limit]]
        last = shown[-1] if len(found) > limit else None
        return FleetCommandList(
            fleet_commands=shown,
            next_cursor=None if last is None else seal(last.issued_at, last.fleet_command_id),
        )

    def targets(
        self, viewer: Viewer, fleet_command_id: str, *, limit: int = 50, cursor: str | None = None
    ) -> FleetTargetList:
        """Return its chargers, in the order they are asked in.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            NotValid: a cursor of another list.
        """
        limit = max(1, min(limit, _MAX_LIMIT))
        after = -1 if cursor is None else unseal(cursor, (int,))[0]
        with self.open_work(is_read_only=True) as work:
            _seen(work, viewer, fleet_command_id)
            found = work.fleet_commands.targets(fleet_command_id, after, limit + 1)
        shown = found[:limit]
        is_more = len(found) > limit
        return FleetTargetList(
            targets=[target_view(one) for one in shown],
            next_cursor=seal(shown[-1].position) if is_more else None,
        )

    def approve(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """Agree to what somebody else asked for; it begins.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            SecondPersonNeeded: it is the viewer's own.
            IllegalTransition: it does not wait for approval.
        """
        now = self.clock.now()

        def approved(_work: UnitOfWork, fleet: FleetCommand) -> FleetCommand:
            if fleet.issued_by == viewer.user_id:
                raise SecondPersonNeeded(fleet_command_id)
            status = advance(fleet.status, Happening.APPROVED)
            return replace(fleet, status=status, approved_by=viewer.user_id, approved_at=now)

        return self._change(viewer, fleet_command_id, approved)

    def pause(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """Send nothing more until it is resumed.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            IllegalTransition: it does not run.
        """
        return self._change(
            viewer,
            fleet_command_id,
            lambda _, fleet: replace(fleet, status=advance(fleet.status, Happening.PAUSED)),
        )

    def resume(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """Go on; the failures there are by now halt it no more.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            IllegalTransition: it neither pauses nor has halted.
        """

        def resumed(work: UnitOfWork, fleet: FleetCommand) -> FleetCommand:
            status = advance(fleet.status, Happening.RESUMED)
            bad = work.fleet_commands.count(fleet, self.clock.now()).all.bad
            return replace(fleet, status=status, reason="", forgiven=bad)

        return self._change(viewer, fleet_command_id, resumed)

    def abort(self, viewer: Viewer, fleet_command_id: str) -> FleetCommandView:
        """End it: what still waits for chargers is taken back, what is on its way is not.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
            IllegalTransition: it has ended.
        """

        def aborted(work: UnitOfWork, fleet: FleetCommand) -> FleetCommand:
            status = advance(fleet.status, Happening.ABORTED)
            work.fleet_commands.cancel_queued(fleet.id)
            return replace(fleet, status=status)

        return self._change(viewer, fleet_command_id, aborted)

    def advance_all(self) -> int:
        """Move on what runs; returns how many did. For the clock."""
        with self.open_work(is_read_only=True) as work:
            running = work.fleet_commands.running(self.clock.now())
        return sum(self._advance(one) for one in running)

    @retried
    def _advance(self, fleet_command_id: str) -> bool:
        """Do the next move, whole or not at all: who else tries finds another version."""
        now = self.clock.now()
        with self.open_work() as work:
            fleet = work.fleet_commands.get(fleet_command_id)
            if fleet is None:
                return False
            moved = _moved(work, fleet, now)
            if moved is None or not work.fleet_commands.save(replace(moved, changed_at=now)):
                return False
            self._tell(work, moved, now)
            work.commit()
        log.info("fleet.moved", fleet_command_id=fleet.id, status=moved.status, waves=moved.waves)
        return True

    def _tell(self, work: UnitOfWork, moved: FleetCommand, now: datetime) -> None:
        """Write to who began it if it needs a person now."""
        if moved.status is not Status.HALTED:
            return
        issuer = work.accounts.by_id(moved.issued_by)
        if issuer is not None:
            work.messages.add([halted(moved, issuer.email, self.public_url, now)])

    @retried
    def _change(
        self,
        viewer: Viewer,
        fleet_command_id: str,
        change: Callable[[UnitOfWork, FleetCommand], FleetCommand],
    ) -> FleetCommandView:
        now = self.clock.now()
        with self.open_work() as work:
            fleet = _seen(work, viewer, fleet_command_id)
            changed = replace(change(work, fleet), changed_at=now)
            if not work.fleet_commands.save(changed):
                raise TransactionLost("the clock was faster")
            work.commit()
        return self.get(viewer, fleet_command_id)


def _check(ask: AskFleet) -> None:
    if ask.selector.is_empty:
        raise NotValid("selector", "Say which chargers are meant.")
    if isinstance(ask.request, _NOT_FOR_MANY):
        raise NotValid("request", "This is said to one charger at a time.")
    demand_no_key(ask.request)
    if ask.keep > MAX_PATIENCE:
        raise NotValid("keep_s", "Nothing is kept for so long.")


def _new(viewer: Viewer, ask: AskFleet, now: datetime, size: tuple[int, int]) -> FleetCommand:
    stations, total = size
    request = ask.request
    body: dict[str, Any] = msgspec.to_builtins(request)
    needs_another = needs_second_person(
        body["kind"],
        request.action if isinstance(request, CallCharger) else "",
        stations,
        is_available=isinstance(request, ChangeAvailability) and request.is_available,
    )
    return FleetCommand(
        id=uuid4().hex,
        kind=body["kind"],
        request=body,
        selector=ask.selector,
        plan=ask.plan,
        answer_within_s=math.ceil(ask.answer_within.total_seconds()),
        status=Status.AWAITING_APPROVAL if needs_another else Status.RUNNING,
        stations=stations,
        total=total,
        owner_id=None if viewer.is_staff else viewer.user_id,
        issued_by=viewer.user_id,
        issued_at=now,
        expires_at=now + ask.keep,
        changed_at=now,
    )


def _moved(work: UnitOfWork, fleet: FleetCommand, now: datetime) -> FleetCommand | None:
    """Return it after its next move; None: there is none now."""
    if fleet.status is not Status.RUNNING:
        return _ended(work, fleet) if now >= fleet.expires_at else None
    progress = _progress(fleet, work.fleet_commands.count(fleet, now))
    match decide(progress, fleet.plan, now):
        case Move.WAIT:
            return None
        case Move.SEND:
            return _send(work, fleet, progress, now)
        case Move.HALT:
            bad, asked = progress.all.bad - fleet.forgiven, progress.all.asked
            reason = f"{bad} of {asked} chargers failed."
            status = advance(fleet.status, Happening.FAILED_TOO_OFTEN)
            return replace(fleet, status=status, reason=reason)
        case Move.FINISH:
            return replace(fleet, status=advance(fleet.status, Happening.FINISHED))
        case Move.EXPIRE:
            return _ended(work, fleet)


def _send(
    work: UnitOfWork, fleet: FleetCommand, progress: Progress, now: datetime
) -> FleetCommand | None:
    step = step_after(progress)
    targets = work.fleet_commands.untried(fleet.id, fleet.plan.size(step, fleet.total))
    if not targets:
        return None  # another clock was faster
    new = [_command(fleet, one, now) for one in targets]
    work.commands.add(*new)
    asked = [(one.position, made.command_id) for one, made in zip(targets, new, strict=True)]
    work.fleet_commands.ask(fleet.id, fleet.waves + 1, asked)
    return replace(fleet, waves=fleet.waves + 1, step=step, wave_at=now)


def _command(fleet: FleetCommand, target: FleetTarget, now: datetime) -> CommandView:
    body = fleet.request | {"charger_id": target.charger_id}
    request: Request = msgspec.convert(body, Request)
    command = new_command(target.station_id, fleet.issued_by, request, now, fleet.expires_at)
    return replace(
        command,
        is_patient=True,
        answer_within_s=fleet.answer_within_s,
        fleet_command_id=fleet.id,
    )


def _ended(work: UnitOfWork, fleet: FleetCommand) -> FleetCommand:
    work.fleet_commands.cancel_queued(fleet.id)
    return replace(fleet, status=advance(fleet.status, Happening.TIME_OVER))


def _progress(fleet: FleetCommand, count: Count) -> Progress:
    answered_at, wave_at = count.answered_at, fleet.wave_at
    since = max(filter(None, (answered_at, wave_at)), default=None)
    return Progress(
        total=fleet.total,
        step=fleet.step,
        all=count.all,
        wave=count.wave,
        settling_since=since,
        expires_at=fleet.expires_at,
        forgiven=fleet.forgiven,
    )


def _seen(work: UnitOfWork, viewer: Viewer, fleet_command_id: str) -> FleetCommand:
    fleet = work.fleet_commands.get(fleet_command_id)
    if fleet is None or not fleet.is_for(viewer):
        raise NotFound(fleet_command_id)
    return fleet
