"""Where: stations, with all that stands there."""

from typing import Final

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table

from cloud.adapters.sql.tables.schema import metadata
from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

stations: Final = Table(
    "stations",
    metadata,
    Column("id", Identifier(63), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("operator", String(120), nullable=False, default=""),
    Column("address", String(255), nullable=False, default=""),
    Column("city", String(120), nullable=False, default=""),
    Column("country", Identifier(2), nullable=False, default="GB"),
    Column("latitude", Float(53), nullable=False),
    Column("longitude", Float(53), nullable=False),
    Column("timezone", Identifier(), nullable=False, default="UTC"),
    Column("owner_id", Identifier(), ForeignKey("users.id"), index=True),
    Column("currency", Identifier(3), nullable=False, default="GBP"),
    Column("price_per_kwh_minor", Integer, nullable=False, default=0),
    Column("offline_policy", Identifier(16), nullable=False, default="refuse"),
    Column("created_at", UtcDateTime, nullable=False),
    Column("plan_version", BigInt, nullable=False, default=1),
    Column("plan_published_version", BigInt, nullable=False, default=0),
    # the agent's login at the broker: Mosquitto's own hash format, see adapters/broker_users.py
    Column("agent_key_hash", String(255)),
    # the newest version of its tariff; null: `price_per_kwh_minor` alone
    Column("tariff_id", Identifier()),
    Column("max_sessions_per_token", Integer, nullable=False, default=0),  # 0: any number
    Index("ix_stations_place", "latitude", "longitude"),
)

# how far a station's facts are committed, and whether its agent lives: one hot row per station
station_links: Final = Table(
    "station_links",
    metadata,
    Column("station_id", Identifier(63), ForeignKey("stations.id"), primary_key=True),
    Column("epoch", BigInt, nullable=False, default=0),
    Column("committed_seq", BigInt, nullable=False, default=0),
    # when the agent was last heard (our clock), and what it then said was silent
    Column("heard_at", UtcDateTime, index=True),
    Column("silent_chargers", Json),
    Column("silent_sensors", Json),
    Column("outbox_depth", Integer, nullable=False, default=0),
    Column("is_disk_short", Boolean, nullable=False, default=False),
    Column("agent_version", String(40), nullable=False, default=""),
    Column("clock_skew_s", Float(53), nullable=False, default=0),
    # set by the sweep when silence was noticed and the bays turned UNKNOWN; cleared by a beat
    Column("is_silent", Boolean, nullable=False, default=True, index=True),
)

chargers: Final = Table(
    "chargers",
    metadata,
    Column("id", Identifier(48), primary_key=True),
    Column("station_id", Identifier(63), ForeignKey("stations.id"), nullable=False, index=True),
    Column("key_salt", Identifier(32)),
    Column("key_hash", Identifier(64)),
    Column("security_profile", Integer, nullable=False, default=1),
    # seconds since 1970 when the profile was set last: what the charger came by before does not count
    Column("profile_generation", BigInt, nullable=False, default=0),
    Column("profile_set_by", Identifier()),
    Column("profile_set_at", UtcDateTime),
    # how its BootNotification is answered
    Column("registration", Identifier(16), nullable=False, default="accepted"),
    Column("ocpp_version", Identifier(8), nullable=False, default=""),
    Column("vendor", String(255), nullable=False, default=""),
    Column("model", String(255), nullable=False, default=""),
    Column("serial", String(255), nullable=False, default=""),
    Column("firmware_version", String(255), nullable=False, default=""),
    Column("is_connected", Boolean, nullable=False, default=False),
    Column("connection_changed_at", UtcDateTime),
    # set while the agent's beat lists it as silent
    Column("silent_since", UtcDateTime),
    Column("booted_at", UtcDateTime),
    # the charger as a whole (connector 0): same columns as a connector's
    Column("state", Identifier(24), nullable=False, default=""),
    Column("error_code", String(64), nullable=False, default=""),
    Column("state_at", UtcDateTime),
)

bays: Final = Table(
    "bays",
    metadata,
    Column("id", Identifier(63), primary_key=True),
    Column("station_id", Identifier(63), ForeignKey("stations.id"), nullable=False, index=True),
    Column("name", String(40), nullable=False),
    Column("charger_id", Identifier(48), ForeignKey("chargers.id")),
    Column("evse_id", Integer),
    Column("max_power_w", Integer, nullable=False, default=0),
    Column("is_accessible", Boolean, nullable=False, default=False),
    # what the sensors say (debounced by the agent), null: never heard
    Column("is_occupied", Boolean),
    Column("occupancy_confidence", Float(53)),
    Column("occupancy_at", UtcDateTime),
    Column("has_sensor", Boolean, nullable=False, default=False),
    Column("contradictions", Integer, nullable=False, default=0),
    Column("is_sensor_suspect", Boolean, nullable=False, default=False),
    # the contradiction that stands now is in `contradictions` already
    Column("is_contradiction_counted", Boolean, nullable=False, default=False),
    # the newest session of the EVSE, open or not
    Column("session_id", Identifier()),
    # grows with every write: nobody overwrites what they have not read
    Column("row_version", BigInt, nullable=False, default=0),
    # what reconciliation found
    Column("status", Identifier(16), nullable=False, default="UNKNOWN"),
    Column("situation", Identifier(40), nullable=False, default="never_heard"),
    Column("reason", String(255), nullable=False, default=""),
    Column("since", UtcDateTime),
    Column("observed_at", UtcDateTime),
    # of the reservation that keeps it now, and of the next one known
    Column("reserved_until", UtcDateTime),
    Column("next_reservation_at", UtcDateTime),
    Column("changed_version", BigInt, nullable=False, default=0),
    Column("published_version", BigInt, nullable=False, default=0),
    Index("uq_bays_evse", "charger_id", "evse_id", unique=True),
)

connectors: Final = Table(
    "connectors",
    metadata,
    Column("charger_id", Identifier(48), ForeignKey("chargers.id"), primary_key=True),
    Column("evse_id", Integer, primary_key=True),
    Column("connector_id", Integer, primary_key=True),
    # OCPI 2.3.0 ConnectorType: IEC_62196_T2, IEC_62196_T2_COMBO, CHADEMO ...
    Column("standard", Identifier(32), nullable=False, default=""),
    Column("power_type", Identifier(16), nullable=False, default=""),  # AC_1_PHASE AC_3_PHASE DC
    Column("max_power_w", Integer, nullable=False, default=0),
    Column("state", Identifier(24), nullable=False, default=""),
    Column("error_code", String(64), nullable=False, default=""),
    Column("vendor_error_code", String(64), nullable=False, default=""),
    Column("info", String(255), nullable=False, default=""),
    Column("state_at", UtcDateTime),  # its latest word
    Column("state_since", UtcDateTime),  # the first of equal words
)

sensors: Final = Table(
    "sensors",
    metadata,
    Column("station_id", Identifier(63), ForeignKey("stations.id"), primary_key=True),
    Column("id", String(128), primary_key=True),
    Column("bay_id", Identifier(63), ForeignKey("bays.id"), index=True),
    Column("is_silent", Boolean, nullable=False, default=False),
    Column("silent_since", UtcDateTime),
    Column("battery_ratio", Float(53)),
    Column("is_battery_low", Boolean, nullable=False, default=False),
    Column("unreadable_count", Integer, nullable=False, default=0),
    Column("last_error", String(255), nullable=False, default=""),
)
