"""The table of what follows for a reservation, by where it stands, its slot's phase and who is there.

`promises.py` reads it, and says when a step is ripe. `docs/promises.md` is written from here.
"""

from datetime import datetime
from enum import StrEnum
from typing import Final

from cloud.domain.evidence import InBay
from cloud.domain.kept import protected_from
from cloud.domain.reservations import Happening, Reservation, Status, Trouble
from cloud.domain.terms import from_plain


class Phase(StrEnum):
    """How far a slot is."""

    FAR = "far"
    PROTECTED = "protected"
    """The bay is kept for the driver, who may start early."""
    OPEN = "open"
    LATE = "late"
    """The grace is over."""
    PAST = "past"


class Step(StrEnum):
    """What follows."""

    WAIT = "wait"
    EXPIRE = "expires if not paid for"
    DOUBT = "doubt"
    """Nobody can say that the bay is there for the driver: no no-show."""
    ARRIVAL = "somebody came"
    CHECK_IN = "their car is there"
    MEET = "their session"
    STOLEN = "stolen"
    OCCUPIED = "still occupied"
    OUT = "out of order"
    SILENT = "silent"
    STILL_SILENT = "silent to the end"
    WITHDRAWN = "withdrawn"
    """By its owner, whoever is there."""
    NO_SHOW = "no-show"
    NEVER_SEEN = "never seen"
    LOSE = "bay lost"
    END = "session over"
    STAY = "stay, then overstay"
    LEAVE = "left"
    LOSE_SIGHT = "left when last seen"


_W, _S = Step.WAIT, Step.STAY

TABLE: Final[dict[Status, dict[InBay, tuple[Step, Step, Step, Step, Step]]]] = {
    # far, protected, open, late, past
    Status.HELD: dict.fromkeys(InBay, (Step.EXPIRE,) * 5),
    Status.BOOKED: {
        InBay.EMPTY: (_W, _W, _W, Step.NO_SHOW, Step.NO_SHOW),
        InBay.EMPTY_NOW: (_W, _W, _W, _W, Step.NEVER_SEEN),
        InBay.SAID_SO: (_W, _W, _W, Step.NO_SHOW, Step.NO_SHOW),
        InBay.UNSEEN: (_W, _W, Step.DOUBT, Step.DOUBT, Step.NEVER_SEEN),
        InBay.SOMEBODY: (_W, Step.ARRIVAL, Step.ARRIVAL, Step.ARRIVAL, _W),
        InBay.OURS: (_W, Step.MEET, Step.MEET, Step.MEET, Step.MEET),
        InBay.ELSEWHERE: (_W, Step.MEET, Step.MEET, Step.MEET, Step.MEET),
        InBay.STILL_THERE: (_W, _W, Step.CHECK_IN, Step.CHECK_IN, Step.CHECK_IN),
        InBay.OWN_BEFORE: (_W, _W, Step.CHECK_IN, Step.CHECK_IN, Step.CHECK_IN),
        InBay.BEFORE: (_W, _W, Step.OCCUPIED, Step.OCCUPIED, Step.LOSE),
        InBay.OUTSTAYING: (_W, Step.OCCUPIED, Step.OCCUPIED, Step.OCCUPIED, Step.LOSE),
        InBay.STRANGER: (_W, Step.STOLEN, Step.STOLEN, Step.STOLEN, Step.LOSE),
        InBay.OUT_OF_ORDER: (_W, Step.OUT, Step.OUT, Step.OUT, Step.LOSE),
        InBay.UNKNOWN: (_W, _W, Step.SILENT, Step.SILENT, Step.STILL_SILENT),
    },
    Status.ARRIVED: {
        InBay.EMPTY: (_W, _W, _W, _W, Step.LEAVE),
        InBay.EMPTY_NOW: (_W, _W, _W, _W, Step.LEAVE),
        InBay.SAID_SO: (_W, _W, _W, Step.NO_SHOW, Step.NO_SHOW),
        InBay.UNSEEN: (_W, _W, _W, _W, Step.LEAVE),
        InBay.SOMEBODY: (_W, _W, _W, _W, _S),
        InBay.OURS: (_W, Step.MEET, Step.MEET, Step.MEET, Step.MEET),
        InBay.ELSEWHERE: (_W, Step.MEET, Step.MEET, Step.MEET, Step.MEET),
        InBay.STILL_THERE: (_W, _W, _W, _W, _S),
        InBay.OWN_BEFORE: (_W, _W, _W, _W, _W),
        InBay.BEFORE: (_W, _W, Step.OCCUPIED, Step.OCCUPIED, Step.LOSE),
        InBay.OUTSTAYING: (_W, Step.OCCUPIED, Step.OCCUPIED, Step.OCCUPIED, Step.LOSE),
        InBay.STRANGER: (_W, Step.STOLEN, Step.STOLEN, Step.STOLEN, Step.LOSE),
        InBay.OUT_OF_ORDER: (_W, Step.OUT, Step.OUT, Step.OUT, Step.LOSE),
        InBay.UNKNOWN: (_W, _W, Step.SILENT, Step.SILENT, Step.STILL_SILENT),
    },
    Status.CHARGING: {
        **dict.fromkeys(InBay, (Step.END,) * 5),
        InBay.OURS: (_S, _S, _S, _S, _S),
        InBay.ELSEWHERE: (_W, _W, _W, _W, _W),
    },
    Status.FINISHED: {
        **dict.fromkeys(InBay, (Step.LEAVE,) * 5),
        InBay.OURS: (Step.MEET,) * 5,
        InBay.ELSEWHERE: (Step.MEET,) * 5,
        InBay.SOMEBODY: (_S, _S, _S, _S, _S),
        InBay.STILL_THERE: (_S, _S, _S, _S, _S),
        InBay.OUT_OF_ORDER: (Step.LOSE_SIGHT,) * 5,
        InBay.UNKNOWN: (Step.LOSE_SIGHT,) * 5,
    },
    Status.OVERSTAYING: {
        **dict.fromkeys(InBay, (Step.LEAVE,) * 5),
        InBay.OURS: (_S, _S, _S, _S, _S),
        InBay.SOMEBODY: (_S, _S, _S, _S, _S),
        InBay.STILL_THERE: (_S, _S, _S, _S, _S),
        InBay.OUT_OF_ORDER: (Step.LOSE_SIGHT,) * 5,
        InBay.UNKNOWN: (Step.LOSE_SIGHT,) * 5,
    },
}
"""By status, who is in the bay, and the five phases in their order."""

