"""A command to many chargers in waves: to a few first, to more only while those took it well."""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cloud.domain.errors import IllegalTransition


class Status(StrEnum):
    """How a fleet command stands."""

    AWAITING_APPROVAL = "awaiting_approval"
    """Of another person than who asked for it."""
    RUNNING = "running"
    PAUSED = "paused"
    """By a person; nothing is sent meanwhile."""
    HALTED = "halted"
    """By too many failures; nothing is sent meanwhile."""
    DONE = "done"
    ABORTED = "aborted"
    EXPIRED = "expired"


class Happening(StrEnum):
    """What may befall a fleet command."""

    APPROVED = "approved"
    PAUSED = "paused"
    RESUMED = "resumed"
    FAILED_TOO_OFTEN = "failed_too_often"
    FINISHED = "finished"
    ABORTED = "aborted"
    TIME_OVER = "time_over"


NEXT: Final = {
    (Status.AWAITING_APPROVAL, Happening.APPROVED): Status.RUNNING,
    (Status.AWAITING_APPROVAL, Happening.ABORTED): Status.ABORTED,
    (Status.AWAITING_APPROVAL, Happening.TIME_OVER): Status.EXPIRED,
    (Status.RUNNING, Happening.PAUSED): Status.PAUSED,
    (Status.RUNNING, Happening.FAILED_TOO_OFTEN): Status.HALTED,
    (Status.RUNNING, Happening.FINISHED): Status.DONE,
    (Status.RUNNING, Happening.ABORTED): Status.ABORTED,
    (Status.RUNNING, Happening.TIME_OVER): Status.EXPIRED,
    (Status.PAUSED, Happening.RESUMED): Status.RUNNING,
    (Status.PAUSED, Happening.ABORTED): Status.ABORTED,
    (Status.PAUSED, Happening.TIME_OVER): Status.EXPIRED,
    (Status.HALTED, Happening.RESUMED): Status.RUNNING,
    (Status.HALTED, Happening.ABORTED): Status.ABORTED,
    (Status.HALTED, Happening.TIME_OVER): Status.EXPIRED,
}

OPEN: Final = frozenset(status for status, _ in NEXT)
"""Statuses that are not the end."""


def may(status: Status, happening: Happening) -> bool:
    """Whether it can happen to one that stands so."""
    return (status, happening) in NEXT


def advance(status: Status, happening: Happening) -> Status:
    """Return the status after `happening`.

    Raises:
        IllegalTransition: `NEXT` has no such row.
    """
    try:
        return NEXT[status, happening]
    except KeyError:
        raise IllegalTransition(f"{status} does not allow {happening}") from None


@dataclass(frozen=True, slots=True)
class WavePlan:
    """How fast it may spread, and when it must not go on."""

    shares: tuple[float, ...] = (0.02, 0.1, 0.5, 1.0)
    """Of all chargers, asked once each wave is out: rising, the last is 1."""
    settle: timedelta = timedelta(minutes=5)
    """How long a wave is watched after its last answer."""
    max_failed_ratio: float = 0.05
    """Of those who answered; more halts it."""

    def __post_init__(self) -> None:
        """Check.

        Raises:
            ValueError: shares that do not rise to 1.
        """
        rising = sorted(set(self.shares))
        if list(self.shares) != rising or not rising or rising[0] <= 0 or rising[-1] != 1:
            raise ValueError("the shares of the waves rise to 1")

    def size(self, step: int, total: int) -> int:
        """Return how many chargers the wave of this step takes, at least one; steps count from 0."""
        step = min(step, len(self.shares) - 1)
        before = math.ceil(self.shares[step - 1] * total) if step else 0
        return max(1, math.ceil(self.shares[step] * total) - before)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many chargers are how far."""

    queued: int = 0
    """Away: they neither hold a wave up nor prove anything."""
    under_way: int = 0
    accepted: int = 0
    failed: int = 0
    """Rejected, failed or not answered."""
    unreached: int = 0
    """Not sent in the time there was."""
    lost: int = 0
    """Of the accepted ones of the last wave: not there after they had time to settle."""

    @property
    def asked(self) -> int:
        """Return of how many it was the turn."""
        return self.queued + self.under_way + self.accepted + self.failed + self.unreached

    @property
    def bad(self) -> int:
        """Return how many speak against going on."""
        return self.failed + self.lost


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a running fleet command is."""

    total: int
    step: int
    """How many waves have proved it good: of the wave that is next, which one it is."""
    all: Tally
    wave: Tally
    """Of the last wave sent."""
    settling_since: datetime | None
    """The last wave's last answer, or when it was sent; None: none was."""
    expires_at: datetime
    forgiven: int = 0
    """Failures a person has seen and gone on after."""


class Move(StrEnum):
    """What comes next."""

    WAIT = "wait"
    SEND = "send"
    HALT = "halt"
    FINISH = "finish"
    EXPIRE = "expire"


def decide(progress: Progress, plan: WavePlan, now: datetime) -> Move:
    """Name what a running fleet command does next. Pure."""
    if now >= progress.expires_at:
        return Move.EXPIRE
    answered = progress.all.accepted + progress.all.failed
    if progress.all.bad - progress.forgiven > plan.max_failed_ratio * answered:
        return Move.HALT
    if progress.wave.under_way:
        return Move.WAIT
    if progress.settling_since is not None and now - progress.settling_since < plan.settle:
        return Move.WAIT
    if progress.all.asked < progress.total:
        return Move.SEND
    return Move.WAIT if progress.all.queued else Move.FINISH


def step_after(progress: Progress) -> int:
    """Return the step of the wave that is sent now: a wave nobody was reached in proved nothing."""
    return progress.step + 1 if progress.wave.accepted else progress.step


@dataclass(frozen=True, slots=True)
class Candidate:
    """A charger a fleet command is meant for."""

    charger_id: str
    station_id: str
    is_there: bool


def in_order(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Return whom to ask first: those that are there, and of each station one after another.

    A first wave of one place would say nothing of the others.
    """
    seen: Counter[tuple[str, bool]] = Counter()
    ranked: list[tuple[bool, int, str, str, Candidate]] = []
    for one in sorted(candidates, key=lambda each: each.charger_id):
        rank = seen[one.station_id, one.is_there]
        seen[one.station_id, one.is_there] += 1
        ranked.append((not one.is_there, rank, one.station_id, one.charger_id, one))
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:-1])]


_ONLY_ASKS: Final = frozenset({"TriggerMessage", "ExtendedTriggerMessage"})


def needs_second_person(
    kind: str, action: str, stations: int, *, is_available: bool = False
) -> bool:
    """Whether somebody else must agree: what changes chargers of more than one station (FAULTS S21).

    Args:
        kind: our word for the request.
        action: OCPP's word, of a `call_charger`.
        stations: how many stations its chargers stand at.
        is_available: of a `change_availability`, into service.
    """
    if stations <= 1:
        return False
    match kind:
        case "trigger_message":
            return False
        case "change_availability":
            return not is_available
        case "call_charger":
            return not (action.startswith("Get") or action in _ONLY_ASKS)
    return True
