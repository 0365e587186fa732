"""Paying for a hold: with a saved card, the wallet, or a test card that is saved with it."""

from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from cloud.api.errors import status_of
from cloud.domain.access import Viewer
from cloud.domain.errors import PaymentDeclined, Refused
from cloud.domain.payments import Method
from cloud.services.payments import PayBy
from cloud.web.reservations import TEST_CARDS, OnceForm, back_to, show
from cloud.web.routes import router_of
from cloud.web.site import Site

_NEW: Final = "new:"
"""Before a test card's name: save it, then pay with it."""


class PayForm(OnceForm):
    """What is paid with: `wallet`, a saved card's id, or a test card to be saved."""

    means: str = Field(default="", max_length=80)


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.post("/reservations/{reservation_id}/payment")
    async def pay(
        request: Request, reservation_id: str, form: Annotated[PayForm, Form()]
    ) -> Response:
        """Pay for the hold, with what was chosen."""
        viewer = (await run_in_threadpool(site.signed_in, request)).viewer
        try:
            by = await run_in_threadpool(_means, site, viewer, form.means)
            once = form.once(request, viewer)
            await site.parts.pay(request, viewer, reservation_id, by, once)
        except Refused as refusal:
            said = "declined" if isinstance(refusal, PaymentDeclined) else ""
            shown = partial(show, said=said, detail=refusal.detail)
            status = status_of(refusal)
            return await run_in_threadpool(shown, site, request, reservation_id, status)
        return back_to(reservation_id)

    return router


def _means(site: Site, viewer: Viewer, means: str) -> PayBy:
    """Return what is paid with; a test card is saved first."""
    if means == Method.WALLET:
        return PayBy(method=Method.WALLET)
    name = means.removeprefix(_NEW)
    if name != means and name in TEST_CARDS:
        saved = site.parts.payment_methods.save(viewer, name)
        return PayBy(method=Method.CARD, method_id=saved.method_id)
    return PayBy(method=Method.CARD, method_id=means or None)
