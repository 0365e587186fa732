"""What chargers hold and do, and what is asked of them."""

import sqlalchemy as sa

from cloud.adapters.sql.migrations.steps import create_index, create_table
from cloud.adapters.sql.types import Identifier, Json, UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    _inventory()


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
