"""The words for what the services name by code: one table per code, each entry translated where shown."""

from typing import Final

from cloud.domain.reconcile import MEANING
from cloud.web.texts import mark as _

STATUS: Final[dict[str, str]] = {
    "AVAILABLE": _("Available"),
    "RESERVED": _("Reserved"),
    "CHARGING": _("Charging"),
    "BLOCKED": _("Blocked"),
    "OUTOFORDER": _("Out of order"),
    "INOPERATIVE": _("Inoperative"),
    "UNKNOWN": _("Unknown"),
}
"""OCPI 2.3.0 Status, in the order in which a reader wants them."""

STANDARD: Final[dict[str, str]] = {
    "IEC_62196_T2": _("Type 2"),
    "IEC_62196_T2_COMBO": _("CCS"),
    "CHADEMO": _("CHAdeMO"),
    "IEC_62196_T1": _("Type 1"),
    "IEC_62196_T1_COMBO": _("CCS 1"),
    "DOMESTIC_G": _("UK socket"),
    "DOMESTIC_F": _("Schuko socket"),
    "SAE_J3400": _("NACS"),
}
"""OCPI 2.3.0 ConnectorType, those found at public chargers."""

POWER_TYPE: Final[dict[str, str]] = {
    "AC_1_PHASE": _("AC"),
    "AC_2_PHASE": _("AC"),
    "AC_2_PHASE_SPLIT": _("AC"),
    "AC_3_PHASE": _("AC"),
    "DC": _("DC"),
}

WITNESS: Final[dict[str, str]] = {
    "sensor": _("Bay sensor"),
    "connector": _("Charger"),
    "session": _("Charging session"),
}

SAYS: Final[dict[str, str]] = {
    "occupied": _("occupied"),
    "empty": _("empty"),
    "free": _("free"),
    "preparing": _("getting ready"),
    "plugged": _("plugged in"),
    "charging": _("charging"),
    "suspended_by_car": _("paused by the car"),
    "suspended_by_charger": _("paused by the charger"),
    "finishing": _("finished, still plugged in"),
    "reserved": _("reserved"),
    "unavailable": _("out of service"),
    "faulted": _("faulted"),
    "idle": _("idle"),
    "ended": _("ended"),
}
"""What a witness says, and how a session stands."""

SESSION_STATE: Final[dict[str, str]] = {
    "plugged": _("Plugged in"),
    "charging": _("Charging"),
    "suspended_by_car": _("Paused by the car"),
    "suspended_by_charger": _("Paused by the charger"),
    "idle": _("Idle"),
    "ended": _("Finished"),
}

END_REASON: Final[dict[str, str]] = {
    "Local": _("you, at the charger"),
    "StoppedByEV": _("the car"),
    "EVDisconnected": _("unplugging"),
    "Remote": _("request from afar"),
    "DeAuthorized": _("the charger, the card was refused"),
    "EnergyLimitReached": _("the energy limit"),
    "SOCLimitReached": _("the battery's limit"),
    "TimeLimitReached": _("the time limit"),
    "EmergencyStop": _("the emergency stop"),
    "PowerLoss": _("a power cut"),
    "Reboot": _("a restart of the charger"),
    "SoftReset": _("a restart of the charger"),
    "HardReset": _("a restart of the charger"),
    "ImmediateReset": _("a restart of the charger"),
    "UnlockCommand": _("unlocking the cable"),
    "Other": _("another reason"),
}
"""OCPP's words in both versions: 1.6 Reason, 2.0.1 ReasonEnumType; the rarer ones as they are."""

SEVERITY: Final[dict[str, str]] = {
    "critical": _("Critical"),
    "major": _("Major"),
    "minor": _("Minor"),
    "info": _("Info"),
}

ALERT_STATUS: Final[dict[str, str]] = {
    "open": _("Open"),
    "acknowledged": _("Acknowledged"),
    "resolved": _("Resolved"),
}

COMMAND_STATE: Final[dict[str, str]] = {
    "queued": _("Waiting for the charger"),
    "accepted": _("Accepted"),
    "rejected": _("Rejected"),
    "failed": _("Failed"),
    "timed_out": _("No answer in time"),
    "expired": _("Expired before it could be sent"),
    "charger_offline": _("The charger is offline"),
}

ROLE: Final[dict[str, str]] = {
    "driver": _("Driver"),
    "owner": _("Owner"),
    "maintenance": _("Maintenance"),
    "admin": _("Administrator"),
}

REASONS: Final = (
    *(meaning.sentence for meaning in MEANING.values()),
    "Nothing has been heard from this bay yet.",
)
"""The sentences reconciliation gives as reasons."""

AGE: Final[dict[str, str]] = {
    "now": _("now"),
    "s": _("%s s ago"),
    "min": _("%s min ago"),
    "h": _("%s h ago"),
    "d": _("%s d ago"),
    "never": _("never"),
}

LIVE: Final[dict[str, str]] = {
    "no_news": _("No news from the station for more than 90 seconds."),
    "connecting": _("Connecting ..."),
    "live": _("Live"),
    "offline": _("Connection lost. What you see is as of %s and is not updated."),
    "near_failed": _("Your position could not be found."),
    "asking": _("Asking the charger ..."),
    "not_counted": _("(not counted)"),
    "not_reported": _("not reported"),
    "as_of": _("as of %s"),
    "power": _("Power"),
    "energy": _("Energy"),
    "cost": _("Cost"),
    "time": _("Time"),
    "stations_here": _("available, %s stations here"),
}
"""Texts that the pages' scripts show; each page carries them translated."""
