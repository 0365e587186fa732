"""What must happen, what must be sent, and what was answered."""

from typing import Final

from sqlalchemy import Column, Index, Integer, String, Table, Text

from cloud.adapters.sql.tables.schema import metadata
from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

deadlines: Final = Table(
    "deadlines",
    metadata,
    Column("kind", Identifier(32), primary_key=True),
    Column("subject", Identifier(160), primary_key=True),
    Column("due_at", UtcDateTime, nullable=False, index=True),
    Column("attempts", Integer, nullable=False, default=0),
)

messages: Final = Table(
    "messages",
    metadata,
    Column("id", Identifier(), primary_key=True),
    # the same cause told twice is sent once
    Column("idempotency_key", Identifier(200), nullable=False, unique=True),
    Column("channel", Identifier(16), nullable=False),  # mail | sms | push | webhook | app
    # an address, a number, the id of a push subscription or of a webhook endpoint
    Column("recipient", String(254), nullable=False),
    # whom it is for and of what kind, where it is a notice to a user; see domain/notices.py
    Column("user_id", Identifier()),
    Column("kind", Identifier(40)),
    Column("data", Json),
    Column("read_at", UtcDateTime),
    Column("subject", String(255), nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False, index=True),
    Column("next_attempt_at", UtcDateTime, index=True),
    Column("attempts", Integer, nullable=False, default=0),
    Column("sent_at", UtcDateTime),
    Column("last_error", String(500), nullable=False, default=""),
    Index("ix_messages_user", "user_id", "channel", "created_at"),
)

# telemetry on its way to InfluxDB; empty where none is configured
telemetry_outbox: Final = Table(
    "telemetry_outbox",
    metadata,
    Column("seq", BigInt, primary_key=True, autoincrement=True),
    Column("lines", Text().with_variant(Text(2**24 - 1), "mysql", "mariadb"), nullable=False),
)

# answers to repeated requests with the same Idempotency-Key, kept 24 h
idempotency: Final = Table(
    "idempotency",
    metadata,
    Column("user_id", Identifier(), primary_key=True),
    Column("key", Identifier(128), primary_key=True),
    Column("request_hash", Identifier(64), nullable=False),
    Column("status", Integer),
    Column("body", Json),
    Column("created_at", UtcDateTime, nullable=False, index=True),
)
