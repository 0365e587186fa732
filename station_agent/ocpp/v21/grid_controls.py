"""Grid controls (OCPP 2.1, block R; it says DER controls): how the inventory calls them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from contracts.events import InventoryEntry

KINDS: Final = {
    "enterService": "EnterService",
    "fixedPFAbsorb": "FixedPFAbsorb",
    "fixedPFInject": "FixedPFInject",
    "fixedVar": "FixedVar",
    "freqDroop": "FreqDroop",
    "gradient": "Gradients",
    "limitMaxDischarge": "LimitMaxDischarge",
}
"""Field of a message to the kind of control it holds; a `curve` names its kind itself."""


def reported(controls: Iterable[tuple[str, Mapping[str, Any]]]) -> list[InventoryEntry]:
    """Return the entries of controls as ReportDERControl lists them: field name, control.

    Those without an id cannot be cleared one by one, and are not kept.
    """
    return [
        entry(one["id"], one.get("curveType") or KINDS[field], one)
        for field, one in controls
        if one["id"]
    ]


def entry(control_id: str, kind: str, body: Mapping[str, Any]) -> InventoryEntry:
    """Return a control as the inventory holds it, by its id."""
    return InventoryEntry(key=control_id, body={"controlType": kind, **body})
