"""Chargers' own lists of tokens, kept in step with the tokens we know (OCPP 2.0.1 block D)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotAllowed, NotFound
from cloud.domain.local_lists import Entries, LocalList, Sending, answered, next_sending, sent
from cloud.services.admin_ports import ChargerPlace
from cloud.services.command_views import CommandView
from cloud.services.commands import SENT, WAITING, new_command
from cloud.services.fact_ports import Deadline, DeadlineKind, Grant
from cloud.services.facts.smart_charging import ISSUED_BY
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.retrying import retried
from contracts.commands import CallCharger, ListedToken, SendLocalList
from contracts.events import CommandOutcome, InventoryKind
from contracts.token_types import TokenType, type_by_shape

LOOK_EVERY: Final = timedelta(minutes=10)
"""Tokens that expire change a list without anybody's doing."""
TRY_AGAIN_AFTER: Final = timedelta(minutes=5)
_ANSWER_WITHIN: Final = timedelta(seconds=120)
_LATE: Final = timedelta(seconds=5)
_KEY: Final = "list"
_USUAL: Final = frozenset({TokenType.CENTRAL, TokenType.ISO14443})
"""Not said where its shape says it: lists taken before types were kept have these right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalListView:
    """A charger's list, as those see it who look after it; never the tokens themselves."""

    charger_id: str
    is_kept: bool
    """Whether we keep it in step with our tokens."""
    version: int
    """Of the list it took last; 0: none that we know of."""
    told_version: int | None
    """What the charger last said; null: it never did."""
    tokens: int
    is_sending: bool
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class LocalListService:
    """Switched on charger by charger; moved on by facts and the clock."""

    open_work: OpenWork
    clock: Clock

    @retried
    def keep(self, viewer: Viewer, charger_id: str, *, is_kept: bool) -> LocalListView:
        """Keep a charger's list in step from now on, or leave it as it is.

        Raises:
            NotAllowed: drivers command no chargers.
            NotFound: there is no such charger, or it is not the viewer's to command.
        """
        if viewer.role is Role.DRIVER:
            raise NotAllowed(viewer.user_id)
        now = self.clock.now()
        with self.open_work() as work:
            _place(work, viewer, charger_id)
            held = work.local_lists.get(charger_id)
            fresh = LocalList(charger_id=charger_id, is_kept=is_kept, changed_at=now)
            kept = fresh if held is None else replace(held, is_kept=is_kept)
            work.local_lists.put(kept)
            work.deadlines.set([Deadline(DeadlineKind.LOCAL_LIST, charger_id, now)])
            view = _view(work, kept)
            work.commit()
        return view

    def get(self, viewer: Viewer, charger_id: str) -> LocalListView:
        """Return how a charger's list stands.

        Raises:
            NotFound: there is no such charger, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            _place(work, viewer, charger_id)
            held = work.local_lists.get(charger_id)
            none = LocalList(charger_id=charger_id, is_kept=False, changed_at=self.clock.now())
            return _view(work, held or none)

    def tend(self, work: UnitOfWork, charger_id: str, now: datetime) -> None:
        """See Listing.tend."""
        held = work.local_lists.get(charger_id)
        place = work.stations_admin.charger_place(charger_id)
        if held is None or place is None or not held.is_kept:
            return
        due_at = now + LOOK_EVERY
        was_sending = held.is_sending
        held = _heard(work, held, now)
        if held.is_sending:
            due_at = now + _ANSWER_WITHIN + _LATE
        elif was_sending and held.version == 0:
            due_at = now + TRY_AGAIN_AFTER
        elif place.is_connected:
            wanted = _wanted(work, now)
            sending = next_sending(held, wanted, _told(work, charger_id))
            if sending is not None:
                request = _request(charger_id, sending)
                held = sent(held, wanted, _order(work, place, request, now), now)
                due_at = now + _ANSWER_WITHIN + _LATE
            elif _may_have_lost_it(work, place):
                question = CallCharger(charger_id=charger_id, action="GetLocalListVersion")
                _order(work, place, question, now)
        work.local_lists.put(held)
        work.deadlines.set([Deadline(DeadlineKind.LOCAL_LIST, charger_id, due_at)])


def tokens_changed(work: UnitOfWork, now: datetime) -> None:
    """Have the clock look at all lists we keep."""
    kept = work.local_lists.kept()
    work.deadlines.set([Deadline(DeadlineKind.LOCAL_LIST, one, now) for one in kept])


def _heard(work: UnitOfWork, held: LocalList, now: datetime) -> LocalList:
    """Return the list after what became of the command by which it was sent."""
    if held.command_id is None:
        return held
    command = work.commands.get(held.command_id)
    if command is not None and command.state in WAITING and now < command.expires_at + _LATE:
        return held
    if command is None or command.state != CommandOutcome.ACCEPTED:
        return answered(held, is_taken=False, version=0, now=now)
    version = _version_after(command, _told(work, held.charger_id))
    return answered(held, is_taken=True, version=version, now=now)


def _version_after(command: CommandView, told: int | None) -> int:
    """Return the version a list has that was taken: each part of it had one of its own."""
    first, parts = command.request["version"], len(command.request.get("entries", ()))
    is_its = told is not None and first <= told <= first + parts
    return told if told is not None and is_its else int(first)


def _may_have_lost_it(work: UnitOfWork, place: ChargerPlace) -> bool:
    """Whether the charger booted since it last said which list it has."""
    item = work.inventory.item(place.charger_id, InventoryKind.LOCAL_LIST, _KEY)
    if item is None or place.booted_at is None:
        return False
    return item.reported_at < place.booted_at


def _order(
    work: UnitOfWork, place: ChargerPlace, request: SendLocalList | CallCharger, now: datetime
) -> str:
    """Have a list sent or asked for, and return the command's id."""
    command = new_command(place.station_id, ISSUED_BY, request, now, now + _ANSWER_WITHIN)
    work.commands.add(replace(command, state=SENT, sent_at=now))
    return command.command_id


