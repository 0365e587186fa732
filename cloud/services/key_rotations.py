"""Giving chargers new keys from afar: both are good until the charger comes with the new one (A01)."""

import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.access import Role, Viewer
from cloud.domain.alerts.snapshots import SecuritySnapshot
from cloud.domain.errors import NotAllowed, NotFound
from cloud.domain.key_rotation import (
    ASK_AGAIN_AFTER,
    LOOK_AGAIN_AFTER,
    MOST_ASKED,
    Happening,
    Rotation,
    Status,
    advance,
    login_of,
    rest_after,
)
from cloud.services.admin_ports import ChargerPlace
from cloud.services.alerting import Alerting
from cloud.services.change_views import Change
from cloud.services.command_views import CommandView
from cloud.services.commands import SENT, WAITING, can_be_reached, new_command
from cloud.services.fact_ports import Deadline, DeadlineKind
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried
from contracts.answers import is_due_at_boot
from contracts.commands import Request, ResetCharger, SetChargerKey
from contracts.events import CommandOutcome
from contracts.keys import hash_key, new_salt

ASK_FOR: Final = timedelta(seconds=60)
"""How long a charger may take to answer."""
_LATE: Final = timedelta(seconds=5)
_RESET_KIND: Final = "reset_charger"

OUTCOME: Final = {
    CommandOutcome.ACCEPTED: Happening.SAID_YES,
    CommandOutcome.REJECTED: Happening.SAID_NO,
    CommandOutcome.FAILED: Happening.COULD_NOT,
    CommandOutcome.CHARGER_OFFLINE: Happening.COULD_NOT,
}
"""Of every other end nobody knows whether the charger has heard."""


