"""How a command to a charger looks from outside."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandView:
    """A command to a charger, and how it stands."""

    command_id: str
    station_id: str
    charger_id: str
    kind: str
    state: str
    """queued sent accepted rejected failed timed_out expired charger_offline cancelled"""
    request: dict[str, Any]
    answer: dict[str, Any] | None
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    answered_at: datetime | None
    version: int
    is_patient: bool = False
    """Kept for a charger that is away, until it expires."""
    answer_within_s: int = 30
    """How long the charger has once it is sent."""
    sent_at: datetime | None = None
    fleet_command_id: str | None = None
    """The fleet command it is part of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandList:
    """A page of a charger's commands, newest first."""

    commands: list[CommandView]
    next_cursor: str | None
