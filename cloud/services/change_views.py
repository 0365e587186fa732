"""What a commit changed, as those see it who watch."""

from dataclasses import dataclass
from enum import StrEnum

from cloud.services.alert_views import AlertView
from cloud.services.bay_views import BayView
from cloud.services.command_views import CommandView
from cloud.services.reservation_views import ReservationView
from cloud.services.session_views import SessionView
from cloud.services.station_views import HeardView


class ChangeKind(StrEnum):
    """What a change is of; also the SSE event name."""

    BAY = "bay"
    SESSION = "session"
    ALERT = "alert"
    COMMAND = "command"
    HEARD = "heard"
    RESERVATION = "reservation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a commit changed: one message on `changes/<station>`, one event to each viewer of it."""

    change: ChangeKind
    station_id: str
    subject: str
    """bay, session, alert, command or reservation id; the station's for `heard`."""
    version: int
    """Grows with each change of the subject."""
    user_id: str | None
    """Whose session or reservation it is: only they and the staff may see it."""
    view: BayView | SessionView | AlertView | CommandView | HeardView | ReservationView