@dataclass(frozen=True, slots=True)
class KeyMaker:
    """Makes a key of its salt whenever it is needed, so that it need not be kept."""

    secret: bytes

    def key_of(self, salt: str) -> str:
        """Return the key: 40 hexadecimal characters, as both versions take it."""
        return hmac.new(self.secret, bytes.fromhex(salt), hashlib.sha256).hexdigest()[:40]

    def fill(self, request: Request) -> Request:
        """Put the key into the request that brings it; see CommandService.fill."""
        if not isinstance(request, SetChargerKey):
            return request
        return SetChargerKey(
            charger_id=request.charger_id, salt=request.salt, key=self.key_of(request.salt)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RotationView:
    """A charger's change of keys, as those see it who look after it; never a key."""

    charger_id: str
    status: str
    """announced sent taken doubted done refused"""
    is_open: bool
    """Whether both keys are good."""
    asked: int
    """How often the charger was asked, to take the key or to boot."""
    needs_boot: bool
    """It takes the new key when it boots next."""
    command_id: str | None
    started_by: str
    started_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class KeyRotationService:
    """Started by who may command the charger; moved on by facts and the clock."""

    open_work: OpenWork
    clock: Clock
    keys: KeyMaker
    stale_after: timedelta
    """A station not heard for so long has nothing asked of its chargers."""
    alerting: Alerting

    @retried
    def start(self, viewer: Viewer, charger_id: str) -> RotationView:
        """Begin a change of keys; one that is under way goes on.

        Raises:
            NotAllowed: drivers command no chargers.
            NotFound: there is no such charger, or it is not the viewer's to command.
        """
        if viewer.role is Role.DRIVER:
            raise NotAllowed(viewer.user_id)
        now = self.clock.now()
        with self.open_work() as work:
            place = _place(work, viewer, charger_id)
            rotation = work.key_rotations.get(charger_id)
            if rotation is None or not rotation.is_open:
                rotation = self._new(viewer, charger_id, now)
                work.key_rotations.put(rotation)
                work.stations_admin.bump_plan(place.station_id)
            work.deadlines.set([Deadline(DeadlineKind.KEY_ROTATION, charger_id, now)])
            work.commit()
        return view_of(rotation)

    def get(self, viewer: Viewer, charger_id: str) -> RotationView:
        """Return a charger's last change of keys.

        Raises:
            NotFound: there was none, or the charger is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            _place(work, viewer, charger_id)
            rotation = work.key_rotations.get(charger_id)
        if rotation is None:
            raise NotFound(charger_id)
        return view_of(rotation)

    def rotate(self, work: UnitOfWork, charger_id: str, now: datetime) -> list[Change]:
        """See Rotating.rotate."""
        before = work.key_rotations.get(charger_id)
        place = work.stations_admin.charger_place(charger_id)
        if before is None or place is None or not before.is_open:
            return []
        rotation = _heard(work, before, now)
        shown = login_of(rotation, place.booted_at)
        if shown is not None:
            rotation = advance(rotation, shown, now)
        rotation = self._gone_on(work, rotation, place, now)
        work.key_rotations.put(rotation)
        if rotation.is_open:
            due_at = now + _rest(rotation, now)
            work.deadlines.set([Deadline(DeadlineKind.KEY_ROTATION, charger_id, due_at)])
        else:
            _finish(work, rotation, place)
        return self._told(work, before, rotation, place, now)

    def _gone_on(
        self, work: UnitOfWork, rotation: Rotation, place: ChargerPlace, now: datetime
    ) -> Rotation:
        """Ask the charger what is to be asked next, or give it up."""
        if rotation.status is Status.ANNOUNCED and rotation.asked >= MOST_ASKED:
            return advance(rotation, Happening.GIVEN_UP, now)
        if not can_be_reached(place, now - self.stale_after):
            return rotation
        if rotation.status is Status.ANNOUNCED and _is_rested(rotation, now):
            return _asked(work, rotation, place, now)
        if _may_reset(work, rotation, now) and _is_idle(work, rotation.charger_id):
            return _reset(work, rotation, place, now)
        return rotation

    def _told(
        self,
        work: UnitOfWork,
        before: Rotation,
        after: Rotation,
        place: ChargerPlace,
        now: datetime,
    ) -> list[Change]:
        """Tell of a charger that keeps its old key, or that has to be restarted by hand."""
        word = ""
        is_kept = after.status in {Status.REFUSED, Status.DOUBTED}
        if is_kept and before.status not in {after.status, Status.DOUBTED}:
            word = "key_not_taken"
        elif after.needs_boot and before.asked < after.asked == MOST_ASKED:
            word = "key_waits_for_boot"
        if not word:
            return []
        info = f"asked {after.asked} times since {after.started_at:%Y-%m-%d %H:%M} UTC"
        event = SecuritySnapshot(place.station_id, after.charger_id, word, info, now)
        return self.alerting.judge(work, event, now)

    def _new(self, viewer: Viewer, charger_id: str, now: datetime) -> Rotation:
        salt = new_salt()
        return Rotation(
            charger_id=charger_id,
            salt=salt,
            key_hash=hash_key(salt, self.keys.key_of(salt)),
            started_by=viewer.user_id,
            started_at=now,
            changed_at=now,
        )


def abandon(work: UnitOfWork, charger_id: str, now: datetime) -> None:
    """End a change of keys because the charger is given another key by hand."""
    rotation = work.key_rotations.get(charger_id)
    if rotation is not None and rotation.is_open:
        work.key_rotations.put(advance(rotation, Happening.ABANDONED, now))


def view_of(rotation: Rotation) -> RotationView:
    """Return the rotation as it leaves the house."""
    return RotationView(
        charger_id=rotation.charger_id,
        status=rotation.status,
        is_open=rotation.is_open,
        asked=rotation.asked,
        needs_boot=rotation.needs_boot,
        command_id=rotation.command_id,
        started_by=rotation.started_by,
        started_at=rotation.started_at,
        changed_at=rotation.changed_at,
    )


def _heard(work: UnitOfWork, rotation: Rotation, now: datetime) -> Rotation:
    """Return the rotation after what became of the command by which the charger was asked."""
    if rotation.status is not Status.SENT or rotation.command_id is None:
        return rotation
    command = work.commands.get(rotation.command_id)
    if command is not None and command.state in WAITING and now < command.expires_at + _LATE:
        return rotation
    return advance(rotation, _outcome_of(command), now)


def _outcome_of(command: CommandView | None) -> Happening:
    state = "" if command is None else command.state
    outcome = OUTCOME.get(state, Happening.ANSWER_LOST)  # type: ignore[call-overload]
    if outcome is Happening.SAID_YES and command is not None and is_due_at_boot(command.answer):
        return Happening.SAID_YES_AT_BOOT
    return outcome  # type: ignore[no-any-return]


def _is_rested(rotation: Rotation, now: datetime) -> bool:
    return not rotation.asked or now - rotation.changed_at >= rest_after(rotation.asked)


def _may_reset(work: UnitOfWork, rotation: Rotation, now: datetime) -> bool:
    """Whether to have the charger boot now: not while it may be doing so by itself."""
    is_waiting = rotation.status is Status.TAKEN and rotation.needs_boot
    if not is_waiting or rotation.asked >= MOST_ASKED or _has_just_come(rotation, now):
        return False
    last = work.commands.get(rotation.command_id or "")
    if last is None or last.kind != _RESET_KIND:
        return True
    return now - last.issued_at >= max(rest_after(rotation.asked), LOOK_AGAIN_AFTER)


def _has_just_come(rotation: Rotation, now: datetime) -> bool:
    """Whether a boot may yet follow its login."""
    seen_at = rotation.seen_at
    return seen_at is not None and rotation.changed_at < seen_at and now - seen_at < ASK_AGAIN_AFTER


def _is_idle(work: UnitOfWork, charger_id: str) -> bool:
    bays = work.bays.equipment({charger_id}, ()).bays.values()
    held = work.sessions.by_ids({one.session_id for one in bays if one.session_id is not None})
    return not any(one.is_open for one in held.values())


def _asked(work: UnitOfWork, rotation: Rotation, place: ChargerPlace, now: datetime) -> Rotation:
    request = SetChargerKey(charger_id=rotation.charger_id, salt=rotation.salt)
    command_id = _order(work, rotation, place, request, now)
    return replace(advance(rotation, Happening.ASKED, now), command_id=command_id)


def _reset(work: UnitOfWork, rotation: Rotation, place: ChargerPlace, now: datetime) -> Rotation:
    request = ResetCharger(charger_id=rotation.charger_id)
    command_id = _order(work, rotation, place, request, now)
    return replace(advance(rotation, Happening.RESET, now), command_id=command_id)


def _order(
    work: UnitOfWork, rotation: Rotation, place: ChargerPlace, request: Request, now: datetime
) -> str:
    command = new_command(place.station_id, rotation.started_by, request, now, now + ASK_FOR)
    work.commands.add(replace(command, state=SENT, sent_at=now))
    return command.command_id


def _rest(rotation: Rotation, now: datetime) -> timedelta:
    """Return when to look again, should nothing be told before."""
    if rotation.status is Status.ANNOUNCED:
        return rest_after(rotation.asked)
    if rotation.status is Status.SENT:
        return ASK_FOR + _LATE
    has_just_come = rotation.needs_boot and _has_just_come(rotation, now)
    return ASK_AGAIN_AFTER if has_just_come else LOOK_AGAIN_AFTER


def _finish(work: UnitOfWork, rotation: Rotation, place: ChargerPlace) -> None:
    """Have the station take the one key that is left."""
    if rotation.status is Status.DONE:
        work.stations_admin.set_charger_key(rotation.charger_id, rotation.salt, rotation.key_hash)
    work.stations_admin.bump_plan(place.station_id)


def _place(work: UnitOfWork, viewer: Viewer, charger_id: str) -> ChargerPlace:
    place = work.stations_admin.charger_place(charger_id)
    if place is None or not viewer.may_watch(place.owner_id):
        raise NotFound(charger_id)
    return place
