"""How tokens are shown, and how many sessions they may run at once."""

import sqlalchemy as sa

from cloud.adapters.sql.migrations.steps import add_column

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    add_column(
        "charging_tokens",
        sa.Column("token_type", sa.String(20), nullable=False, server_default=""),
    )
    add_column("charging_tokens", sa.Column("max_sessions", sa.Integer(), nullable=True))
    add_column(
        "stations",
        sa.Column("max_sessions_per_token", sa.Integer(), nullable=False, server_default="0"),
    )
