"""When bays can be booked, granule by granule: for anyone, without a name of anybody."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from cloud.domain.calendar import Calendar, Run, Slot, bookable, runs
from cloud.domain.errors import NotFound, NotValid
from cloud.domain.policy import Policy
from cloud.domain.ranking import USUAL_ENERGY_WH
from cloud.domain.windows import GRANULE, Window, ceiling, floor
from cloud.services.booking_ports import FoundBay, PlugWish
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.surveys import Need, Survey, Surveyor

LONGEST: Final = timedelta(days=31)
USUAL: Final = timedelta(days=7)
"""What is shown of a calendar where nobody says until when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """Granules in a row that are alike."""

    starts_at: datetime
    ends_at: datetime
    slot: Slot
    """free taken closed"""
    bays_free: int
    """In how many bays they are free; of one bay 1 or 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BayCalendar:
    """One bay's calendar."""

    bay_id: str
    name: str
    status: str
    """Now, in OCPI's words."""
    max_power_w: int
    standards: list[str]
    runs: list[RunView]


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarView:
    """A range of a station's time; several bays together are free where one of them is."""

    as_of: datetime
    station_id: str
    timezone: str
    starts_at: datetime
    ends_at: datetime
    granule_s: int
    min_s: int
    """The shortest and the longest that can be booked."""
    max_s: int
    runs: list[RunView]
    bays: list[BayCalendar]


@dataclass(frozen=True, slots=True)
class CalendarService:
    """Reads only."""

    open_work: OpenWork
    clock: Clock
    policy: Policy

    def station(
        self,
        station_id: str,
        starts_at: datetime | None = None,
        ends_at: datetime | None = None,
        wish: PlugWish | None = None,
    ) -> CalendarView:
        """Return a station's calendar: of all its bays that have the plug, and of each.

        Args:
            station_id: whose.
            starts_at: from the granule it lies in; null: from now.
            ends_at: to the granule it lies in; null: for a week.
            wish: what bays must have to count.

        Raises:
            NotFound: there is no such station.
            NotValid: a range that is none, or longer than a month.
        """
        now = self.clock.now()
        within = _range(starts_at, ends_at, now)
        with self.open_work(is_read_only=True) as work:
            bays = work.finding.bays([station_id])
            return _view(self._read(work, station_id, bays, within, wish or PlugWish()), within)

    def bay(
        self, bay_id: str, starts_at: datetime | None = None, ends_at: datetime | None = None
    ) -> CalendarView:
        """Return one bay's calendar.

        Raises:
            NotFound: there is no such bay.
            NotValid: a range that is none, or longer than a month.
        """
        now = self.clock.now()
        within = _range(starts_at, ends_at, now)
        with self.open_work(is_read_only=True) as work:
            known = work.bays.equipment((), [bay_id]).bays.get(bay_id)
            if known is None:
                raise NotFound(bay_id)
            bays = [one for one in work.finding.bays([known.station_id]) if one.bay_id == bay_id]
            return _view(self._read(work, known.station_id, bays, within, PlugWish()), within)

    def _read(
        self,
        work: UnitOfWork,
        station_id: str,
        bays: Sequence[FoundBay],
        within: Window,
        wish: PlugWish,
    ) -> Survey:
        station = work.stations.by_ids([station_id]).get(station_id)
        if station is None:
            raise NotFound(station_id)
        need = Need(
            between=Window(within.starts_at, within.starts_at),
            duration=within.duration,
            energy_wh=USUAL_ENERGY_WH,
            wish=wish,
        )
        surveyor = Surveyor(work, self.policy, self.clock.now())
        return surveyor.look({station_id: station}, bays, need)


def _view(seen: Survey, within: Window) -> CalendarView:
    [station] = seen.stations.values()
    terms = seen.terms[station.id]
    open_for = bookable(terms, seen.now)
    calendars = [_as_now(seen, bay) for bay in seen.bays]
    return CalendarView(
        as_of=seen.now,
        station_id=station.id,
        timezone=station.timezone,
        starts_at=within.starts_at,
        ends_at=within.ends_at,
        granule_s=int(GRANULE.total_seconds()),
        min_s=terms.min_s,
        max_s=terms.max_s,
        runs=_views(runs(calendars, within, open_for)),
        bays=[
            BayCalendar(
                bay_id=bay.bay_id,
                name=bay.name,
                status=seen.status(bay),
                max_power_w=bay.max_power_w,
                standards=sorted({plug.standard for plug in bay.plugs} - {""}),
                runs=_views(runs([calendar], within, open_for)),
            )
            for bay, calendar in zip(seen.bays, calendars, strict=True)
        ],
    )


def _as_now(seen: Survey, bay: FoundBay) -> Calendar:
    """Return the bay's calendar, taken also as long as it cannot be counted on."""
    calendar = seen.calendar(bay)
    usable_at = seen.usable_from(bay)
    unusable = Window(min(floor(seen.now), usable_at), usable_at)
    return Calendar(calendar.closed, (*calendar.taken, unusable))


def _views(found: Sequence[Run]) -> list[RunView]:
    return [
        RunView(
            starts_at=one.starts_at,
            ends_at=one.ends_at,
            slot=one.slot,
            bays_free=one.bays_free,
        )
        for one in found
    ]


def _range(starts_at: datetime | None, ends_at: datetime | None, now: datetime) -> Window:
    first = floor(starts_at or now)
    window = Window(first, first + USUAL if ends_at is None else ceiling(ends_at))
    if window.duration <= timedelta(0):
        raise NotValid("to", "A range ends after it begins.")
    if window.duration > LONGEST:
        raise NotValid("to", f"A range has at most {LONGEST.days} days.")
    return window
