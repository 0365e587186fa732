"""Periodic event streams (OCPP 2.1, block N): how the inventory calls them."""

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.events import InventoryEntry, InventoryKind, InventoryReported
from contracts.ids import ChargerId
from contracts.wire import Instant


def opened(
    charger_id: ChargerId,
    streams: Sequence[Mapping[str, Any]],
    at: Instant,
    *,
    is_whole: bool = False,
) -> InventoryReported:
    """Return the fact that a charger has these streams; each with `id`, as the messages write it."""
    return InventoryReported(
        charger_id=charger_id,
        inventory=InventoryKind.EVENT_STREAM,
        entries=[InventoryEntry(key=f"{one['id']}", body=dict(one)) for one in streams],
        is_whole=is_whole,
        observed_at=at,
    )
