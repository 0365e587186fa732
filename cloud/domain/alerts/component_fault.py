"""A component of a 2.0.1 charger reports trouble (OCPP 2.0.1 N07, NotifyEvent)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain.alerts.fault_catalogue import COMPONENTS, Fault, component_fault_of
from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import ComponentSnapshot
from cloud.domain.policy import Policy

_TROUBLE: Final = frozenset({"Problem", "Tripped", "Overload", "Fallback"})
"""Variables that are true when something is wrong (appendix 3, standardised variables)."""
_WORST_TOLD: Final = 5
"""Severities above (6 notice .. 9 debug) are no trouble."""
_ALERTING: Final = "Alerting"


@dataclass(frozen=True, slots=True)
class ComponentFaultRule:
    """One alert for each component and variable; taken back by the charger's own word."""

    name: str = "component_fault"

    def check(self, snapshot: ComponentSnapshot, policy: Policy, now: datetime) -> Verdict | None:
        """See Rule.check. Events that are no trouble and take nothing back say nothing."""
        del policy, now
        scope = key_of(
            self.name,
            snapshot.charger_id,
            snapshot.evse_id,
            snapshot.component,
            snapshot.variable,
        )
        if snapshot.is_cleared or _is_well(snapshot):
            return Verdict(scope)
        if not _is_trouble(snapshot):
            return None
        return Verdict(scope, (self._raised(scope, snapshot),))

    def _raised(self, key: str, told: ComponentSnapshot) -> Raised:
        fault = component_fault_of(told.component)
        where = f", EVSE {told.evse_id}" if told.evse_id else ""
        return Raised(
            key=key,
            rule=self.name,
            severity=_severity(told, fault),
            station_id=told.station_id,
            charger_id=told.charger_id,
            title=f"{fault.title}: {told.charger_id}{where}",
            detail=f"{told.component}.{told.variable} = {told.value}.",
            what_to_do=fault.what_to_do,
            seen_at=told.at,
        )


def _is_well(told: ComponentSnapshot) -> bool:
    return told.variable in _TROUBLE and told.value.strip().lower() in {"false", "0"}


def _is_trouble(told: ComponentSnapshot) -> bool:
    if told.variable in _TROUBLE and told.value.strip().lower() in {"true", "1"}:
        return True
    if told.trigger != _ALERTING:
        return False
    if told.severity is not None:
        return told.severity <= _WORST_TOLD
    return told.component in COMPONENTS


def _severity(told: ComponentSnapshot, fault: Fault) -> Severity:
    # OCPP 2.0.1, NotifyEvent severities: 0 danger, 1 hardware failure, 2 system failure,
    # 3 critical, 4 error, 5 alert
    match told.severity:
        case None:
            return fault.severity
        case 0 | 1:
            return Severity.CRITICAL
        case 2 | 3:
            return Severity.MAJOR
        case _:
            return fault.severity if fault.severity is not Severity.CRITICAL else Severity.MAJOR
