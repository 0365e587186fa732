"""How a page's refusals and mishaps are shown to a person: as pages, with the way on."""

from collections.abc import Callable, Coroutine
from typing import Any, Final
from urllib.parse import quote, urlsplit

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as StarletteHTTPException

from cloud.api.errors import status_of
from cloud.domain.errors import CrossSite, NotLoggedIn, Refused
from cloud.web.site import Site

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})

log = structlog.get_logger()


def router_of(site: Site) -> APIRouter:
    """Return a router whose routes answer with pages, whatever happens."""

    class PageRoute(APIRoute):
        """A route that shows refusals as pages."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """See APIRoute.get_route_handler."""
            handle = super().get_route_handler()

            async def handled(request: Request) -> Response:
                try:
                    refuse_foreign_forms(request, site)
                    return await handle(request)
                except NotLoggedIn:
                    return to_sign_in(request)
                except Refused as refusal:
                    return error_page(site, request, status_of(refusal), refusal.detail)
                except RequestValidationError:
                    return error_page(site, request, 400)
                except (HTTPException, StarletteHTTPException) as refusal:
                    return error_page(site, request, refusal.status_code)
                except Exception:
                    log.exception("page.failed", path=request.url.path)
                    return error_page(site, request, 500)

            return handled

    return APIRouter(route_class=PageRoute, include_in_schema=False)


def error_page(site: Site, request: Request, status: int, detail: str = "") -> Response:
    """Render what went wrong, in words, with the way on."""
    return site.page(request, "error.html", status, error_status=status, detail=detail)


def refuse_foreign_forms(request: Request, site: Site) -> None:
    """Refuse what another site makes a reader's browser send (cross-site request forgery).

    Browsers say where a request comes from, and pages cannot forge it: `Sec-Fetch-Site`, and `Origin`
    in those that lack it. What says neither is not a browser and carries no cookie unasked.

    Raises:
        CrossSite: the request changes something and comes from elsewhere.
    """
    if request.method in _SAFE:
        return
    fetch_site = request.headers.get("sec-fetch-site")
    if fetch_site is not None:
        is_ours = fetch_site in {"same-origin", "none"}
    else:
        is_ours = _is_own(request.headers.get("origin"), request, site)
    if not is_ours:
        raise CrossSite


def _is_own(origin: str | None, request: Request, site: Site) -> bool:
    if origin is None:
        return True
    own = {request.headers.get("host", ""), urlsplit(site.settings.public_url).netloc}
    return urlsplit(origin).netloc in own


def to_sign_in(request: Request) -> Response:
    """Send a reader to the login page, and back here afterwards."""
    wanted = request.url.path
    if request.url.query:
        wanted += f"?{request.url.query}"
    if request.method not in _SAFE:
        wanted = "/"
    return RedirectResponse(f"/login?next={quote(wanted, safe='/')}", 303)
