"""Grid controls a 2.1 charger holds (it says DER controls): taken, listed and let go by their ids."""

from functools import partial
from typing import Any, Final

from simulator.chargers.line import Payload

KINDS: Final = {
    "EnterService": "enterService",
    "FixedPFAbsorb": "fixedPFAbsorb",
    "FixedPFInject": "fixedPFInject",
    "FixedVar": "fixedVar",
    "FreqDroop": "freqDroop",
    "Gradients": "gradient",
    "LimitMaxDischarge": "limitMaxDischarge",
}
"""Kind of control to the field it stands in; all others are curves."""

_WITHOUT_DEFAULT: Final = frozenset({"EnterService", "Gradients"})
"""Kinds whose report does not say whether they are the default."""


def put(charger: Any, payload: Payload) -> Payload:
    """Answer SetDERControl: what is in the way of the new control is out of force."""
    kind = payload["controlType"]
    if KINDS.get(kind, "curve") not in payload:
        return {"status": "Rejected"}
    ids = [
        key
        for key, one in charger.grid_controls.items()
        if (one["controlType"], one["isDefault"]) == (kind, payload["isDefault"])
        and key != payload["controlId"]
    ]
    for key in ids:
        charger.grid_controls[key]["isSuperseded"] = True
    charger.grid_controls[payload["controlId"]] = payload | {"isSuperseded": False}
    return {"status": "Accepted"} | ({"supersededIds": ids} if ids else {})


def report(charger: Any, payload: Payload) -> Payload:
    """Answer GetDERControl: those asked for follow, one a message."""
    found = [one for one in charger.grid_controls.values() if _is_meant(one, payload)]
    if not found:
        return {"status": "NotFound"}
    for number, one in enumerate(found, start=1):
        body = _reported(one) | {"requestId": payload["requestId"], "tbc": number < len(found)}
        charger.world.after(0, partial(charger.send, "ReportDERControl", body))
    return {"status": "Accepted"}


def clear(charger: Any, payload: Payload) -> Payload:
    """Answer ClearDERControl."""
    found = [key for key, one in charger.grid_controls.items() if _is_meant(one, payload)]
    for key in found:
        del charger.grid_controls[key]
    return {"status": "Accepted" if found else "NotFound"}


def _is_meant(control: Payload, asked: Payload) -> bool:
    names = [name for name in ("isDefault", "controlType", "controlId") if name in asked]
    return all(control[name] == asked[name] for name in names)


def _reported(control: Payload) -> Payload:
    kind = control["controlType"]
    field = KINDS.get(kind, "curve")
    entry = {"id": control["controlId"], field: control[field]}
    if kind not in _WITHOUT_DEFAULT:
        entry |= {name: control[name] for name in ("isDefault", "isSuperseded")}
    if field == "curve":
        entry["curveType"] = kind
    return {field: [entry]}
