"""What the witnesses of a bay say for its reservations' sake, and whom they see there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from cloud.domain.reconcile import Words
from cloud.domain.sessions import Session


class InBay(StrEnum):
    """Who is in a bay."""

    EMPTY = "seen empty"
    EMPTY_NOW = "seen empty now, in doubt before"
    SAID_SO = "seen empty, though the driver says that they are there"
    UNSEEN = "nobody plugged in, nobody to see"
    SOMEBODY = "somebody, perhaps the driver"
    OURS = "the driver, with a session"
    ELSEWHERE = "the driver, with a session at another bay"
    STILL_THERE = "the driver's car, without a session"
    OWN_BEFORE = "the driver, from a slot of theirs before"
    BEFORE = "the driver before, in time"
    OUTSTAYING = "the driver before, out of time"
    STRANGER = "somebody else"
    OUT_OF_ORDER = "out of order"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What the witnesses of a bay say, and since when; instants by their devices' clocks."""

    said: Words
    session: Session | None = None
    """The newest of the EVSE."""
    late_sessions: Sequence[Session] = ()
    """Others of which facts have come: older ones, or such as were charged elsewhere."""
    occupied_since: datetime | None = None
    """When the sensors' verdict last changed, whichever it is."""
    plugged_since: datetime | None = None
    """When the connector's word last changed, whichever it is."""
    found_since: datetime | None = None
    """Since when the bay has been found as it is, by our clock."""
    is_awaited: bool = False
    """It is found empty and reserved."""
    elsewhere: Sequence[Session] = ()
    """Of the late sessions those that go on at another bay."""
    unheard_since: datetime | None = None
    """Since when the station, or the charger, has not been heard; null: both are."""
    linked_at: datetime | None = None
    """When the charger's connection last changed, its own or that of an agent that began anew."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Who is there, since when, and when time alone may tell otherwise."""

    who: InBay
    since: datetime | None = None
    session: Session | None = None
    """The driver's, where there is one."""
    recheck_at: datetime | None = None
    unheard_since: datetime | None = None
    """See Evidence."""
    lost_at: datetime | None = None
    """Since when nobody looks at the bay, its sensors neither; null: somebody does."""
    linked_at: datetime | None = None
    """See Evidence."""
