"""A promised bay is not there for the driver who comes for it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.policy import Policy
from cloud.domain.reconcile import Status
from cloud.domain.reservations import Trouble
from cloud.domain.witnesses import Scene

_FREE: Final = frozenset({Status.AVAILABLE, Status.RESERVED})

_TITLES: Final[dict[Trouble, str]] = {
    Trouble.STOLEN: "Promised bay taken",
    Trouble.STILL_OCCUPIED: "Promised bay not left",
    Trouble.OUT_OF_ORDER: "Promised bay out of order",
}
_DETAILS: Final[dict[Trouble, str]] = {
    Trouble.STOLEN: "Somebody else stands there; a reservation waits.",
    Trouble.STILL_OCCUPIED: "The driver before has not left; a reservation waits.",
    Trouble.OUT_OF_ORDER: "The charger cannot be used; a reservation waits.",
}


@dataclass(frozen=True, slots=True)
class StolenBayRule:
    """Fires at once: somebody is on their way. Stands until the bay is free again.

    The driver may have been moved by then; whoever stands there has still to go.
    """

    name: str = "stolen_bay"

    def check(self, snapshot: Scene, policy: Policy, now: datetime) -> Verdict | None:
        """See Rule.check."""
        del policy, now
        bay = snapshot.bay
        scope = key_of(self.name, bay.id)
        standing = (snapshot.trouble, *(one.trouble for one in snapshot.reservations))
        trouble = next((one for one in standing if one in _TITLES), None)
        if trouble is None:
            return Verdict(scope) if bay.status in _FREE else None
        raised = Raised(
            key=scope,
            rule=self.name,
            severity=Severity.MAJOR,
            station_id=bay.station_id,
            bay_id=bay.id,
            charger_id=bay.charger_id,
            title=f"{_TITLES[trouble]}: {bay.name}",
            detail=_DETAILS[trouble],
            what_to_do=(
                "Have the bay cleared or the charger repaired; the driver has been moved, or asked "
                "to choose something else."
            ),
        )
        return Verdict(scope, (raised,))
