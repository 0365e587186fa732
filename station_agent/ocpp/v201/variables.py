"""Variables of the device model (OCPP 2.0.1, part 1 section 4): how the inventory calls them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from contracts.events import Event, InventoryEntry, InventoryKind, InventoryReported
from contracts.ids import ChargerId
from contracts.wire import Instant

_MAX_KEY: Final = 255
_KEY: Final = re.compile(
    r"(?P<component>[^/@\[\]]+)(\[(?P<component_instance>[^\]]+)\])?"
    r"(@(?P<evse>\d{1,9})(\.(?P<connector>\d{1,9}))?)?"
    r"/(?P<variable>[^/@\[\]]+)(\[(?P<variable_instance>[^\]]+)\])?"
)

SECRET: Final = frozenset({"BasicAuthPassword"})
"""Variables whose value nobody may read back (A01), and nobody keeps."""


def key_of(component: Mapping[str, Any], variable: Mapping[str, Any]) -> str:
    """Return one name for a variable of a component: `Component[instance]@1.2/Variable[instance]`."""
    evse = component.get("evse") or {}
    numbers = ".".join(str(evse[name]) for name in ("id", "connectorId") if name in evse)
    place = f"{_named(component)}@{numbers}" if numbers else _named(component)
    return f"{place}/{_named(variable)}"[:_MAX_KEY]


def place_of(key: str) -> dict[str, Any]:
    """Return `component` and `variable` of a name `key_of` gave.

    Raises:
        ValueError: it is none.
    """
    found = _KEY.fullmatch(key)
    if found is None:
        raise ValueError(f"no variable of a component: {key}")
    component = _part(found["component"], found["component_instance"])
    if found["evse"]:
        component["evse"] = {"id": int(found["evse"])}
    if found["connector"]:
        component["evse"]["connectorId"] = int(found["connector"])
    return {
        "component": component,
        "variable": _part(found["variable"], found["variable_instance"]),
    }


def variables_reported(
    charger_id: ChargerId,
    variables: Iterable[Mapping[str, Any]],
    at: Instant,
    *,
    request_id: int | None = None,
    is_whole: bool = False,
) -> Event:
    """Return the fact that a charger has these variables; each with `component` and `variable`."""
    return InventoryReported(
        charger_id=charger_id,
        inventory=InventoryKind.VARIABLE,
        entries=[
            InventoryEntry(key=key_of(one["component"], one["variable"]), body=_kept(one))
            for one in variables
        ],
        request_id=request_id,
        is_whole=is_whole,
        observed_at=at,
    )


def valued(
    component: Mapping[str, Any], variable: Mapping[str, Any], value: str, kind: str | None = None
) -> dict[str, Any]:
    """Return a variable as a report writes it, of one attribute; `kind` null is its actual value."""
    attribute = {"value": value} | ({"type": kind} if kind else {})
    return {"component": component, "variable": variable, "variableAttribute": [attribute]}


def _kept(one: Mapping[str, Any]) -> dict[str, Any]:
    if one["variable"]["name"] not in SECRET:
        return dict(one)
    attributes = [
        {name: value for name, value in attribute.items() if name != "value"}
        for attribute in one.get("variableAttribute", ())
    ]
    return {**one, "variableAttribute": attributes}


def _named(one: Mapping[str, Any]) -> str:
    instance = one.get("instance")
    return f"{one['name']}[{instance}]" if instance else str(one["name"])


def _part(name: str, instance: str | None) -> dict[str, Any]:
    return {"name": name} | ({"instance": instance} if instance else {})
