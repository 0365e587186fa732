"""The pages as one router."""

from fastapi import APIRouter, Request, Response

from cloud.api.errors import ErrorPage
from cloud.settings import Settings
from cloud.web import (
    booking,
    chargers,
    fleet,
    inbox,
    login,
    mailbox,
    maintenance,
    map_data,
    offers,
    otps,
    payments,
    progressive,
    receipts,
    reservations,
    sessions,
    stations,
    waitlist,
)
from cloud.web.parts import Parts
from cloud.web.routes import error_page
from cloud.web.site import Site

MODULES = (
    stations,
    map_data,
    booking,
    reservations,
    otps,
    payments,
    offers,
    waitlist,
    receipts,
    inbox,
    sessions,
    login,
    maintenance,
    fleet,
    chargers,
    mailbox,
    progressive,
)


def pages(container: Parts, settings: Settings) -> APIRouter:
    """Return all pages and static files; include it after the API."""
    site = Site.build(container, settings)
    router = APIRouter(include_in_schema=False)
    for module in MODULES:
        router.routes.extend(module.routes(site).routes)
    return router


def error_pages(container: Parts, settings: Settings) -> ErrorPage:
    """Return how refusals and faults at addresses of no page are shown to a person."""
    site = Site.build(container, settings)

    def shown(request: Request, status: int, code: str, detail: str) -> Response:
        del code
        return error_page(site, request, status, detail)

    return shown
