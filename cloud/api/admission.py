"""How many requests are worked on at once: the rest wait a little, or are sent away.

A request holds a thread while the database is slow. Without a bound they would queue for minutes
when it hangs; so each waits at most `PATIENCE_S` for its turn, and then hears when to come again.
Those who ask for a bay may wait for up to four seconds.
While request after request fails for want of the database, only a few are let in to find out
whether it is back, so that the others hear at once and not after its timeouts.
"""

import asyncio
from typing import Final

from prometheus_client import Counter
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cloud.api.problems import problem
from cloud.domain.errors import Unavailable

AT_ONCE: Final = 24
"""A few more than there are connections to the database: more would only wait there, unseen."""
IN_LINE: Final = 1_000
PATIENCE_S: Final = 0.9
PATIENCE_FOR_BAYS_S: Final = 4.0
"""Who wants a bay is heard out: many come at the same moment, and all but one for nothing."""
FAILURES: Final = 10
"""So many 503 in a row, and only `PROBES` are let in at once."""
PROBES: Final = 5

_UNAVAILABLE: Final = 503
_LONG: Final = (
    "/events",
    "/calls",
    "/commands",
    "/log-files",
    "/payment",
    "/top-ups",
    "/subscriptions",
)
"""Requests that wait for something else than a thread."""
_SLOW: Final = "/uploads/"
"""Chargers send files as fast as their mobile links let them."""
_LIGHT: Final = frozenset({"/livez", "/readyz", "/metrics"})
_BAYS: Final = "/api/v1/reservations"

SENT_AWAY: Final = Counter("baywatt_http_sent_away_total", "Requests not begun for want of room.")


class Admission:
    """ASGI middleware; one turnstile for all requests that use threads."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._free = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0
        self._inside = 0
        self._failures = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request in when there is room."""
        if scope["type"] != "http" or _is_exempt(scope["path"]):
            await self._app(scope, receive, send)
        elif not await self._gets_in(_patience_s(scope)):
            SENT_AWAY.inc()
            refusal = Unavailable("room", "Too busy at the moment; please try again.")
            headers = {"Retry-After": str(refusal.retry_after_s)}
            await problem(_UNAVAILABLE, refusal.code, refusal.detail, headers)(scope, receive, send)
        else:
            await self._work(scope, receive, send)

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                is_away = message["status"] == _UNAVAILABLE
                self._failures = self._failures + 1 if is_away else 0
            await send(message)

        self._inside += 1
        try:
            await self._app(scope, receive, noting)
        finally:
            self._inside -= 1
            self._free.release()

    async def _gets_in(self, patience_s: float) -> bool:
        """Take a place, or wait for one; whether it came in time."""
        if self._is_hopeless():
            return False
        if not self._free.locked():
            return await self._free.acquire()
        if self._waiting >= IN_LINE:
            return False
        self._waiting += 1
        try:
            async with asyncio.timeout(patience_s):
                await self._free.acquire()
        except TimeoutError:
            return False
        finally:
            self._waiting -= 1
        if self._is_hopeless():
            self._free.release()
            return False
        return True

    def _is_hopeless(self) -> bool:
        return self._failures >= FAILURES and self._inside >= PROBES


def _patience_s(scope: Scope) -> float:
    is_for_bay = scope["path"] == _BAYS and scope.get("method") == "POST"
    return PATIENCE_FOR_BAYS_S if is_for_bay else PATIENCE_S


def _is_exempt(path: str) -> bool:
    return path in _LIGHT or path.endswith(_LONG) or path.startswith(_SLOW)
