"""A vehicle stands in a bay and does not charge."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.policy import Policy
from cloud.domain.reconcile import Situation, Status
from cloud.domain.witnesses import Scene


@dataclass(frozen=True, slots=True)
class BlockedBayRule:
    """Fires after `blocked_alert_after`; less is a driver looking for the cable."""

    name: str = "blocked_bay"

    def check(self, snapshot: Scene, policy: Policy, now: datetime) -> Verdict | None:
        """See Rule.check. The bay's row already says what was found."""
        bay = snapshot.bay
        if bay.status == Status.UNKNOWN:
            return None
        scope = key_of(self.name, bay.id)
        if bay.situation != Situation.OCCUPIED_UNPLUGGED or bay.since is None:
            return Verdict(scope)
        due_at = bay.since + policy.blocked_alert_after
        if now < due_at:
            return Verdict(scope, recheck_at=due_at)
        raised = Raised(
            key=scope,
            rule=self.name,
            severity=Severity.MAJOR,
            station_id=bay.station_id,
            bay_id=bay.id,
            charger_id=bay.charger_id,
            title=f"Blocked bay: {bay.name}",
            detail=f"A vehicle has stood there unplugged since {bay.since:%Y-%m-%d %H:%M:%S} UTC.",
            what_to_do="Have the vehicle moved; if the bay is empty, the sensor needs a look.",
        )
        return Verdict(scope, (raised,))
