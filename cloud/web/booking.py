"""`/stations/{id}/reserve`: choose when, see what it costs, and hold a bay with one tap."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Final, Self
from urllib.parse import quote, urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from cloud.api.errors import status_of
from cloud.api.reservations import Instant
from cloud.domain.errors import BayAlreadyBooked, NotFound, NotLoggedIn, Refused
from cloud.domain.terms import Terms
from cloud.domain.windows import Window, ceiling
from cloud.services.bay_views import BayView
from cloud.services.booking_ports import NewReservation
from cloud.services.calendars import RunView
from cloud.services.formats import zone
from cloud.services.reservation_views import ReservationView
from cloud.services.station_views import StationView
from cloud.web import slots
from cloud.web.reservations import OnceForm, back_to
from cloud.web.routes import router_of
from cloud.web.site import Site

DAYS: Final = 7
"""So many days are offered with one tap; further ones by their date."""
MOST_KWH: Final = 1000
_FIRST_YEAR: Final = 2000
_LAST_YEAR: Final = 2200


class ChoiceQuery(BaseModel):
    """What has been chosen, as the form sends it: text, of which empty fields are at rest."""

    bay: str = Field(default="", max_length=63)
    day: str = Field(default="", max_length=10)
    on: str = Field(default="", max_length=10)
    """A day further ahead; it counts before `day`."""
    start: str = Field(default="", max_length=40)
    minutes: str = Field(default="", max_length=6)
    kwh: str = Field(default="", max_length=10)
    standard: str = Field(default="", max_length=32)
    change: str = Field(default="", max_length=64)
    """A reservation that is to be moved."""


class HoldForm(OnceForm):
    """What is to be held."""

    bay: str = Field(default="", max_length=63)
    starts_at: Instant
    ends_at: Instant
    standard: str = Field(default="", max_length=32, pattern=r"^[A-Z0-9_]*$")
    energy_wh: int | None = Field(default=None, gt=0, le=MOST_KWH * 1000)

    def ask(self, station_id: str) -> NewReservation:
        """Return it as the use case takes it."""
        return NewReservation(
            station_id=station_id,
            bay_id=self.bay or None,
            starts_at=self.starts_at,
            ends_at=self.ends_at,
            standard=self.standard,
            energy_wh=self.energy_wh,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What has been chosen, as far as it can be had."""

    bay: BayView | None
    day: date
    window: Window
    """Of the day."""
    starts: Sequence[datetime]
    """At which one can begin on it."""
    open_starts: Sequence[datetime] = ()
    """Those, and those somebody else has."""
    asked_start: datetime | None = None
    start: datetime | None
    minutes: int
    durations_min: Sequence[int]
    """How long one can book."""
    kwh: int | None
    standard: str
    moved: ReservationView | None = None
    """What is to be moved."""

    @property
    def wanted(self) -> Window | None:
        """What would be held; null: nothing is free."""
        if self.start is None:
            return None
        return Window(self.start, self.start + timedelta(minutes=self.minutes))

    def ask(self, station_id: str) -> NewReservation | None:
        """Return what the use cases would be asked for."""
        if self.wanted is None:
            return None
        return NewReservation(
            station_id=station_id,
            bay_id=self.bay.bay_id if self.bay else None,
            starts_at=self.wanted.starts_at,
            ends_at=self.wanted.ends_at,
            standard=self.standard,
            energy_wh=self.kwh * 1000 if self.kwh else None,
        )


