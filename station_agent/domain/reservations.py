"""What each EVSE's charger should be told of reservations now. Pure; the time is an argument.

A charger that keeps an EVSE itself says so on its display and refuses others at once. Where it cannot,
or will not, or nobody reaches it, the agent's own refusal of other tokens protects (domain/tokens.py):
so nothing here is urgent, and nothing is tried without end.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from contracts.events import ConnectorState
from contracts.ids import ChargerId, Token
from contracts.plan import PlannedReservation
from contracts.token_types import TypeWord

BACKED_OFF: Final = timedelta(minutes=1)
"""After a first no or silence; doubled each time."""
BACKED_OFF_AT_MOST: Final = timedelta(minutes=15)
MOST_DROPS: Final = 4
"""Let go so often, a charger is told no more of this reservation until it connects or boots anew."""
FORGOTTEN_AFTER: Final = timedelta(days=1)
"""When a charger that stays away has let a reservation go by itself, whatever its clock says."""

USABLE: Final = frozenset({ConnectorState.FREE, ConnectorState.RESERVED})
"""States in which a charger may say yes."""
OUT: Final = frozenset({ConnectorState.FAULTED, ConnectorState.UNAVAILABLE})
"""States over which chargers may forget a reservation without a word."""


class Standing(StrEnum):
    """What we know of a reservation at a charger."""

    ASKED = "asked"
    """The charger may have heard of it; what it answered we do not know."""
    KEPT = "kept"
    LOST = "lost"
    """It let it go, or may have: it said so, or was out of service since."""
    REFUSED = "refused"
    MET = "met"
    """The driver has begun to charge: it is used up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A reservation a charger was told of, as it must outlive a restart of the agent."""

    charger_id: ChargerId
    evse_id: int
    reservation_id: str
    number: int
    token: Token
    until_at: datetime
    standing: Standing
    at: datetime
    """When that was so, by our clock."""
    tries: int = 0
    """In a row without a yes; also of undoing it."""
    drops: int = 0
    """So often it was lost since it was first told."""
    token_type: TypeWord = ""
    was_kept: bool = False
    """The charger has said yes once, perhaps to another end of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvseView:
    """An EVSE, and what the agent knows of it."""

    promises: Sequence[PlannedReservation] = ()
    """Of the bay before it."""
    told: Told | None = None
    here_since: datetime | None = None
    """When its charger connected, or booted if that was later; None: it is away."""
    is_able: bool = True
    """False: the charger has said that it does not know reservations."""
    is_dropped: bool = False
    """The charger has said that it keeps this one no more (OCPP 2.0.1 H01.FR.08, H04)."""
    states: Sequence[ConnectorState] = field(default_factory=tuple)
    """Of its connectors and of the whole charger, as last told; none: never told."""
    session_is_for: str = ""
    """The reservation that the session now open there meets."""


class Step(StrEnum):
    """What to do about one EVSE."""

    NOTHING = "nothing"
    RESERVE = "reserve"
    CANCEL = "cancel"
    FORGET = "forget"
    """Nothing is there to be undone any more."""
    NOTE_MET = "note_met"
    NOTE_LOST = "note_lost"


def due_promise(promises: Sequence[PlannedReservation], now: datetime) -> PlannedReservation | None:
    """Return what a charger should keep its EVSE for now: the earliest whose protection runs."""
    due = [
        one
        for one in promises
        if one.reservation_number and one.protected_from <= now < one.ends_at
    ]
    return min(due, key=lambda one: one.starts_at, default=None)


def next_step(view: EvseView, now: datetime) -> Step:
    """Return what to do about an EVSE now; waiting is a step, too."""
    wanted, told = due_promise(view.promises, now), view.told
    if told is not None and (wanted is None or wanted.reservation_number != told.number):
        return _undo(told, view, now)
    if wanted is None:
        return Step.NOTHING
    if told is not None and (fate := _fate(told, view)) is not None:
        return fate
    if told is not None and not _is_to_be_said_again(told, wanted, view.here_since, now):
        return Step.NOTHING
    can_be_asked = view.here_since is not None and view.is_able
    return Step.RESERVE if can_be_asked and _is_usable(view) else Step.NOTHING


def lost(told: Told, now: datetime) -> Told:
    """Return it as it is once lost: told again at once the first time, then less and less often."""
    return replace(told, standing=Standing.LOST, at=now, tries=told.drops, drops=told.drops + 1)


def _fate(told: Told, view: EvseView) -> Step | None:
    """Return what follows from what became of it at the charger; None: nothing did."""
    if told.standing is Standing.MET:
        return Step.NOTHING
    if view.session_is_for == told.reservation_id:
        return Step.NOTE_MET
    return Step.NOTE_LOST if _is_lost(told, view) else None


def _is_lost(told: Told, view: EvseView) -> bool:
    is_out = any(state in OUT for state in view.states)
    return told.standing is Standing.KEPT and (view.is_dropped or is_out)


def _undo(told: Told, view: EvseView, now: datetime) -> Step:
    is_used_up = told.standing is Standing.MET and now >= told.until_at
    was_never_there = told.standing is Standing.REFUSED and not told.was_kept
    is_nothing_there = was_never_there or not view.is_able
    if is_used_up or is_nothing_there or now >= told.until_at + FORGOTTEN_AFTER:
        return Step.FORGET
    if view.here_since is None:
        return Step.NOTHING
    is_fresh = told.at < view.here_since
    return Step.CANCEL if is_fresh or _has_waited(told, now) else Step.NOTHING


def _is_to_be_said_again(
    told: Told, wanted: PlannedReservation, here_since: datetime | None, now: datetime
) -> bool:
    """Whether the charger must hear of it once more: changed, perhaps forgotten, or not yet agreed.

    The same number said again replaces what it was told before (OCPP 1.6 section 5.13, 2.0.1 H01).
    """
    said = (told.token, told.token_type, told.until_at)
    if said != (wanted.token, wanted.token_type, wanted.ends_at):
        return True
    if here_since is not None and told.at < here_since:
        return True
    if told.standing is Standing.LOST and told.drops > MOST_DROPS:
        return False
    return told.standing is not Standing.KEPT and _has_waited(told, now)


def _has_waited(told: Told, now: datetime) -> bool:
    if told.tries == 0:
        return True
    wait = min(BACKED_OFF * (1 << min(told.tries - 1, 10)), BACKED_OFF_AT_MOST)
    return now >= told.at + wait


def _is_usable(view: EvseView) -> bool:
    return all(state in USABLE for state in view.states)
