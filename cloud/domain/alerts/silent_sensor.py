"""A bay sensor is not heard any more."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import SensorSnapshot
from cloud.domain.policy import Policy

FLAPPING: Final = "flapping"
"""contracts.events.SensorFellSilent.why."""
_SILENT: Final = "is not heard;"
_FLAPS: Final = "changes its mind faster than cars come and go;"
_MEANWHILE: Final = "the bay goes by its charger's word."
_FIND_IT: Final = "Check its battery and its gateway; a parked van can shadow a radio, too."
_STEADY_IT: Final = (
    "Check where it looks, how it is fixed and its thresholds; it may want replacing."
)


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
        is_flapping = sensor.last_error == FLAPPING
        raised = Raised(
            key=scope,
            rule=self.name,
            severity=Severity.MINOR,
            station_id=sensor.station_id,
            bay_id=sensor.bay_id,
            sensor_id=sensor.id,
            title=f"Sensor {'flaps' if is_flapping else 'silent'}: {place}",
            detail=f"{sensor.id} {_FLAPS if is_flapping else _SILENT} {_MEANWHILE}",
            what_to_do=_STEADY_IT if is_flapping else _FIND_IT,
        )
        return Verdict(scope, (raised,))
