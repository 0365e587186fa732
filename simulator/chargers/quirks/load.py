"""What they say too often, or in words of their own, and which limits they take (QUIRKS 38)."""

from typing import Any, Final

from simulator.chargers.line import Payload, Refusal
from simulator.chargers.manners import Said
from simulator.chargers.quirks.quirk import Quirk

_REPEATS: Final = 5
_STATUS: Final = "StatusNotification"
_PROFILE: Final = "SetChargingProfile"
_ABSURD_S: Final = 10**9


def _unknown_error_code(action: str, payload: Payload) -> Payload:
    if action == _STATUS and payload.get("errorCode", "NoError") != "NoError":
        return payload | {"errorCode": "Error"}
    return payload


def _finishing_with_error(action: str, payload: Payload) -> Payload:
    if action == _STATUS and payload.get("status") == "Finishing":
        return payload | {"errorCode": "OtherError", "vendorErrorCode": "0x0000"}
    return payload


def _repeat_status(action: str, payload: Payload) -> list[Said]:
    return [(action, payload)] * (_REPEATS if action == _STATUS else 1)


def _whole_charger(status: str) -> Any:
    """Say how the charger as a whole stands after each connector."""

    def retell(action: str, payload: Payload) -> list[Said]:
        told = [(action, payload)]
        if action == _STATUS and payload.get("connectorId"):
            code = "NoError" if status == "Available" else "OtherError"
            told.append((action, payload | {"connectorId": 0, "status": status, "errorCode": code}))
        return told

    return retell


def _take_profiles_only(charger: Any, action: str, payload: Payload) -> Payload | None:
    del charger, payload
    return {"status": "Accepted"} if action == _PROFILE else None


def _stack_level_zero(charger: Any, action: str, payload: Payload) -> Payload | None:
    del charger
    is_refused = action == _PROFILE and payload["csChargingProfiles"]["stackLevel"] > 0
    return {"status": "Rejected"} if is_refused else None


def _watts_only(charger: Any, action: str, payload: Payload) -> Payload | None:
    del charger
    if action != _PROFILE:
        return None
    unit = payload["csChargingProfiles"]["chargingSchedule"]["chargingRateUnit"]
    return None if unit == "W" else {"status": "Rejected"}


def _no_remote_trigger(charger: Any, action: str, payload: Payload) -> Payload | Refusal | None:
    del charger, payload
    if action == "TriggerMessage":
        return Refusal("NotImplemented", action)
    return {"status": "NotSupported"} if action == _PROFILE else None


def _foreign_answers(charger: Any, action: str, payload: Payload) -> Payload | None:
    """Answer as another version would."""
    del charger, payload
    answers: dict[str, Payload] = {
        "GetConfiguration": {"getVariableResult": [{"attributeStatus": "Accepted"}]},
        "Reset": {"status": "Scheduled", "statusInfo": {"reasonCode": "Busy"}},
        "RemoteStartTransaction": {"status": "Accepted", "transactionId": "not 1.6"},
        "GetVariables": {"configurationKey": [], "unknownKey": ["HeartbeatInterval"]},
    }
    return answers.get(action)


def _absurd_schedule(charger: Any, action: str, payload: Payload) -> Payload | None:
    del charger
    if action != "GetCompositeSchedule":
        return None
    schedule = {
        "duration": _ABSURD_S,
        "chargingRateUnit": payload.get("chargingRateUnit", "A"),
        "chargingSchedulePeriod": [],
    }
    place = {"connectorId": 1} if "connectorId" in payload else {}
    name = "chargingSchedule" if place else "schedule"
    return {"status": "Accepted", **place, name: schedule}


QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk("unknown_error", "uses an error code of its own (38)", _unknown_error_code),
    Quirk("finishing_with_error", "says Finishing with an error code (38)", _finishing_with_error),
    Quirk("repeats_status", "tells each status five times (38)", retell=_repeat_status),
    Quirk(
        "whole_is_faulted",
        "is Faulted as a whole, after each status (38)",
        retell=_whole_charger("Faulted"),
    ),
    Quirk(
        "whole_is_free",
        "is Available as a whole, after each status (38)",
        retell=_whole_charger("Available"),
    ),
    Quirk(
        "ignores_profiles",
        "accepts charging profiles and minds none (38)",
        answer=_take_profiles_only,
    ),
    Quirk(
        "stack_level_zero", "takes profiles of stack level 0 only (38)", answer=_stack_level_zero
    ),
    Quirk("watts_only", "takes limits in W only (38)", answer=_watts_only),
    Quirk(
        "no_remote_trigger", "knows neither triggers nor profiles (38)", answer=_no_remote_trigger
    ),
    Quirk("foreign_answers", "answers in another version's shape (7, 38)", answer=_foreign_answers),
    Quirk("absurd_schedule", "returns an empty schedule of 31 years (38)", answer=_absurd_schedule),
)
