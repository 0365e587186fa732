"""A connector, or the whole charger, says it is faulted."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain.alerts.fault_catalogue import fault_of
from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import ChargerSnapshot
from cloud.domain.bays import Charger, Connector
from cloud.domain.policy import Policy

_NO_NEWS_AT_THE_END: Final = frozenset({"EVCommunicationError", "OtherError"})


@dataclass(frozen=True, slots=True)
class ChargerFaultRule:
    """One alert for each connector and error code; an error code without the fault is only told."""

    name: str = "charger_fault"

    def check(self, snapshot: ChargerSnapshot, policy: Policy, now: datetime) -> Verdict | None:
        """See Rule.check. A charger that is away takes nothing back."""
        del policy, now
        charger = snapshot.charger
        if not charger.is_connected:
            return None
        raised = [
            self._raised(snapshot, one.evse_id, one.connector_id, one)
            for one in snapshot.connectors
            if one.state == "faulted" or _is_told(one)
        ]
        if charger.state == "faulted" or _is_told(charger):
            raised.append(self._raised(snapshot, 0, 0, charger))
        return Verdict(key_of(self.name, charger.id), tuple(raised))

    def _raised(
        self, snapshot: ChargerSnapshot, evse_id: int, connector_id: int, said: object
    ) -> Raised:
        code, state = str(getattr(said, "error_code", "")), getattr(said, "state", "")
        seen_at = getattr(said, "state_at", None)
        vendor_code, info = getattr(said, "vendor_error_code", ""), getattr(said, "info", "")
        fault = fault_of(code)
        where = f"connector {evse_id}" if evse_id else "the whole charger"
        told = ", ".join(part for part in (code, vendor_code, info) if part)
        return Raised(
            key=key_of(self.name, snapshot.charger.id, evse_id, connector_id, code or "NoError"),
            rule=self.name,
            severity=fault.severity if state == "faulted" else Severity.INFO,
            station_id=snapshot.charger.station_id,
            charger_id=snapshot.charger.id,
            title=f"{fault.title}: {snapshot.charger.id}, {where}",
            detail=f"The charger reports: {told}." if told else "The charger gives no reason.",
            what_to_do=fault.what_to_do,
            seen_at=seen_at,
        )


def _is_told(said: Connector | Charger) -> bool:
    """Whether it tells an error; some makers have one at the end of each session (QUIRKS 38)."""
    if said.state == "finishing" and said.error_code in _NO_NEWS_AT_THE_END:
        return False
    return said.error_code not in {"", "NoError"}
