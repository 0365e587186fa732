"""Fleet commands as those see them who look after chargers."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from cloud.services.fleet_ports import Count, FleetCommand, FleetTarget


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetProgress:
    """How many chargers of a fleet command are how far."""

    total: int
    untried: int
    """Their turn has not come."""
    queued: int
    """Away: it goes to them when they come back."""
    under_way: int
    accepted: int
    failed: int
    """Rejected, failed or not answered."""
    unreached: int
    """Not sent in the time there was, or taken back."""
    waves: int
    """Sent so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetCommandView:
    """One request to many chargers, in waves, and how it stands."""

    fleet_command_id: str
    kind: str
    request: dict[str, Any]
    selector: dict[str, Any]
    shares: list[float]
    settle_s: int
    max_failed_ratio: float
    status: str
    """awaiting_approval running paused halted done aborted expired"""
    reason: str
    """Why it halted, where it did."""
    stations: int
    progress: FleetProgress
    issued_by: str
    issued_at: datetime
    expires_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetCommandList:
    """A page of fleet commands, newest first."""

    fleet_commands: list[FleetCommandView]
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetTargetView:
    """A charger of a fleet command, and how it is with it."""

    charger_id: str
    station_id: str
    wave: int | None
    """From 1; null: its turn has not come."""
    command_id: str | None
    state: str
    """`untried`, or its command's state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetTargetList:
    """A page of a fleet command's chargers, in the order they are asked in."""

    targets: list[FleetTargetView]
    next_cursor: str | None


def view_of(fleet: FleetCommand, count: Count) -> FleetCommandView:
    """Return a fleet command and how far it is, as the API shows it."""
    tally = count.all
    return FleetCommandView(
        fleet_command_id=fleet.id,
        kind=fleet.kind,
        request={name: value for name, value in fleet.request.items() if name != "charger_id"},
        selector={name: value for name, value in asdict(fleet.selector).items() if value},
        shares=list(fleet.plan.shares),
        settle_s=int(fleet.plan.settle.total_seconds()),
        max_failed_ratio=fleet.plan.max_failed_ratio,
        status=fleet.status,
        reason=fleet.reason,
        stations=fleet.stations,
        progress=FleetProgress(
            total=fleet.total,
            untried=fleet.total - tally.asked,
            queued=tally.queued,
            under_way=tally.under_way,
            accepted=tally.accepted,
            failed=tally.failed,
            unreached=tally.unreached,
            waves=fleet.waves,
        ),
        issued_by=fleet.issued_by,
        issued_at=fleet.issued_at,
        expires_at=fleet.expires_at,
        approved_by=fleet.approved_by,
        approved_at=fleet.approved_at,
        version=fleet.version,
    )


def target_view(target: FleetTarget) -> FleetTargetView:
    """Return one of its chargers, as the API shows it."""
    return FleetTargetView(
        charger_id=target.charger_id,
        station_id=target.station_id,
        wave=target.wave,
        command_id=target.command_id,
        state=target.state,
    )
