"""A bay sensor is not heard any more."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import SensorSnapshot
from cloud.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class SilentSensorRule:
    """The agent has waited long enough for this kind of sensor before it tells."""

    name: str = "silent_sensor"

    def check(self, snapshot: SensorSnapshot, policy: Policy, now: datetime) -> Verdict:
        """See Rule.check."""
        del policy, now
        sensor, bay = snapshot.sensor, snapshot.bay
        scope = key_of(self.name, sensor.station_id, sensor.id)
        if not snapshot.is_silent:
            return Verdict(scope)
        place = bay.name if bay else sensor.station_id
        raised = Raised(
            key=scope,
            rule=self.name,
            severity=Severity.MINOR,
            station_id=sensor.station_id,
            bay_id=sensor.bay_id,
            sensor_id=sensor.id,
            title=f"Sensor silent: {place}",
            detail=f"{sensor.id} is not heard; the bay goes by its charger's word.",
            what_to_do="Check its battery and its gateway; a parked van can shadow a radio, too.",
        )
        return Verdict(scope, (raised,))
