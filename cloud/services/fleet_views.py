"""Fleet commands as those see them who look after chargers."""

from dataclasses import asdict

from cloud.services.fleet_ports import Count, FleetCommand, FleetTarget
from cloud.services.views import FleetCommandView, FleetProgress, FleetTargetView


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
