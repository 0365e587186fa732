"""Money: prices, payments, the ledger, receipts."""

from typing import Final

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table

from cloud.adapters.sql.tables.schema import metadata
from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

# never changed: a new version is a new row, so that an id freezes a price
tariffs: Final = Table(
    "tariffs",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("key", Identifier(), nullable=False),
    Column("version", Integer, nullable=False),
    Column("owner_id", Identifier()),
    Column("name", String(120), nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("body", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("uq_tariffs_key_version", "key", "version", unique=True),
)

payment_methods: Final = Table(
    "payment_methods",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("provider", Identifier(16), nullable=False),
    Column("gateway_ref", String(255), nullable=False),
    Column("label", String(120), nullable=False, default=""),
    Column("is_default", Boolean, nullable=False, default=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("removed_at", UtcDateTime),
)

payments: Final = Table(
    "payments",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # what it pays for: a reservation's id, a top-up's, a subscription month's
    Column("purpose", Identifier(16), nullable=False),  # reservation | topup | subscription
    Column("subject", Identifier(160), nullable=False),
    Column("number", Integer, nullable=False, default=0),
    # whose book of the ledger it is written in
    Column("book", Identifier(80), nullable=False),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False),
    Column("method", Identifier(16), nullable=False),  # card | wallet
    Column("method_id", Identifier(), index=True),
    Column("provider", Identifier(16), nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("amount_minor", BigInt, nullable=False),
    Column("status", Identifier(16), nullable=False),
    # what is to be taken in the end; null: not known yet
    Column("due_minor", BigInt),
    Column("authorised_minor", BigInt, nullable=False, default=0),
    Column("captured_minor", BigInt, nullable=False, default=0),
    Column("refunded_minor", BigInt, nullable=False, default=0),
    Column("gateway_ref", String(255), nullable=False, default="", index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("row_version", BigInt, nullable=False, default=0),
    Index("ix_payments_user", "user_id", "created_at"),
    Index("uq_payments_subject", "subject", "purpose", "number", unique=True),
)

# what the gateway is to do: written with its cause, carried out at least once under one key
payment_steps: Final = Table(
    "payment_steps",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # one step a cause: `capture/<reservation>`
    Column("cause", Identifier(200), nullable=False, unique=True),
    Column("payment_id", Identifier(), ForeignKey("payments.id"), nullable=False, index=True),
    Column("kind", Identifier(16), nullable=False),  # authorise | capture | charge | refund | void
    Column("amount_minor", BigInt, nullable=False),
    Column("state", Identifier(16), nullable=False),  # pending | done | declined | failed
    Column("created_at", UtcDateTime, nullable=False),
    Column("next_attempt_at", UtcDateTime, index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("gateway_ref", String(255), nullable=False, default="", index=True),
    Column("last_error", String(500), nullable=False, default=""),
    Column("done_at", UtcDateTime),
)

# every event of a gateway, once, however often it is sent
gateway_events: Final = Table(
    "gateway_events",
    metadata,
    Column("provider", Identifier(16), primary_key=True),
    Column("event_id", Identifier(255), primary_key=True),
    Column("kind", Identifier(80), nullable=False),
    Column("body", Json, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("applied_at", UtcDateTime),
)

wallets: Final = Table(
    "wallets",
    metadata,
    Column("user_id", Identifier(), ForeignKey("users.id"), primary_key=True),
    Column("currency", Identifier(3), primary_key=True),
    # what can be spent: the ledger's account less what is kept for open payments
    Column("available_minor", BigInt, nullable=False, default=0),
    CheckConstraint("available_minor >= 0", name="not_overdrawn"),
)

# double entry; a transaction's lines sum to zero, and each is chained to the one before of its book
ledger_transactions: Final = Table(
    "ledger_transactions",
    metadata,
    Column("book", Identifier(80), primary_key=True),
    Column("seq", BigInt, primary_key=True),
    Column("cause", Identifier(200), nullable=False, unique=True),
    Column("kind", Identifier(24), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("user_id", Identifier()),
    Column("reservation_id", Identifier(), index=True),
    Column("payment_id", Identifier()),
    Column("note", String(255), nullable=False, default=""),
    Column("previous_hash", Identifier(64), nullable=False),
    Column("hash", Identifier(64), nullable=False),
    Index("ix_ledger_user", "user_id", "at"),
)

ledger_entries: Final = Table(
    "ledger_entries",
    metadata,
    Column("book", Identifier(80), primary_key=True),
    Column("seq", BigInt, primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("account", Identifier(120), nullable=False, index=True),
    Column("amount_minor", BigInt, nullable=False),
)

receipts: Final = Table(
    "receipts",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # `<station>-<seq>`: each station counts its own, without gaps
    Column("number", Identifier(80), nullable=False, unique=True),
    Column("seq", BigInt, nullable=False),
    # one receipt a reservation
    Column("reservation_id", Identifier(), nullable=False, unique=True),
    Column("session_id", Identifier()),
    Column("user_id", Identifier(), nullable=False),
    Column("station_id", Identifier(63), nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("total_minor", BigInt, nullable=False),
    Column("body", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_receipts_user", "user_id", "created_at"),
    Index("uq_receipts_station_seq", "station_id", "seq", unique=True),
)

credit_notes: Final = Table(
    "credit_notes",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # `<station>-C<seq>`: each station counts its own, without gaps
    Column("number", Identifier(80), nullable=False, unique=True),
    Column("seq", BigInt, nullable=False),
    Column("corrects_id", Identifier(), ForeignKey("receipts.id"), nullable=False, index=True),
    Column("reservation_id", Identifier(), nullable=False),
    Column("session_id", Identifier()),
    Column("user_id", Identifier(), nullable=False),
    Column("station_id", Identifier(63), nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("total_minor", BigInt, nullable=False),
    Column("body", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("ix_credit_notes_user", "user_id", "created_at"),
    Index("uq_credit_notes_station_seq", "station_id", "seq", unique=True),
)

subscription_plans: Final = Table(
    "subscription_plans",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("name", String(120), nullable=False),
    Column("currency", Identifier(3), nullable=False),
    Column("monthly_minor", BigInt, nullable=False),
    Column("discounts", Json, nullable=False),
    Column("is_offered", Boolean, nullable=False, default=True),
    Column("created_at", UtcDateTime, nullable=False),
)

subscriptions: Final = Table(
    "subscriptions",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # one active subscription a user: the active one holds the key, an ended one null
    Column("active_user_id", Identifier(), unique=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("plan_id", Identifier(), ForeignKey("subscription_plans.id"), nullable=False),
    Column("method", Identifier(16), nullable=False),
    Column("method_id", Identifier()),
    # pending | active | declined | canceled | unpaid
    Column("state", Identifier(16), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("months", Integer, nullable=False, default=0),
    Column("failures", Integer, nullable=False, default=0),
    Column("paid_until", UtcDateTime),
    Column("canceled_at", UtcDateTime),
    Column("row_version", BigInt, nullable=False, default=0),
)