@dataclass(frozen=True, slots=True)
class Counter:
    """Where one books at a station: its bays, its terms, and what time it is."""

    site: Site
    station: StationView
    terms: Terms
    now: datetime

    @classmethod
    def at(cls, site: Site, station_id: str) -> Self:
        """Return a station's.

        Raises:
            NotFound: there is no such station.
        """
        station = site.parts.availability.station(station_id).station
        ordered = replace(station, bays=sorted(station.bays, key=lambda one: one.bay_id))
        return cls(site, ordered, site.parts.terms(station_id), site.parts.clock.now())

    @property
    def today(self) -> date:
        """The day at the station."""
        return self.now.astimezone(zone(self.station.timezone)).date()

    @property
    def last_day(self) -> date:
        """The last that can be booked."""
        return self.today + timedelta(seconds=self.terms.ahead_s)

    def days(self, chosen: date) -> list[date]:
        """Return the days to choose from with one tap."""
        found = [self.today + timedelta(days=one) for one in range(DAYS)]
        return found if chosen in found else [*found, chosen]

    def choose(self, asked: ChoiceQuery, moved: ReservationView | None) -> Choice:
        """Return what was asked for as far as it can be had; what is open is chosen."""
        bay_id = asked.bay or (moved.bay_id if moved and not moved.is_flexible else "")
        bay = next((one for one in self.station.bays if one.bay_id == bay_id), None)
        start = _instant(asked.start) or (moved.starts_at if moved else None)
        allowed = slots.durations(self.terms.min_s, self.terms.max_s)
        usual = slots.USUAL_MIN
        if moved is not None:
            usual = _minutes(moved)
            allowed = sorted({*allowed, usual})
        minutes = int(asked.minutes) if _is_number(asked.minutes) else usual
        kwh = min(MOST_KWH, int(asked.kwh)) if _is_number(asked.kwh) else 0
        day = self._day(asked.on or asked.day, start)
        choice = Choice(
            bay=bay,
            day=day,
            window=slots.day_window(day, zone(self.station.timezone)),
            starts=(),
            asked_start=start,
            start=start,
            minutes=slots.nearest(minutes, allowed),
            durations_min=allowed,
            kwh=kwh or None,
            standard=asked.standard if asked.standard in self.station.standards else "",
            moved=moved,
        )
        return self._timed(choice, is_free_to_go_on=not (asked.on or asked.day or start))

    def _timed(self, choice: Choice, *, is_free_to_go_on: bool) -> Choice:
        """Return it with what is free on its day, or, where no day was chosen, on the next with any."""
        found = self.starts(choice)
        if not found and is_free_to_go_on and choice.day == self.today:
            day = choice.day + timedelta(days=1)
            window = slots.day_window(day, zone(self.station.timezone))
            later = replace(choice, day=day, window=window)
            if starts := self.starts(later):
                choice, found = later, starts
        start = choice.start if choice.start in found else _closest(found, choice)
        open_starts = slots.open_starts(self.runs(choice).values(), choice.window)
        return replace(
            choice,
            starts=found,
            start=start,
            open_starts=[one for one in open_starts if one >= ceiling(self.now)],
        )

    def starts(self, choice: Choice) -> list[datetime]:
        """Return at which quarter hours one can begin on the day chosen."""
        lasts = timedelta(minutes=choice.minutes)
        buffer = timedelta(seconds=self.terms.buffer_s)
        moved = choice.moved
        own = Window(moved.starts_at, moved.ends_at + buffer) if moved else None
        found = slots.starts(self.runs(choice, lasts + buffer), choice.window, lasts, buffer, own)
        return [one for one in found if one >= ceiling(self.now)]

    def runs(self, choice: Choice, more: timedelta = timedelta(0)) -> dict[str, Sequence[RunView]]:
        """Return the calendars of the bays that would do."""
        until = ceiling(choice.window.ends_at + more)
        runs = self.site.parts.runs(self.station.station_id, choice.window.starts_at, until)
        fitting = [choice.bay] if choice.bay else self.station.bays
        return {
            one.bay_id: runs[one.bay_id]
            for one in fitting
            if one.bay_id in runs
            and (not choice.standard or any(p.standard == choice.standard for p in one.connectors))
        }

    def _day(self, asked: str, start: datetime | None) -> date:
        try:
            day = date.fromisoformat(asked)
        except ValueError:
            at = self.now if start is None else start
            day = at.astimezone(zone(self.station.timezone)).date()
        return min(max(day, self.today), self.last_day)


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/stations/{station_id}/reserve")
    def choose(
        request: Request, station_id: str, asked: Annotated[ChoiceQuery, Query()]
    ) -> Response:
        """Show what is free and what it costs."""
        counter = Counter.at(site, station_id)
        moved = None
        if asked.change:
            moved = site.parts.reservations.get(asked.change, site.signed_in(request).viewer)
            if moved.station_id != station_id:
                raise NotFound(asked.change)
        return _page(site, request, counter, counter.choose(asked, moved))

    @router.post("/stations/{station_id}/reserve")
    def hold(request: Request, station_id: str, form: Annotated[HoldForm, Form()]) -> Response:
        """Hold it, or say what is free instead."""
        try:
            viewer = site.signed_in(request).viewer
        except NotLoggedIn:
            return _to_sign_in(station_id, form)
        ask = form.ask(station_id)
        try:
            held = site.parts.reservations.hold(viewer, ask, form.once(request, viewer))
        except BayAlreadyBooked as refusal:
            return taken_page(site, request, ask, refusal)
        except Refused as refusal:
            counter = Counter.at(site, station_id)
            choice = counter.choose(_as_query(form), None)
            status = status_of(refusal)
            return _page(site, request, counter, choice, status=status, refused=refusal.detail)
        return back_to(held.reservation_id)

    return router


