"""Reservations as a calendar other programs read: iCalendar (RFC 5545), one event each."""

import gettext
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, Timezone, TimezoneDaylight, TimezoneStandard

from cloud.domain.reservations import Reservation, Status
from cloud.domain.stations import Station
from cloud.services.formats import number, zone
from cloud.services.notice_texts import plain
from cloud.services.texts import LANGUAGES, SOURCE_LANGUAGE, load
from cloud.services.texts import mark as _

SUMMARY: Final = _("Charging: bay %(bay)s, %(station_name)s")
DESCRIPTION: Final = _("Reservation %(number)s: %(status)s")
STATUSES: Final[dict[Status, str]] = {
    Status.HELD: _("kept for you, not paid yet"),
    Status.BOOKED: _("booked"),
    Status.ARRIVED: _("you are there"),
    Status.CHARGING: _("charging"),
    Status.FINISHED: _("charged"),
    Status.OVERSTAYING: _("over: please leave the bay"),
    Status.FULFILLED: _("done"),
    Status.CANCELED: _("canceled"),
    Status.NO_SHOW: _("missed"),
    Status.REJECTED: _("not paid in time"),
    Status.FAILED: _("could not be kept for you"),
}

_GONE: Final = frozenset({Status.CANCELED, Status.REJECTED, Status.FAILED})
_PRODUCT: Final = "-//Baywatt//Reservations//EN"
_REFRESH: Final = timedelta(minutes=15)
_A_DAY: Final = timedelta(days=1)
_MARGIN: Final = timedelta(days=370)
"""So far beyond the last event a zone is described, for programs that move events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What events say of where they are: stations, and bays' names."""

    stations: Mapping[str, Station]
    bay_names: Mapping[str, str]


def calendar_of(
    reservations: Sequence[Reservation], places: Places, *, public_url: str, language: str
) -> bytes:
    """Return the calendar; the same reservations are the same bytes."""
    known = language if language in LANGUAGES else SOURCE_LANGUAGE
    events = _Events(places, public_url.rstrip("/"), load(known))
    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Baywatt")
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT15M")
    ordered = sorted(reservations, key=lambda one: (one.starts_at, one.id))
    for timezone in _timezones(ordered, places):
        calendar.add_component(timezone)
    for one in ordered:
        calendar.add_component(events.event(one))
    return bytes(calendar.to_ical())


@dataclass(frozen=True, slots=True)
class _Events:
    places: Places
    public_url: str
    catalogue: gettext.NullTranslations

    def event(self, one: Reservation) -> Event:
        """Return the event; a later version of it has a greater SEQUENCE."""
        say = self.catalogue.gettext
        station = self.places.stations.get(one.station_id) or Station(id=one.station_id, name="")
        place = zone(station.timezone)
        bay = number(plain(self.places.bay_names.get(one.bay_id, one.bay_id)))
        name = plain(station.name or station.id)
        url = f"{self.public_url}/stations/{station.id}"
        what = say(DESCRIPTION) % {"number": one.number, "status": say(STATUSES[one.status])}
        event = Event()
        event.add("uid", f"{one.id}@{urlsplit(self.public_url).hostname or 'baywatt'}")
        event.add("dtstamp", one.status_at)
        event.add("created", one.created_at)
        event.add("last-modified", one.status_at)
        event.add("sequence", one.changed_version)
        starts_at, ends_at = _told_in(place, one.starts_at, one.ends_at)
        event.add("dtstart", starts_at)
        event.add("dtend", ends_at)
        event.add("summary", say(SUMMARY) % {"bay": bay, "station_name": name})
        event.add("description", f"{what}\n{url}")
        event.add("location", _location(station, name))
        event.add("geo", (station.latitude, station.longitude))
        event.add("url", url)
        event.add("status", _status(one.status))
        event.add("transp", "TRANSPARENT" if one.status in _GONE else "OPAQUE")
        return event


def _told_in(place: ZoneInfo, *instants: datetime) -> list[datetime]:
    """Return instants by the clock at a place or, if it shows one of these times twice, all in UTC.

    (A time that is shown twice is read as the first: RFC 5545, 3.3.5.)
    """
    local = [at.astimezone(place) for at in instants]
    is_plain = all(at.utcoffset() == at.replace(fold=1 - at.fold).utcoffset() for at in local)
    return local if is_plain else [at.astimezone(UTC) for at in instants]


def _status(status: Status) -> str:
    if status in _GONE:
        return "CANCELLED"
    return "TENTATIVE" if status is Status.HELD else "CONFIRMED"


def _location(station: Station, name: str) -> str:
    return ", ".join(part for part in (name, plain(station.address), plain(station.city)) if part)


def _timezones(reservations: Sequence[Reservation], places: Places) -> Iterator[Timezone]:
    """Describe each zone the events are told in, for as long as there are events."""
    if not reservations:
        return
    first = min(one.starts_at for one in reservations).date() - _A_DAY
    last = max(one.ends_at for one in reservations).date() + _MARGIN
    here = {one.station_id for one in reservations}
    names = {one.timezone for one in places.stations.values() if one.id in here}
    for name in sorted({zone(name).key for name in names} - {"UTC"}):
        yield timezone_of(name, first, last)


def timezone_of(name: str, first: date, last: date) -> Timezone:
    """Return a zone from `first` to `last`, each change of clocks on its own.

    (`icalendar` makes one itself, whose onsets in spring are an hour late: RFC 5545, 3.6.5, counts
    them by the clock as it was before.)
    """
    place = zone(name)
    described = Timezone()
    described.add("tzid", name)
    begin = datetime.combine(first, time(), UTC)
    end = datetime.combine(last, time(), UTC)
    for at in (begin, *_changes(place, begin, end)):
        after = at.astimezone(place)
        before = (at - timedelta(seconds=1)).astimezone(place)
        part = TimezoneDaylight() if after.dst() else TimezoneStandard()
        offset = before.utcoffset() or timedelta()
        part.add("dtstart", (at + offset).replace(tzinfo=None))
        part.add("tzoffsetfrom", offset)
        part.add("tzoffsetto", after.utcoffset() or timedelta())
        part.add("tzname", after.tzname() or name)
        described.add_component(part)
    return described


def _changes(place: ZoneInfo, begin: datetime, end: datetime) -> Iterator[datetime]:
    """Return the instants at which the offset changes, to the second."""
    at = begin
    while at < end:
        later = at + _A_DAY
        if _offset(place, at) != _offset(place, later):
            yield _change_between(place, at, later)
        at = later


def _change_between(place: ZoneInfo, before: datetime, after: datetime) -> datetime:
    old = _offset(place, before)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before).total_seconds() // 2)
        if _offset(place, middle) == old:
            before = middle
        else:
            after = middle
    return after


def _offset(place: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(place).utcoffset()
