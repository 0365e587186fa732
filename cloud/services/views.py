"""What leaves the house: the shapes of API answers, live events and the availability topic.

Plain frozen dataclasses, so that FastAPI documents them and msgspec encodes them (once for all
viewers). Instants are aware UTC. Ages are for the reader to compute: from `as_of` and the instant.
"""

from dataclasses import dataclass
from datetime import datetime


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
