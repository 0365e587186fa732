"""What somebody asks of the list of sessions, as a filter. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotValid
from cloud.domain.periods import Days, Period, days_of, instants
from cloud.domain.sessions import SessionState
from cloud.services.formats import zone
from cloud.services.session_ports import SessionFilter, ZoneSpan

_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2200


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionAsk:
    """Which sessions; what is null does not narrow. Days are those of each session's station."""

    period: Period | None = None
    first_day: date | None = None
    last_day: date | None = None
    """Included."""
    station_id: str | None = None
    state: SessionState | None = None
    is_live: bool | None = None

    @property
    def is_active(self) -> bool:
        """Whether it narrows at all."""
        return self != SessionAsk()

    @property
    def has_days(self) -> bool:
        """Whether it names a time."""
        return bool(self.period or self.first_day or self.last_day)

    def check(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            NotValid: it ends before it begins, names its time twice, or a day of another age.
        """
        if self.period and (self.first_day or self.last_day):
            raise NotValid("from", "Give a period, or the days from and to; not both.")
        for name, day in (("from", self.first_day), ("to", self.last_day)):
            if day is not None and not _FIRST_YEAR <= day.year < _LAST_YEAR:
                raise NotValid(name, "Nobody charged on such a day.")
        if self.first_day and self.last_day and self.first_day > self.last_day:
            raise NotValid("from", "The first day is after the last.")

    def days(self, today: date) -> Days:
        """Return the days it asks for, where it is this day."""
        if self.period is not None:
            return days_of(self.period, today)
        return Days(self.first_day, self.last_day)


def filter_of(
    ask: SessionAsk, viewer: Viewer, timezones: Iterable[str], now: datetime
) -> SessionFilter:
    """Return the sessions asked for, those the viewer may see: drivers' own, owners' stations'.

    Args:
        ask: checked already.
        viewer: who asks.
        timezones: of all stations that may be meant.
        now: says which day it is in each zone.
    """
    return SessionFilter(
        user_id=viewer.user_id if viewer.role is Role.DRIVER else None,
        owner_id=viewer.user_id if viewer.role is Role.OWNER else None,
        station_id=ask.station_id,
        is_live=ask.is_live,
        state=ask.state,
        spans=tuple(_span(ask, name, now) for name in timezones) if ask.has_days else (),
    )


def _span(ask: SessionAsk, timezone: str, now: datetime) -> ZoneSpan:
    place = zone(timezone)
    since, until = instants(ask.days(now.astimezone(place).date()), place)
    return ZoneSpan(timezone=timezone, since=since, until=until)
