"""A charger's own list of tokens: what to send so that it has what it is to have (OCPP 2.0.1 D01)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

Entries = Mapping[str, Mapping[str, Any]]
"""By token in compared form: whether it is valid, its parent, and until when; plain JSON data."""

_MOST_CHANGES: Final = 0.5
"""Where more of a list than this changed, the whole is no more to send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalList:
    """A charger's list, as we know it to be, and as it is to be."""

    charger_id: str
    is_kept: bool
    version: int = 0
    """Of the list it took last; 0: we know of none."""
    entries: Entries = field(default_factory=dict)
    sending: Entries | None = None
    """What it will have once it takes what it was sent."""
    command_id: str | None = None
    changed_at: datetime

    @property
    def is_sending(self) -> bool:
        """Whether the charger has yet to answer."""
        return self.command_id is not None


@dataclass(frozen=True, slots=True)
class Sending:
    """What to send."""

    version: int
    is_whole: bool
    put: Entries
    gone: Entries = field(default_factory=dict)
    """As the charger has them."""


def next_sending(held: LocalList, wanted: Entries, told: int | None) -> Sending | None:
    """Return what brings a charger's list up to date; None: it is.

    Args:
        held: as we know it.
        wanted: as it is to be.
        told: the version the charger says it has; None: it never said.
    """
    version = max(held.version, told or 0, 0) + 1
    if held.version == 0 or (told is not None and told != held.version):
        return Sending(version, is_whole=True, put=wanted)
    put = {token: one for token, one in wanted.items() if held.entries.get(token) != one}
    gone = {token: one for token, one in held.entries.items() if token not in wanted}
    if not put and not gone:
        return None
    is_of_another_type = any(
        _type(held.entries.get(token, one)) != _type(one) for token, one in put.items()
    )
    if is_of_another_type or len(put) + len(gone) > _MOST_CHANGES * len(wanted):
        return Sending(version, is_whole=True, put=wanted)
    return Sending(version, is_whole=False, put=put, gone=gone)


def _type(entry: Mapping[str, Any]) -> str:
    """Return the type of an entry: of another it is another token, and both would be in the list."""
    return str(entry.get("token_type", ""))


def sent(held: LocalList, wanted: Entries, command_id: str, now: datetime) -> LocalList:
    """Return the list after it was sent."""
    return replace(held, sending=wanted, command_id=command_id, changed_at=now)


def answered(held: LocalList, *, is_taken: bool, version: int, now: datetime) -> LocalList:
    """Return the list after the charger's answer; of one it refused we know nothing any more."""
    entries = held.sending if is_taken and held.sending is not None else {}
    return replace(
        held,
        version=version if is_taken else 0,
        entries=entries,
        sending=None,
        command_id=None,
        changed_at=now,
    )
