"""Since when nobody has seen whether a driver's car is still there."""

import sqlalchemy as sa

from cloud.adapters.sql.migrations.steps import add_column
from cloud.adapters.sql.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    for name in ("unseen_since", "seen_again_at"):
        add_column("reservations", sa.Column(name, UtcDateTime(), nullable=True))