LEADS_TO: Final[dict[Step, Happening]] = {
    Step.EXPIRE: Happening.HOLD_EXPIRED,
    Step.STOLEN: Happening.BAY_LOST,
    Step.OCCUPIED: Happening.BAY_LOST,
    Step.OUT: Happening.BAY_LOST,
    Step.WITHDRAWN: Happening.BAY_LOST,
    Step.CHECK_IN: Happening.CHECKED_IN,
    Step.MEET: Happening.PLUGGED_IN,
    Step.NO_SHOW: Happening.SEEN_EMPTY_AFTER_GRACE,
    Step.NEVER_SEEN: Happening.NEVER_SEEN,
    Step.STILL_SILENT: Happening.NEVER_SEEN,
    Step.LOSE: Happening.BAY_LOST,
    Step.END: Happening.SESSION_ENDED,
    Step.STAY: Happening.OVERSTAYED,
    Step.LEAVE: Happening.CAR_LEFT,
    Step.LOSE_SIGHT: Happening.CAR_LEFT,
}
"""What a step does to the reservation, some of them only once it has lasted (`judge`)."""

TROUBLES: Final[dict[Step, Trouble]] = {
    Step.STOLEN: Trouble.STOLEN,
    Step.OCCUPIED: Trouble.STILL_OCCUPIED,
    Step.OUT: Trouble.OUT_OF_ORDER,
    Step.SILENT: Trouble.SILENT,
    Step.STILL_SILENT: Trouble.SILENT,
    Step.WITHDRAWN: Trouble.WITHDRAWN,
}
"""Which steps trouble a promise."""

IN_DANGER: Final = frozenset(
    {Trouble.STOLEN, Trouble.STILL_OCCUPIED, Trouble.OUT_OF_ORDER, Trouble.WITHDRAWN}
)
"""Troubles in which the driver is moved, or offered something else. A silent station is left alone:
the driver can charge there."""


def phase(reservation: Reservation, now: datetime) -> Phase:
    """Return how far the slot is; a slot shorter than the grace is late at its end."""
    if now >= reservation.ends_at:
        return Phase.PAST
    if now >= reservation.starts_at + from_plain(reservation.terms).grace:
        return Phase.LATE
    if now >= reservation.starts_at:
        return Phase.OPEN
    return Phase.PROTECTED if now >= protected_from(reservation) else Phase.FAR


def step_of(status: Status, in_phase: Phase, who: InBay) -> Step:
    """Return what follows, by the table."""
    return TABLE[status][who][list(Phase).index(in_phase)]
