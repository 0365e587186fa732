"""`/sessions`: a driver's charges; `/sessions/{id}`: one of them, live, and its receipt afterwards."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from cloud.domain.periods import Period
from cloud.domain.sessions import SessionState
from cloud.services.session_views import SampleView, SessionDetail
from cloud.web.routes import router_of
from cloud.web.session_filters import Filter, read_filter
from cloud.web.site import Site


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/sessions")
    def sessions(request: Request, wanted: Annotated[Filter, Depends(read_filter)]) -> Response:
        """Show the viewer's charges, the running ones first, and what all of a filter come to."""
        viewer, services = site.signed_in(request).viewer, site.parts.sessions
        context: dict[str, Any] = {
            "wanted": wanted,
            "stations": services.stations(viewer),
            "periods": list(Period),
            "states": list(SessionState),
        }
        if wanted.is_wrong:
            return site.page(request, "sessions.html", 422, sessions=[], **context)
        listed = services.list(viewer, wanted.ask, cursor=wanted.said.after or None)
        found = sorted(
            listed.sessions,
            key=lambda session: (not session.is_live, -session.started_at.timestamp()),
        )
        return site.page(
            request,
            "sessions.html",
            sessions=found,
            totals=services.totals(viewer, wanted.ask),
            zones=site.zones(one.station_id for one in found),
            next_cursor=listed.next_cursor,
            **context,
        )

    @router.get("/sessions/{session_id}")
    def session(request: Request, session_id: str) -> Response:
        """Show one charge."""
        detail = site.parts.sessions.get(session_id, site.signed_in(request).viewer)
        station = site.parts.availability.station(detail.session.station_id).station
        return site.page(
            request,
            "session.html",
            session=detail.session,
            co2=detail.co2,
            table=detail.samples[-60:],
            curve=curve(detail),
            station=station,
            bay=next((b for b in station.bays if b.bay_id == detail.session.bay_id), None),
            peak_power_w=max((s.power_w for s in detail.samples if s.power_w), default=None),
        )

    return router


def curve(detail: SessionDetail) -> list[list[Any]]:
    """Return the samples as `[epoch seconds, kW or null, kWh]`, oldest first."""
    return [_point(sample) for sample in detail.samples]


def _point(sample: SampleView) -> list[Any]:
    power_kw = None if sample.power_w is None else round(sample.power_w / 1000, 2)
    return [int(sample.at.timestamp()), power_kw, sample.energy_wh / 1000]
