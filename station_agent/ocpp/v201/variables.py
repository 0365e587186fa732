"""Variables of the device model (OCPP 2.0.1, part 1 section 4): how the inventory calls them."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from contracts.events import Event, InventoryEntry, InventoryKind, InventoryReported
from contracts.ids import ChargerId
from contracts.wire import Instant

_MAX_KEY: Final = 255


def key_of(component: Mapping[str, Any], variable: Mapping[str, Any]) -> str:
    """Return one name for a variable of a component: `Component[instance]@1.2/Variable[instance]`."""
    evse = component.get("evse") or {}
    numbers = ".".join(str(evse[name]) for name in ("id", "connectorId") if name in evse)
    place = f"{_named(component)}@{numbers}" if numbers else _named(component)
    return f"{place}/{_named(variable)}"[:_MAX_KEY]


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
            InventoryEntry(key=key_of(one["component"], one["variable"]), body=dict(one))
            for one in variables
        ],
        request_id=request_id,
        is_whole=is_whole,
        observed_at=at,
    )


def _named(one: Mapping[str, Any]) -> str:
    instance = one.get("instance")
    return f"{one['name']}[{instance}]" if instance else str(one["name"])
