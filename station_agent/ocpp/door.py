"""The opening handshake: who is let in is settled before the upgrade; the refused all hear the same."""

from collections.abc import Callable
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response

from contracts.clock import Clock
from contracts.events import SecurityEventReported
from contracts.ids import ChargerId
from station_agent.ocpp import metrics, v16
from station_agent.ocpp.connections import Connections
from station_agent.ocpp.handshake import (
    Admission,
    Knock,
    admit,
    basic_credentials,
    choose_version,
    identity_of,
    offers_in,
)
from station_agent.ocpp.throttle import Failures, OncePer
from station_agent.ocpp.versions import Version
from station_agent.ports import Credentials, OutboxUnavailable, Recorder

log: Final = structlog.get_logger()

_PROTOCOL: Final = "Sec-WebSocket-Protocol"
_MAX_FAILURES: Final = 10
_FAILURE_WINDOW: Final = timedelta(minutes=1)
_EVENT_EVERY: Final = timedelta(minutes=1)


class ChargerSocket(ServerConnection):
    """A WebSocket that knows, from the handshake on, whose it is."""

    charger_id: ChargerId
    version: Version
    admission: Admission


class Door:
    """Answers requests to connect."""

    def __init__(
        self,
        *,
        credentials: Credentials,
        recorder: Recorder,
        connections: Connections,
        clock: Clock,
        is_ours: Callable[[ChargerId], bool],
        is_lab: bool,
    ) -> None:
        self._credentials = credentials
        self._recorder = recorder
        self._connections = connections
        self._clock = clock
        self._is_ours = is_ours
        self._is_lab = is_lab
        self._failures = Failures(_MAX_FAILURES, _FAILURE_WINDOW.total_seconds())
        self._events = OncePer(_EVENT_EVERY.total_seconds())

    async def open(self, socket: ServerConnection, request: Request) -> Response | None:
        """Return how a request is refused; None lets it through to the upgrade."""
        knock = _knock(socket, request)
        admission = self._admit(knock, socket)
        if knock.charger_id is None or not admission.is_admitted:
            metrics.logins("refused").inc()
            await self._tell(knock.charger_id, admission.reason)
            return _unauthorized(socket)
        version = choose_version(offers_in(request.headers.get_all(_PROTOCOL)))
        if version is None:
            # The standard would have us complete the handshake and close at once (1.6J, section
            # 3.2), which chargers take for a success to be repeated without back-off.
            metrics.logins("no_version").inc()
            return socket.respond(HTTPStatus.BAD_REQUEST, "ocpp1.6, ocpp2.0.1 or ocpp2.1\n")
        if not await self._connections.has_room_for(knock.charger_id):
            metrics.logins("duplicate").inc()
            await self._tell(knock.charger_id, "second_connection")
            return socket.respond(HTTPStatus.CONFLICT, "already connected\n")
        _prepare(socket, request, version)
        socket.charger_id = knock.charger_id  # type: ignore[attr-defined]
        socket.version = version  # type: ignore[attr-defined]
        socket.admission = admission  # type: ignore[attr-defined]
        metrics.logins("admitted").inc()
        return None

    def _admit(self, knock: Knock, socket: ServerConnection) -> Admission:
        """Decide; who failed ten times within a minute is not even listened to (FAULTS S05)."""
        now_s = self._clock.monotonic()
        address = socket.remote_address[0] if socket.remote_address else ""
        key = (address, knock.charger_id)
        if self._failures.is_blocked(key, now_s):
            return Admission(is_admitted=False, reason="too_many_failures")
        charger_id = knock.charger_id
        credential = self._credentials.credential_of(charger_id) if charger_id else None
        is_ours = charger_id is not None and self._is_ours(charger_id)
        admission = admit(knock, credential, is_lab=self._is_lab, is_ours=is_ours)
        if not admission.is_admitted:
            self._failures.add(key, now_s)
        return admission

    async def _tell(self, charger_id: ChargerId | None, reason: str) -> None:
        """Report what concerns a charger we know, once a minute; others are only counted."""
        log.info("ocpp.refused", charger_id=charger_id, reason=reason)
        if charger_id is None or self._credentials.credential_of(charger_id) is None:
            return
        if not self._events.allows((charger_id, reason), self._clock.monotonic()):
            return
        event = SecurityEventReported(
            charger_id=charger_id,
            event="login_refused",
            info=reason,
            observed_at=self._clock.now(),
        )
        try:
            await self._recorder.record([event])
        except OutboxUnavailable:
            log.warning("ocpp.not_recorded", charger_id=charger_id)


def select_subprotocol(socket: ServerConnection, offers: Any) -> Any:
    """Return the subprotocol settled on; None where none was offered."""
    name = socket.version.subprotocol  # type: ignore[attr-defined]
    return name if name in offers else None


def _knock(socket: ServerConnection, request: Request) -> Knock:
    transport = socket.transport
    return Knock(
        charger_id=identity_of(request.path),
        credentials=basic_credentials(request.headers.get_all("Authorization")),
        is_encrypted=transport.get_extra_info("ssl_object") is not None,
        certificate=transport.get_extra_info("peercert"),
    )


def _prepare(socket: ServerConnection, request: Request, version: Version) -> None:
    if not offers_in(request.headers.get_all(_PROTOCOL)) and _PROTOCOL in request.headers:
        # An empty offer (QUIRKS 1) is none; the library would refuse it.
        del request.headers[_PROTOCOL]
    if version is v16.VERSION:
        # 1.6 knows no compression, and 40 KB a connection are too much for nothing.
        socket.protocol.available_extensions = []


def _unauthorized(socket: ServerConnection) -> Response:
    response = socket.respond(HTTPStatus.UNAUTHORIZED, "unauthorized\n")
    response.headers["WWW-Authenticate"] = 'Basic realm="ocpp", charset="UTF-8"'
    return response
