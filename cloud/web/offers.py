"""What a driver is offered instead of a reservation, or was waiting for: taken with one tap."""

from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from pydantic import Field

from cloud.api.errors import status_of
from cloud.domain.errors import Refused
from cloud.web.reservations import OnceForm, back_to, show
from cloud.web.routes import error_page, router_of
from cloud.web.site import Site


class AcceptForm(OnceForm):
    """Which option is taken."""

    option: int = Field(ge=0, le=99)
    reservation_id: str = Field(default="", max_length=64)
    """On whose page it was shown."""


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.post("/offers/{offer_id}/accept")
    def accept(request: Request, offer_id: str, form: Annotated[AcceptForm, Form()]) -> Response:
        """Take an option, and show the reservation it became."""
        viewer = site.signed_in(request).viewer
        try:
            once = form.once(request, viewer)
            taken = site.parts.offers.accept(offer_id, form.option, viewer, once)
        except Refused as refusal:
            return _refused(site, request, form.reservation_id, refusal)
        return back_to(taken.reservation_id)

    @router.post("/reservations/{reservation_id}/alternatives")
    def alternatives(request: Request, reservation_id: str) -> Response:
        """Look for something else."""
        viewer = site.signed_in(request).viewer
        try:
            site.parts.offers.alternatives(reservation_id, viewer)
        except Refused as refusal:
            return _refused(site, request, reservation_id, refusal)
        return back_to(reservation_id)

    return router


def _refused(site: Site, request: Request, reservation_id: str, refusal: Refused) -> Response:
    status = status_of(refusal)
    if not reservation_id:
        return error_page(site, request, status, refusal.detail)
    more: dict[str, Any] = {"detail": refusal.detail}
    return show(site, request, reservation_id, status, **more)
