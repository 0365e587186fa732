"""A station's agent is not heard; what stands behind it is not judged meanwhile."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.alerts.rule import LOOK_AGAIN_AFTER, Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import StationSnapshot
from cloud.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class StationOfflineRule:
    """One alert for the station instead of one for each of its chargers and sensors."""

    name: str = "station_offline"

    def check(self, snapshot: StationSnapshot, policy: Policy, now: datetime) -> Verdict:
        """See Rule.check. A station that has never been heard is not missed yet."""
        station, heard_at = snapshot.station, snapshot.link.heard_at
        scope = key_of(self.name, station.id)
        if heard_at is None:
            return Verdict(scope)
        due_at = heard_at + policy.station_offline_alert_after
        if now < due_at:
            is_missed = now - heard_at >= policy.stale_after
            return Verdict(scope, recheck_at=due_at if is_missed else None)
        raised = Raised(
            key=scope,
            rule=self.name,
            severity=Severity.CRITICAL,
            station_id=station.id,
            title=f"Station offline: {station.name}",
            detail=f"Its agent was last heard at {heard_at:%Y-%m-%d %H:%M:%S} UTC.",
            what_to_do=(
                "Check the site's power and internet link. Charging goes on by the agent's own "
                "rules; all bays show UNKNOWN, and what happened meanwhile arrives afterwards."
            ),
        )
        return Verdict(scope, (raised,), recheck_at=now + LOOK_AGAIN_AFTER)
