"""What every request passes first and every answer last: bounds, origin, headers, measurements."""

import time
import traceback
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

import structlog
from prometheus_client import Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.api.event_stream import go_on
from cloud.api.problems import problem
from cloud.domain.errors import CrossSite
from cloud.settings import Settings

log = structlog.get_logger(__name__)

MAX_BODY_BYTES: Final = 64 * 1024
MAX_UPLOAD_BYTES: Final = 32 * 1024 * 1024
"""A charger's log, under the address it was given."""
MAX_HEADERS: Final = 100
MAX_HEADER_BYTES: Final = 16 * 1024
MAX_QUERY_BYTES: Final = 4 * 1024
MAX_QUERY_FIELDS: Final = 100

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})

_TRACE_FRAMES: Final = 15

CONTENT_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""For answers that are data; pages bring their own."""

REQUESTS: Final = Counter("baywatt_http_requests_total", "Requests.", ["method", "route", "status"])
SECONDS: Final = Histogram(
    "baywatt_http_request_seconds", "Time to the head of the answer.", ["method", "route"]
)


def cookie_name(settings: Settings) -> str:
    """Return the name of the browser session's cookie; `__Host-` where https allows it."""
    return "__Host-baywatt" if is_https(settings) else "baywatt"


def is_https(settings: Settings) -> bool:
    """Whether clients come by https, whatever stands between them and us."""
    return settings.public_url.startswith("https:")


def is_own_origin(origin: str, headers: Headers, settings: Settings) -> bool:
    """Whether an Origin is this house's, as it is called or as the client calls it."""
    netloc = urlsplit(origin).netloc
    return bool(netloc) and netloc in {urlsplit(settings.public_url).netloc, headers.get("host")}


class Guard:
    """ASGI middleware around everything; the last one to see an exception."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._cookie = f"{cookie_name(settings)}="
        self._settings = settings
        self._headers = tuple(_default_headers(settings))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send, self._headers)
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, exchange.send)
            return
        try:
            await self._app(scope, exchange.receive, exchange.send)
            await go_on(scope, receive, exchange.send, send)
        except Exception as error:
            trace = "".join(traceback.format_exception(error, limit=-_TRACE_FRAMES))
            # not log.exception: renderers may show local variables, and with them tokens
            log.error("http.failed", method=scope.get("method"), trace=trace)  # noqa: TRY400
            if exchange.is_started:
                raise
            await problem(500, "fault", "Something went wrong here.")(scope, receive, exchange.send)

    def _refusal(self, scope: Scope) -> Response | None:
        raw = scope["headers"]
        if len(raw) > MAX_HEADERS or sum(len(k) + len(v) for k, v in raw) > MAX_HEADER_BYTES:
            return problem(431, "headers_too_large")
        query = scope["query_string"]
        if len(query) > MAX_QUERY_BYTES or query.count(b"&") >= MAX_QUERY_FIELDS:
            return problem(414, "query_too_long")
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        most = _most_bytes(scope)
        if length.isdigit() and int(length[:19]) > most:
            return _too_large(most)
        if scope["method"] not in SAFE_METHODS and self._is_foreign(headers):
            return problem(403, CrossSite.code, CrossSite.sentence)
        return None

    def _is_foreign(self, headers: Headers) -> bool:
        """Whether a browser may have been made to send this by another site's page.

        Browsers always say where an unsafe request comes from; who says nothing is no browser, and
        then has no business with its cookie. A bearer token is never sent unasked.
        """
        if "authorization" in headers:
            return False
        site = headers.get("sec-fetch-site")
        if site is not None:
            return site not in {"same-origin", "none"}
        origin = headers.get("origin")
        if origin is not None:
            return not is_own_origin(origin, headers, self._settings)
        return self._cookie in headers.get("cookie", "")


class _Exchange:
    """One request and its answer, counted as they pass."""

    def __init__(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        defaults: Iterable[tuple[str, str]],
    ) -> None:
        self.is_started = False
        self._scope = scope
        self._receive = receive
        self._send = send
        self._defaults = defaults
        self._began = time.perf_counter()
        self._body_bytes = 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._body_bytes += len(message.get("body", b""))
        most = _most_bytes(self._scope)
        if self._body_bytes > most:
            raise HTTPException(413, _most_said(most))
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.is_started = True
            headers = MutableHeaders(scope=message)
            for name, value in self._defaults:
                headers.setdefault(name, value)
            self._measure(message["status"])
        await self._send(message)

    def _measure(self, status: int) -> None:
        route = _route_of(self._scope)
        method = self._scope["method"] if self._scope["method"] in _METHODS else "other"
        REQUESTS.labels(method, route, status).inc()
        SECONDS.labels(method, route).observe(time.perf_counter() - self._began)


def _route_of(scope: Scope) -> str:
    """Return the pattern of the route that answered: never an id, so that there are few."""
    return str(getattr(scope.get("route"), "path", "none"))


_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


def _default_headers(settings: Settings) -> Iterable[tuple[str, str]]:
    yield "X-Content-Type-Options", "nosniff"
    yield "X-Frame-Options", "DENY"
    yield "Referrer-Policy", "same-origin"
    yield "Content-Security-Policy", CONTENT_POLICY
    yield "Permissions-Policy", "camera=(), microphone=(), geolocation=()"
    yield "Cross-Origin-Resource-Policy", "same-origin"
    yield "Cross-Origin-Opener-Policy", "same-origin"
    # routes that may be kept say so themselves
    yield "Cache-Control", "no-store"
    if is_https(settings):
        yield "Strict-Transport-Security", "max-age=31536000; includeSubDomains"


def _most_bytes(scope: Scope) -> int:
    return MAX_UPLOAD_BYTES if scope["path"].startswith("/uploads/") else MAX_BODY_BYTES


def _most_said(most: int) -> str:
    return f"A request's body has at most {most // 1024} KiB."


def _too_large(most: int) -> Response:
    answer = problem(413, "body_too_large", _most_said(most))
    # the rest of the body is not read: what follows on the connection is no request
    answer.headers["Connection"] = "close"
    return answer
