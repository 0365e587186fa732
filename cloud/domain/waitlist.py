"""Who waits for a bay: how long they wait, and how long what is offered to them is kept open."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from cloud.domain.windows import GRANULE, Window

OFFERED_FOR: Final = timedelta(minutes=10)
FIRST_LOOK: Final = timedelta(seconds=30)
"""What came free while somebody joined is seen by neither transaction: so soon it is looked for."""
LOOK_EVERY: Final = timedelta(minutes=15)
"""What comes free without anybody's giving it free: a bay mended, hours prolonged."""
MOST_WAITING: Final = 10
"""Entries of one user that wait, at all stations together."""


class State(StrEnum):
    """Where an entry stands."""

    WAITING = "waiting"
    OFFERED = "offered"
    TAKEN = "taken"
    EXPIRED = "expired"
    """The offer was not answered, or nothing came free in time."""
    LEFT = "left"


ACTIVE: Final = frozenset({State.WAITING, State.OFFERED})


def closes_at(window: Window) -> datetime:
    """Return until when the window can still be held: bookings begin in the granule that runs."""
    return window.starts_at + GRANULE


def offered_until(window: Window, now: datetime) -> datetime:
    """Return until when an offer of the window made now is open."""
    return min(now + OFFERED_FOR, closes_at(window))


def look_again_at(window: Window, now: datetime) -> datetime:
    """Return when to look for the window again, or to stop waiting for it."""
    return min(now + LOOK_EVERY, closes_at(window))
