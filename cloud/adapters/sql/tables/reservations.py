"""Reservations: terms, promises, and what drivers have instead."""

from typing import Final

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table

from cloud.adapters.sql.tables.schema import metadata
from cloud.adapters.sql.types import BigInt, Identifier, Json, UtcDateTime

# the owner's terms; a station without a row has the defaults of domain/terms.py
station_terms: Final = Table(
    "station_terms",
    metadata,
    Column("station_id", Identifier(63), ForeignKey("stations.id"), primary_key=True),
    Column("body", Json, nullable=False),
    Column("version", BigInt, nullable=False, default=1),
    Column("changed_at", UtcDateTime, nullable=False),
)

reservations: Final = Table(
    "reservations",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("number", Integer, nullable=False, unique=True),
    Column("station_id", Identifier(63), ForeignKey("stations.id"), nullable=False),
    Column("bay_id", Identifier(63), ForeignKey("bays.id"), nullable=False),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False),
    Column("token", String(255), nullable=False),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("buffer_s", Integer, nullable=False, default=0),
    Column("status", Identifier(16), nullable=False),
    Column("status_at", UtcDateTime, nullable=False),
    Column("reason", Identifier(40), nullable=False, default=""),
    # its slots are taken: domain.reservations.LIVE, as the database can index it
    Column("is_live", Boolean, nullable=False, default=True),
    Column("held_until", UtcDateTime),
    Column("is_confirmed", Boolean, nullable=False, default=False),
    Column("is_flexible", Boolean, nullable=False, default=False),
    Column("fixed_at", UtcDateTime),
    Column("standard", Identifier(32), nullable=False, default=""),
    Column("min_power_w", Integer, nullable=False, default=0),
    Column("energy_wh", BigInt),
    Column("booked_at", UtcDateTime),
    Column("arrived_at", UtcDateTime),
    Column("arrived_by", Identifier(16), nullable=False, default=""),
    Column("session_id", Identifier()),
    Column("left_at", UtcDateTime),
    Column("overstay_since", UtcDateTime),
    Column("trouble", Identifier(24), nullable=False, default=""),
    Column("trouble_at", UtcDateTime),
    Column("doubted_at", UtcDateTime),
    Column("unseen_since", UtcDateTime),
    Column("seen_again_at", UtcDateTime),
    Column("tariff_id", Identifier(), nullable=False, default=""),
    Column("currency", Identifier(3), nullable=False),
    Column("quote", Json),
    Column("terms", Json),
    Column("authorised_minor", BigInt, nullable=False, default=0),
    Column("due_minor", BigInt),
    Column("series_id", Identifier(), index=True),
    # which of the driver's places at the station it has: while live, one of so many as there may be
    Column("live_key", Identifier(140), unique=True),
    Column("moved_from", Identifier(63)),
    Column("created_at", UtcDateTime, nullable=False),
    # grows with every write: nobody overwrites what they have not read
    Column("row_version", BigInt, nullable=False, default=0),
    Column("changed_version", BigInt, nullable=False, default=0),
    Index("ix_reservations_bay_live", "bay_id", "is_live", "starts_at"),
    Index("ix_reservations_station_live", "station_id", "is_live", "starts_at"),
    Index("ix_reservations_station_starts", "station_id", "starts_at"),
    Index("ix_reservations_user_starts", "user_id", "starts_at"),
    Index("ix_reservations_session", "session_id"),
)

# one row per bay and quarter of an hour that is taken: the primary key is what makes a double
# booking impossible, on any engine, in any cluster
bay_slots: Final = Table(
    "bay_slots",
    metadata,
    Column("bay_id", Identifier(63), primary_key=True),
    Column("starts_at", UtcDateTime, primary_key=True),
    Column("reservation_id", Identifier(), nullable=False, index=True),
)

# grows with each booking of a driver: two at once are counted one after the other, at whatever stations
driver_turns: Final = Table(
    "driver_turns",
    metadata,
    Column("user_id", Identifier(), primary_key=True),
    Column("turn", BigInt, nullable=False),
)

# what became of a reservation, and who did it
reservation_log: Final = Table(
    "reservation_log",
    metadata,
    Column("reservation_id", Identifier(), ForeignKey("reservations.id"), primary_key=True),
    Column("version", BigInt, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", Identifier(), nullable=False, default=""),
    Column("what", Identifier(40), nullable=False),
    Column("note", String(500), nullable=False, default=""),
)

# one-time codes, kept as HMAC; the newest of a reservation counts
otps: Final = Table(
    "otps",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("reservation_id", Identifier(), ForeignKey("reservations.id"), nullable=False),
    Column("user_id", Identifier(), nullable=False),
    Column("code_hmac", Identifier(64), nullable=False),
    Column("channel", Identifier(16), nullable=False),
    Column("recipient", String(254), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("tries", Integer, nullable=False, default=0),
    Column("used_at", UtcDateTime),
    Index("ix_otps_reservation", "reservation_id", "created_at"),
    Index("ix_otps_user", "user_id", "created_at"),
)

waitlist: Final = Table(
    "waitlist",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("station_id", Identifier(63), ForeignKey("stations.id"), nullable=False),
    Column("user_id", Identifier(), ForeignKey("users.id"), nullable=False, index=True),
    Column("bay_id", Identifier(63)),
    Column("standard", Identifier(32), nullable=False, default=""),
    Column("min_power_w", Integer, nullable=False, default=0),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    # waiting | offered | taken | expired | left
    Column("state", Identifier(16), nullable=False),
    Column("offer_id", Identifier()),
    Column("changed_version", BigInt, nullable=False, default=0),
    Index("ix_waitlist_station_state", "station_id", "state", "created_at"),
)

# what a driver may take with one call: other bays or times, from us (trouble), or from the waitlist
offers: Final = Table(
    "offers",
    metadata,
    Column("id", Identifier(), primary_key=True),
    Column("user_id", Identifier(), nullable=False, index=True),
    Column("kind", Identifier(16), nullable=False),  # reschedule | waitlist
    Column("reservation_id", Identifier(), index=True),
    Column("waitlist_id", Identifier()),
    Column("options", Json, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    # open | accepted | declined | expired
    Column("state", Identifier(16), nullable=False),
    Column("changed_version", BigInt, nullable=False, default=0),
)
