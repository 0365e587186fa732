"""The only place where an MQTT topic of ours is spelled (sensors keep their vendors' topics)."""

from enum import StrEnum
from typing import Final

from contracts.ids import StationId, is_slug

_ROOT: Final = "baywatt/1"
_LEVELS: Final = 4

INGEST_GROUP: Final = "ingest"
"""The MQTT 5 shared subscription of all ingest workers."""


NO_STATIONS: Final = frozenset({"availability", "changes"})
"""Levels that stand where a station's id does: a station of this name would speak for others."""


class Channel(StrEnum):
    """What is said of a station; the last level of its topics."""

    EVENTS = "events"
    ACKS = "acks"
    LINK = "link"
    COMMANDS = "commands"
    PLAN = "plan"


def events(station: StationId) -> str:
    """Agent to cloud: batches of facts."""
    return f"{_ROOT}/{station}/{Channel.EVENTS}"


def acks(station: StationId) -> str:
    """Cloud to agent: what is committed, and answers to asks."""
    return f"{_ROOT}/{station}/{Channel.ACKS}"


def link(station: StationId) -> str:
    """Agent to cloud, retained: online or offline."""
    return f"{_ROOT}/{station}/{Channel.LINK}"


def commands(station: StationId) -> str:
    """Cloud to agent: one command a message."""
    return f"{_ROOT}/{station}/{Channel.COMMANDS}"


def plan(station: StationId) -> str:
    """Cloud to agent, retained: what it needs to act alone."""
    return f"{_ROOT}/{station}/{Channel.PLAN}"


def availability(station: StationId) -> str:
    """Cloud to anyone, retained: the bays as booking clients may see them."""
    return f"{_ROOT}/availability/{station}"


def changes(station: StationId) -> str:
    """Cloud to its own web processes: what a commit changed."""
    return f"{_ROOT}/changes/{station}"


def every(channel: Channel) -> str:
    """Return the filter for one channel of all stations."""
    return f"{_ROOT}/+/{channel}"


def shared(group: str, topic_filter: str) -> str:
    """Return the MQTT 5 shared form of a filter."""
    return f"$share/{group}/{topic_filter}"


def everything() -> str:
    """Return the filter for all topics of ours, as the cloud's own login may use them."""
    return f"{_ROOT}/#"


def every_change() -> str:
    """Return the filter for the changes of all stations."""
    return changes("+")


def station_of(topic: str) -> StationId | None:
    """Return whose topic this is; None where it is not one of ours."""
    levels = topic.split("/")
    if len(levels) != _LEVELS or "/".join(levels[:2]) != _ROOT:
        return None
    station = levels[3] if levels[2] in {"availability", "changes"} else levels[2]
    return station if is_slug(station) else None
