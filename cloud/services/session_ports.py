"""Which sessions lists, totals and statements ask the database for, and what it sums up."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSpan:
    """Sessions of stations in a zone that began in `[since, until)`; null: without an end."""

    timezone: str
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """What does not narrow is null, or empty."""

    user_id: str | None = None
    owner_id: str | None = None
    station_id: str | None = None
    is_live: bool | None = None
    state: str | None = None
    spans: tuple[ZoneSpan, ...] = ()
    """One for each zone stations are in: a day begins when it does at the station."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPage:
    """Which sessions to list: newest first, those after `before`."""

    wanted: SessionFilter
    before: tuple[datetime, str] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSum:
    """What sessions of one currency come to."""

    currency: str
    count: int
    energy_wh: int
    export_wh: int
    driven_wh: int
    cost_minor: int
    saved_g: int
