"""Tell me when it is free: joining the waitlist, leaving it, and taking what it offers."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import Field

from cloud.api.reservations import Instant
from cloud.domain.errors import BayAlreadyBooked
from cloud.services.booking_ports import NewReservation
from cloud.services.waitlist import NewEntry, WaitlistView
from cloud.web.booking import taken_page
from cloud.web.reservations import OnceForm, back_to
from cloud.web.routes import router_of
from cloud.web.site import Site


class WaitForm(OnceForm):
    """What is waited for."""

    bay: str = Field(default="", max_length=63)
    standard: str = Field(default="", max_length=32, pattern=r"^[A-Z0-9_]*$")
    starts_at: Instant
    ends_at: Instant | None = None
    minutes: int = Field(default=60, ge=1, le=7 * 24 * 60)
    """Where no end is given."""

    def ask(self, station_id: str) -> NewEntry:
        """Return it as the use case takes it."""
        return NewEntry(
            station_id=station_id,
            bay_id=self.bay or None,
            standard=self.standard,
            starts_at=self.starts_at,
            ends_at=self.ends_at or self.starts_at + timedelta(minutes=self.minutes),
        )


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.post("/stations/{station_id}/waitlist")
    def join(request: Request, station_id: str, form: Annotated[WaitForm, Form()]) -> Response:
        """Wait for a bay."""
        viewer = site.signed_in(request).viewer
        site.parts.waitlist.join(viewer, form.ask(station_id), form.once(request, viewer))
        return RedirectResponse("/reservations#waiting", HTTPStatus.SEE_OTHER)

    @router.post("/waitlist/{entry_id}/accept")
    def accept(request: Request, entry_id: str, form: Annotated[OnceForm, Form()]) -> Response:
        """Hold what was offered."""
        viewer = site.signed_in(request).viewer
        try:
            held = site.parts.waitlist.accept(viewer, entry_id, form.once(request, viewer))
        except BayAlreadyBooked as refusal:
            entries = site.parts.waitlist.list(viewer).entries
            entry = next(one for one in entries if one.entry_id == entry_id)
            return taken_page(site, request, _ask_of(entry), refusal, is_waiting=True)
        return back_to(held.reservation_id)

    @router.post("/waitlist/{entry_id}/leave")
    def leave(request: Request, entry_id: str) -> Response:
        """Wait no more."""
        site.parts.waitlist.leave(site.signed_in(request).viewer, entry_id)
        return RedirectResponse("/reservations#waiting", HTTPStatus.SEE_OTHER)

    return router


def _ask_of(entry: WaitlistView) -> NewReservation:
    return NewReservation(
        station_id=entry.station_id,
        bay_id=entry.bay_id,
        starts_at=entry.starts_at,
        ends_at=entry.ends_at,
        standard=entry.standard,
        min_power_w=entry.min_power_w,
    )
