"""Reservations: what statuses there are, what may happen to them, and what a row holds.

The table is the specification: a pair that is not in `NEXT` is refused. Statuses leave the house in
the words of OCPI 2.3.0's Bookings (`OCPI`).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from cloud.domain.errors import IllegalTransition
from cloud.domain.windows import Window


class Status(StrEnum):
    """Where a reservation stands."""

    HELD = "held"
    """The bay is kept; neither confirmed nor paid for yet."""
    BOOKED = "booked"
    ARRIVED = "arrived"
    """The right driver is there, by plug or by their own word; nothing charged yet."""
    CHARGING = "charging"
    FINISHED = "finished"
    """The session is over; the car still stands there."""
    OVERSTAYING = "overstaying"
    """The car stands there longer than it may."""
    FULFILLED = "fulfilled"
    CANCELED = "canceled"
    NO_SHOW = "no_show"
    REJECTED = "rejected"
    """Never came about: the hold expired, the code or the payment failed."""
    FAILED = "failed"
    """We could not keep the promise; nobody pays."""


OCPI: Final[dict[Status, str]] = {
    Status.HELD: "PENDING",
    Status.BOOKED: "RESERVED",
    Status.ARRIVED: "RESERVED",
    Status.CHARGING: "RESERVED",
    Status.FINISHED: "RESERVED",
    Status.OVERSTAYING: "RESERVED",
    Status.FULFILLED: "FULFILLED",
    Status.CANCELED: "CANCELED",
    Status.NO_SHOW: "NO_SHOW",
    Status.REJECTED: "REJECTED",
    Status.FAILED: "FAILED",
}
"""Bookings extension of OCPI 2.3.0, reservation status."""

LIVE: Final = frozenset(
    {
        Status.HELD,
        Status.BOOKED,
        Status.ARRIVED,
        Status.CHARGING,
        Status.FINISHED,
        Status.OVERSTAYING,
    }
)
"""Whose windows are taken; no two of one bay overlap."""
PROMISED: Final = LIVE - {Status.HELD}
"""Paid for."""
HERE: Final = PROMISED - {Status.BOOKED}
"""The driver has come."""


class Happening(StrEnum):
    """What may happen to a reservation."""

    PAID = "paid"
    HOLD_EXPIRED = "hold_expired"
    CODE_LOCKED = "code_locked"
    PAYMENT_DECLINED = "payment_declined"
    CANCELED_BY_DRIVER = "canceled_by_driver"
    CANCELED_BY_OPERATOR = "canceled_by_operator"
    CHECKED_IN = "checked_in"
    """By the app, at the bay."""
    PLUGGED_IN = "plugged_in"
    """A session with their token began."""
    SESSION_ENDED = "session_ended"
    SEEN_EMPTY_AFTER_GRACE = "seen_empty_after_grace"
    """The bay is witnessed to be empty, the grace is over: a no-show."""
    OVERSTAYED = "overstayed"
    CAR_LEFT = "car_left"
    BAY_LOST = "bay_lost"
    """Stolen or broken, and no other bay would do."""
    SENT_ELSEWHERE = "sent_elsewhere"
    """They had come, found the bay lost, and chose another place or time."""
    NEVER_SEEN = "never_seen"
    """The slot went by and nobody knows what happened: the station was silent."""


_PRESENT: Final = (Status.ARRIVED, Status.CHARGING, Status.FINISHED, Status.OVERSTAYING)

NEXT: Final[dict[tuple[Status, Happening], Status]] = {
    (Status.HELD, Happening.PAID): Status.BOOKED,
    (Status.HELD, Happening.HOLD_EXPIRED): Status.REJECTED,
    (Status.HELD, Happening.CODE_LOCKED): Status.REJECTED,
    (Status.HELD, Happening.PAYMENT_DECLINED): Status.REJECTED,
    (Status.HELD, Happening.CANCELED_BY_DRIVER): Status.CANCELED,
    (Status.HELD, Happening.CANCELED_BY_OPERATOR): Status.FAILED,
    (Status.HELD, Happening.BAY_LOST): Status.FAILED,
    (Status.BOOKED, Happening.CANCELED_BY_DRIVER): Status.CANCELED,
    # what the bank kept for a slot far ahead was gone, and nobody paid anew
    (Status.BOOKED, Happening.PAYMENT_DECLINED): Status.REJECTED,
    (Status.BOOKED, Happening.CANCELED_BY_OPERATOR): Status.FAILED,
    (Status.BOOKED, Happening.CHECKED_IN): Status.ARRIVED,
    (Status.BOOKED, Happening.PLUGGED_IN): Status.CHARGING,
    (Status.BOOKED, Happening.SEEN_EMPTY_AFTER_GRACE): Status.NO_SHOW,
    (Status.BOOKED, Happening.BAY_LOST): Status.FAILED,
    (Status.BOOKED, Happening.NEVER_SEEN): Status.FAILED,
    (Status.ARRIVED, Happening.PLUGGED_IN): Status.CHARGING,
    (Status.ARRIVED, Happening.CANCELED_BY_OPERATOR): Status.FAILED,
    (Status.ARRIVED, Happening.SEEN_EMPTY_AFTER_GRACE): Status.NO_SHOW,
    (Status.ARRIVED, Happening.BAY_LOST): Status.FAILED,
    (Status.ARRIVED, Happening.SENT_ELSEWHERE): Status.BOOKED,
    (Status.ARRIVED, Happening.NEVER_SEEN): Status.FAILED,
    (Status.CHARGING, Happening.SESSION_ENDED): Status.FINISHED,
    (Status.FINISHED, Happening.PLUGGED_IN): Status.CHARGING,
    (Status.OVERSTAYING, Happening.SESSION_ENDED): Status.OVERSTAYING,
    (Status.OVERSTAYING, Happening.PLUGGED_IN): Status.OVERSTAYING,
    **{(one, Happening.CAR_LEFT): Status.FULFILLED for one in _PRESENT},
    **{(one, Happening.OVERSTAYED): Status.OVERSTAYING for one in _PRESENT[:-1]},
}


class Trouble(StrEnum):
    """Why a promise is in danger; the driver is moved, or offered something else."""

    NONE = ""
    STOLEN = "stolen"
    """Somebody else stands in the bay."""
    OUT_OF_ORDER = "out_of_order"
    SILENT = "silent"
    """Nobody knows how the bay is."""
    STILL_OCCUPIED = "still_occupied"
    """The driver before has not left."""
    WITHDRAWN = "withdrawn"
    """The owner took the bay away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """The promise of a bay for a window, as it stands."""

    id: str
    number: int
    """What chargers call it: OCPP wants an integer of 31 bits."""
    station_id: str
    bay_id: str
    user_id: str
    token: str
    """By which the driver charges, in its compared form; the plan tells it to the agent."""
    starts_at: datetime
    ends_at: datetime
    buffer_s: int = 0
    """The bay is kept so much longer after `ends_at`, for the next driver's sake."""
    status: Status = Status.HELD
    status_at: datetime
    reason: str = ""
    """Why it is over: a stable word (a Happening, or a Trouble)."""
    held_until: datetime | None = None
    is_confirmed: bool = False
    """The one-time code was given."""
    is_flexible: bool = False
    """Any bay of the station with this connector will do, until `fixed_at`."""
    fixed_at: datetime | None = None
    standard: str = ""
    min_power_w: int = 0
    energy_wh: int | None = None
    """What the car needs, where the driver said so."""
    booked_at: datetime | None = None
    arrived_at: datetime | None = None
    arrived_by: str = ""
    """`app`, `plug` or `sensor`."""
    session_id: str | None = None
    left_at: datetime | None = None
    overstay_since: datetime | None = None
    trouble: Trouble = Trouble.NONE
    trouble_at: datetime | None = None
    doubted_at: datetime | None = None
    """Since when, in its slot, the bay may not have been there for the driver: no no-show then."""
    unseen_since: datetime | None = None
    """Since when nobody has seen whether the driver's car is there; null: it is being watched."""
    seen_again_at: datetime | None = None
    """From when on the bay can be seen again, while late facts may still tell of the time between."""
    tariff_id: str
    """The tariff's version, frozen when it was held."""
    currency: str
    quote: dict[str, Any] | None = None
    """What was shown before it was held; see billing.Quote."""
    terms: dict[str, Any] | None = None
    """The station's terms as they were then; see terms.Terms."""
    authorised_minor: int = 0
    """What the payment was authorised for."""
    due_minor: int | None = None
    """What was finally to be paid; null: not settled yet."""
    series_id: str | None = None
    moved_from: str | None = None
    """The bay it was promised before it was moved."""
    created_at: datetime
    row_version: int = 0
    changed_version: int = 0

    @property
    def window(self) -> Window:
        """Return when the bay is the driver's."""
        return Window(self.starts_at, self.ends_at)

    @property
    def kept(self) -> Window:
        """Return when the bay is nobody else's to book: with the buffer after it."""
        return Window(self.starts_at, self.ends_at + timedelta(seconds=self.buffer_s))

    @property
    def is_live(self) -> bool:
        """Whether its window is taken."""
        return self.status in LIVE


def advance(reservation: Reservation, happening: Happening, at: datetime) -> Reservation:
    """Return the reservation after `happening`.

    Raises:
        IllegalTransition: `NEXT` has no such row.
    """
    try:
        status = NEXT[reservation.status, happening]
    except KeyError:
        detail = f"A reservation that is {reservation.status} does not allow: {happening}."
        raise IllegalTransition(reservation.id, detail) from None
    reason = reservation.reason if status in LIVE else str(happening)
    return replace(
        reservation,
        status=status,
        status_at=at if status is not reservation.status else reservation.status_at,
        reason=reason,
        changed_version=reservation.changed_version + 1,
    )


def may(reservation: Reservation, happening: Happening) -> bool:
    """Whether `NEXT` has a row for it."""
    return (reservation.status, happening) in NEXT
