"""What a charger holds, as its keepers see it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryItem:
    """One thing a charger holds, as it last said."""

    kind: str
    """variable monitor certificate charging_profile display_message local_list firmware
    grid_control event_stream"""
    key: str
    body: dict[str, Any]
    reported_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryList:
    """What a charger holds, by kind and key."""

    items: list[InventoryItem]
    next_cursor: str | None = None
