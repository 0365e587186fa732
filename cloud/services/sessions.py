"""Charges, as drivers, owners and staff may see them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotFound
from cloud.domain.sessions import Session, curve
from cloud.domain.stations import Station
from cloud.services.cursors import seal, unseal
from cloud.services.fact_ports import SessionPage
from cloud.services.ports import Clock, OpenWork, UnitOfWork
from cloud.services.session_views import (
    SessionDetail,
    SessionList,
    SignedReadingList,
    sample_view,
    session_view,
)

MAX_LIMIT: Final = 200


@dataclass(frozen=True, slots=True)
class SessionService:
    """Read only: drivers see their own, owners those at their stations, staff all."""

    open_work: OpenWork
    clock: Clock

    def list(
        self,
        viewer: Viewer,
        *,
        is_live: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> SessionList:
        """Return sessions, newest first; `is_live` null: both kinds.

        Raises:
            NotValid: a cursor of another list.
        """
        limit = max(1, min(limit, MAX_LIMIT))
        page = SessionPage(
            user_id=viewer.user_id if viewer.role is Role.DRIVER else None,
            owner_id=viewer.user_id if viewer.role is Role.OWNER else None,
            is_live=is_live,
            before=None if cursor is None else _place(cursor),
            limit=limit + 1,
        )
        now = self.clock.now()
        with self.open_work(is_read_only=True) as work:
            found = work.sessions.page(page)
            stations = work.stations.by_ids({one.station_id for one in found})
        shown = found[:limit]
        views = [session_view(one, stations[one.station_id].name, now) for one in shown]
        is_more = len(found) > limit
        after = seal(shown[-1].started_at, shown[-1].id) if is_more else None
        return SessionList(as_of=now, sessions=views, next_cursor=after)

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
            session=session_view(session, station.name, now),
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
