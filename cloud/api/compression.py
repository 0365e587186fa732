"""gzip for answers worth it; never for live streams, whose events must leave at once."""

from typing import Final

from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

_LEAST_BYTES: Final = 1_024
_LEVEL: Final = 5


class Compression:
    """ASGI middleware around Starlette's, which would hold on to each viewer of a stream."""

    def __init__(self, app: ASGIApp) -> None:
        self._plain = app
        self._gzip = GZipMiddleware(app, minimum_size=_LEAST_BYTES, compresslevel=_LEVEL)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        is_plain = scope["type"] != "http" or scope["path"].endswith("/events")
        await (self._plain if is_plain else self._gzip)(scope, receive, send)
