"""A bay's sensor says the opposite of its charger."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.bays import contradicted_at
from cloud.domain.policy import Policy
from cloud.domain.reconcile import Status
from cloud.domain.witnesses import Scene


@dataclass(frozen=True, slots=True)
class SuspectSensorRule:
    """Told while a contradiction lasts, and for as long as the sensor is not believed."""

    name: str = "suspect_sensor"

    def check(self, snapshot: Scene, policy: Policy, now: datetime) -> Verdict | None:
        """See Rule.check."""
        bay = snapshot.bay
        if bay.status == Status.UNKNOWN:
            return None
        scope = key_of(self.name, bay.id)
        if bay.is_sensor_suspect:
            detail = (
                f"It contradicted the charger in {bay.contradictions} visits and is not believed "
                "any more: the bay goes by the charger's word."
            )
            return Verdict(scope, (self._raised(scope, snapshot, Severity.MAJOR, detail),))
        at = contradicted_at(bay, bay.situation, now)
        if at is None:
            return Verdict(scope)
        due_at = at + policy.contradiction_after
        if now < due_at:
            return Verdict(scope, recheck_at=due_at)
        detail = f"{bay.reason} The charger is believed."
        return Verdict(scope, (self._raised(scope, snapshot, Severity.MINOR, detail),))

    def _raised(self, scope: str, scene: Scene, severity: Severity, detail: str) -> Raised:
        return Raised(
            key=scope,
            rule=self.name,
            severity=severity,
            station_id=scene.bay.station_id,
            bay_id=scene.bay.id,
            sensor_id=scene.sensors[0].id if scene.sensors else None,
            title=f"Sensor contradicts the charger: {scene.bay.name}",
            detail=detail,
            what_to_do=(
                "Check that the sensor watches this bay and not its neighbour, clean it, and see "
                "whether it notices a car; a visit in which both agree clears its name."
            ),
        )