def _page(
    site: Site,
    request: Request,
    counter: Counter,
    choice: Choice,
    *,
    status: int = 200,
    refused: str = "",
) -> Response:
    draft, problem = _quoted(site, request, counter, choice)
    window = choice.window
    return site.page(
        request,
        "reserve.html",
        status,
        station=counter.station,
        terms=counter.terms,
        choice=choice,
        days=counter.days(choice.day),
        last_day=counter.last_day,
        today=counter.today,
        ribbon=slots.ribbon(counter.runs(choice).values(), window),
        chosen=slots.piece_of(choice.wanted, window) if choice.wanted else None,
        so_far=slots.piece_of(Window(window.starts_at, counter.now), window)
        if window.holds(counter.now)
        else None,
        draft=draft,
        refused=refused or problem,
        most_kwh=MOST_KWH,
    )


def _quoted(
    site: Site, request: Request, counter: Counter, choice: Choice
) -> tuple[ReservationView | None, str]:
    """Return what is chosen with its price, or why it cannot be booked."""
    ask = choice.ask(counter.station.station_id)
    if ask is None:
        return None, ""
    reader = site.reader(request)
    try:
        return site.parts.reservations.quote(reader.viewer.user_id if reader else "", ask), ""
    except Refused as refusal:
        return None, refusal.detail


def taken_page(
    site: Site,
    request: Request,
    ask: NewReservation,
    refusal: BayAlreadyBooked,
    *,
    is_waiting: bool = False,
) -> Response:
    """Say that somebody was faster, with what is free instead.

    Args:
        site: where.
        request: whose.
        ask: what was asked for.
        refusal: with what is free instead.
        is_waiting: whoever asked is on the waitlist for it, and stays there.
    """
    station = site.parts.availability.station(ask.station_id).station
    options: list[Any] = list(refusal.alternatives)
    stations = site.parts.availability.stations(sorted({one.station_id for one in options}))
    zones = {one.station.station_id: one.station.timezone for one in stations}
    context = {"station": station, "ask": ask, "options": options, "zones": zones}
    status = HTTPStatus.CONFLICT
    return site.page(request, "taken.html", status, is_waiting=is_waiting, **context)


def _to_sign_in(station_id: str, form: HoldForm) -> Response:
    chosen = {name: text for name, text in _as_query(form).model_dump().items() if text}
    back = f"/stations/{quote(station_id)}/reserve?{urlencode(chosen)}"
    return RedirectResponse(f"/login?next={quote(back, safe='/')}", HTTPStatus.SEE_OTHER)


def _as_query(form: HoldForm) -> ChoiceQuery:
    minutes = int((form.ends_at - form.starts_at).total_seconds()) // 60
    return ChoiceQuery(
        bay=form.bay,
        start=form.starts_at.isoformat()[:40],
        minutes=str(minutes)[:6],
        kwh=str(form.energy_wh // 1000) if form.energy_wh else "",
        standard=form.standard,
    )


def _closest(starts: Sequence[datetime], choice: Choice) -> datetime | None:
    """Return the start next to the one that was wanted; without one, the first."""
    wanted = choice.start
    if not starts or wanted is None:
        return starts[0] if starts else None
    return min(starts, key=lambda one: abs(one - wanted))


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    is_of_this_age = _FIRST_YEAR <= at.year < _LAST_YEAR
    return at if at.tzinfo is not None and is_of_this_age else None


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _minutes(reservation: ReservationView) -> int:
    return int((reservation.ends_at - reservation.starts_at).total_seconds()) // 60
