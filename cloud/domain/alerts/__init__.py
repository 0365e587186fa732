"""What maintenance must know. RULES lists every rule, by what it looks at."""

from datetime import datetime
from typing import Final

from cloud.domain.alerts.blocked_bay import BlockedBayRule
from cloud.domain.alerts.charger_fault import ChargerFaultRule
from cloud.domain.alerts.charger_offline import ChargerOfflineRule
from cloud.domain.alerts.component_fault import ComponentFaultRule
from cloud.domain.alerts.disk_short import DiskShortRule
from cloud.domain.alerts.low_battery import LowBatteryRule
from cloud.domain.alerts.quarantine import QuarantineRule
from cloud.domain.alerts.rule import Rule, Verdict
from cloud.domain.alerts.security_event import SecurityEventRule
from cloud.domain.alerts.silent_sensor import SilentSensorRule
from cloud.domain.alerts.snapshots import (
    ChargerSnapshot,
    ComponentSnapshot,
    PaymentSnapshot,
    QuarantineSnapshot,
    SecuritySnapshot,
    SensorSnapshot,
    StationSnapshot,
)
from cloud.domain.alerts.station_offline import StationOfflineRule
from cloud.domain.alerts.stolen_bay import StolenBayRule
from cloud.domain.alerts.stuck_payment import StuckPaymentRule
from cloud.domain.alerts.suspect_sensor import SuspectSensorRule
from cloud.domain.policy import Policy
from cloud.domain.witnesses import Scene

Snapshot = (
    StationSnapshot
    | ChargerSnapshot
    | Scene
    | SensorSnapshot
    | ComponentSnapshot
    | QuarantineSnapshot
    | SecuritySnapshot
    | PaymentSnapshot
)

RULES: Final[dict[type[Snapshot], tuple[Rule, ...]]] = {
    StationSnapshot: (StationOfflineRule(), DiskShortRule()),
    ChargerSnapshot: (ChargerFaultRule(), ChargerOfflineRule()),
    Scene: (BlockedBayRule(), StolenBayRule(), SuspectSensorRule()),
    SensorSnapshot: (SilentSensorRule(), LowBatteryRule()),
    ComponentSnapshot: (ComponentFaultRule(),),
    QuarantineSnapshot: (QuarantineRule(),),
    SecuritySnapshot: (SecurityEventRule(),),
    PaymentSnapshot: (StuckPaymentRule(),),
}


def check(snapshot: Snapshot, policy: Policy, now: datetime) -> list[Verdict]:
    """Return what every rule for this kind of snapshot says; those that cannot tell say nothing."""
    verdicts = (rule.check(snapshot, policy, now) for rule in RULES[type(snapshot)])
    return [verdict for verdict in verdicts if verdict is not None]
