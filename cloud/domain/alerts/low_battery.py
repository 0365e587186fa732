"""A bay sensor's battery runs low."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import SensorSnapshot
from cloud.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class LowBatteryRule:
    """What low is, each sensor's vendor says."""

    name: str = "low_battery"

    def check(self, snapshot: SensorSnapshot, policy: Policy, now: datetime) -> Verdict:
        """See Rule.check."""
        del policy, now
        sensor, bay = snapshot.sensor, snapshot.bay
        scope = key_of(self.name, sensor.station_id, sensor.id)
        if not sensor.is_battery_low:
            return Verdict(scope)
        left = f"{sensor.battery_ratio:.0%} left" if sensor.battery_ratio is not None else "low"
        raised = Raised(
            key=scope,
            rule=self.name,
            severity=Severity.MINOR,
            station_id=sensor.station_id,
            bay_id=sensor.bay_id,
            sensor_id=sensor.id,
            title=f"Sensor battery low: {bay.name if bay else sensor.id}",
            detail=f"{sensor.id}: {left}.",
            what_to_do="Replace the battery with the next visit.",
        )
        return Verdict(scope, (raised,))
