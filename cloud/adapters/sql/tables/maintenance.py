"""Maintenance: what goes wrong at chargers, what is asked of them, what they hold."""

from typing import Final

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, String, Table, Text

from cloud.adapters.sql.tables.schema import metadata
from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

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