def _request(charger_id: str, sending: Sending) -> SendLocalList:
    put = [_listed(token, one) for token, one in sorted(sending.put.items())]
    return SendLocalList(
        charger_id=charger_id,
        version=sending.version,
        is_whole=sending.is_whole,
        entries=put
        + [
            ListedToken(token=one, token_type=entry.get("token_type", ""), is_gone=True)
            for one, entry in sorted(sending.gone.items())
        ],
    )


def _listed(token: str, entry: Mapping[str, Any]) -> ListedToken:
    until = entry["valid_until"]
    return ListedToken(
        token=token,
        token_type=entry.get("token_type", ""),
        is_valid=entry["is_valid"],
        parent_token=entry["parent_token"],
        valid_until=None if until is None else datetime.fromisoformat(until),
    )


def _wanted(work: UnitOfWork, now: datetime) -> Entries:
    grants = work.plans.grants().items()
    return {token: _entry(one) for token, one in grants if not _is_over(one, now)}


def _is_over(grant: Grant, now: datetime) -> bool:
    return grant.valid_until is not None and grant.valid_until <= now


def _entry(grant: Grant) -> dict[str, Any]:
    until = grant.valid_until
    kind = grant.token_type or type_by_shape(grant.token)
    is_usual = not grant.token_type and kind in _USUAL
    return {
        "is_valid": grant.is_valid,
        "parent_token": grant.parent_token,
        "valid_until": None if until is None else until.isoformat(),
    } | ({} if is_usual else {"token_type": kind})


def _told(work: UnitOfWork, charger_id: str) -> int | None:
    item = work.inventory.item(charger_id, InventoryKind.LOCAL_LIST, _KEY)
    return None if item is None else int(item.body.get("version") or 0)


def _view(work: UnitOfWork, held: LocalList) -> LocalListView:
    return LocalListView(
        charger_id=held.charger_id,
        is_kept=held.is_kept,
        version=held.version,
        told_version=_told(work, held.charger_id),
        tokens=len(held.entries),
        is_sending=held.is_sending,
        changed_at=held.changed_at,
    )


def _place(work: UnitOfWork, viewer: Viewer, charger_id: str) -> ChargerPlace:
    place = work.stations_admin.charger_place(charger_id)
    if place is None or not viewer.may_watch(place.owner_id):
        raise NotFound(charger_id)
    return place
