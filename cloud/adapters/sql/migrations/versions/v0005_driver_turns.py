"""What one driver books at the same moment is booked one after the other."""

import sqlalchemy as sa

from cloud.adapters.sql.migrations.steps import create_table
from cloud.adapters.sql.types import BigInt, Identifier

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    create_table(
        "driver_turns",
        sa.Column("user_id", Identifier(), nullable=False),
        sa.Column("turn", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("user_id"),
    )
