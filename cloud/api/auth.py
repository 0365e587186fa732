"""Who asks: from the Authorization header or, without one, from the browser's cookie."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, cast

from fastapi import Depends, Request, Response
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.concurrency import run_in_threadpool

from cloud.api.container import Services, services_of
from cloud.api.guard import cookie_name, is_https, is_own_origin
from cloud.domain.access import Role, Viewer
from cloud.domain.errors import CrossSite, NotAllowed, NotLoggedIn
from cloud.services.admin_ports import Login
from cloud.services.credentials import Issued
from cloud.settings import Settings

_BEARER: Final = HTTPBearer(auto_error=False, description="A token of `POST /auth/tokens`.")
_COOKIE: Final = APIKeyCookie(
    name="baywatt", auto_error=False, description="A browser session of `POST /auth/login`."
)
"""Only described here: the cookie's name depends on the address clients come by."""

_UNKNOWN: Final = object()


def secret_of(request: Request) -> str | None:
    """Return the credential a request carries; a header wins, and a wrong one is not passed over."""
    header = request.headers.get("authorization")
    if header is not None:
        scheme, _, secret = header.partition(" ")
        return secret.strip() if scheme.lower() == "bearer" else ""
    return request.cookies.get(cookie_name(request.app.state.settings))


async def login_of(request: Request) -> Login | None:
    """Return who asks, if we know them; looked up once a request."""
    known = getattr(request.state, "login", _UNKNOWN)
    if known is _UNKNOWN:
        secret = secret_of(request)
        credentials = services_of(request).credentials
        known = await run_in_threadpool(credentials.resolve, secret) if secret else None
        request.state.login = known
    return cast("Login | None", known)


async def required_login(
    request: Request,
    _bearer: Annotated[object, Depends(_BEARER)] = None,
    _cookie: Annotated[object, Depends(_COOKIE)] = None,
) -> Login:
    """Return who asks.

    Raises:
        NotLoggedIn: nobody, or nobody we know.
    """
    login = await login_of(request)
    if login is None:
        raise NotLoggedIn
    return login


SignedIn = Annotated[Login, Depends(required_login)]
"""Somebody we know."""


Visitor = Annotated[Login | None, Depends(login_of)]
"""Who is logged in, if anybody is: where what is shown depends on it."""


def only(*roles: Role) -> Callable[[Login], Awaitable[Viewer]]:
    """Return a dependency that lets these roles in.

    Raises:
        NotAllowed: (the dependency) another role asks.
    """

    async def viewer(login: SignedIn) -> Viewer:
        if login.viewer.role not in roles:
            raise NotAllowed(login.viewer.role)
        return login.viewer

    return viewer


async def _anyone(login: SignedIn) -> Viewer:
    return login.viewer


Anyone = Annotated[Viewer, Depends(_anyone)]
"""Whoever is logged in."""

Watcher = Annotated[Viewer, Depends(only(Role.OWNER, Role.MAINTENANCE, Role.ADMIN))]
"""Who looks after stations: staff after all, owners after theirs."""

Admin = Annotated[Viewer, Depends(only(Role.ADMIN))]
"""Who sets things up."""


def _own_page(request: Request) -> None:
    """Refuse to stream private news into another site's page.

    Raises:
        CrossSite: a browser says the request comes from one.
    """
    if "authorization" in request.headers:
        return
    site = request.headers.get("sec-fetch-site", "same-origin")
    origin = request.headers.get("origin")
    is_own = origin is None or is_own_origin(origin, request.headers, request.app.state.settings)
    if site not in {"same-origin", "none"} or not is_own:
        raise CrossSite


own_page_only: Final = Depends(_own_page)


def set_session_cookie(response: Response, issued: Issued, settings: Settings) -> None:
    """Give a browser its session; scripts cannot read it, other sites' pages cannot post with it."""
    remaining = issued.login.expires_at - issued.issued_at
    response.set_cookie(
        cookie_name(settings),
        issued.secret,
        max_age=int(remaining.total_seconds()),
        path="/",
        secure=is_https(settings),
        httponly=True,
        samesite="lax",
    )


def clear_session_cookie(response: Response, settings: Settings) -> None:
    """Take the session from the browser."""
    response.delete_cookie(
        cookie_name(settings), path="/", secure=is_https(settings), httponly=True, samesite="lax"
    )


def origin_of(request: Request) -> str:
    """Return the network address a request comes from, as the server knows it."""
    return request.client.host if request.client is not None else "unknown"


__all__ = [
    "Admin",
    "Anyone",
    "Services",
    "SignedIn",
    "Watcher",
    "clear_session_cookie",
    "login_of",
    "origin_of",
    "own_page_only",
    "secret_of",
    "set_session_cookie",
]
