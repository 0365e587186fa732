"""What leaves the house: the shapes of API answers, live events and the availability topic.

Plain frozen dataclasses, so that FastAPI documents them and msgspec encodes them (once for all
viewers). Instants are aware UTC. Ages are for the reader to compute: from `as_of` and the instant.
"""

from dataclasses import dataclass
from datetime import datetime

from cloud.services.reservation_views import (
    ReservationView,
)


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
