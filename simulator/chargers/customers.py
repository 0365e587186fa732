"""What a 2.x charger knows of its customers (N09, N10): told, and forgotten, when asked."""

from functools import partial
from typing import Any, Final

from simulator.chargers.line import Payload
from simulator.chargers.spec import stamp

_MOST_CHARACTERS: Final = 512


def customer_information(charger: Any, payload: Payload) -> Payload:
    """Answer CustomerInformation; it needs to know whom, and what for."""
    name = _name_of(payload)
    if not name or not (payload["report"] or payload["clear"]):
        return {"status": "Invalid" if not name else "Rejected"}
    text = charger.device.customers.get(name, "")
    if name in charger.local_list:
        text += f"; on the local list: {charger.local_list[name]}"
    if payload["clear"]:
        charger.device.customers.pop(name, None)
        charger.local_list.pop(name, None)
    _tell(charger, payload["requestId"], text if payload["report"] else "")
    return {"status": "Accepted"}


def remember(charger: Any, token: str) -> None:
    """Note that somebody charged."""
    charger.device.customers[token.casefold()] = f"last seen {stamp(charger.now())}"


def _name_of(payload: Payload) -> str:
    if "idToken" in payload:
        return str(payload["idToken"]["idToken"]).casefold()
    if "customerCertificate" in payload:
        return str(payload["customerCertificate"]["serialNumber"])
    return str(payload.get("customerIdentifier", ""))


def _tell(charger: Any, request_id: int, text: str) -> None:
    cuts = range(0, max(1, len(text)), _MOST_CHARACTERS)
    for number, at in enumerate(cuts):
        payload = {
            "requestId": request_id,
            "generatedAt": stamp(charger.now()),
            "seqNo": number,
            "tbc": number < len(cuts) - 1,
            "data": text[at : at + _MOST_CHARACTERS],
        }
        charger.world.after(0, partial(charger.send, "NotifyCustomerInformation", payload))
