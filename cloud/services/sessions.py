"""Charges, as drivers, owners and staff may see them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from cloud.domain.access import Viewer
from cloud.domain.carbon import Factors, driven_wh, saved_g
from cloud.domain.errors import NotFound, NotValid
from cloud.domain.sessions import Session, curve
from cloud.domain.stations import Station
from cloud.services.carbon_views import co2_view
from cloud.services.cursors import seal, unseal
from cloud.services.history_views import Amount, SessionStation, SessionTotals
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.session_asks import SessionAsk, filter_of
from cloud.services.session_papers import Statement, StatementRow, csv_of, pdf_of
from cloud.services.session_ports import SessionFilter, SessionPage, SessionSum
from cloud.services.session_views import (
    SessionDetail,
    SessionList,
    SessionView,
    SignedReadingList,
    sample_view,
    session_view,
)

MAX_LIMIT: Final = 200
MOST_ROWS: Final = 20_000
"""Of a CSV file."""
MOST_LINES: Final = 2_000
"""Of a statement: some sixty pages, and most of a second."""


ALL: Final = SessionAsk()


@dataclass(frozen=True, slots=True)
class SessionService:
    """Read only: drivers see their own, owners those at their stations, staff all."""

    open_work: OpenWork
    clock: Clock
    factors: Factors = field(default_factory=Factors)
    """What CO2 is reckoned by today."""

    def list(
        self,
        viewer: Viewer,
        ask: SessionAsk = ALL,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> SessionList:
        """Return sessions, newest first.

        Raises:
            NotValid: a cursor of another list, or an ask that cannot be meant.
        """
        ask.check()
        limit = max(1, min(limit, MAX_LIMIT))
        before = None if cursor is None else _place(cursor)
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            wanted = _filter(work, ask, viewer, now)
            found = work.sessions.page(SessionPage(wanted=wanted, before=before, limit=limit + 1))
            stations = work.stations.by_ids({one.station_id for one in found})
        shown = found[:limit]
        views = [self._view(one, stations[one.station_id].name, now) for one in shown]
        is_more = len(found) > limit
        after = seal(shown[-1].started_at, shown[-1].id) if is_more else None
        return SessionList(as_of=now, sessions=views, next_cursor=after)

    def totals(self, viewer: Viewer, ask: SessionAsk = ALL) -> SessionTotals:
        """Return what all sessions come to that `list` would show, page after page.

        Raises:
            NotValid: an ask that cannot be meant.
        """
        ask.check()
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            sums = work.sessions.sums(_filter(work, ask, viewer, now), self.factors.rate)
        return _totals(sums, self.factors, now)

    def stations(self, viewer: Viewer) -> Sequence[SessionStation]:
        """Return the stations whose sessions the viewer may see, by name; drivers: where they charged."""
        wanted = filter_of(ALL, viewer, (), self.clock.now())
        with self.open_work(is_read_only=True) as work:
            found = work.sessions.stations(wanted.user_id, wanted.owner_id)
        return [SessionStation(station_id=station_id, name=name) for station_id, name in found]

    def csv(self, viewer: Viewer, ask: SessionAsk = ALL) -> str:
        """Return the sessions as a table (RFC 4180), newest first.

        Raises:
            NotValid: an ask that cannot be meant, or more sessions than a table holds.
        """
        return csv_of(self._statement(viewer, ask, MOST_ROWS))

    def pdf(self, viewer: Viewer, language: str, ask: SessionAsk = ALL) -> bytes:
        """Return the sessions as a statement in PDF, newest first; see `csv`."""
        return pdf_of(self._statement(viewer, ask, MOST_LINES), language)

    def _statement(self, viewer: Viewer, ask: SessionAsk, most: int) -> Statement:
        """Load all of it in one transaction: rows and totals are of one instant."""
        ask.check()
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            wanted = _filter(work, ask, viewer, now)
            sums = work.sessions.sums(wanted, self.factors.rate)
            if sum(one.count for one in sums) > most:
                raise NotValid("sessions", f"More than {most:,} charges; narrow the filter.")
            found = work.sessions.page(SessionPage(wanted=wanted, limit=most))
            stations = work.stations.by_ids({one.station_id for one in found})
            named = work.stations.by_ids([ask.station_id] if ask.station_id else [])
            reader = work.accounts.by_id(viewer.user_id)
        return Statement(
            ask=ask,
            rows=[
                StatementRow(
                    session=self._view(one, stations[one.station_id].name, now),
                    timezone=stations[one.station_id].timezone,
                )
                for one in found
            ],
            totals=_totals(sums, self.factors, now),
            reader="" if reader is None else f"{reader.name} <{reader.email}>",
            station_name=next((one.name for one in named.values()), ask.station_id or ""),
        )

    def get(self, session_id: str, viewer: Viewer) -> SessionDetail:
        """Return a session with its curve.

        Raises:
            NotFound: there is none, or it is not the viewer's to see.
        """
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            session, station = _seen(work, session_id, viewer)
            samples = work.sessions.samples([session_id]).get(session_id, [])
        return SessionDetail(
            session=self._view(session, station.name, now),
            co2=co2_view(self.factors, driven_wh(session.energy_wh, session.export_wh)),
            samples=[sample_view(one, energy_wh) for one, energy_wh in curve(session, samples)],
        )

    def signed_readings(self, session_id: str, viewer: Viewer) -> SignedReadingList:
        """Return what the session's meter signed.

        Raises:
            NotFound: there is no such session, or it is not the viewer's to see.
        """
        with self.open_work(is_read_only=True) as work:
            _seen(work, session_id, viewer)
            return SignedReadingList(signed_readings=work.signed_readings.of_session(session_id))

    def _view(self, session: Session, station_name: str, now: datetime) -> SessionView:
        driven = driven_wh(session.energy_wh, session.export_wh)
        view = session_view(session, station_name, now)
        return replace(view, co2_saved_g=saved_g(self.factors, driven))


def _filter(work: UnitOfWork, ask: SessionAsk, viewer: Viewer, now: datetime) -> SessionFilter:
    timezones = work.stations.timezones() if ask.has_days else ()
    return filter_of(ask, viewer, timezones, now)


def _totals(sums: Sequence[SessionSum], factors: Factors, now: datetime) -> SessionTotals:
    return SessionTotals(
        as_of=now,
        sessions=sum(one.count for one in sums),
        energy_wh=sum(one.energy_wh for one in sums),
        export_wh=sum(one.export_wh for one in sums),
        amounts=[Amount(currency=one.currency, amount_minor=one.cost_minor) for one in sums],
        co2=co2_view(
            factors,
            sum(one.driven_wh for one in sums),
            total_g=sum(one.saved_g for one in sums),
        ),
    )


def _seen(work: UnitOfWork, session_id: str, viewer: Viewer) -> tuple[Session, Station]:
    session = work.sessions.by_ids([session_id]).get(session_id)
    if session is None:
        raise NotFound(session_id)
    station = work.stations.by_ids([session.station_id])[session.station_id]
    if not viewer.may_see_session(session.user_id, station.owner_id):
        raise NotFound(session_id)
    return session, station


def _place(cursor: str) -> tuple[datetime, str]:
    at, session_id = unseal(cursor, (datetime, str))
    return at, session_id
