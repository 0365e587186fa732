"""Series: many holds by one request, confirmed by one code, each paid for and changed by itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from cloud.domain.access import Viewer
from cloud.domain.errors import BayAlreadyBooked, BookedElsewhere, NotBookable
from cloud.domain.reservations import Reservation
from cloud.domain.series import Series, windows
from cloud.domain.windows import Window, floor
from cloud.services.booking_ports import NewReservation
from cloud.services.change_views import Change
from cloud.services.collaborators import Finding
from cloud.services.holding import Holder, Overtaken
from cloud.services.idempotency import Once, do_once
from cloud.services.packing import seat, site_of
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.publishing import Publisher
from cloud.services.reservation_views import ReservationView, places
from cloud.services.reservations import ALTERNATIVES
from cloud.services.retrying import retried

_Conflict = NotBookable | BayAlreadyBooked | BookedElsewhere
"""Why one window of a series is not to be had."""


def _new_id() -> str:
    return uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSeries:
    """What a driver asks for again and again."""

    station_id: str
    bay_id: str | None
    """Null: any that would do; each time perhaps another."""
    series: Series
    standard: str = ""
    min_power_w: int = 0
    energy_wh: int | None = None
    skips_conflicts: bool = False
    """Windows that are not to be had are left out; otherwise nothing is held at all."""

    def ask(self, window: Window) -> NewReservation:
        """Return what is asked for in one of its windows."""
        return NewReservation(
            station_id=self.station_id,
            bay_id=self.bay_id,
            starts_at=window.starts_at,
            ends_at=window.ends_at,
            standard=self.standard,
            min_power_w=self.min_power_w,
            energy_wh=self.energy_wh,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedView:
    """A window of a series that could not be had."""

    starts_at: datetime
    ends_at: datetime
    code: str
    """As of a problem: bay_already_booked booked_elsewhere not_bookable."""
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesView:
    """The holds of a series; one code confirms them all, each is paid for by itself."""

    series_id: str
    server_now: datetime
    reservations: list[ReservationView]
    skipped: list[SkippedView]


@dataclass
class _Made:
    held: list[Reservation] = field(default_factory=list)
    skipped: list[SkippedView] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesService:
    """Makes series; what they consist of are reservations like all others."""

    open_work: OpenWork
    clock: Clock
    publisher: Publisher
    holder: Holder
    finding: Finding
    new_id: Callable[[], str] = _new_id

    def hold(self, viewer: Viewer, new: NewSeries, once: Once | None = None) -> SeriesView:
        """Hold a bay in every window of a series, all in one transaction.

        Raises:
            NotFound: there is no such station.
            NotBookable: a window does not fit the terms; with `skips_conflicts`: none does.
            BayAlreadyBooked: the same of what is taken; with what is free instead.
            BookedElsewhere: the same of a time at which the driver has another station.
            TooManyReservations: the driver would have more than one may.
        """
        try:
            view, changes = self._stored(viewer, new, once)
        except BayAlreadyBooked as taken:
            raise self._with_alternatives(viewer, new, taken) from None
        except Overtaken as taken:
            raise BayAlreadyBooked(detail=str(taken)) from None
        self.publisher.publish(changes)
        return view

    @retried
    def _stored(
        self, viewer: Viewer, new: NewSeries, once: Once | None
    ) -> tuple[SeriesView, Sequence[Change]]:
        now = self.clock.now()
        made = _Made()

        def run() -> SeriesView:
            series_id = self.new_id()
            self._hold_all(work, viewer, new, series_id, made)
            there = places(work, made.held)
            return SeriesView(
                series_id=series_id,
                server_now=now,
                reservations=[there.view(one, now) for one in made.held],
                skipped=made.skipped,
            )

        with self.open_work() as work:
            view = do_once(work, once, now, run, SeriesView)
            work.commit()
        return view, made.changes

    def _hold_all(
        self, work: UnitOfWork, viewer: Viewer, new: NewSeries, series_id: str, made: _Made
    ) -> None:
        now = self.clock.now()
        zone = site_of(work, new.station_id, now).desk.zone
        why: _Conflict = NotBookable("weekdays", "No day fits this series.")
        for window in windows(new.series, zone, floor(now)):
            try:
                held, changes = self._hold_one(work, viewer, new.ask(window), series_id, now)
            except (NotBookable, BayAlreadyBooked, BookedElsewhere) as refusal:
                if not new.skips_conflicts:
                    raise _of_window(refusal, window) from None
                made.skipped.append(_skipped(window, refusal))
                why = refusal
            else:
                made.held.append(held)
                made.changes += changes
        if not made.held:
            raise why
        # one code for all: whoever gives it confirms them together
        self.holder.codes.send(work, made.held[0], now)

    def _hold_one(
        self,
        work: UnitOfWork,
        viewer: Viewer,
        ask: NewReservation,
        series_id: str,
        now: datetime,
    ) -> tuple[Reservation, Sequence[Change]]:
        draft = self.holder.draft(work, viewer.user_id, ask, now)
        seating = seat(work, draft.site, draft.wanted, draft.bay_ids)
        try:
            return self.holder.keep(work, draft, seating, now, series_id)
        except BayAlreadyBooked as taken:
            # what was written is undone with the whole; seen as taken, it is skipped the next time
            raise Overtaken(taken.detail) from taken

    def _with_alternatives(
        self, viewer: Viewer, new: NewSeries, taken: BayAlreadyBooked
    ) -> BayAlreadyBooked:
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            site = site_of(work, new.station_id, now)
            for window in windows(new.series, site.desk.zone, floor(now)):
                try:
                    draft = self.holder.draft(work, viewer.user_id, new.ask(window), now)
                    seat(work, draft.site, draft.wanted, draft.bay_ids)
                except NotBookable:
                    continue
                except BayAlreadyBooked:
                    options = self.finding.alternatives(work, draft.wanted, now, ALTERNATIVES)
                    return BayAlreadyBooked(taken.subject, taken.detail, options)
        return taken


def _of_window(refusal: _Conflict, window: Window) -> _Conflict:
    detail = f"{refusal.detail} (In the window from {window.starts_at:%Y-%m-%dT%H:%MZ}.)"
    if isinstance(refusal, NotBookable):
        return NotBookable(_FIELDS.get(refusal.subject, refusal.subject), detail)
    if isinstance(refusal, BookedElsewhere):
        return BookedElsewhere(refusal.subject, detail, refusal.reservation_ids)
    return BayAlreadyBooked(refusal.subject, detail)


def _skipped(window: Window, refusal: _Conflict) -> SkippedView:
    return SkippedView(
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        code=refusal.code,
        detail=refusal.detail,
    )


_FIELDS = {"starts_at": "begins", "ends_at": "duration_s"}
"""What a window's fields are called in a series."""
