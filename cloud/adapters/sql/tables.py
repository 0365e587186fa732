"""The schema. A row's `changed_version` grows by one with each change a viewer could see."""

from typing import Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# --- who -----------------------------------------------------------------------------------------

users: Final = Table(
    "users",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("password_hash", String(255)),
    Column("role", Identifier(16), nullable=False),
    Column("is_active", Boolean, nullable=False, default=True),
    Column("created_at", UtcDateTime, nullable=False),
)

# browser sessions and bearer tokens alike: an opaque secret, of which only the hash is kept
credentials: Final = Table(
    "credentials",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("kind", Identifier(16), nullable=False),  # browser | bearer
    Column("secret_hash", Identifier(64), nullable=False, unique=True),
    Column("label", String(120), nullable=False, default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

charging_tokens: Final = Table(
    "charging_tokens",
    metadata,
    # in the form tokens are compared in: contracts.ids.same_token
    Column("token", String(255), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), index=True),
    Column("label", String(120), nullable=False, default=""),
    Column("is_valid", Boolean, nullable=False, default=True),
    Column("parent_token", String(255)),
    Column("valid_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    # contracts.token_types.TokenType; empty: nobody said
    Column("token_type", String(20), nullable=False, default=""),
    # at the same time; 0: any number, null: as the station lets any token
    Column("max_sessions", Integer),
)

# --- where ---------------------------------------------------------------------------------------

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

# --- charging ------------------------------------------------------------------------------------

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

# --- maintenance ---------------------------------------------------------------------------------

alerts: Final = Table(
    "alerts",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # one open alert per key: the open one holds the key, a resolved one null
    Column("open_key", Identifier(160), unique=True),
    Column("key", Identifier(160), nullable=False, index=True),
    Column("rule", Identifier(40), nullable=False),
    Column("severity", Identifier(16), nullable=False),  # critical | major | minor | info
    Column("station_id", Identifier(63), ForeignKey("stations.id"), nullable=False),
    Column("charger_id", Identifier(48)),
    Column("bay_id", Identifier(63)),
    Column("sensor_id", String(128)),
    Column("title", String(200), nullable=False),
    Column("detail", String(500), nullable=False, default=""),
    Column("what_to_do", String(500), nullable=False, default=""),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("count", Integer, nullable=False, default=1),
    Column("acknowledged_at", UtcDateTime),
    Column("acknowledged_by", Identifier()),
    Column("resolved_at", UtcDateTime),
    Column("resolved_by", Identifier()),  # null with resolved_at set: it cleared by itself
    Column("changed_version", BigInt, nullable=False, default=0),
    Index("ix_alerts_station_opened", "station_id", "opened_at"),
)

alert_log: Final = Table(
    "alert_log",
    metadata,
    Column("alert_id", Identifier(), ForeignKey("alerts.id"), primary_key=True),
    Column("version", BigInt, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Identifier(), nullable=False, default=""),
    Column("what", Identifier(24), nullable=False),
    Column("note", String(1000), nullable=False, default=""),
)

commands: Final = Table(
    "commands",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("station_id", Identifier(63), ForeignKey("stations.id"), nullable=False),
    Column("charger_id", Identifier(48), nullable=False, index=True),
    Column("kind", Identifier(40), nullable=False),
    Column("request", Json, nullable=False),
    Column("issued_by", Identifier(), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("published_at", UtcDateTime),
    # queued | sent | accepted | rejected | failed | timed_out | expired | charger_offline | cancelled
    Column("state", Identifier(16), nullable=False, default="queued"),
    Column("answer", Json),
    Column("answered_at", UtcDateTime),
    Column("changed_version", BigInt, nullable=False, default=0),
    # kept for a charger that is away, until it expires; sent, it has so long to answer
    Column("is_patient", Boolean, nullable=False, default=False, server_default="0"),
    Column("answer_within_s", Integer, nullable=False, default=30, server_default="30"),
    Column("sent_at", UtcDateTime),
    Column("fleet_command_id", Identifier(), index=True),
    Index("ix_commands_state_expires", "state", "expires_at"),
)

# one request to many chargers, in waves
fleet_commands: Final = Table(
    "fleet_commands",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("kind", Identifier(40), nullable=False),
    # the charger's id is of no meaning in it
    Column("request", Json, nullable=False),
    Column("selector", Json, nullable=False),
    Column("shares", Json, nullable=False),
    Column("settle_s", Integer, nullable=False),
    Column("max_failed_ratio", Float, nullable=False),
    Column("answer_within_s", Integer, nullable=False),
    Column("status", Identifier(24), nullable=False, index=True),
    Column("reason", String(255), nullable=False, default=""),
    Column("stations", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    # waves sent, and how many of them proved it good
    Column("waves", Integer, nullable=False, default=0),
    Column("step", Integer, nullable=False, default=0),
    Column("wave_at", UtcDateTime),
    Column("forgiven", Integer, nullable=False, default=0),
    # whose stations alone it may touch; null: staff's
    Column("owner_id", Identifier()),
    Column("issued_by", Identifier(), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("approved_by", Identifier()),
    Column("approved_at", UtcDateTime),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("changed_version", BigInt, nullable=False, default=0),
)

# whom a fleet command is for, in the order they are asked in
fleet_targets: Final = Table(
    "fleet_targets",
    metadata,
    Column("fleet_command_id", Identifier(), ForeignKey("fleet_commands.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("charger_id", Identifier(48), nullable=False),
    Column("station_id", Identifier(63), nullable=False),
    Column("wave", Integer),
    Column("command_id", Identifier()),
)

# what a charger holds, as it last said: variables, certificates, charging profiles ...
charger_inventory: Final = Table(
    "charger_inventory",
    metadata,
    Column("charger_id", Identifier(48), ForeignKey("chargers.id"), primary_key=True),
    Column("kind", Identifier(24), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("body", Json, nullable=False),
    # the report in parts it came in, so that the last part ends what was not told
    Column("request_id", Integer),
    Column("reported_at", UtcDateTime, nullable=False),
)

# what a charger does for a while after it said yes: firmware, logs, reports
charger_jobs: Final = Table(
    "charger_jobs",
    metadata,
    Column("charger_id", Identifier(48), ForeignKey("chargers.id"), primary_key=True),
    Column("job", Identifier(24), primary_key=True),
    Column("request_id", Integer, primary_key=True, autoincrement=False),
    Column("status", String(64), nullable=False),
    Column("is_over", Boolean, nullable=False, default=False),
    Column("has_failed", Boolean, nullable=False, default=False),
    Column("detail", Json, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("ix_charger_jobs_changed", "charger_id", "changed_at"),
)

# logs chargers were asked to upload; the content lies in files
charger_log_files: Final = Table(
    "charger_log_files",
    metadata,
    # also the number of the request to the charger
    Column("id", Integer, primary_key=True),
    Column("charger_id", Identifier(48), ForeignKey("chargers.id"), nullable=False, index=True),
    Column("log", Identifier(16), nullable=False),
    Column("secret_hash", Identifier(64), nullable=False, unique=True),
    Column("asked_at", UtcDateTime, nullable=False, index=True),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("received_at", UtcDateTime),
    Column("file_name", String(255), nullable=False, default=""),
    Column("size_bytes", Integer, nullable=False, default=0),
)

# a charger's change of keys, the last or the one under way: `salt` and `key_hash` are the new key's
charger_key_rotations: Final = Table(
    "charger_key_rotations",
    metadata,
    Column("charger_id", Identifier(48), ForeignKey("chargers.id"), primary_key=True),
    Column("salt", Identifier(32), nullable=False),
    Column("key_hash", Identifier(64), nullable=False),
    Column("status", Identifier(16), nullable=False),
    Column("is_unsure", Boolean, nullable=False, default=False),
    Column("asked", Integer, nullable=False, default=0),
    Column("command_id", Identifier()),
    # it takes the new key when it boots
    Column("needs_boot", Boolean, nullable=False, default=False),
    Column("started_by", Identifier(), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    # the key it last logged in by
    Column("seen_salt", Identifier(32), nullable=False, default=""),
    Column("seen_at", UtcDateTime),
)

# chargers' own lists of tokens, as we know them and as they are to be
charger_local_lists: Final = Table(
    "charger_local_lists",
    metadata,
    Column("charger_id", Identifier(48), ForeignKey("chargers.id"), primary_key=True),
    Column("is_kept", Boolean, nullable=False, index=True),
    Column("version", Integer, nullable=False, default=0),
    Column("entries", Json, nullable=False),
    Column("sending", Json),
    Column("command_id", Identifier()),
    Column("changed_at", UtcDateTime, nullable=False),
)

# certificates chargers asked to have signed, and what became of them
charger_certificates: Final = Table(
    "charger_certificates",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("charger_id", Identifier(48), ForeignKey("chargers.id"), nullable=False),
    # OCPP's word; empty: for all of the charger's connections
    Column("purpose", Identifier(32), nullable=False),
    Column("status", Identifier(16), nullable=False, index=True),
    Column("csr", Text, nullable=False),
    Column("request_id", Integer),
    Column("chain", Text),
    Column("serial_number", Identifier(48), nullable=False, default=""),
    Column("valid_until", UtcDateTime),
    Column("why", String(255), nullable=False, default=""),
    Column("command_id", Identifier()),
    Column("delivered", Integer, nullable=False, default=0),
    # when the charger first logged in by it
    Column("used_at", UtcDateTime),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Index("ix_charger_certificates_charger", "charger_id", "requested_at"),
)

# --- reservations --------------------------------------------------------------------------------

# the owner's terms; a station without a row has the defaults of domain/terms.py
station_terms: Final = Table(
    "station_terms",
    metadata,
    Column("station_id", Identifier(63), ForeignKey("stations.id"), primary_key=True),
    Column("body", Json, nullable=False),
    Column("version", BigInt, nullable=False, default=1),
    Column("changed_at", UtcDateTime, nullable=False),
)

reservations: Final = Table(
    "reservations",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("station_id", Identifier(63), ForeignKey("stations.id"), nullable=False),
    Column("bay_id", Identifier(63), ForeignKey("bays.id"), nullable=False),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False),
    Column("token", String(255), nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("buffer_s", Integer, nullable=False, default=0),
    Column("status", Identifier(16), nullable=False),
    Column("status_at", UtcDateTime, nullable=False),
    Column("reason", Identifier(40), nullable=False, default=""),
    # its slots are taken: domain.reservations.LIVE, as the database can index it
    Column("is_live", Boolean, nullable=False, default=True),
    Column("held_until", UtcDateTime),
    Column("is_confirmed", Boolean, nullable=False, default=False),
    Column("is_flexible", Boolean, nullable=False, default=False),
    Column("fixed_at", UtcDateTime),
    Column("standard", Identifier(32), nullable=False, default=""),
    Column("min_power_w", Integer, nullable=False, default=0),
    Column("energy_wh", BigInt),
    Column("booked_at", UtcDateTime),
    Column("arrived_at", UtcDateTime),
    Column("arrived_by", Identifier(16), nullable=False, default=""),
    Column("session_id", Identifier()),
    Column("left_at", UtcDateTime),
    Column("overstay_since", UtcDateTime),
    Column("trouble", Identifier(24), nullable=False, default=""),
    Column("trouble_at", UtcDateTime),
    Column("doubted_at", UtcDateTime),
    Column("unseen_since", UtcDateTime),
    Column("seen_again_at", UtcDateTime),
    Column("tariff_id", Identifier(), nullable=False, default=""),
    Column("currency", Identifier(3), nullable=False),
    Column("quote", Json),
    Column("terms", Json),
    Column("authorised_minor", BigInt, nullable=False, default=0),
    Column("due_minor", BigInt),
    Column("series_id", Identifier(), index=True),
    # which of the driver's places at the station it has: while live, one of so many as there may be
    Column("live_key", Identifier(140), unique=True),
    Column("moved_from", Identifier(63)),
    Column("created_at", UtcDateTime, nullable=False),
    # grows with every write: nobody overwrites what they have not read
    Column("row_version", BigInt, nullable=False, default=0),
    Column("changed_version", BigInt, nullable=False, default=0),
    Index("ix_reservations_bay_live", "bay_id", "is_live", "starts_at"),
    Index("ix_reservations_station_live", "station_id", "is_live", "starts_at"),
    Index("ix_reservations_station_starts", "station_id", "starts_at"),
    Index("ix_reservations_user_starts", "user_id", "starts_at"),
    Index("ix_reservations_session", "session_id"),
)

# one row per bay and quarter of an hour that is taken: the primary key is what makes a double
# booking impossible, on any engine, in any cluster
bay_slots: Final = Table(
    "bay_slots",
    metadata,
    Column("bay_id", Identifier(63), primary_key=True),
    Column("starts_at", UtcDateTime, primary_key=True),
    Column("reservation_id", Identifier(), nullable=False, index=True),
)

# grows with each booking of a driver: two at once are counted one after the other, at whatever stations
driver_turns: Final = Table(
    "driver_turns",
    metadata,
    Column("user_id", Identifier(), primary_key=True),
    Column("turn", BigInt, nullable=False),
)

# what became of a reservation, and who did it
reservation_log: Final = Table(
    "reservation_log",
    metadata,
    Column("reservation_id", Identifier(), ForeignKey("reservations.id"), primary_key=True),
    Column("version", BigInt, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Identifier(), nullable=False, default=""),
    Column("what", Identifier(40), nullable=False),
    Column("note", String(500), nullable=False, default=""),
)

# one-time codes, kept as HMAC; the newest of a reservation counts
otps: Final = Table(
    "otps",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("reservation_id", Identifier(), ForeignKey("reservations.id"), nullable=False),
    Column("user_id", Identifier(), nullable=False),
    Column("code_hmac", Identifier(64), nullable=False),
    Column("channel", Identifier(16), nullable=False),
    Column("recipient", String(254), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("used_at", UtcDateTime),
    Index("ix_otps_reservation", "reservation_id", "created_at"),
    Index("ix_otps_user", "user_id", "created_at"),
)

waitlist: Final = Table(
    "waitlist",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("station_id", Identifier(63), ForeignKey("stations.id"), nullable=False),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("bay_id", Identifier(63)),
    Column("standard", Identifier(32), nullable=False, default=""),
    Column("min_power_w", Integer, nullable=False, default=0),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # waiting | offered | taken | expired | left
    Column("state", Identifier(16), nullable=False),
    Column("offer_id", Identifier()),
    Column("changed_version", BigInt, nullable=False, default=0),
    Index("ix_waitlist_station_state", "station_id", "state", "created_at"),
)

# what a driver may take with one call: other bays or times, from us (trouble), or from the waitlist
offers: Final = Table(
    "offers",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), nullable=False, index=True),
    Column("kind", Identifier(16), nullable=False),  # reschedule | waitlist
    Column("reservation_id", Identifier(), index=True),
    Column("waitlist_id", Identifier()),
    Column("options", Json, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    # open | accepted | declined | expired
    Column("state", Identifier(16), nullable=False),
    Column("changed_version", BigInt, nullable=False, default=0),
)

# --- money ---------------------------------------------------------------------------------------

# never changed: a new version is a new row, so that an id freezes a price
tariffs: Final = Table(
    "tariffs",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("key", Identifier(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("owner_id", Identifier()),
    Column("name", String(120), nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("body", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("uq_tariffs_key_version", "key", "version", unique=True),
)

payment_methods: Final = Table(
    "payment_methods",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("provider", Identifier(16), nullable=False),
    Column("gateway_ref", String(255), nullable=False),
    Column("label", String(120), nullable=False, default=""),
    Column("is_default", Boolean, nullable=False, default=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
)

payments: Final = Table(
    "payments",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # what it pays for: a reservation's id, a top-up's, a subscription month's
    Column("purpose", Identifier(16), nullable=False),  # reservation | topup | subscription
    Column("subject", Identifier(160), nullable=False),
    Column("number", Integer, nullable=False, default=0),
    # whose book of the ledger it is written in
    Column("book", Identifier(80), nullable=False),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False),
    Column("method", Identifier(16), nullable=False),  # card | wallet
    Column("method_id", Identifier(), index=True),
    Column("provider", Identifier(16), nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("amount_minor", BigInt, nullable=False),
    Column("status", Identifier(16), nullable=False),
    # what is to be taken in the end; null: not known yet
    Column("due_minor", BigInt),
    Column("authorised_minor", BigInt, nullable=False, default=0),
    Column("captured_minor", BigInt, nullable=False, default=0),
    Column("refunded_minor", BigInt, nullable=False, default=0),
    Column("gateway_ref", String(255), nullable=False, default="", index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("row_version", BigInt, nullable=False, default=0),
    Index("ix_payments_user", "user_id", "created_at"),
    Index("uq_payments_subject", "subject", "purpose", "number", unique=True),
)

# what the gateway is to do: written with its cause, carried out at least once under one key
payment_steps: Final = Table(
    "payment_steps",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # one step a cause: `capture/<reservation>`
    Column("cause", Identifier(200), nullable=False, unique=True),
    Column("payment_id", Identifier(), ForeignKey("payments.id"), nullable=False, index=True),
    Column("kind", Identifier(16), nullable=False),  # authorise | capture | charge | refund | void
    Column("amount_minor", BigInt, nullable=False),
    Column("state", Identifier(16), nullable=False),  # pending | done | declined | failed
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime, index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("gateway_ref", String(255), nullable=False, default="", index=True),
    Column("last_error", String(500), nullable=False, default=""),
    Column("done_at", UtcDateTime),
)

# every event of a gateway, once, however often it is sent
gateway_events: Final = Table(
    "gateway_events",
    metadata,
    Column("provider", Identifier(16), primary_key=True),
    Column("event_id", Identifier(255), primary_key=True),
    Column("kind", Identifier(80), nullable=False),
    Column("body", Json, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("applied_at", UtcDateTime),
)

wallets: Final = Table(
    "wallets",
    metadata,
    Column("user_id", Identifier(), ForeignKey("users.id"), primary_key=True),
    Column("currency", Identifier(3), primary_key=True),
    # what can be spent: the ledger's account less what is kept for open payments
    Column("available_minor", BigInt, nullable=False, default=0),
    CheckConstraint("available_minor >= 0", name="not_overdrawn"),
)

# double entry; a transaction's lines sum to zero, and each is chained to the one before of its book
ledger_transactions: Final = Table(
    "ledger_transactions",
    metadata,
    Column("book", Identifier(80), primary_key=True),
    Column("seq", BigInt, primary_key=True),
    Column("cause", Identifier(200), nullable=False, unique=True),
    Column("kind", Identifier(24), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("user_id", Identifier()),
    Column("reservation_id", Identifier(), index=True),
    Column("payment_id", Identifier()),
    Column("note", String(255), nullable=False, default=""),
    Column("previous_hash", Identifier(64), nullable=False),
    Column("hash", Identifier(64), nullable=False),
    Index("ix_ledger_user", "user_id", "at"),
)

ledger_entries: Final = Table(
    "ledger_entries",
    metadata,
    Column("book", Identifier(80), primary_key=True),
    Column("seq", BigInt, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("account", Identifier(120), nullable=False, index=True),
    Column("amount_minor", BigInt, nullable=False),
)

receipts: Final = Table(
    "receipts",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # `<station>-<seq>`: each station counts its own, without gaps
    Column("number", Identifier(80), nullable=False, unique=True),
    Column("seq", BigInt, nullable=False),
    # one receipt a reservation
    Column("reservation_id", Identifier(), nullable=False, unique=True),
    Column("session_id", Identifier()),
    Column("user_id", Identifier(), nullable=False),
    Column("station_id", Identifier(63), nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("total_minor", BigInt, nullable=False),
    Column("body", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_receipts_user", "user_id", "created_at"),
    Index("uq_receipts_station_seq", "station_id", "seq", unique=True),
)

credit_notes: Final = Table(
    "credit_notes",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # `<station>-C<seq>`: each station counts its own, without gaps
    Column("number", Identifier(80), nullable=False, unique=True),
    Column("seq", BigInt, nullable=False),
    Column("corrects_id", Identifier(), ForeignKey("receipts.id"), nullable=False, index=True),
    Column("reservation_id", Identifier(), nullable=False),
    Column("session_id", Identifier()),
    Column("user_id", Identifier(), nullable=False),
    Column("station_id", Identifier(63), nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("total_minor", BigInt, nullable=False),
    Column("body", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_credit_notes_user", "user_id", "created_at"),
    Index("uq_credit_notes_station_seq", "station_id", "seq", unique=True),
)

subscription_plans: Final = Table(
    "subscription_plans",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("monthly_minor", BigInt, nullable=False),
    Column("discounts", Json, nullable=False),
    Column("is_offered", Boolean, nullable=False, default=True),
    Column("created_at", UtcDateTime, nullable=False),
)

subscriptions: Final = Table(
    "subscriptions",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # one active subscription a user: the active one holds the key, an ended one null
    Column("active_user_id", Identifier(), unique=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("plan_id", Identifier(), ForeignKey("subscription_plans.id"), nullable=False),
    Column("method", Identifier(16), nullable=False),
    Column("method_id", Identifier()),
    # pending | active | declined | canceled | unpaid
    Column("state", Identifier(16), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("months", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column("paid_until", UtcDateTime),
    Column("canceled_at", UtcDateTime),
    Column("row_version", BigInt, nullable=False, default=0),
)

# --- telling people ------------------------------------------------------------------------------

notice_preferences: Final = Table(
    "notice_preferences",
    metadata,
    Column("user_id", Identifier(), ForeignKey("users.id"), primary_key=True),
    Column("body", Json, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

push_subscriptions: Final = Table(
    "push_subscriptions",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("endpoint_hash", Identifier(64), nullable=False, unique=True),
    Column("subscription", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("gone_at", UtcDateTime),
)

webhook_endpoints: Final = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("url", String(500), nullable=False),
    # the newest first, and after a rotation the one before: each signs what is sent
    Column("secret", String(120), nullable=False),
    Column("kinds", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("last_error", String(500), nullable=False, default=""),
)

# secret addresses of a driver's calendar; of the secret only the hash is kept
calendar_feeds: Final = Table(
    "calendar_feeds",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("secret_hash", Identifier(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

# --- what must happen, what must be sent ---------------------------------------------------------

deadlines: Final = Table(
    "deadlines",
    metadata,
    Column("kind", Identifier(32), primary_key=True),
    Column("subject", Identifier(160), primary_key=True),
    Column("due_at", UtcDateTime, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, default=0),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # the same cause told twice is sent once
    Column("idempotency_key", Identifier(200), nullable=False, unique=True),
    Column("channel", Identifier(16), nullable=False),  # mail | sms | push | webhook | app
    # an address, a number, the id of a push subscription or of a webhook endpoint
    Column("recipient", String(254), nullable=False),
    # whom it is for and of what kind, where it is a notice to a user; see domain/notices.py
    Column("user_id", Identifier()),
    Column("kind", Identifier(40)),
    Column("data", Json),
    Column("read_at", UtcDateTime),
    Column("subject", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("next_attempt_at", UtcDateTime, index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("sent_at", UtcDateTime),
    Column("last_error", String(500), nullable=False, default=""),
    Index("ix_messages_user", "user_id", "channel", "created_at"),
)

# telemetry on its way to InfluxDB; empty where none is configured
telemetry_outbox: Final = Table(
    "telemetry_outbox",
    metadata,
    Column("seq", BigInt, primary_key=True, autoincrement=True),
    Column("lines", Text().with_variant(Text(2**24 - 1), "mysql", "mariadb"), nullable=False),
)

# answers to repeated requests with the same Idempotency-Key, kept 24 h
idempotency: Final = Table(
    "idempotency",
    metadata,
    Column("user_id", Identifier(), primary_key=True),
    Column("key", Identifier(128), primary_key=True),
    Column("request_hash", Identifier(64), nullable=False),
    Column("status", Integer),
    Column("body", Json),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)
