"""The first schema."""

import sqlalchemy as sa

from cloud.adapters.sql.migrations.steps import create_index, create_table
from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

LONG_TEXT = sa.Text().with_variant(sa.Text(2**24 - 1), "mysql", "mariadb")


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    _accounts()
    _places()
    _charging()
    _maintenance()


def _accounts() -> None:
    create_table(
        "users",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("password_hash", sa.String(255), nullable=True),
        sa.Column("role", Identifier(16), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("email"),
    )
    create_table(
        "credentials",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("kind", Identifier(16), nullable=False),
        sa.Column("secret_hash", Identifier(64), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    create_index("ix_credentials_user_id", "credentials", ["user_id"])
    create_table(
        "charging_tokens",
        sa.Column("token", sa.String(255), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=True),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("is_valid", sa.Boolean(), nullable=False),
        sa.Column("parent_token", sa.String(255), nullable=True),
        sa.Column("valid_until", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("token"),
    )
    create_index("ix_charging_tokens_user_id", "charging_tokens", ["user_id"])
    create_table(
        "idempotency",
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("key", Identifier(128), nullable=False),
        sa.Column("request_hash", Identifier(64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("body", Json(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "key"),
    )
    create_index("ix_idempotency_created_at", "idempotency", ["created_at"])


def _places() -> None:
    create_table(
        "stations",
        sa.Column("id", Identifier(63), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("operator", sa.String(120), nullable=False),
        sa.Column("address", sa.String(255), nullable=False),
        sa.Column("city", sa.String(120), nullable=False),
        sa.Column("country", Identifier(2), nullable=False),
        sa.Column("latitude", sa.Float(precision=53), nullable=False),
        sa.Column("longitude", sa.Float(precision=53), nullable=False),
        sa.Column("timezone", Identifier(64), nullable=False),
        sa.Column("owner_id", Identifier(64), nullable=True),
        sa.Column("currency", Identifier(3), nullable=False),
        sa.Column("price_per_kwh_minor", sa.Integer(), nullable=False),
        sa.Column("offline_policy", Identifier(16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("plan_version", BigInt, nullable=False),
        sa.Column("plan_published_version", BigInt, nullable=False),
        sa.Column("agent_key_hash", sa.String(255), nullable=True),
        sa.ForeignKeyConstraint(["owner_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_stations_owner_id", "stations", ["owner_id"])
    create_index("ix_stations_place", "stations", ["latitude", "longitude"])
    create_table(
        "station_links",
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("epoch", BigInt, nullable=False),
        sa.Column("committed_seq", BigInt, nullable=False),
        sa.Column("heard_at", UtcDateTime(), nullable=True),
        sa.Column("silent_chargers", Json(), nullable=True),
        sa.Column("silent_sensors", Json(), nullable=True),
        sa.Column("outbox_depth", sa.Integer(), nullable=False),
        sa.Column("is_disk_short", sa.Boolean(), nullable=False),
        sa.Column("agent_version", sa.String(40), nullable=False),
        sa.Column("clock_skew_s", sa.Float(precision=53), nullable=False),
        sa.Column("is_silent", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"]),
        sa.PrimaryKeyConstraint("station_id"),
    )
    create_index("ix_station_links_heard_at", "station_links", ["heard_at"])
    create_index("ix_station_links_is_silent", "station_links", ["is_silent"])
    create_table(
        "chargers",
        sa.Column("id", Identifier(48), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("key_salt", Identifier(32), nullable=True),
        sa.Column("key_hash", Identifier(64), nullable=True),
        sa.Column("security_profile", sa.Integer(), nullable=False),
        sa.Column("ocpp_version", Identifier(8), nullable=False),
        sa.Column("vendor", sa.String(255), nullable=False),
        sa.Column("model", sa.String(255), nullable=False),
        sa.Column("serial", sa.String(255), nullable=False),
        sa.Column("firmware_version", sa.String(255), nullable=False),
        sa.Column("is_connected", sa.Boolean(), nullable=False),
        sa.Column("connection_changed_at", UtcDateTime(), nullable=True),
        sa.Column("silent_since", UtcDateTime(), nullable=True),
        sa.Column("booted_at", UtcDateTime(), nullable=True),
        sa.Column("state", Identifier(24), nullable=False),
        sa.Column("error_code", sa.String(64), nullable=False),
        sa.Column("state_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_chargers_station_id", "chargers", ["station_id"])
    create_table(
        "bays",
        sa.Column("id", Identifier(63), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("charger_id", Identifier(48), nullable=True),
        sa.Column("evse_id", sa.Integer(), nullable=True),
        sa.Column("max_power_w", sa.Integer(), nullable=False),
        sa.Column("is_accessible", sa.Boolean(), nullable=False),
        sa.Column("is_occupied", sa.Boolean(), nullable=True),
        sa.Column("occupancy_confidence", sa.Float(precision=53), nullable=True),
        sa.Column("occupancy_at", UtcDateTime(), nullable=True),
        sa.Column("has_sensor", sa.Boolean(), nullable=False),
        sa.Column("contradictions", sa.Integer(), nullable=False),
        sa.Column("is_sensor_suspect", sa.Boolean(), nullable=False),
        sa.Column("is_contradiction_counted", sa.Boolean(), nullable=False),
        sa.Column("session_id", Identifier(64), nullable=True),
        sa.Column("row_version", BigInt, nullable=False),
        sa.Column("status", Identifier(16), nullable=False),
        sa.Column("situation", Identifier(40), nullable=False),
        sa.Column("reason", sa.String(255), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=True),
        sa.Column("observed_at", UtcDateTime(), nullable=True),
        sa.Column("changed_version", BigInt, nullable=False),
        sa.Column("published_version", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"]),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_bays_station_id", "bays", ["station_id"])
    create_index("uq_bays_evse", "bays", ["charger_id", "evse_id"], unique=True)
    create_table(
        "connectors",
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("connector_id", sa.Integer(), nullable=False),
        sa.Column("standard", Identifier(32), nullable=False),
        sa.Column("power_type", Identifier(16), nullable=False),
        sa.Column("max_power_w", sa.Integer(), nullable=False),
        sa.Column("state", Identifier(24), nullable=False),
        sa.Column("error_code", sa.String(64), nullable=False),
        sa.Column("vendor_error_code", sa.String(64), nullable=False),
        sa.Column("info", sa.String(255), nullable=False),
        sa.Column("state_at", UtcDateTime(), nullable=True),
        sa.Column("state_since", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"]),
        sa.PrimaryKeyConstraint("charger_id", "evse_id", "connector_id"),
    )
    create_table(
        "sensors",
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("id", sa.String(128), nullable=False),
        sa.Column("bay_id", Identifier(63), nullable=True),
        sa.Column("is_silent", sa.Boolean(), nullable=False),
        sa.Column("silent_since", UtcDateTime(), nullable=True),
        sa.Column("battery_ratio", sa.Float(precision=53), nullable=True),
        sa.Column("is_battery_low", sa.Boolean(), nullable=False),
        sa.Column("unreadable_count", sa.Integer(), nullable=False),
        sa.Column("last_error", sa.String(255), nullable=False),
        sa.ForeignKeyConstraint(["bay_id"], ["bays.id"]),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"]),
        sa.PrimaryKeyConstraint("station_id", "id"),
    )
    create_index("ix_sensors_bay_id", "sensors", ["bay_id"])


def _charging() -> None:
    create_table(
        "sessions",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("evse_id", sa.Integer(), nullable=False),
        sa.Column("connector_id", sa.Integer(), nullable=False),
        sa.Column("bay_id", Identifier(63), nullable=True),
        sa.Column("transaction_id", sa.String(64), nullable=False),
        sa.Column("token", sa.String(255), nullable=True),
        sa.Column("user_id", Identifier(64), nullable=True),
        sa.Column("state", Identifier(24), nullable=False),
        sa.Column("state_at", UtcDateTime(), nullable=True),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("charging_ended_at", UtcDateTime(), nullable=True),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("end_reason", sa.String(64), nullable=False),
        sa.Column("meter_start_wh", BigInt, nullable=True),
        sa.Column("meter_stop_wh", BigInt, nullable=True),
        sa.Column("meter_last_wh", BigInt, nullable=True),
        sa.Column("metered_at", UtcDateTime(), nullable=True),
        sa.Column("meter_pending_wh", BigInt, nullable=True),
        sa.Column("meter_pending_at", UtcDateTime(), nullable=True),
        sa.Column("power_limit_w", sa.Integer(), nullable=False),
        sa.Column("energy_wh", BigInt, nullable=False),
        sa.Column("power_w", sa.Float(precision=53), nullable=True),
        sa.Column("soc_start_pct", sa.Float(precision=53), nullable=True),
        sa.Column("soc_start_wh", BigInt, nullable=True),
        sa.Column("soc_pct", sa.Float(precision=53), nullable=True),
        sa.Column("sampled_at", UtcDateTime(), nullable=True),
        sa.Column("expected_end_at", UtcDateTime(), nullable=True),
        sa.Column("currency", Identifier(3), nullable=False),
        sa.Column("price_per_kwh_minor", sa.Integer(), nullable=False),
        sa.Column("cost_minor", BigInt, nullable=False),
        sa.Column("flags", Json(), nullable=True),
        sa.Column("is_offline", sa.Boolean(), nullable=False),
        sa.Column("changed_version", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_sessions_charger_ended", "sessions", ["charger_id", "ended_at"])
    create_index("ix_sessions_station_started", "sessions", ["station_id", "started_at"])
    create_index("ix_sessions_user_id", "sessions", ["user_id"])
    create_index("ix_sessions_user_started", "sessions", ["user_id", "started_at"])
    create_table(
        "session_samples",
        sa.Column("session_id", Identifier(64), nullable=False),
        sa.Column("observed_at", UtcDateTime(), nullable=False),
        sa.Column("energy_wh", BigInt, nullable=True),
        sa.Column("power_w", sa.Float(precision=53), nullable=True),
        sa.Column("soc_pct", sa.Float(precision=53), nullable=True),
        sa.Column("current_a", sa.Float(precision=53), nullable=True),
        sa.Column("voltage_v", sa.Float(precision=53), nullable=True),
        sa.Column("temperature_c", sa.Float(precision=53), nullable=True),
        sa.PrimaryKeyConstraint("session_id", "observed_at"),
        sqlite_with_rowid=False,
    )
    create_table(
        "event_log",
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("epoch", BigInt, nullable=False),
        sa.Column("seq", BigInt, nullable=False),
        sa.Column("kind", Identifier(64), nullable=False),
        sa.Column("charger_id", Identifier(48), nullable=True),
        sa.Column("observed_at", UtcDateTime(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.PrimaryKeyConstraint("station_id", "epoch", "seq"),
    )
    create_index("ix_event_log_charger", "event_log", ["charger_id", "received_at"])
    create_index("ix_event_log_received_at", "event_log", ["received_at"])
    create_table(
        "quarantine",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=True),
        sa.Column("topic", sa.String(255), nullable=False),
        sa.Column("error", sa.String(500), nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_quarantine_station_id", "quarantine", ["station_id"])
    create_table(
        "telemetry_outbox",
        sa.Column("seq", BigInt, nullable=False),
        sa.Column("lines", LONG_TEXT, nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )


def _maintenance() -> None:
    create_table(
        "alerts",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("open_key", Identifier(160), nullable=True),
        sa.Column("key", Identifier(160), nullable=False),
        sa.Column("rule", Identifier(40), nullable=False),
        sa.Column("severity", Identifier(16), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("charger_id", Identifier(48), nullable=True),
        sa.Column("bay_id", Identifier(63), nullable=True),
        sa.Column("sensor_id", sa.String(128), nullable=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.Column("what_to_do", sa.String(500), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("acknowledged_at", UtcDateTime(), nullable=True),
        sa.Column("acknowledged_by", Identifier(64), nullable=True),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.Column("resolved_by", Identifier(64), nullable=True),
        sa.Column("changed_version", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("open_key"),
    )
    create_index("ix_alerts_key", "alerts", ["key"])
    create_index("ix_alerts_station_opened", "alerts", ["station_id", "opened_at"])
    create_table(
        "alert_log",
        sa.Column("alert_id", Identifier(64), nullable=False),
        sa.Column("version", BigInt, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", Identifier(64), nullable=False),
        sa.Column("what", Identifier(24), nullable=False),
        sa.Column("note", sa.String(1000), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alerts.id"]),
        sa.PrimaryKeyConstraint("alert_id", "version"),
    )
    create_table(
        "commands",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("kind", Identifier(40), nullable=False),
        sa.Column("request", Json(), nullable=False),
        sa.Column("issued_by", Identifier(64), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("published_at", UtcDateTime(), nullable=True),
        sa.Column("state", Identifier(16), nullable=False),
        sa.Column("answer", Json(), nullable=True),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("changed_version", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_commands_charger_id", "commands", ["charger_id"])
    create_index("ix_commands_state_expires", "commands", ["state", "expires_at"])
    create_table(
        "deadlines",
        sa.Column("kind", Identifier(32), nullable=False),
        sa.Column("subject", Identifier(160), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject"),
    )
    create_index("ix_deadlines_due_at", "deadlines", ["due_at"])
    create_table(
        "messages",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("idempotency_key", Identifier(200), nullable=False),
        sa.Column("channel", Identifier(16), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("idempotency_key"),
    )
    create_index("ix_messages_created_at", "messages", ["created_at"])
    create_index("ix_messages_next_attempt_at", "messages", ["next_attempt_at"])
