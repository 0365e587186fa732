"""A charger has not been connected, or has not answered, for some time."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.alerts.rule import LOOK_AGAIN_AFTER, Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import ChargerSnapshot
from cloud.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class ChargerOfflineRule:
    """Less than `charger_offline_alert_after` is a reboot."""

    name: str = "charger_offline"

    def check(self, snapshot: ChargerSnapshot, policy: Policy, now: datetime) -> Verdict:
        """See Rule.check."""
        charger = snapshot.charger
        scope = key_of(self.name, charger.id)
        since = self._silent_since(snapshot)
        if since is None:
            return Verdict(scope)
        due_at = since + policy.charger_offline_alert_after
        if now < due_at:
            return Verdict(scope, recheck_at=due_at)
        raised = (self._raised(scope, snapshot, since),)
        return Verdict(scope, raised, recheck_at=now + LOOK_AGAIN_AFTER)

    def _silent_since(self, snapshot: ChargerSnapshot) -> datetime | None:
        charger = snapshot.charger
        if charger.is_connected or charger.connection_changed_at is None:
            return charger.silent_since
        return charger.connection_changed_at

    def _raised(self, scope: str, snapshot: ChargerSnapshot, since: datetime) -> Raised:
        charger = snapshot.charger
        if charger.connection_changed_at is None:
            detail = "It has never connected. Its address, name or key may be set wrongly."
        else:
            detail = f"Not heard since {since:%Y-%m-%d %H:%M:%S} UTC; its bays show UNKNOWN."
        return Raised(
            key=scope,
            rule=self.name,
            severity=Severity.MAJOR,
            station_id=charger.station_id,
            charger_id=charger.id,
            title=f"Charger offline: {charger.id}",
            detail=detail,
            what_to_do="Check its power and network; sessions go on and arrive once it is back.",
        )
