"""Telling people: how each wants to be told, and where."""

from typing import Final

from sqlalchemy import Column, ForeignKey, String, Table

from cloud.adapters.sql.tables.schema import metadata
from cloud.adapters.sql.types import Identifier, Json, UtcDateTime

notice_preferences: Final = Table(
    "notice_preferences",
    metadata,
    Column("user_id", Identifier(), ForeignKey("users.id"), primary_key=True),
    Column("body", Json, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
)

push_subscriptions: Final = Table(
    "push_subscriptions",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("endpoint_hash", Identifier(64), nullable=False, unique=True),
    Column("subscription", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("gone_at", UtcDateTime),
)

webhook_endpoints: Final = Table(
    "webhook_endpoints",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("url", String(500), nullable=False),
    # the newest first, and after a rotation the one before: each signs what is sent
    Column("secret", String(120), nullable=False),
    Column("kinds", Json, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("failing_since", UtcDateTime),
    Column("disabled_at", UtcDateTime),
    Column("last_error", String(500), nullable=False, default=""),
)

# secret addresses of a driver's calendar; of the secret only the hash is kept
calendar_feeds: Final = Table(
    "calendar_feeds",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("secret_hash", Identifier(64), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)
