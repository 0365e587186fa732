"""Who: users, and what they show to log in and to charge."""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Integer, String, Table

from cloud.adapters.sql.tables.schema import metadata
from cloud.adapters.sql.types import Identifier, UtcDateTime

users: Final = Table(
    "users",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("password_hash", String(255)),
    Column("role", Identifier(16), nullable=False),
    Column("is_active", Boolean, nullable=False, default=True),
    Column("created_at", UtcDateTime, nullable=False),
)

# browser sessions and bearer tokens alike: an opaque secret, of which only the hash is kept
credentials: Final = Table(
    "credentials",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("kind", Identifier(16), nullable=False),  # browser | bearer
    Column("secret_hash", Identifier(64), nullable=False, unique=True),
    Column("label", String(120), nullable=False, default=""),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
)

charging_tokens: Final = Table(
    "charging_tokens",
    metadata,
    # in the form tokens are compared in: contracts.ids.same_token
    Column("token", String(255), primary_key=True),
    Column("user_id", Identifier(), ForeignKey("users.id"), index=True),
    Column("label", String(120), nullable=False, default=""),
    Column("is_valid", Boolean, nullable=False, default=True),
    Column("parent_token", String(255)),
    Column("valid_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    # contracts.token_types.TokenType; empty: nobody said
    Column("token_type", String(20), nullable=False, default=""),
    # at the same time; 0: any number, null: as the station lets any token
    Column("max_sessions", Integer),
)
