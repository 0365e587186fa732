"""What chargers must prove themselves by: since when, and what they did."""

import sqlalchemy as sa

from cloud.adapters.sql.migrations.steps import add_column
from cloud.adapters.sql.types import BigInt, Identifier, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    add_column(
        "chargers", sa.Column("profile_generation", BigInt, nullable=False, server_default="0")
    )
    add_column("chargers", sa.Column("profile_set_by", Identifier(), nullable=True))
    add_column("chargers", sa.Column("profile_set_at", UtcDateTime(), nullable=True))
    add_column("charger_certificates", sa.Column("used_at", UtcDateTime(), nullable=True))
    add_column(
        "charger_key_rotations",
        sa.Column("needs_boot", sa.Boolean(), nullable=False, server_default="0"),
    )
