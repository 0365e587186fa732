"""Money that does not move: a gateway that stays silent, or says no where it may not."""

from dataclasses import dataclass
from datetime import datetime

from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import PaymentSnapshot
from cloud.domain.payments import LOUD_AFTER, StepState
from cloud.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class StuckPaymentRule:
    """One alert a reservation; clears once the gateway has answered."""

    name: str = "stuck_payment"

    def check(self, snapshot: PaymentSnapshot, policy: Policy, now: datetime) -> Verdict | None:
        """See Rule.check."""
        del policy, now
        step = snapshot.step
        scope = key_of(self.name, snapshot.reservation_id)
        if step.state is StepState.FAILED:
            what = "Look at the payment at the gateway, and settle it with the driver by hand."
            return Verdict(scope, (self._raised(scope, snapshot, Severity.MAJOR, what),))
        if step.state is StepState.PENDING and step.attempts >= LOUD_AFTER:
            what = "It is tried again by itself. See whether the gateway is down, or our key wrong."
            return Verdict(scope, (self._raised(scope, snapshot, Severity.MINOR, what),))
        return Verdict(scope)

    def _raised(
        self, key: str, snapshot: PaymentSnapshot, severity: Severity, what_to_do: str
    ) -> Raised:
        step = snapshot.step
        return Raised(
            key=key,
            rule=self.name,
            severity=severity,
            station_id=snapshot.station_id,
            title=f"Payment stuck: {step.kind} for reservation {snapshot.reservation_id}",
            detail=step.last_error,
            what_to_do=what_to_do,
        )
