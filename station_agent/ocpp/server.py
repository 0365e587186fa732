"""The OCPP endpoint of a process: listens, or takes connections others accepted; finds each its station."""

import asyncio
import logging
import socket as sockets
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.server import ServerProtocol

from contracts.clock import Clock
from contracts.ids import ChargerId
from station_agent.ocpp.arrival import Arrival, Network
from station_agent.ocpp.door import (
    ChargerSocket,
    Door,
    Household,
    answer_odd_key,
    select_subprotocol,
)
from station_agent.ocpp.handshake import VERSIONS
from station_agent.ocpp.rpc import MAX_FRAME_BYTES
from station_agent.ocpp.tls import server_context

log: Final = structlog.get_logger()

_HANDSHAKE_S: Final = 10
_CLOSE_S: Final = 3
_RESTART: Final = 1012
BACKLOG: Final = 4_096
"""Connections the system may hold for us: a site's power comes back to all its chargers at once."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the endpoint listens; times in seconds of the clock."""

    host: str = "0.0.0.0"
    port: int | None = 0
    """0 lets the system choose; None: nowhere, connections are handed over by another process."""
    tls_cert_files: tuple[Path, ...] = ()
    """Empty: plain WebSocket, security profile 1 at most."""
    tls_client_ca_file: Path | None = None
    tls_port: int | None = None
    """Where to listen encrypted, beside `port`, which then is plain; None: `port` is encrypted."""
    trusted_proxies: tuple[Network, ...] = ()
    """Whose word on address and encryption is taken, in X-Forwarded-For and -Proto."""
    allow_unauthenticated: bool = False
    """Security profile 0: only for a lab."""
    ping_interval_s: float = 20
    heartbeat_interval_s: int = 300
    """What BootNotification tells chargers."""
    call_timeout_s: float = 30
    silent_after_s: float = 60
    max_messages_per_s: float = 50
    """Of one charger, in the long run and by the machine's clock; what is more has to wait."""
    max_message_burst: int = 500


class ChargerServer:
    """Where chargers of one station or of many come in."""

    def __init__(
        self,
        *,
        find: Callable[[ChargerId], Household | None],
        settings: ServerSettings,
        clock: Clock,
    ) -> None:
        self.port = settings.port or 0
        """The one listened on, once started; 0: none."""
        self.tls_port = 0
        """The encrypted one beside it; 0: none."""
        self._settings = settings
        self._server: Server | None = None
        self._door = Door(
            find=find,
            clock=clock,
            is_lab=settings.allow_unauthenticated,
            trusted_proxies=settings.trusted_proxies,
        )

    async def serve(self, *, started: asyncio.Event | None = None) -> None:
        """Serve until cancelled; then close every connection with 1012: come back soon."""
        for version in VERSIONS.values():
            version.warm_up()
        settings = self._settings
        is_apart = settings.tls_port is not None and settings.port is not None
        server = self._server = await self._listen(settings.port, None if is_apart else self._tls())
        self.port = _port_of(server) or self.port
        servers = [server]
        if is_apart:
            servers.append(await self._listen(settings.tls_port, self._tls()))
            self.tls_port = _port_of(servers[1])
        log.info("ocpp.listening", port=self.port, tls_port=self.tls_port)
        if started is not None:
            started.set()
        try:
            await server.wait_closed()
        finally:
            for one in servers:
                one.close(code=_RESTART, reason="the station agent restarts")
            for one in servers:
                await one.wait_closed()

    async def adopt(self, sock: sockets.socket, arrival: Arrival, heard: bytes) -> None:
        """Serve a connection another process accepted.

        Args:
            sock: not blocking; ours from now on.
            arrival: how it came from the network.
            heard: what was read of it already, its request line or more.
        """
        server = self._server
        if server is None or not server.is_serving():
            sock.close()
            return

        def select(_: ServerProtocol, offers: Any) -> Any:
            return select_subprotocol(connection, offers)

        protocol = ServerProtocol(
            extensions=[_small_windows()],
            select_subprotocol=select,
            max_size=MAX_FRAME_BYTES,
            logger=_quiet(),
        )
        connection = ChargerSocket(protocol, server, ping_interval=None, close_timeout=_CLOSE_S)
        connection.arrival = arrival
        loop = asyncio.get_running_loop()
        try:
            await loop.connect_accepted_socket(lambda: connection, sock)
        except OSError as error:
            log.debug("ocpp.gone_on_the_way", error=str(error))
            sock.close()
        else:
            connection.data_received(heard)

    def _tls(self) -> ssl.SSLContext | None:
        settings = self._settings
        if not settings.tls_cert_files or settings.port is None:
            return None
        return server_context(settings.tls_cert_files, settings.tls_client_ca_file)

    async def _listen(self, port: int | None, tls: ssl.SSLContext | None) -> Server:
        server = serve(
            self._serve_charger,
            self._settings.host,
            port,
            process_request=self._door.open,
            process_response=answer_odd_key,
            select_subprotocol=select_subprotocol,
            create_connection=ChargerSocket,
            extensions=[_small_windows()],
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=_HANDSHAKE_S,
            close_timeout=_CLOSE_S,
            ping_interval=None,
            server_header=None,
            logger=_quiet(),
            ssl=tls,
            backlog=BACKLOG,
        )
        if port is None:
            server.create_server = _nowhere  # type: ignore[assignment]
        return await server

    async def _serve_charger(self, socket: ServerConnection) -> None:
        assert isinstance(socket, ChargerSocket)  # noqa: S101 - what create_connection made
        await socket.household.serve(socket)


class _Nowhere(asyncio.AbstractServer):
    """Stands where the library wants a listening server, and does not listen."""

    sockets = ()
    _is_serving = True

    def close(self) -> None:
        self._is_serving = False

    async def wait_closed(self) -> None:
        return

    def is_serving(self) -> bool:
        return self._is_serving

    async def start_serving(self) -> None:
        return

    async def serve_forever(self) -> None:
        return

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()


async def _nowhere() -> _Nowhere:
    return _Nowhere()


def _port_of(server: Server) -> int:
    return next((int(one.getsockname()[1]) for one in server.sockets), 0)


def _quiet() -> logging.Logger:
    """Return a log nobody reads: the library's own has a traceback for every port scan."""
    quiet = logging.getLogger("baywatt.websockets")
    quiet.setLevel(logging.CRITICAL + 1)
    return quiet


def _small_windows() -> ServerPerMessageDeflateFactory:
    return ServerPerMessageDeflateFactory(
        server_max_window_bits=10, client_max_window_bits=10, compress_settings={"memLevel": 3}
    )
