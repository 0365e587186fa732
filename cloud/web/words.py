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

PERIOD: Final[dict[str, str]] = {
    "this_month": _("This month"),
    "last_month": _("Last month"),
    "this_year": _("This year"),
    "last_year": _("Last year"),
}

WRONG_DAY: Final[dict[str, str]] = {
    "from": _("The first day must exist and not be after the last."),
    "to": _("The last day must exist."),
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
    "sent": _("On its way"),
    "accepted": _("Accepted"),
    "rejected": _("Rejected"),
    "failed": _("Failed"),
    "timed_out": _("No answer in time"),
    "expired": _("Expired before it could be sent"),
    "charger_offline": _("The charger is offline"),
    "cancelled": _("Taken back"),
}

TARGET_STATE: Final[dict[str, str]] = COMMAND_STATE | {"untried": _("Not asked yet")}
"""Of a charger a fleet command is meant for."""

FLEET_STATUS: Final[dict[str, str]] = {
    "awaiting_approval": _("Waits for a second person"),
    "running": _("Under way"),
    "paused": _("Paused"),
    "halted": _("Halted: too many failed"),
    "done": _("Done"),
    "aborted": _("Ended by hand"),
    "expired": _("Out of time"),
}

FLEET_TONE: Final[dict[str, str]] = {
    "awaiting_approval": "RESERVED",
    "running": "CHARGING",
    "paused": "BLOCKED",
    "halted": "OUTOFORDER",
    "done": "AVAILABLE",
}
"""In the colour of which bay status it is shown; the others are grey."""

SPREAD: Final[dict[str, tuple[str, str]]] = {
    "accepted": (_("accepted"), "is-accepted"),
    "failed": (_("failed"), "is-failed"),
    "unreached": (_("not reached"), "is-unreached"),
    "under_way": (_("being asked"), "is-under-way"),
    "queued": (_("away"), "is-queued"),
    "untried": (_("not asked yet"), "is-untried"),
}
"""How many chargers of a fleet command are how far: the word, and the class of its part of the bar."""

INVENTORY: Final[dict[str, str]] = {
    "variable": _("Settings and readings"),
    "monitor": _("Monitors"),
    "certificate": _("Certificates"),
    "charging_profile": _("Charging profiles"),
    "display_message": _("Messages on its display"),
    "local_list": _("List of tokens"),
    "firmware": _("Firmware it offers"),
    "grid_control": _("Grid controls"),
    "event_stream": _("Event streams"),
}

JOB: Final[dict[str, str]] = {
    "firmware": _("Firmware update"),
    "publish_firmware": _("Firmware for others"),
    "log": _("Log upload"),
    "customer_information": _("Customer data"),
    "report": _("Report"),
    "monitoring_report": _("Report of monitors"),
    "charging_profiles": _("Report of charging profiles"),
    "display_messages": _("Report of messages"),
}

JOB_STATUS: Final[dict[str, str]] = {
    "Idle": _("nothing to do"),
    "Downloading": _("is being fetched"),
    "DownloadScheduled": _("will be fetched later"),
    "DownloadPaused": _("fetching has paused"),
    "Downloaded": _("has been fetched"),
    "DownloadFailed": _("could not be fetched"),
    "SignatureVerified": _("the signature is right"),
    "InvalidSignature": _("the signature is wrong"),
    "InvalidCertificate": _("the certificate is wrong"),
    "RevokedCertificate": _("the certificate was revoked"),
    "InstallScheduled": _("will be installed later"),
    "Installing": _("is being installed"),
    "InstallRebooting": _("restarts to install it"),
    "InstallVerificationFailed": _("was installed and does not work"),
    "InstallationFailed": _("could not be installed"),
    "Installed": _("is installed"),
    "Uploading": _("is being uploaded"),
    "Uploaded": _("was uploaded"),
    "UploadFailed": _("could not be uploaded"),
    "UploadFailure": _("could not be uploaded"),
    "BadMessage": _("the charger could not read the request"),
    "NotSupportedOperation": _("the charger cannot do this"),
    "PermissionDenied": _("the charger was not let in where it should upload"),
    "AcceptedCanceled": _("took the place of another"),
    "Accepted": _("has begun"),
    "Rejected": _("the charger refused"),
    "Done": _("Done"),
}
"""FirmwareStatus, DiagnosticsStatus and UploadLogStatus of all versions; others as they are."""

COMMAND: Final[dict[str, str]] = {
    "start_session": _("Start a charge"),
    "stop_session": _("Stop a charge"),
    "reset_charger": _("Restart"),
    "unlock_connector": _("Unlock a connector"),
    "change_availability": _("Put in or out of service"),
    "trigger_message": _("Ask for a message"),
    "reserve_evse": _("Keep for a booking"),
    "cancel_reservation": _("Let go of a booking"),
    "set_meter_interval": _("Interval of readings"),
    "set_charger_key": _("New key"),
    "deliver_certificate": _("Certificate"),
    "set_charging_profile": _("Charging profile"),
    "clear_charging_profile": _("Take a charging profile away"),
    "get_composite_schedule": _("Ask for the power plan"),
    "send_local_list": _("List of tokens"),
    "get_local_list_version": _("Ask for the list's version"),
    "tell_cost": _("Cost on the display"),
    "clear_cache": _("Forget remembered cards"),
    "update_firmware": _("Update the firmware"),
    "read_variables": _("Read settings"),
    "write_variable": _("Change a setting"),
    "fetch_log": _("Fetch a log"),
    "show_message": _("Message on the display"),
    "clear_message": _("Take a message off the display"),
    "call_charger": _("OCPP call"),
}
"""contracts/commands.py; a test walks them."""

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

