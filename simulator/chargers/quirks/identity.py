"""What they make of tokens, and of who they are themselves (QUIRKS 18-21)."""

from itertools import count
from typing import Final

from simulator.chargers.line import Payload
from simulator.chargers.quirks.quirk import Quirk, field_set

_SERIALS: Final = count(1)
_TRANSACTIONS: Final = {"StartTransaction", "StopTransaction"}


def _corrupt_token(action: str, payload: Payload) -> Payload:
    if action == "StopTransaction" and "idTag" in payload:
        return payload | {"idTag": payload["idTag"] + "\x10\x0e"}
    return payload


def _long_token(action: str, payload: Payload) -> Payload:
    if action in _TRANSACTIONS and "idTag" in payload:
        return payload | {"idTag": payload["idTag"].ljust(24, "F")}
    return payload


def _padded_token(action: str, payload: Payload) -> Payload:
    if action in {"Authorize", *_TRANSACTIONS} and "idTag" in payload:
        return payload | {"idTag": payload["idTag"] + " \r\n"}
    return payload


def _lower_case_token(action: str, payload: Payload) -> Payload:
    if action in {"Authorize", *_TRANSACTIONS} and "idTag" in payload:
        return payload | {"idTag": payload["idTag"].lower()}
    return payload


def _another_serial(action: str, payload: Payload) -> Payload:
    if action != "BootNotification":
        return payload
    serial = f"SN-{next(_SERIALS)}"
    return payload | {"chargePointSerialNumber": serial, "chargePointModel": "Virtual 2"}


QUIRKS: Final[tuple[Quirk, ...]] = (
    Quirk("corrupt_token", "appends bytes to the token at the stop (18)", _corrupt_token),
    Quirk("long_token", "shows tokens longer than 20 characters (18)", _long_token),
    Quirk("padded_token", "appends a space and a line's end to tokens (18)", _padded_token),
    Quirk("lower_case_token", "writes tokens in lower case (19)", _lower_case_token),
    Quirk(
        "no_token_at_stop", "stops with an empty token (19)", field_set("StopTransaction", idTag="")
    ),
    Quirk("another_serial", "has another serial number at each boot (21)", _another_serial),
)
