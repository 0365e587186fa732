"""Stations, and how far the word of each has come."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """A place with bays, run by one agent."""

    id: str
    name: str
    operator: str = ""
    address: str = ""
    city: str = ""
    country: str = "GB"
    latitude: float = 0.0
    longitude: float = 0.0
    timezone: str = "UTC"
    owner_id: str | None = None
    currency: str = "GBP"
    price_per_kwh_minor: int = 0
    max_sessions_per_token: int = 0
    """At the same time, wherever; 0: any number."""
    tariff_id: str | None = None
    """The version of its tariff that counts now; null: the price by the kilowatt-hour alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StationLink:
    """How far a station's facts are committed, and when its agent was last heard (our clock)."""

    station_id: str
    epoch: int = 0
    committed_seq: int = 0
    heard_at: datetime | None = None
    silent_chargers: frozenset[str] = field(default_factory=frozenset)
    silent_sensors: frozenset[str] = field(default_factory=frozenset)
    outbox_depth: int = 0
    is_disk_short: bool = False
    agent_version: str = ""
    clock_skew_s: float = 0.0
    is_silent: bool = True
