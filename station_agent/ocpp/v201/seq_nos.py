"""Which of a session's numbered events have come: gaps of any width, in little room (seqNo, E04)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from typing import Final

from station_agent.ports import Gap, SessionRecord

_MAX_GAPS: Final = 32
_NEWEST: Final = 32
_OLDER_HAD: Final = 256
"""Older agents kept so many missing numbers, and forgot those below."""


class Standing(Enum):
    """What a number says of the event that carries it."""

    NEW = auto()
    REPEATED = auto()
    """It came before."""
    REUSED = auto()
    """Its number came before, but with another event."""
    UNKNOWN = auto()
    """So old that it is forgotten whether it came."""


def standing(session: SessionRecord, seq_no: int | None, at: datetime | None) -> Standing:
    """Tell a repeated event from one that is new.

    Who numbers anew after a reboot, or gives all the same number, is told from who repeats by
    `at`, the charger's own word: what is sent again bears its old time, what is later than all
    before is another event. Without a usable one the number alone counts.
    """
    last = session.last_seq_no
    if seq_no is None or last is None or seq_no > last:
        return Standing.NEW
    gaps, unknown_to = _known(session)
    if any(first <= seq_no <= to for first, to in gaps):
        return Standing.NEW
    if at is not None and session.last_event_at is not None and at > session.last_event_at:
        return Standing.REUSED
    is_unknown = unknown_to is not None and seq_no <= unknown_to
    return Standing.UNKNOWN if is_unknown else Standing.REPEATED


def heard(session: SessionRecord, seq_no: int | None, at: datetime | None) -> SessionRecord:
    """Return the session with this number come; of too many gaps the oldest is forgotten."""
    if seq_no is None:
        return session
    last = session.last_seq_no
    gaps, unknown_to = _known(session)
    first_new = 0 if last is None else last + 1
    if last is not None and seq_no <= last:
        gaps = tuple(_without(gaps, seq_no))
    elif seq_no > first_new:
        gaps = (*gaps, (first_new, seq_no - 1))
    if len(gaps) > _MAX_GAPS:
        unknown_to, gaps = gaps[-_MAX_GAPS - 1][1], gaps[-_MAX_GAPS:]
    return replace(
        session,
        last_seq_no=seq_no if last is None else max(last, seq_no),
        seq_no_gaps=gaps,
        unknown_seq_nos_to=unknown_to,
        missing_seq_nos=_newest(gaps),
        last_event_at=_later(session.last_event_at, at),
    )


def _known(session: SessionRecord) -> tuple[tuple[Gap, ...], int | None]:
    """Return the gaps, and up to where it is forgotten what came; also of an older agent's record."""
    if session.seq_no_gaps is not None:
        return session.seq_no_gaps, session.unknown_seq_nos_to
    missing = session.missing_seq_nos
    return (
        tuple((number, number) for number in sorted(missing)),
        min(missing) - 1 if len(missing) >= _OLDER_HAD else None,
    )


def _without(gaps: Iterable[Gap], seq_no: int) -> Iterator[Gap]:
    for first, to in gaps:
        if not first <= seq_no <= to:
            yield first, to
            continue
        if first < seq_no:
            yield first, seq_no - 1
        if seq_no < to:
            yield seq_no + 1, to


def _newest(gaps: Sequence[Gap]) -> frozenset[int]:
    """Return the newest missing numbers one by one, as an older agent reads them."""
    numbers: list[int] = []
    for first, to in reversed(gaps):
        numbers += range(to, max(first - 1, to - _NEWEST), -1)
    return frozenset(numbers[:_NEWEST])


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    if one is None or other is None:
        return one or other
    return max(one, other)
