"""What fleet commands need of the database, and how they are kept; see ports.py."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from cloud.domain.access import Viewer
from cloud.domain.waves import Candidate, Status, Tally, WavePlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Which chargers: those that fit all that is said; what is empty says nothing."""

    station_ids: tuple[str, ...] = ()
    charger_ids: tuple[str, ...] = ()
    vendor: str = ""
    model: str = ""
    firmware_version: str = ""
    ocpp_version: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether every charger fits."""
        return self == Selector()


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetCommand:
    """One request to many chargers, as it is kept."""

    id: str
    kind: str
    request: dict[str, Any]
    """The charger's id is of no meaning in it."""
    selector: Selector
    plan: WavePlan
    answer_within_s: int
    status: Status
    reason: str = ""
    """Why it stands still or has ended, where nobody said so."""
    stations: int
    total: int
    waves: int = 0
    """Sent so far."""
    step: int = 0
    """See Progress.step."""
    wave_at: datetime | None = None
    forgiven: int = 0
    owner_id: str | None
    """Whose stations alone it touches; None: staff's."""
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    approved_by: str | None = None
    approved_at: datetime | None = None
    changed_at: datetime
    version: int = 1

    def is_for(self, viewer: Viewer) -> bool:
        """Whether it is the viewer's to see and steer."""
        return viewer.is_staff or (self.owner_id is not None and viewer.may_watch(self.owner_id))


@dataclass(frozen=True, slots=True)
class Count:
    """How far the chargers of a fleet command are."""

    all: Tally
    wave: Tally
    """Of the last wave."""
    answered_at: datetime | None
    """The last answer in the last wave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetTarget:
    """A charger of a fleet command."""

    charger_id: str
    station_id: str
    position: int
    """In the order they are asked in, from 0."""
    wave: int | None
    """From 1; null: its turn has not come."""
    command_id: str | None
    state: str
    """`untried`, or its command's."""


class FleetCommands(Protocol):
    """Fleet commands, and whom they are for."""

    def candidates(
        self, selector: Selector, owner_id: str | None, heard_since: datetime, limit: int
    ) -> list[Candidate]:
        """Return the chargers that fit, of one owner's stations or of all; at most so many."""
        ...

    def add(self, fleet: FleetCommand, targets: Sequence[Candidate]) -> None:
        """Store a new one, its targets in their order."""
        ...

    def get(self, fleet_command_id: str) -> FleetCommand | None:
        """Return one."""
        ...

    def page(
        self, owner_id: str | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[FleetCommand]:
        """Return an owner's, or all, newest first, from a place on."""
        ...

    def running(self, now: datetime) -> list[str]:
        """Return those to look at: running, or open and past their time."""
        ...

    def save(self, fleet: FleetCommand) -> bool:
        """Store what changed, as the version after the one given; False: that is no more the last."""
        ...

    def count(self, fleet: FleetCommand, now: datetime) -> Count:
        """Count its chargers by how far they are."""
        ...

    def untried(self, fleet_command_id: str, limit: int) -> list[FleetTarget]:
        """Return the first of those whose turn has not come."""
        ...

    def forget(self, before: datetime) -> int:
        """Delete the oldest that ended before then, with all it asked; returns how many rows."""
        ...

    def ask(self, fleet_command_id: str, wave: int, asked: Sequence[tuple[int, str]]) -> None:
        """Note which command each target, by its position, was given."""
        ...

    def targets(self, fleet_command_id: str, after: int, limit: int) -> list[FleetTarget]:
        """Return targets, from a position on, and how each is."""
        ...

    def cancel_queued(self, fleet_command_id: str) -> int:
        """Take back its commands that wait for their chargers; returns how many."""
        ...
