"""What leaves the house: the shapes of API answers, live events and the availability topic.

Plain frozen dataclasses, so that FastAPI documents them and msgspec encodes them (once for all
viewers). Instants are aware UTC. Ages are for the reader to compute: from `as_of` and the instant.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class MailView:
    """A message that went out, or waits to."""

    message_id: str
    channel: str
    recipient: str
    """An address, a number, or an id: of a user, a push subscription, a webhook endpoint."""
    subject: str
    body: str
    created_at: datetime
    sent_at: datetime | None
    attempts: int
    last_error: str
    kind: str | None = None
    """A NoticeKind; null: no notice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationView:
    """The promise of a bay, as its driver, the station's owner and staff may see it."""

    reservation_id: str
    number: int
    """What chargers call it."""
    station_id: str
    station_name: str
    timezone: str
    """Of the station: by its clock the window was chosen."""
    bay_id: str
    """Of a flexible one: for now, until `fixed_at`."""
    bay_name: str
    user_id: str
    status: str
    """OCPI's word: PENDING RESERVED FULFILLED CANCELED NO_SHOW REJECTED FAILED."""
    state: str
    """Ours, which says more: held booked arrived charging finished overstaying, or over."""
    reason: str
    """Why it is over; empty while it is not."""
    is_live: bool
    starts_at: datetime
    ends_at: datetime
    held_until: datetime | None
    """Of a hold: when it lapses unless confirmed and paid for."""
    is_confirmed: bool
    is_flexible: bool
    fixed_at: datetime | None
    standard: str
    min_power_w: int
    energy_wh: int | None
    booked_at: datetime | None
    arrived_at: datetime | None
    arrived_by: str
    session_id: str | None
    left_at: datetime | None
    overstay_since: datetime | None
    trouble: str
    """stolen out_of_order silent still_occupied withdrawn; empty: none."""
    tariff_id: str
    currency: str
    quote: dict[str, Any] | None
    terms: dict[str, Any] | None
    """The station's when it was held, which hold: `grace_s`, `protect_s`, `refunds` and others."""
    authorised_minor: int
    due_minor: int | None
    """What was finally to be paid; null: not settled yet."""
    series_id: str | None
    moved_from: str | None
    created_at: datetime
    server_now: datetime
    """Countdowns run from this, not from the clock at hand."""
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationList:
    """Reservations by their start, the latest first."""

    server_now: datetime
    reservations: list[ReservationView]
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedView:
    """A window of a series that could not be had."""

    starts_at: datetime
    ends_at: datetime
    code: str
    """As of a problem: bay_already_booked booked_elsewhere not_bookable."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesView:
    """The holds of a series; one code confirms them all, each is paid for by itself."""

    series_id: str
    server_now: datetime
    reservations: list[ReservationView]
    skipped: list[SkippedView]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationLogView:
    """One line of a reservation's log."""

    version: int
    at: datetime
    actor: str
    """A user id; empty: nobody, it happened by itself."""
    what: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservationLog:
    """What became of a reservation, the oldest first."""

    entries: list[ReservationLogView]
