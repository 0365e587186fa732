"""The HTTP server: uvicorn, with bounds on what a client may send before it is anybody."""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import Any, Final

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from cloud.live import LiveHub

MAX_HEADERS: Final = 100
MAX_HEAD_BYTES: Final = 16 * 1024
HEAD_TIMEOUT_S: Final = 10
CONNECTION: Final = "baywatt.connection"
"""Name of the ASGI extension by which a stream gets at its connection."""

_STREAM_BUFFER_BYTES: Final = 32 * 1024
"""What the kernel may hold for a viewer; doubled by Linux."""
_DEAD_AFTER_MS: Final = 20_000
_TCP: Final = frozenset({socket.AF_INET, socket.AF_INET6})

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/problem+json\r\nconnection: close\r\ncontent-length: 116\r\n\r\n"
    b'{"type":"about:blank","title":"Request Header Fields Too Large","status":431,'
    b'"detail":"","code":"headers_too_large"}'
)


class Connection:
    """A client's connection, as a stream needs it."""

    __slots__ = ("_transport", "is_lost", "on_lost")

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self.is_lost = False
        self.on_lost: Callable[[], None] | None = None

    def abort(self) -> None:
        """Cut it at once: what waits to be sent is dropped."""
        self._transport.abort()

    def bound(self) -> None:
        """Keep what the kernel holds small, and have a dead peer noticed."""
        known = self._transport.get_extra_info("socket")
        if known is None or known.family not in _TCP:
            return
        with socket.socket(fileno=os.dup(known.fileno())) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _STREAM_BUFFER_BYTES)
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_AFTER_MS)


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol with a bound on the head of a request: its size, and its time to come."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_bytes = 0
        self._head_timer: asyncio.TimerHandle | None = None
        self._connection: Connection | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time a client has for its first request."""
        super().connection_made(transport)
        self._connection = Connection(transport)
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the time."""
        self._stop_timer()
        super().connection_lost(exc)
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.is_lost = True
            if connection.on_lost is not None:
                connection.on_lost()

    def on_message_begin(self) -> None:
        """Start counting; name the connection in the scope, for streams."""
        super().on_message_begin()
        self._head_bytes = 0
        if self._head_timer is None:
            self._expect_head()
        self.scope["extensions"] = {CONNECTION: {"connection": self._connection}}

    def on_url(self, url: bytes) -> None:
        """Count."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count."""
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Stop the time."""
        self._stop_timer()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer a request that is none; one too large was answered already."""
        if not self.transport.is_closing():
            super().send_400_response(msg)

    def _count(self, length: int) -> None:
        self._head_bytes += length
        if self._head_bytes > MAX_HEAD_BYTES or len(self.headers) >= MAX_HEADERS:
            if not self.transport.is_closing():
                self.transport.write(_TOO_LARGE)
                self.transport.close()
            raise ValueError("the head of the request is too large")

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_TIMEOUT_S, self._give_up)

    def _give_up(self) -> None:
        self._head_timer = None
        if not self.transport.is_closing():
            self.transport.abort()

    def _stop_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


class Server(uvicorn.Server):
    """uvicorn that ends live streams as soon as it is told to stop."""

    def __init__(self, config: uvicorn.Config, hub: LiveHub) -> None:
        super().__init__(config)
        self._hub = hub

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: uvicorn would wait for their viewers."""
        self._hub.close()
        await super().shutdown(sockets)


def build_server(
    app: Any, hub: LiveHub, *, host: str, port: int, trusted_proxies: str = ""
) -> Server:
    """Return a server; `await server.serve()` runs it until SIGTERM or `should_exit`.

    Args:
        app: the ASGI application.
        hub: whose streams end first.
        host: the address to listen at.
        port: the port; 0: any.
        trusted_proxies: addresses or networks whose X-Forwarded-For and -Proto are believed.
    """
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedHttp,
        ws="none",
        lifespan="on",
        loop="uvloop",
        access_log=False,
        server_header=False,
        proxy_headers=bool(trusted_proxies),
        forwarded_allow_ips=trusted_proxies or None,
        log_config=None,
        timeout_keep_alive=15,
        timeout_graceful_shutdown=3,
        backlog=4_096,
    )
    return Server(config, hub)
