"""The opening handshake: who is let in is settled before the upgrade; the refused all hear the same."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final, Protocol

import structlog
from websockets.asyncio.server import ServerConnection
from websockets.http11 import Request, Response
from websockets.utils import accept_key, generate_key

from contracts.clock import Clock
from contracts.ids import ChargerId
from contracts.plan import ChargerCredential
from station_agent.ocpp import metrics, v16
from station_agent.ocpp.arrival import Arrival, Network, behind_proxies
from station_agent.ocpp.handshake import (
    Admission,
    Knock,
    admit,
    asks_to_upgrade,
    basic_credentials,
    choose_version,
    identity_of,
    is_handshake_key,
    offers_in,
)
from station_agent.ocpp.throttle import Failures
from station_agent.ocpp.versions import Version

log: Final = structlog.get_logger()

_PROTOCOL: Final = "Sec-WebSocket-Protocol"
_KEY: Final = "Sec-WebSocket-Key"
_ACCEPT: Final = "Sec-WebSocket-Accept"
_MAX_FAILURES: Final = 10
_FAILURE_WINDOW: Final = timedelta(minutes=1)


class Household(Protocol):
    """A station, as the door to its chargers needs it."""

    def name_of(self, charger_id: ChargerId) -> ChargerId:
        """Return how a charger of its own is written, whatever its case here (QUIRKS 3)."""
        ...

    def is_ours(self, charger_id: ChargerId) -> bool:
        """Whether the station file lists a charger."""
        ...

    def credential_of(self, charger_id: ChargerId) -> ChargerCredential | None:
        """Return what a charger's key is checked against; None: the plan does not know it."""
        ...

    async def has_room_for(self, charger_id: ChargerId) -> bool:
        """Whether a newcomer of this name may come in: nobody is there, or nobody alive."""
        ...

    async def tell_refused(self, charger_id: ChargerId, reason: str) -> None:
        """Report that one of its chargers, or somebody of its name, was not let in."""
        ...

    async def serve(self, socket: "ChargerSocket") -> None:
        """Serve a charger until its socket closes."""
        ...


class ChargerSocket(ServerConnection):
    """A WebSocket that knows, from the handshake on, whose it is."""

    charger_id: ChargerId
    version: Version
    admission: Admission
    household: Household
    arrival: Arrival | None = None
    """Said by who accepted it, where that was another process."""
    odd_key: str = ""
    """What it sent for the handshake's key, where that is none."""


class Door:
    """Answers requests to connect, of any station's chargers."""

    def __init__(
        self,
        *,
        find: Callable[[ChargerId], Household | None],
        clock: Clock,
        is_lab: bool,
        trusted_proxies: Sequence[Network] = (),
    ) -> None:
        """Open a door.

        Args:
            find: the station of a charger, None for one of nobody's.
            clock: by which failures are counted.
            is_lab: whether those who prove nothing may come in.
            trusted_proxies: whose word on where a connection came from is taken.
        """
        self._find = find
        self._clock = clock
        self._is_lab = is_lab
        self._trusted = trusted_proxies
        self._failures = Failures(_MAX_FAILURES, _FAILURE_WINDOW.total_seconds())

    async def open(self, socket: ServerConnection, request: Request) -> Response | None:
        """Return how a request is refused; None lets it through to the upgrade."""
        assert isinstance(socket, ChargerSocket)  # noqa: S101 - what create_connection made
        arrival = self._arrival(socket, request)
        knock = _knock(arrival, request)
        charger_id = knock.charger_id
        household = self._find(charger_id) if charger_id else None
        if household is not None and charger_id is not None:
            charger_id = household.name_of(charger_id)
            knock = replace(knock, charger_id=charger_id)
        admission = self._admit(knock, arrival, household)
        if charger_id is None or household is None or not admission.is_admitted:
            return await self._refuse(socket, charger_id, household, admission.reason)
        version = choose_version(offers_in(request.headers.get_all(_PROTOCOL)))
        if version is None:
            # The standard would have us complete the handshake and close at once (1.6J, section
            # 3.2), which chargers take for a success to be repeated without back-off.
            metrics.logins("no_version").inc()
            return socket.respond(HTTPStatus.BAD_REQUEST, "ocpp1.6, ocpp2.0.1 or ocpp2.1\n")
        if not await household.has_room_for(charger_id):
            metrics.logins("duplicate").inc()
            _log_refused(charger_id, "second_connection")
            await household.tell_refused(charger_id, "second_connection")
            return socket.respond(HTTPStatus.CONFLICT, "already connected\n")
        _prepare(socket, request, version)
        socket.charger_id, socket.household = charger_id, household
        socket.version, socket.admission = version, admission
        metrics.logins("admitted").inc()
        return None

    def _admit(self, knock: Knock, arrival: Arrival, household: Household | None) -> Admission:
        """Decide; who failed ten times within a minute is not even listened to (FAULTS S05)."""
        now_s = self._clock.monotonic()
        key = (arrival.address, knock.charger_id)
        if self._failures.is_blocked(key, now_s):
            return Admission(is_admitted=False, reason="too_many_failures")
        credential, is_ours = None, False
        if household is not None and knock.charger_id is not None:
            credential = household.credential_of(knock.charger_id)
            is_ours = household.is_ours(knock.charger_id)
        admission = admit(knock, credential, is_lab=self._is_lab, is_ours=is_ours)
        if not admission.is_admitted:
            self._failures.add(key, now_s)
        return admission

    async def _refuse(
        self,
        socket: ChargerSocket,
        charger_id: ChargerId | None,
        household: Household | None,
        reason: str,
    ) -> Response:
        """Tell the station what concerns a charger of its own; others are only counted."""
        metrics.logins("refused").inc()
        _log_refused(charger_id, reason)
        if charger_id is not None and household is not None:
            await household.tell_refused(charger_id, reason)
        return _unauthorized(socket)

    def _arrival(self, socket: ChargerSocket, request: Request) -> Arrival:
        return behind_proxies(
            socket.arrival or _arrival_of(socket),
            forwarded_for=request.headers.get_all("X-Forwarded-For"),
            forwarded_proto=request.headers.get_all("X-Forwarded-Proto"),
            trusted=self._trusted,
        )


