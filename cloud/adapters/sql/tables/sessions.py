"""Charging: sessions, what meters said, and all else that was told."""

from typing import Final

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from cloud.adapters.sql.tables.schema import metadata
from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

sessions: Final = Table(
    "sessions",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("station_id", Identifier(63), ForeignKey("stations.id"), nullable=False),
    Column("charger_id", Identifier(48), nullable=False),
    Column("evse_id", Integer, nullable=False, default=0),
    Column("connector_id", Integer, nullable=False, default=0),
    Column("bay_id", Identifier(63)),
    Column("transaction_id", String(64), nullable=False, default=""),
    Column("token", String(255)),
    Column("user_id", Identifier(), index=True),
    Column("state", Identifier(24), nullable=False),
    Column("state_at", UtcDateTime),
    # before the start has arrived: the earliest we know
    Column("started_at", UtcDateTime, nullable=False),
    Column("charging_ended_at", UtcDateTime),
    Column("ended_at", UtcDateTime),
    Column("end_reason", String(64), nullable=False, default=""),
    Column("meter_start_wh", BigInt),
    Column("meter_stop_wh", BigInt),
    # the register counted last, and one that did not follow from it and waits for the next
    Column("meter_last_wh", BigInt),
    Column("metered_at", UtcDateTime),
    Column("meter_pending_wh", BigInt),
    Column("meter_pending_at", UtcDateTime),
    Column("power_limit_w", Integer, nullable=False, default=0),  # 0: not known
    Column("energy_wh", BigInt, nullable=False, default=0),
    Column("power_w", Float(53)),
    Column("soc_start_pct", Float(53)),
    Column("soc_start_wh", BigInt),
    Column("soc_pct", Float(53)),
    Column("sampled_at", UtcDateTime),
    Column("expected_end_at", UtcDateTime),
    # frozen at the start
    Column("currency", Identifier(3), nullable=False),
    Column("price_per_kwh_minor", Integer, nullable=False),
    Column("cost_minor", BigInt, nullable=False, default=0),
    # words from contracts.events oddities and our own: meter_went_back, stop_without_start ...
    Column("flags", Json),
    Column("is_offline", Boolean, nullable=False, default=False),
    Column("changed_version", BigInt, nullable=False, default=0),
    # the tariff's version, frozen at the start like the price, or with the reservation
    Column("tariff_id", Identifier()),
    Column("reservation_id", Identifier(), index=True),
    # what the car gave back, and the export register read last
    Column("export_wh", BigInt, nullable=False, default=0),
    Column("export_last_wh", BigInt),
    Index("ix_sessions_station_started", "station_id", "started_at"),
    Index("ix_sessions_charger_ended", "charger_id", "ended_at"),
    Index("ix_sessions_user_started", "user_id", "started_at"),
)

session_samples: Final = Table(
    "session_samples",
    metadata,
    Column("session_id", Identifier(), primary_key=True),
    Column("observed_at", UtcDateTime, primary_key=True),
    Column("energy_wh", BigInt),
    Column("power_w", Float(53)),
    Column("soc_pct", Float(53)),
    Column("current_a", Float(53)),
    Column("voltage_v", Float(53)),
    Column("temperature_c", Float(53)),
    Column("interval_wh", BigInt),
    Column("export_wh", BigInt),
    sqlite_with_rowid=False,
)

# what meters signed, as it came: a charge may have to be proved years later
signed_readings: Final = Table(
    "signed_readings",
    metadata,
    Column("session_id", Identifier(), primary_key=True),
    # of the signed data, which chargers repeat
    Column("digest", Identifier(64), primary_key=True),
    Column("charger_id", Identifier(48), nullable=False),
    Column("observed_at", UtcDateTime, nullable=False),
    Column("context", String(64), nullable=False),
    Column("data", Text, nullable=False),
    Column("method", String(64), nullable=False),
    Column("encoding", String(64), nullable=False),
    Column("public_key", Text, nullable=False),
)

# all facts but meter samples and beats, in the station's order: the audit of what was told
event_log: Final = Table(
    "event_log",
    metadata,
    Column("station_id", Identifier(63), primary_key=True),
    Column("epoch", BigInt, primary_key=True),
    Column("seq", BigInt, primary_key=True),
    Column("kind", Identifier(64), nullable=False),
    Column("charger_id", Identifier(48)),
    Column("observed_at", UtcDateTime),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    Column("body", Json, nullable=False),
    Index("ix_event_log_charger", "charger_id", "received_at"),
)

# whole messages that could not be applied, kept for a person to look at
quarantine: Final = Table(
    "quarantine",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("station_id", Identifier(63), index=True),
    Column("topic", String(255), nullable=False),
    Column("error", String(500), nullable=False),
    Column("payload", Json, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)
