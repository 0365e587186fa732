"""What a charger remembers beside its sessions: settings, monitors, messages, customers, a log's upload."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from simulator.world import Happening, Repeating

Done = Callable[[bool], None]
Upload = Callable[[str, str, bytes, Done], None]
"""Sends a file, called so, to an address, and says later whether that went well."""
Fetched = Callable[[bytes | None], None]
Fetch = Callable[[str, Fetched], None]
"""Fetches what is at an address, and says later what it is; None: it cannot be had."""


@dataclass(slots=True)
class Device:
    """One charger's."""

    upload: Upload | None = None
    """Whoever owns the network sets it; without one all uploads go well after a moment."""
    fetch: Fetch | None = None
    """As `upload`; without one whatever is fetched is there, and empty."""
    settings: dict[str, str] = field(default_factory=dict)
    """Values that were set and change nothing else, by `Component/Variable`."""
    monitors: dict[int, dict[str, Any]] = field(default_factory=dict)
    """As SetVariableMonitoring has them, by number."""
    timers: dict[int, Repeating] = field(default_factory=dict)
    """Of periodic monitors."""
    monitoring_base: str = "All"
    monitoring_level: int = 9
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    """As SetDisplayMessage has them, by number."""
    removals: dict[int, Happening] = field(default_factory=dict)
    """Of messages that end by themselves."""
    customers: dict[str, str] = field(default_factory=dict)
    """What is known of them, by token (lower case), identifier or certificate's serial number."""
    uploading: int | None = None
    """The number of the request whose log is under way."""
    next_event_id: int = 1_000
