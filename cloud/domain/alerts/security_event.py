"""A charger, or its agent, saw something a person must look at (OCPP 2.0.1 A04, appendix 1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain.alerts.rule import Raised, Severity, Verdict, key_of
from cloud.domain.alerts.snapshots import SecuritySnapshot
from cloud.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class Concern:
    """What an event means to who looks after the charger."""

    severity: Severity
    title: str
    what_to_do: str


_CHECK_CERTIFICATES: Final = "See which certificates it has, and install the right ones."
_CHECK_FIRMWARE: Final = "Do not repeat the update before you know where the file came from."
_ASK_WHO: Final = "Find out who it was; if nobody should have been, give the charger a new key."
_LET_BACK: Final = (
    "It was not let in. If it is the charger, set back or replaced, set up at the box the security"
    " profile it had; or have an administrator lower what it must come by"
    " (PUT /api/v1/chargers/{id}/security-profile). If it is not, somebody has its key: give it a new"
    " one."
)

CONCERNS: Final[Mapping[str, Concern]] = {
    "TamperDetectionActivated": Concern(
        Severity.CRITICAL, "Somebody tampers with the charger", "Send somebody there."
    ),
    "SecurityLogWasCleared": Concern(
        Severity.MAJOR, "The charger's security log was cleared", _ASK_WHO
    ),
    "AttemptedReplayAttacks": Concern(
        Severity.MAJOR, "Somebody replays the charger's messages", _ASK_WHO
    ),
    "InvalidFirmwareSignature": Concern(
        Severity.MAJOR, "The firmware's signature is wrong", _CHECK_FIRMWARE
    ),
    "InvalidFirmwareSigningCertificate": Concern(
        Severity.MAJOR, "The firmware was signed by a stranger", _CHECK_FIRMWARE
    ),
    "InvalidCsmsCertificate": Concern(
        Severity.MAJOR, "The charger does not trust our certificate", _CHECK_CERTIFICATES
    ),
    "InvalidCentralSystemCertificate": Concern(
        Severity.MAJOR, "The charger does not trust our certificate", _CHECK_CERTIFICATES
    ),
    "InvalidChargingStationCertificate": Concern(
        Severity.MAJOR, "The charger refused its new certificate", _CHECK_CERTIFICATES
    ),
    "InvalidChargePointCertificate": Concern(
        Severity.MAJOR, "The charger refused its new certificate", _CHECK_CERTIFICATES
    ),
    "InvalidTLSVersion": Concern(
        Severity.MINOR, "The charger was offered outdated encryption", _ASK_WHO
    ),
    "InvalidTLSCipherSuite": Concern(
        Severity.MINOR, "The charger was offered weak encryption", _ASK_WHO
    ),
    "FailedToAuthenticateAtCsms": Concern(
        Severity.MINOR, "The charger could not log in", "See whether its key was changed."
    ),
    "FailedToAuthenticateAtCentralSystem": Concern(
        Severity.MINOR, "The charger could not log in", "See whether its key was changed."
    ),
    "CsmsFailedToAuthenticate": Concern(
        Severity.MINOR, "The charger did not know us", _CHECK_CERTIFICATES
    ),
    "CentralSystemFailedToAuthenticate": Concern(
        Severity.MINOR, "The charger did not know us", _CHECK_CERTIFICATES
    ),
    "MaintenanceLoginFailed": Concern(
        Severity.MINOR, "Somebody failed to log in at the charger", _ASK_WHO
    ),
    "MemoryExhaustion": Concern(
        Severity.MINOR, "The charger runs out of memory", "Reset it; report it to its maker."
    ),
    "security_downgraded": Concern(
        Severity.MAJOR,
        "Somebody of the charger's name came less protected than it must",
        _LET_BACK,
    ),
    "certificate_replaced": Concern(
        Severity.MAJOR,
        "Somebody came by a certificate of the charger's that has a newer one in its place",
        "It was not let in. Have the charger use its newest certificate; if it has that no more, or is"
        " another box, have an administrator set its security profile anew"
        " (PUT /api/v1/chargers/{id}/security-profile): then any good certificate of its name counts,"
        " until it comes by one of ours.",
    ),
    "serial_differs": Concern(
        Severity.MAJOR,
        "The charger is of another serial number than its certificate",
        "Its connection was closed. If the box was replaced, have it get a certificate of its own; if it"
        " was not, find out where the certificate is used.",
    ),
    "key_not_taken": Concern(
        Severity.MINOR,
        "The charger does not take a new key",
        "Its old key stays good. See among its commands what it answered; begin the change again once"
        " it can, or give it a key by hand.",
    ),
    "key_waits_for_boot": Concern(
        Severity.MINOR,
        "The charger has yet to boot to take its new key",
        "Restart it: until then both its keys are good.",
    ),
    "over_session_limit": Concern(
        Severity.MINOR,
        "A card charges at more places at a time than it may",
        "It began at all of them at once, before anybody could know. See whose it is, and whether it was"
        " copied; stop the charge, or block the card.",
    ),
    "reservation_dropped": Concern(
        Severity.MINOR,
        "The charger lets go a reservation again and again",
        "It is told no more of this one. Other cards are refused there all the same. See whether somebody"
        " removes it at the charger; report it to its maker.",
    ),
    "flooding": Concern(
        Severity.MINOR,
        "The charger sends more than it should",
        "It is slowed down, and nobody else is. Reset it; report it to its maker.",
    ),
}
"""By event. The others are kept, and need nobody."""


@dataclass(frozen=True, slots=True)
class SecurityEventRule:
    """One alert for each kind of event at a charger; does not clear by itself."""

    name: str = "security_event"

    def check(self, snapshot: SecuritySnapshot, policy: Policy, now: datetime) -> Verdict | None:
        """See Rule.check."""
        del policy, now
        concern = CONCERNS.get(snapshot.event)
        if concern is None:
            return None
        key = key_of(self.name, snapshot.charger_id, snapshot.event)
        raised = Raised(
            key=key,
            rule=self.name,
            severity=concern.severity,
            station_id=snapshot.station_id,
            charger_id=snapshot.charger_id,
            title=f"{concern.title}: {snapshot.charger_id}",
            detail=f"{snapshot.event}: {snapshot.info}" if snapshot.info else snapshot.event,
            what_to_do=concern.what_to_do,
            seen_at=snapshot.at,
        )
        return Verdict(key, (raised,))
