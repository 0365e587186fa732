"""The display of a 2.x charger (block O): messages set, reported, cleared, and gone by themselves."""

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from simulator.chargers.line import Payload
from simulator.chargers.reports import in_parts

FORMATS: Final = ("ASCII", "UTF8")
PRIORITIES: Final = ("InFront", "NormalCycle")
STATES: Final = ("Charging", "Idle", "Unavailable")
"""What this display can do; the rest it says it does not support (O01)."""
MOST: Final = 20


def set_message(charger: Any, payload: Payload) -> Payload:
    """Answer SetDisplayMessage (O01, O02, O06)."""
    message = payload["message"]
    refusal = _refusal(charger, message)
    if refusal:
        return {"status": refusal}
    number = message["id"]
    _remove(charger, number)
    charger.device.messages[number] = message
    if "endDateTime" in message:
        removal = charger.world.at(
            _instant(message["endDateTime"]) - charger.clock_skew,
            partial(_remove, charger, number),
        )
        charger.device.removals[number] = removal
    return {"status": "Accepted"}


def report(charger: Any, payload: Payload) -> Payload:
    """Answer GetDisplayMessages (O03, O04)."""
    ids = payload.get("id")
    found = [
        one
        for number, one in charger.device.messages.items()
        if (ids is None or number in ids)
        and all(name not in payload or one.get(name) == payload[name] for name in _FILTERS)
    ]
    if not found:
        return {"status": "Unknown"}
    in_parts(charger, "NotifyDisplayMessages", "messageInfo", payload["requestId"], found)
    return {"status": "Accepted"}


def clear_message(charger: Any, payload: Payload) -> Payload:
    """Answer ClearDisplayMessage (O05)."""
    return {"status": "Accepted" if _remove(charger, payload["id"]) else "Unknown"}


def transaction_ended(charger: Any, transaction_id: str) -> None:
    """Take away what was to be shown during a transaction (O02.FR.02)."""
    for number, one in list(charger.device.messages.items()):
        if one.get("transactionId") == transaction_id:
            _remove(charger, number)


_FILTERS: Final = ("priority", "state")


def _refusal(charger: Any, message: Payload) -> str:
    if message["priority"] not in PRIORITIES:
        return "NotSupportedPriority"
    if message.get("state", "Idle") not in STATES:
        return "NotSupportedState"
    if message["message"]["format"] not in FORMATS:
        return "NotSupportedMessageFormat"
    transaction_id = message.get("transactionId")
    if transaction_id is not None and not _is_on(charger, transaction_id):
        return "UnknownTransaction"
    held = charger.device.messages
    return "Rejected" if len(held) >= MOST and message["id"] not in held else ""


def _is_on(charger: Any, transaction_id: str) -> bool:
    sessions = [one.session for one in charger.evses.values() if one.session is not None]
    return any(one.transaction_id == transaction_id for one in sessions)


def _remove(charger: Any, number: int) -> bool:
    removal = charger.device.removals.pop(number, None)
    if removal is not None:
        removal.cancel()
    return charger.device.messages.pop(number, None) is not None


def _instant(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)
