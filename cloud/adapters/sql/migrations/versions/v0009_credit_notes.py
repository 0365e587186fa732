"""What was taken back of receipts."""

import sqlalchemy as sa

from cloud.adapters.sql.migrations.steps import create_index, create_table
from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    create_table(
        "credit_notes",
        sa.Column("id", Identifier(), nullable=False),
        sa.Column("number", Identifier(80), nullable=False),
        sa.Column("seq", BigInt, nullable=False),
        sa.Column("corrects_id", Identifier(), nullable=False),
        sa.Column("reservation_id", Identifier(), nullable=False),
        sa.Column("session_id", Identifier(), nullable=True),
        sa.Column("user_id", Identifier(), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("currency", Identifier(3), nullable=False),
        sa.Column("total_minor", BigInt, nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["corrects_id"], ["receipts.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
    )
    create_index("ix_credit_notes_corrects_id", "credit_notes", ["corrects_id"])
    create_index("ix_credit_notes_user", "credit_notes", ["user_id", "created_at"])
    create_index("uq_credit_notes_station_seq", "credit_notes", ["station_id", "seq"], unique=True)
