"""The station's OCPP endpoint: lets chargers in, keeps one connection each, carries commands to them."""

import asyncio
import logging
import uuid
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from contracts.clock import Clock
from contracts.commands import Request
from contracts.events import ChargerDisconnected, Event
from contracts.ids import ChargerId
from station_agent.ocpp import metrics
from station_agent.ocpp.answering import Services, Timing
from station_agent.ocpp.connection import ChargerConnection
from station_agent.ocpp.connections import Connections
from station_agent.ocpp.door import ChargerSocket, Door, select_subprotocol
from station_agent.ocpp.gateway import Gateway
from station_agent.ocpp.handshake import OTHER_WITHOUT_OFFER, VERSIONS
from station_agent.ocpp.outcome import ChargerView
from station_agent.ocpp.rpc import MAX_FRAME_BYTES
from station_agent.ocpp.tls import server_context
from station_agent.ports import (
    AnswerMemory,
    Authorizer,
    CommandResult,
    Credentials,
    OutboxUnavailable,
    Promises,
    Recorder,
    SessionMemory,
)
from station_agent.station_file import StationLayout

log: Final = structlog.get_logger()

_HANDSHAKE_S: Final = 10
_CLOSE_S: Final = 3
_RESTART: Final = 1012
_REPLACED: Final = 1008


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the endpoint listens; times in seconds of the clock."""

    host: str = "0.0.0.0"
    port: int = 0
    """0 lets the system choose."""
    tls_cert_files: tuple[Path, ...] = ()
    """Empty: plain WebSocket, security profile 1 at most."""
    tls_client_ca_file: Path | None = None
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
    """The endpoint; implements ChargerGateway."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        sessions: SessionMemory,
        answers: AnswerMemory,
        authorizer: Authorizer,
        promises: Promises,
        credentials: Credentials,
        station: StationLayout,
        settings: ServerSettings,
        clock: Clock,
    ) -> None:
        self.port = settings.port
        """The one listened on, once started."""
        self._sessions = sessions
        self._promises = promises
        self._station = station
        self._settings = settings
        self._clock = clock
        self._services = Services(recorder, answers, authorizer, clock, _timing(settings))
        self._connections = Connections(clock, settings.silent_after_s)
        self._gateway = Gateway(self._connections, sessions, recorder, clock)
        self._door = Door(
            credentials=credentials,
            recorder=recorder,
            connections=self._connections,
            clock=clock,
            is_ours=station.chargers.__contains__,
            is_lab=settings.allow_unauthenticated,
        )

    async def serve(self, *, started: asyncio.Event | None = None) -> None:
        """Serve until cancelled; then close every connection with 1012: come back soon."""
        for version in VERSIONS.values():
            version.warm_up()
        server = await self._listen()
        self.port = next(iter(server.sockets)).getsockname()[1]
        log.info("ocpp.listening", port=self.port)
        if started is not None:
            started.set()
        try:
            await server.wait_closed()
        finally:
            server.close(code=_RESTART, reason="the station agent restarts")
            await server.wait_closed()

    async def execute(self, request: Request, timeout_s: float) -> CommandResult:
        """See ChargerGateway.execute."""
        return await self._gateway.execute(request, timeout_s)

    def silent_chargers(self) -> list[ChargerId]:
        """See ChargerGateway.silent_chargers."""
        return self._connections.silent_among(self._station.chargers)

    def connected_at(self, charger_id: ChargerId) -> datetime | None:
        """See ChargerGateway.connected_at."""
        return self._connections.connected_at(charger_id)

    async def _listen(self) -> Server:
        settings = self._settings
        # The library's own log has a traceback for every port scan.
        quiet = logging.getLogger("baywatt.websockets")
        quiet.setLevel(logging.CRITICAL + 1)
        small_windows = ServerPerMessageDeflateFactory(
            server_max_window_bits=10, client_max_window_bits=10, compress_settings={"memLevel": 3}
        )
        tls = None
        if settings.tls_cert_files:
            tls = server_context(settings.tls_cert_files, settings.tls_client_ca_file)
        return await serve(
            self._serve_charger,
            settings.host,
            settings.port,
            process_request=self._door.open,
            select_subprotocol=select_subprotocol,
            create_connection=ChargerSocket,
            extensions=[small_windows],
            compression=None,
            max_size=MAX_FRAME_BYTES,
            open_timeout=_HANDSHAKE_S,
            close_timeout=_CLOSE_S,
            ping_interval=None,
            server_header=None,
            logger=quiet,
            ssl=tls,
        )

    async def _serve_charger(self, socket: ServerConnection) -> None:
        assert isinstance(socket, ChargerSocket)  # noqa: S101 - what create_connection made
        other = OTHER_WITHOUT_OFFER if socket.subprotocol is None else None
        connection = ChargerConnection(
            socket, socket.version, self._view(socket), self._services, other
        )
        old = self._connections.put(connection)
        metrics.CONNECTED.set(len(self._connections))
        await self._record(connection.connected())
        closing = asyncio.create_task(old.close(_REPLACED, "replaced")) if old else None
        try:
            await connection.run()
        except Exception:
            log.exception("ocpp.connection_failed", charger_id=socket.charger_id)
        finally:
            if self._connections.remove(connection):
                metrics.CONNECTED.set(len(self._connections))
                await self._record(self._disconnected(socket))
            if closing is not None:
                await closing

    def _view(self, socket: ChargerSocket) -> ChargerView:
        return ChargerView(
            charger_id=socket.charger_id,
            evse_ids=self._station.evses_of(socket.charger_id),
            sessions=self._sessions,
            connected_at=self._clock.now(),
            security_profile=socket.admission.security_profile,
            heartbeat_interval_s=self._settings.heartbeat_interval_s,
            new_session_id=lambda: uuid.uuid4().hex,
            promises=self._promises,
        )

    def _disconnected(self, socket: ChargerSocket) -> Event:
        code = socket.close_code
        reason = f"{code} {socket.close_reason}".strip() if code else ""
        return ChargerDisconnected(
            charger_id=socket.charger_id, reason=reason, observed_at=self._clock.now()
        )

    async def _record(self, fact: Event) -> None:
        """Make it durable; while the disk refuses, a connection is better than its record."""
        try:
            await self._services.recorder.record([fact])
        except OutboxUnavailable:
            log.warning("ocpp.not_recorded", fact=type(fact).__name__)


def _timing(settings: ServerSettings) -> Timing:
    return Timing(
        ping_interval_s=settings.ping_interval_s,
        call_timeout_s=settings.call_timeout_s,
        max_messages_per_s=settings.max_messages_per_s,
        max_message_burst=settings.max_message_burst,
    )
