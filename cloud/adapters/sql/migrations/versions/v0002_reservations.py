"""Reservations, money, and telling people of both."""

import sqlalchemy as sa

from cloud.adapters.sql.migrations.steps import add_column, create_index, create_table
from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Each step is skipped where an interrupted run has done it already."""
    _columns()
    _reservations()
    _money()
    _notices()


def _columns() -> None:
    add_column("stations", sa.Column("tariff_id", Identifier(64), nullable=True))
    add_column("sessions", sa.Column("tariff_id", Identifier(64), nullable=True))
    add_column("sessions", sa.Column("reservation_id", Identifier(64), nullable=True))
    add_column("bays", sa.Column("reserved_until", UtcDateTime(), nullable=True))
    add_column("bays", sa.Column("next_reservation_at", UtcDateTime(), nullable=True))
    add_column("messages", sa.Column("user_id", Identifier(64), nullable=True))
    add_column("messages", sa.Column("kind", Identifier(40), nullable=True))
    add_column("messages", sa.Column("data", Json(), nullable=True))
    add_column("messages", sa.Column("read_at", UtcDateTime(), nullable=True))
    create_index("ix_sessions_reservation_id", "sessions", ["reservation_id"])
    create_index("ix_messages_user", "messages", ["user_id", "channel", "created_at"])


def _reservations() -> None:
    create_table(
        "station_terms",
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("version", BigInt, nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"]),
        sa.PrimaryKeyConstraint("station_id"),
    )
    create_table(
        "reservations",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("bay_id", Identifier(63), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("token", sa.String(255), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("buffer_s", sa.Integer(), nullable=False),
        sa.Column("status", Identifier(16), nullable=False),
        sa.Column("status_at", UtcDateTime(), nullable=False),
        sa.Column("reason", Identifier(40), nullable=False),
        sa.Column("is_live", sa.Boolean(), nullable=False),
        sa.Column("held_until", UtcDateTime(), nullable=True),
        sa.Column("is_confirmed", sa.Boolean(), nullable=False),
        sa.Column("is_flexible", sa.Boolean(), nullable=False),
        sa.Column("fixed_at", UtcDateTime(), nullable=True),
        sa.Column("standard", Identifier(32), nullable=False),
        sa.Column("min_power_w", sa.Integer(), nullable=False),
        sa.Column("energy_wh", BigInt, nullable=True),
        sa.Column("booked_at", UtcDateTime(), nullable=True),
        sa.Column("arrived_at", UtcDateTime(), nullable=True),
        sa.Column("arrived_by", Identifier(16), nullable=False),
        sa.Column("session_id", Identifier(64), nullable=True),
        sa.Column("left_at", UtcDateTime(), nullable=True),
        sa.Column("overstay_since", UtcDateTime(), nullable=True),
        sa.Column("trouble", Identifier(24), nullable=False),
        sa.Column("trouble_at", UtcDateTime(), nullable=True),
        sa.Column("doubted_at", UtcDateTime(), nullable=True),
        sa.Column("tariff_id", Identifier(64), nullable=False),
        sa.Column("currency", Identifier(3), nullable=False),
        sa.Column("quote", Json(), nullable=True),
        sa.Column("terms", Json(), nullable=True),
        sa.Column("authorised_minor", BigInt, nullable=False),
        sa.Column("due_minor", BigInt, nullable=True),
        sa.Column("series_id", Identifier(64), nullable=True),
        sa.Column("live_key", Identifier(140), nullable=True),
        sa.Column("moved_from", Identifier(63), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("row_version", BigInt, nullable=False),
        sa.Column("changed_version", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"]),
        sa.ForeignKeyConstraint(["bay_id"], ["bays.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("live_key"),
    )
    create_index("ix_reservations_bay_live", "reservations", ["bay_id", "is_live", "starts_at"])
    create_index("ix_reservations_series_id", "reservations", ["series_id"])
    create_index("ix_reservations_session", "reservations", ["session_id"])
    create_index(
        "ix_reservations_station_live", "reservations", ["station_id", "is_live", "starts_at"]
    )
    create_index("ix_reservations_station_starts", "reservations", ["station_id", "starts_at"])
    create_index("ix_reservations_user_starts", "reservations", ["user_id", "starts_at"])
    create_table(
        "bay_slots",
        sa.Column("bay_id", Identifier(63), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("reservation_id", Identifier(64), nullable=False),
        sa.PrimaryKeyConstraint("bay_id", "starts_at"),
    )
    create_index("ix_bay_slots_reservation_id", "bay_slots", ["reservation_id"])
    create_table(
        "reservation_log",
        sa.Column("reservation_id", Identifier(64), nullable=False),
        sa.Column("version", BigInt, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", Identifier(64), nullable=False),
        sa.Column("what", Identifier(40), nullable=False),
        sa.Column("note", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservations.id"]),
        sa.PrimaryKeyConstraint("reservation_id", "version"),
    )
    create_table(
        "otps",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("reservation_id", Identifier(64), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("code_hmac", Identifier(64), nullable=False),
        sa.Column("channel", Identifier(16), nullable=False),
        sa.Column("recipient", sa.String(254), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["reservation_id"], ["reservations.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_otps_reservation", "otps", ["reservation_id", "created_at"])
    create_index("ix_otps_user", "otps", ["user_id", "created_at"])
    create_table(
        "waitlist",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("bay_id", Identifier(63), nullable=True),
        sa.Column("standard", Identifier(32), nullable=False),
        sa.Column("min_power_w", sa.Integer(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("state", Identifier(16), nullable=False),
        sa.Column("offer_id", Identifier(64), nullable=True),
        sa.Column("changed_version", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["stations.id"]),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_waitlist_station_state", "waitlist", ["station_id", "state", "created_at"])
    create_index("ix_waitlist_user_id", "waitlist", ["user_id"])
    create_table(
        "offers",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("kind", Identifier(16), nullable=False),
        sa.Column("reservation_id", Identifier(64), nullable=True),
        sa.Column("waitlist_id", Identifier(64), nullable=True),
        sa.Column("options", Json(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("state", Identifier(16), nullable=False),
        sa.Column("changed_version", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_offers_reservation_id", "offers", ["reservation_id"])
    create_index("ix_offers_user_id", "offers", ["user_id"])


def _money() -> None:
    create_table(
        "tariffs",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("key", Identifier(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("owner_id", Identifier(64), nullable=True),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("currency", Identifier(3), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("uq_tariffs_key_version", "tariffs", ["key", "version"], unique=True)
    create_table(
        "payment_methods",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("provider", Identifier(16), nullable=False),
        sa.Column("gateway_ref", sa.String(255), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("removed_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_payment_methods_user_id", "payment_methods", ["user_id"])
    create_table(
        "payments",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("purpose", Identifier(16), nullable=False),
        sa.Column("subject", Identifier(160), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("book", Identifier(80), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("method", Identifier(16), nullable=False),
        sa.Column("method_id", Identifier(64), nullable=True),
        sa.Column("provider", Identifier(16), nullable=False),
        sa.Column("currency", Identifier(3), nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("status", Identifier(16), nullable=False),
        sa.Column("due_minor", BigInt, nullable=True),
        sa.Column("authorised_minor", BigInt, nullable=False),
        sa.Column("captured_minor", BigInt, nullable=False),
        sa.Column("refunded_minor", BigInt, nullable=False),
        sa.Column("gateway_ref", sa.String(255), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("row_version", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_payments_gateway_ref", "payments", ["gateway_ref"])
    create_index("ix_payments_method_id", "payments", ["method_id"])
    create_index("uq_payments_subject", "payments", ["subject", "purpose", "number"], unique=True)
    create_index("ix_payments_user", "payments", ["user_id", "created_at"])
    create_table(
        "payment_steps",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("cause", Identifier(200), nullable=False),
        sa.Column("payment_id", Identifier(64), nullable=False),
        sa.Column("kind", Identifier(16), nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.Column("state", Identifier(16), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("gateway_ref", sa.String(255), nullable=False),
        sa.Column("last_error", sa.String(500), nullable=False),
        sa.Column("done_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("cause"),
    )
    create_index("ix_payment_steps_gateway_ref", "payment_steps", ["gateway_ref"])
    create_index("ix_payment_steps_next_attempt_at", "payment_steps", ["next_attempt_at"])
    create_index("ix_payment_steps_payment_id", "payment_steps", ["payment_id"])
    create_table(
        "gateway_events",
        sa.Column("provider", Identifier(16), nullable=False),
        sa.Column("event_id", Identifier(255), nullable=False),
        sa.Column("kind", Identifier(80), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("applied_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("provider", "event_id"),
    )
    create_table(
        "wallets",
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("currency", Identifier(3), nullable=False),
        sa.Column("available_minor", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id", "currency"),
        sa.CheckConstraint("available_minor >= 0", name="ck_wallets_not_overdrawn"),
    )
    create_table(
        "ledger_transactions",
        sa.Column("book", Identifier(80), nullable=False),
        sa.Column("seq", BigInt, nullable=False),
        sa.Column("cause", Identifier(200), nullable=False),
        sa.Column("kind", Identifier(24), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("currency", Identifier(3), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=True),
        sa.Column("reservation_id", Identifier(64), nullable=True),
        sa.Column("payment_id", Identifier(64), nullable=True),
        sa.Column("note", sa.String(255), nullable=False),
        sa.Column("previous_hash", Identifier(64), nullable=False),
        sa.Column("hash", Identifier(64), nullable=False),
        sa.PrimaryKeyConstraint("book", "seq"),
        sa.UniqueConstraint("cause"),
    )
    create_index("ix_ledger_transactions_reservation_id", "ledger_transactions", ["reservation_id"])
    create_index("ix_ledger_user", "ledger_transactions", ["user_id", "at"])
    create_table(
        "ledger_entries",
        sa.Column("book", Identifier(80), nullable=False),
        sa.Column("seq", BigInt, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("account", Identifier(120), nullable=False),
        sa.Column("amount_minor", BigInt, nullable=False),
        sa.PrimaryKeyConstraint("book", "seq", "line"),
    )
    create_index("ix_ledger_entries_account", "ledger_entries", ["account"])
    create_table(
        "receipts",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("number", Identifier(80), nullable=False),
        sa.Column("seq", BigInt, nullable=False),
        sa.Column("reservation_id", Identifier(64), nullable=False),
        sa.Column("session_id", Identifier(64), nullable=True),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("station_id", Identifier(63), nullable=False),
        sa.Column("currency", Identifier(3), nullable=False),
        sa.Column("total_minor", BigInt, nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("number"),
        sa.UniqueConstraint("reservation_id"),
    )
    create_index("ix_receipts_user", "receipts", ["user_id", "created_at"])
    create_index("uq_receipts_station_seq", "receipts", ["station_id", "seq"], unique=True)
    create_table(
        "subscription_plans",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("currency", Identifier(3), nullable=False),
        sa.Column("monthly_minor", BigInt, nullable=False),
        sa.Column("discounts", Json(), nullable=False),
        sa.Column("is_offered", sa.Boolean(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    create_table(
        "subscriptions",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("active_user_id", Identifier(64), nullable=True),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("plan_id", Identifier(64), nullable=False),
        sa.Column("method", Identifier(16), nullable=False),
        sa.Column("method_id", Identifier(64), nullable=True),
        sa.Column("state", Identifier(16), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("paid_until", UtcDateTime(), nullable=True),
        sa.Column("canceled_at", UtcDateTime(), nullable=True),
        sa.Column("row_version", BigInt, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.ForeignKeyConstraint(["plan_id"], ["subscription_plans.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("active_user_id"),
    )
    create_index("ix_subscriptions_user_id", "subscriptions", ["user_id"])


def _notices() -> None:
    create_table(
        "notice_preferences",
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("user_id"),
    )
    create_table(
        "push_subscriptions",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("endpoint_hash", Identifier(64), nullable=False),
        sa.Column("subscription", Json(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("gone_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("endpoint_hash"),
    )
    create_index("ix_push_subscriptions_user_id", "push_subscriptions", ["user_id"])
    create_table(
        "webhook_endpoints",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("secret", sa.String(120), nullable=False),
        sa.Column("kinds", Json(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("failing_since", UtcDateTime(), nullable=True),
        sa.Column("disabled_at", UtcDateTime(), nullable=True),
        sa.Column("last_error", sa.String(500), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    create_index("ix_webhook_endpoints_user_id", "webhook_endpoints", ["user_id"])
    create_table(
        "calendar_feeds",
        sa.Column("id", Identifier(64), nullable=False),
        sa.Column("user_id", Identifier(64), nullable=False),
        sa.Column("secret_hash", Identifier(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("secret_hash"),
    )
    create_index("ix_calendar_feeds_user_id", "calendar_feeds", ["user_id"])
