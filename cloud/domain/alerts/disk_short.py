"""A station's agent runs out of disk."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import StationSnapshot
from cloud.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class DiskShortRule:
    """Told by the agent's heartbeat: it drops telemetry first, sessions never."""

    name: str = "disk_short"

    def check(self, snapshot: StationSnapshot, policy: Policy, now: datetime) -> Verdict:
        """See Rule.check."""
        del policy, now
        station = snapshot.station
        scope = key_of(self.name, station.id)
        if not snapshot.link.is_disk_short:
            return Verdict(scope)
        raised = Raised(
            key=scope,
            rule=self.name,
            severity=Severity.MAJOR,
            station_id=station.id,
            title=f"Disk nearly full: the agent of {station.name}",
            detail=f"{snapshot.link.outbox_depth} facts wait there; meter samples are dropped.",
            what_to_do="Make room on the agent's disk; see why its facts are not delivered.",
        )
        return Verdict(scope, (raised,))
