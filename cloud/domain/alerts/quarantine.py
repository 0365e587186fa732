"""Messages of a station could not be used and wait for a person."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import QuarantineSnapshot
from cloud.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class QuarantineRule:
    """Does not clear by itself: somebody has to look."""

    name: str = "quarantine"

    def check(self, snapshot: QuarantineSnapshot, policy: Policy, now: datetime) -> Verdict:
        """See Rule.check."""
        del policy, now
        key = key_of(self.name, snapshot.station_id)
        raised = Raised(
            key=key,
            rule=self.name,
            severity=Severity.MINOR,
            station_id=snapshot.station_id,
            title="A message could not be used",
            detail=f"{snapshot.kind}: {snapshot.error}",
            what_to_do="Nothing is lost: it is kept in quarantine. Report it with its text.",
            seen_at=snapshot.at,
        )
        return Verdict(key, (raised,))