PHASE: Final[dict[str, str]] = {
    "code": _("Confirm with your code"),
    "pay": _("Pay, and it is yours"),
    "paying": _("The bank is being asked"),
    "lapsed": _("The time is over"),
    "booked": _("Booked"),
    "kept": _("Booked: your bay is kept for you"),
    "awaited": _("Your bay is waiting"),
    "endangered": _("Your bay is in danger"),
    "arrived": _("You are here"),
    "charging": _("Your car is charging"),
    "finished": _("Charging has finished"),
    "overstaying": _("Your time is over: please leave"),
    "fulfilled": _("Done, thank you"),
    "canceled": _("Canceled"),
    "no_show": _("You did not come"),
    "rejected": _("Not booked"),
    "failed": _("We could not keep your bay"),
}
"""A reservation in one line; see standing.Phase."""

PHASE_STATUS: Final[dict[str, str]] = {
    "code": "RESERVED",
    "pay": "RESERVED",
    "paying": "RESERVED",
    "booked": "AVAILABLE",
    "kept": "AVAILABLE",
    "awaited": "AVAILABLE",
    "endangered": "OUTOFORDER",
    "arrived": "CHARGING",
    "charging": "CHARGING",
    "finished": "BLOCKED",
    "overstaying": "OUTOFORDER",
    "fulfilled": "AVAILABLE",
    "no_show": "BLOCKED",
    "failed": "OUTOFORDER",
}
"""Which status's colour and shape a phase is shown with; all others: UNKNOWN's."""

TROUBLE: Final[dict[str, str]] = {
    "stolen": _("Somebody else stands in your bay."),
    "out_of_order": _("Your bay is out of order."),
    "silent": _("We hear nothing from the station, so we do not know how your bay is."),
    "still_occupied": _("The driver before you has not left yet."),
    "withdrawn": _("The station's owner had to take your bay out of service."),
}

OVER: Final[dict[str, str]] = {
    "hold_expired": _("It was not confirmed and paid for in time. The bay was given free."),
    "code_locked": _("The code was wrong too often. The bay was given free."),
    "payment_declined": _("The payment was declined. Nothing was taken."),
    "bay_lost": _("There was no other bay for you. You pay nothing."),
    "never_seen": _("The station was silent, so nobody knows what happened. You pay nothing."),
    "canceled_by_operator": _("The station's operator had to cancel it. You pay nothing."),
}
"""Why a reservation is over, where it needs saying."""

LINE: Final[dict[str, str]] = {
    "FLAT": _("Per charge"),
    "ENERGY": _("Energy"),
    "TIME": _("Charging time"),
    "PARKING_TIME": _("Parking time"),
    "RESERVATION": _("Reservation fee"),
    "RESERVATION_TIME": _("Reserved time"),
    "EXPIRED": _("Reservation not used"),
    "NO_SHOW": _("No-show fee"),
    "OVERSTAY": _("Staying too long"),
    "MINIMUM": _("Up to the least price"),
    "MAXIMUM": _("Down to the highest price"),
    "ROUNDING": _("Rounded down"),
}
"""What a line of a bill is for."""

TEST_CARD: Final[dict[str, str]] = {
    "card_ok": _("Test card that works"),
    "card_declined": _("Test card the bank declines"),
    "card_insufficient_funds": _("Test card without money"),
}

SLOT: Final[dict[str, str]] = {
    "free": _("free"),
    "taken": _("taken"),
    "closed": _("closed"),
    "chosen": _("chosen"),
}

CHANNEL: Final[dict[str, str]] = {
    "push": _("This browser"),
    "mail": _("E-mail"),
    "sms": _("Text message"),
}

NOTICE: Final[dict[str, str]] = {
    "booked": _("A booking is made"),
    "payment_failed": _("A payment fails"),
    "pay_again": _("A booking has to be paid again"),
    "reminder": _("10 minutes before a booking"),
    "bay_blocked": _("Your bay is in danger"),
    "moved": _("You are moved to another bay"),
    "offer": _("You can choose another bay"),
    "waitlist_offer": _("What you wait for is free"),
    "session_started": _("A charge begins"),
    "target_reached": _("Your car has what it needs"),
    "slot_ending": _("10 minutes before your slot ends"),
    "session_ended": _("A charge ends"),
    "overstay_started": _("Staying begins to cost"),
    "overstay_continues": _("Staying costs on, each 15 minutes"),
    "not_seen": _("You are not seen where you said you are"),
    "no_show": _("You did not come"),
    "canceled": _("A booking is canceled"),
    "failed": _("We could not keep a booking"),
    "refunded": _("Money comes back"),
    "refund_returned": _("A bank sends a refund back"),
    "receipt": _("A receipt is written"),
    "wallet_topped_up": _("Your wallet is topped up"),
    "subscription_renewed": _("A subscription is renewed"),
    "subscription_unpaid": _("A subscription cannot be paid"),
    "webhook_disabled": _("A webhook of yours is switched off"),
}
"""What somebody can be told of; see domain/notices.py."""

BOOKING: Final[dict[str, str]] = {
    "again_in": _("Send a new code in %s"),
    "again": _("Send a new code"),
    "time_over": _("The time is over."),
    "push_on": _("This browser is told."),
    "push_off": _("This browser is not told."),
    "push_refused": _("This browser does not let us: see its settings for this page."),
}
"""Texts of the booking pages' scripts."""
