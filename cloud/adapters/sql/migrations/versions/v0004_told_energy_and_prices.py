"""What cars give back, energy told by the interval, and plans that say what charging costs."""

import sqlalchemy as sa
from alembic import op

from cloud.adapters.sql.migrations.steps import add_column
from cloud.adapters.sql.types import BigInt

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    add_column("sessions", sa.Column("export_wh", BigInt, nullable=False, server_default="0"))
    add_column("sessions", sa.Column("export_last_wh", BigInt, nullable=True))
    add_column("session_samples", sa.Column("interval_wh", BigInt, nullable=True))
    add_column("session_samples", sa.Column("export_wh", BigInt, nullable=True))
    # plans say more than they did: they are sent again, once more at worst
    op.execute("UPDATE stations SET plan_version = plan_version + 1")
