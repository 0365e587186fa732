"""What chargers hold and do, and what is asked of them."""

import sqlalchemy as sa

from cloud.adapters.sql.migrations.steps import add_column, create_index, create_table
from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    _inventory()
    _signed_readings()
    _local_lists()
    _log_files()
    _commands()
    _fleet()
    _security()


def _inventory() -> None:
    create_table(
        "charger_inventory",
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("kind", Identifier(24), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("reported_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"]),
        sa.PrimaryKeyConstraint("charger_id", "kind", "key"),
    )
    create_table(
        "charger_jobs",
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("job", Identifier(24), nullable=False),
        sa.Column("request_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("status", sa.String(64), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("has_failed", sa.Boolean(), nullable=False),
        sa.Column("detail", Json(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"]),
        sa.PrimaryKeyConstraint("charger_id", "job", "request_id"),
    )
    create_index("ix_charger_jobs_changed", "charger_jobs", ["charger_id", "changed_at"])


def _signed_readings() -> None:
    create_table(
        "signed_readings",
        sa.Column("session_id", Identifier(), nullable=False),
        sa.Column("digest", Identifier(64), nullable=False),
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("observed_at", UtcDateTime(), nullable=False),
        sa.Column("context", sa.String(64), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("method", sa.String(64), nullable=False),
        sa.Column("encoding", sa.String(64), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("session_id", "digest"),
    )


def _local_lists() -> None:
    create_table(
        "charger_local_lists",
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("is_kept", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("entries", Json(), nullable=False),
        sa.Column("sending", Json(), nullable=True),
        sa.Column("command_id", Identifier(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"]),
        sa.PrimaryKeyConstraint("charger_id"),
    )
    create_index("ix_charger_local_lists_is_kept", "charger_local_lists", ["is_kept"])


def _log_files() -> None:
    create_table(
        "charger_log_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("log", Identifier(16), nullable=False),
        sa.Column("secret_hash", Identifier(64), nullable=False),
        sa.Column("asked_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=True),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    create_index("ix_charger_log_files_charger_id", "charger_log_files", ["charger_id"])
    create_index("ix_charger_log_files_asked_at", "charger_log_files", ["asked_at"])
    add_column(
        "chargers",
        sa.Column("registration", Identifier(16), nullable=False, server_default="accepted"),
    )


def _security() -> None:
    create_table(
        "charger_key_rotations",
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("salt", Identifier(32), nullable=False),
        sa.Column("key_hash", Identifier(64), nullable=False),
        sa.Column("status", Identifier(16), nullable=False),
        sa.Column("is_unsure", sa.Boolean(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("command_id", Identifier(), nullable=True),
        sa.Column("started_by", Identifier(), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("seen_salt", Identifier(32), nullable=False),
        sa.Column("seen_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"]),
        sa.PrimaryKeyConstraint("charger_id"),
    )
    create_table(
        "charger_certificates",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("purpose", Identifier(32), nullable=False),
        sa.Column("status", Identifier(16), nullable=False),
        sa.Column("csr", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("chain", sa.Text(), nullable=True),
        sa.Column("serial_number", Identifier(48), nullable=False),
        sa.Column("valid_until", UtcDateTime(), nullable=True),
        sa.Column("why", sa.String(255), nullable=False),
        sa.Column("command_id", Identifier(), nullable=True),
        sa.Column("delivered", sa.Integer(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["charger_id"], ["chargers.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index(
        "ix_charger_certificates_charger", "charger_certificates", ["charger_id", "requested_at"]
    )
    create_index("ix_charger_certificates_status", "charger_certificates", ["status"])


def _commands() -> None:
    add_column(
        "commands", sa.Column("is_patient", sa.Boolean(), nullable=False, server_default="0")
    )
    add_column(
        "commands", sa.Column("answer_within_s", sa.Integer(), nullable=False, server_default="30")
    )
    add_column("commands", sa.Column("sent_at", UtcDateTime(), nullable=True))
    add_column("commands", sa.Column("fleet_command_id", Identifier(), nullable=True))
    create_index("ix_commands_fleet_command_id", "commands", ["fleet_command_id"])


def _fleet() -> None:
    create_table(
        "fleet_commands",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("kind", Identifier(40), nullable=False),
        sa.Column("request", Json(), nullable=False),
        sa.Column("selector", Json(), nullable=False),
        sa.Column("shares", Json(), nullable=False),
        sa.Column("settle_s", sa.Integer(), nullable=False),
        sa.Column("max_failed_ratio", sa.Float(), nullable=False),
        sa.Column("answer_within_s", sa.Integer(), nullable=False),
        sa.Column("status", Identifier(24), nullable=False),
        sa.Column("reason", sa.String(255), nullable=False),
        sa.Column("stations", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("waves", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("wave_at", UtcDateTime(), nullable=True),
        sa.Column("forgiven", sa.Integer(), nullable=False),
        sa.Column("owner_id", Identifier(), nullable=True),
        sa.Column("issued_by", Identifier(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("approved_by", Identifier(), nullable=True),
        sa.Column("approved_at", UtcDateTime(), nullable=True),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("changed_version", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_fleet_commands_status", "fleet_commands", ["status"])
    create_table(
        "fleet_targets",
        sa.Column("fleet_command_id", Identifier(), nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("charger_id", Identifier(48), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("wave", sa.Integer(), nullable=True),
        sa.Column("command_id", Identifier(), nullable=True),
        sa.ForeignKeyConstraint(["fleet_command_id"], ["fleet_commands.id"]),
        sa.PrimaryKeyConstraint("fleet_command_id", "position"),
    )
