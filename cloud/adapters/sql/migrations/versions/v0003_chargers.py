"""What chargers hold and do, and what is asked of them."""

import sqlalchemy as sa

from cloud.adapters.sql.migrations.steps import add_column, create_index, create_table
from cloud.adapters.sql.types import Identifier, Json, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    _inventory()
    _commands()
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
