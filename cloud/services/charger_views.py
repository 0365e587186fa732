"""How a charger looks to those who look after it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cloud.services.command_views import CommandView


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorStateView:
    """A connector as its charger last described it."""

    evse_id: int
    connector_id: int
    standard: str
    power_type: str
    max_power_w: int
    state: str
    """A ConnectorState; empty: never told."""
    error_code: str
    vendor_error_code: str
    info: str
    state_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerView:
    """A charger, as those see it who look after it."""

    charger_id: str
    station_id: str
    station_name: str
    is_connected: bool
    """As the station last said; it counts only while the station is heard."""
    connection_changed_at: datetime | None
    heard_at: datetime | None
    """When the station was last heard, our clock."""
    ocpp_version: str
    security_profile: int
    vendor: str
    model: str
    serial: str
    firmware_version: str
    booted_at: datetime | None
    state: str
    error_code: str
    state_at: datetime | None
    has_key: bool
    profile_set_by: str | None = None
    """Who set its security profile last; null: it is as the charger was made, or rose by itself."""
    profile_set_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerList:
    """Chargers in the order of their ids."""

    chargers: list[ChargerView]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerLogEntry:
    """One fact a charger told, as it came."""

    kind: str
    observed_at: datetime | None
    received_at: datetime
    body: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerLog:
    """What a charger told, newest first; meter samples are left out."""

    entries: list[ChargerLogEntry]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerDetail:
    """A charger with its plugs, and what was lately told and asked."""

    charger: ChargerView
    connectors: list[ConnectorStateView]
    log: list[ChargerLogEntry]
    commands: list[CommandView]
