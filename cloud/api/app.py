"""The HTTP application: routers, guards and the tasks that live as long as it does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
from fastapi import APIRouter, FastAPI
from fastapi.responses import Response

from cloud.api import (
    alerts,
    calendar_feeds,
    calendars,
    charger_security,
    chargers,
    commands,
    fleet,
    health,
    ledger,
    local_lists,
    log_files,
    logins,
    mailbox,
    notices,
    offers,
    otps,
    payment_methods,
    payments,
    push_subscriptions,
    receipts,
    reservations,
    searches,
    sessions,
    stations,
    stations_admin,
    subscriptions,
    tariffs,
    terms,
    tokens,
    users,
    waitlist,
    wallets,
    webhook_endpoints,
)
from cloud.api.admission import Admission
from cloud.api.bodies import ok
from cloud.api.compression import Compression
from cloud.api.container import Services
from cloud.api.documentation import describe
from cloud.api.errors import ErrorPage, install
from cloud.api.guard import Guard
from cloud.api.streams import Streams
from cloud.live import LiveHub
from cloud.settings import Settings

VERSION: Final = "0.1.0"
THREADS: Final = 100

ROUTERS: Final = (
    stations.router,
    searches.router,
    calendars.router,
    sessions.router,
    reservations.router,
    otps.router,
    waitlist.router,
    payments.router,
    payment_methods.router,
    wallets.router,
    subscriptions.router,
    ledger.router,
    offers.router,
    tariffs.router,
    terms.router,
    receipts.router,
    alerts.router,
    chargers.router,
    log_files.router,
    charger_security.router,
    local_lists.router,
    commands.router,
    fleet.router,
    stations_admin.router,
    tokens.router,
    users.router,
    logins.router,
    notices.router,
    push_subscriptions.router,
    webhook_endpoints.router,
    calendar_feeds.router,
    mailbox.router,
)
"""In the order of the documentation; the prefix of each begins with `/api/v1`."""


def create_app(
    services: Services,
    hub: LiveHub,
    settings: Settings,
    pages: APIRouter | None = None,
    error_page: ErrorPage | None = None,
) -> FastAPI:
    """Return the application.

    Args:
        services: what the routes call.
        hub: where live streams come from; it is started with the application.
        settings: the public address, above all.
        pages: routes for people, beside the API.
        error_page: how refusals look to people at addresses of no page.
    """
    app = FastAPI(
        title="Baywatt",
        version=VERSION,
        lifespan=_lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.state.services = services
    app.state.settings = settings
    app.state.hub = hub
    app.state.streams = Streams(hub, services.credentials)
    # its own threads: the others may all be waiting for a database that hangs
    app.state.health_limiter = anyio.CapacityLimiter(2)
    app.state.gateway_limiter = anyio.CapacityLimiter(payments.AT_ONCE)
    for router in (health.router, log_files.uploads, *ROUTERS):
        _take_over(app, router)
    app.add_api_route("/openapi.json", _documentation(app), include_in_schema=False)
    if pages is not None:
        _take_over(app, pages)
    install(app, error_page)
    # the last added is the first to see a request
    app.add_middleware(Compression)
    app.add_middleware(Admission)
    app.add_middleware(Guard, settings=settings)
    return app


def _take_over(app: FastAPI, router: APIRouter) -> None:
    # as they are: `include_router` has the first request build each of them once more, 0.2 s in all
    app.router.routes.extend(router.routes)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
    hub: LiveHub = app.state.hub
    hub.start()
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [
                tasks.create_task(hub.run(), name="live hub"),
                tasks.create_task(app.state.streams.run(), name="stream logins"),
            ]
            yield
            for task in running:
                task.cancel()
    finally:
        hub.close()


def _documentation(app: FastAPI) -> Any:
    def openapi() -> Response:
        """Return the API's description."""
        if app.openapi_schema is None:
            app.openapi_schema = describe(app)
        return ok(app.openapi_schema, headers={"Cache-Control": "no-cache"})

    return openapi
