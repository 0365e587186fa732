"""`/login` and `/logout`."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from cloud.api.auth import clear_session_cookie, origin_of, set_session_cookie
from cloud.api.errors import status_of
from cloud.domain.access import Viewer
from cloud.domain.errors import Refused
from cloud.services.admin_ports import CredentialKind
from cloud.services.credentials import Attempt
from cloud.web.routes import router_of
from cloud.web.site import Site


def routes(site: Site) -> APIRouter:
    """Return the pages of this module."""
    router = router_of(site)

    @router.get("/login")
    def login(request: Request, next: str = "") -> Response:  # noqa: A002 - the address's word
        """Ask who it is."""
        return site.page(request, "login.html", next_url=own_path(next), email="", refusal="")

    @router.post("/login")
    def sign_in(
        request: Request,
        email: Annotated[str, Form(max_length=254)] = "",
        password: Annotated[str, Form(max_length=1000)] = "",
        next: Annotated[str, Form(max_length=2000)] = "",  # noqa: A002 - the address's word
    ) -> Response:
        """Begin a browser session, and go where the reader was going."""
        attempt = Attempt(email=email, password=password, origin=origin_of(request))
        try:
            issued = site.parts.credentials.log_in(attempt, CredentialKind.BROWSER)
        except Refused as refusal:
            context = {"next_url": own_path(next), "email": email, "refusal": refusal.code}
            return site.page(request, "login.html", status_of(refusal), **context)
        response = RedirectResponse(own_path(next) or _home(issued.login.viewer), 303)
        set_session_cookie(response, issued, site.settings)
        return response

    @router.post("/logout")
    def sign_out(request: Request) -> Response:
        """End the browser session, here and at the server."""
        reader = site.reader(request)
        if reader is not None:
            site.parts.credentials.log_out(reader.login)
        response = RedirectResponse("/", 303)
        clear_session_cookie(response, site.settings)
        return response

    return router


def own_path(wanted: str) -> str:
    """Return where to go after login if it is a path of this site, else nothing (no open redirects)."""
    parts = urlsplit(wanted)
    is_own = not parts.scheme and not parts.netloc and wanted.startswith("/")
    return wanted if is_own and not wanted.startswith("//") and "\\" not in wanted else ""


def _home(viewer: Viewer) -> str:
    return "/maintenance" if viewer.is_staff else "/"