def select_subprotocol(socket: ServerConnection, offers: Any) -> Any:
    """Return the subprotocol settled on; None where none was offered."""
    name = socket.version.subprotocol  # type: ignore[attr-defined]
    return name if name in offers else None


def answer_odd_key(socket: ServerConnection, request: Request, response: Response) -> None:
    """Accept by the key that was sent, whatever it was."""
    del request
    odd_key = socket.odd_key  # type: ignore[attr-defined]
    if odd_key and response.status_code == HTTPStatus.SWITCHING_PROTOCOLS:
        del response.headers[_ACCEPT]
        response.headers[_ACCEPT] = accept_key(odd_key)


def _arrival_of(socket: ServerConnection) -> Arrival:
    transport = socket.transport
    return Arrival(
        address=socket.remote_address[0] if socket.remote_address else "",
        is_encrypted=transport.get_extra_info("ssl_object") is not None,
        certificate=transport.get_extra_info("peercert"),
    )


def _knock(arrival: Arrival, request: Request) -> Knock:
    return Knock(
        charger_id=identity_of(request.path),
        credentials=basic_credentials(request.headers.get_all("Authorization")),
        is_encrypted=arrival.is_encrypted,
        certificate=arrival.certificate,
    )


def _log_refused(charger_id: ChargerId | None, reason: str) -> None:
    log.info("ocpp.refused", charger_id=charger_id, reason=reason)


def _prepare(socket: ChargerSocket, request: Request, version: Version) -> None:
    _mend_upgrade(socket, request)
    if not offers_in(request.headers.get_all(_PROTOCOL)) and _PROTOCOL in request.headers:
        # An empty offer (QUIRKS 1) is none; the library would refuse it.
        del request.headers[_PROTOCOL]
    if version is v16.VERSION:
        # 1.6 knows no compression, and 40 KB a connection are too much for nothing.
        socket.protocol.available_extensions = []


def _mend_upgrade(socket: ChargerSocket, request: Request) -> None:
    """Have the library take what some chargers send (QUIRKS 2); it goes by the book."""
    headers = request.headers
    if not asks_to_upgrade(headers.get_all("Connection")):
        headers["Connection"] = "Upgrade"
    keys = headers.get_all(_KEY)
    if len(keys) == 1 and not is_handshake_key(keys[0]):
        socket.odd_key = keys[0]
        del headers[_KEY]
        headers[_KEY] = generate_key()


def _unauthorized(socket: ServerConnection) -> Response:
    response = socket.respond(HTTPStatus.UNAUTHORIZED, "unauthorized\n")
    response.headers["WWW-Authenticate"] = 'Basic realm="ocpp", charset="UTF-8"'
    return response
