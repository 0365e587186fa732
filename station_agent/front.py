"""Several processes side by side on one port: this one accepts, and hands each charger to whom it belongs."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from typing import Final

import structlog

from contracts.ids import ChargerId
from station_agent.handover import MAX_HEAD_BYTES, OtherEndGone
from station_agent.ocpp.arrival import Arrival
from station_agent.ocpp.handshake import identity_of
from station_agent.ocpp.server import BACKLOG, ServerSettings
from station_agent.ocpp.tls import server_context
from station_agent.parts import Part
from station_agent.pipe import Tls, open_tls

log = structlog.get_logger()

_HEAD_WITHIN_S: Final = 10.0
_SHORT_OF_FILES_S: Final = 0.1
_AWAY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n"
    b"Content-Length: 0\r\nConnection: close\r\n\r\n"
)


class Front:
    """Listens; reads of each connection no more than whose it is."""

    def __init__(self, settings: ServerSettings, parts: Sequence[Part]) -> None:
        self.port = 0
        """The one listened on, once `listen` returned."""
        self._settings = settings
        self._parts = parts
        self._listeners: list[tuple[socket.socket, ssl.SSLContext | None]] = []

    def listen(self) -> None:
        """Listen where the settings say.

        Raises:
            OSError: it cannot be.
        """
        settings = self._settings
        tls = None
        if settings.tls_cert_files:
            tls = server_context(settings.tls_cert_files, settings.tls_client_ca_file)
        if settings.tls_port is None:
            self._listen(settings.port or 0, tls)
        else:
            self._listen(settings.port or 0, None)
            self._listen(settings.tls_port, tls)
        self.port = self._listeners[0][0].getsockname()[1]
        ports = [one.getsockname()[1] for one, _ in self._listeners]
        log.info("ocpp.listening", ports=sorted(set(ports)))

    async def run(self) -> None:
        """Hand over what comes, until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                for listener, tls in self._listeners:
                    tasks.create_task(self._accept(listener, tls, tasks), name="front")
        finally:
            for listener, _ in self._listeners:
                listener.close()

    def _listen(self, port: int, tls: ssl.SSLContext | None) -> None:
        self._listeners += [(one, tls) for one in _listeners(self._settings.host, port)]

    async def _accept(
        self, listener: socket.socket, tls: ssl.SSLContext | None, tasks: asyncio.TaskGroup
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, address = await loop.sock_accept(listener)
            except OSError as error:
                log.warning("front.not_accepted", error=str(error))
                await asyncio.sleep(_SHORT_OF_FILES_S)
            else:
                tasks.create_task(self._take(sock, str(address[0]), tls), name="front connection")

    async def _take(self, sock: socket.socket, address: str, tls: ssl.SSLContext | None) -> None:
        """Find a connection its part; whoever says nothing of sense in time is left."""
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if tls is None:
                await self._take_plain(sock, address)
            else:
                await self._take_tls(await open_tls(sock, tls), address)
        except (OSError, TimeoutError) as error:
            log.debug("front.left", error=str(error))
        except Exception:
            log.exception("front.failed")

    async def _take_plain(self, sock: socket.socket, address: str) -> None:
        with sock:
            async with asyncio.timeout(_HEAD_WITHIN_S):
                heard = await _first_line(sock)
                if heard and not await self._hand_over(sock, Arrival(address), heard):
                    await asyncio.get_running_loop().sock_sendall(sock, _AWAY)

    async def _take_tls(self, tls: Tls, address: str) -> None:
        """Keep the encryption here, and hand over one end of a pair that has it without."""
        ours, theirs = socket.socketpair()
        try:
            async with asyncio.timeout(_HEAD_WITHIN_S):
                heard = await tls.first_line(MAX_HEAD_BYTES)
                arrival = Arrival(address, is_encrypted=True, certificate=tls.certificate)
                is_taken = await self._hand_over(theirs, arrival, heard)
            theirs.close()
            if is_taken:
                await tls.pipe(ours)
            else:
                await tls.say(_AWAY)
        finally:
            ours.close()
            theirs.close()
            tls.close()

    async def _hand_over(self, sock: socket.socket, arrival: Arrival, heard: bytes) -> bool:
        """Hand a connection to its part; False: that one is away at the moment."""
        part = self.part_of(heard)
        if part.channel is None:
            return False
        try:
            await part.channel.hand_over(sock, arrival, heard)
        except OtherEndGone:
            return False
        return True

    def part_of(self, heard: bytes) -> Part:
        """Return who serves the charger; whom nobody serves, any part refuses as it refuses all.

        In the order in which a part looks itself (Roster.find).
        """
        charger_id = charger_in(heard)
        owner = next((one for one in self._parts if charger_id in one.charger_ids), None)
        owner = owner or next((one for one in self._parts if charger_id in one.planned_ids), None)
        owner = owner or next((one for one in self._parts if _has_alike(one, charger_id)), None)
        present = (one for one in self._parts if one.channel is not None)
        return owner or next(present, self._parts[0])


def charger_in(heard: bytes) -> ChargerId | None:
    """Return whose connection it is by its request line; None: no charger's."""
    words = heard.partition(b"\n")[0].split()
    try:
        return identity_of(words[1].decode("ascii"))
    except (IndexError, UnicodeDecodeError):
        return None


async def _first_line(sock: socket.socket) -> bytes:
    """Return what a peer says first, up to a line's end or as much as is allowed; empty: it hung up."""
    loop = asyncio.get_running_loop()
    heard = b""
    while b"\n" not in heard and len(heard) < MAX_HEAD_BYTES:
        more = await loop.sock_recv(sock, MAX_HEAD_BYTES - len(heard))
        if not more:
            return b""
        heard += more
    return heard


def _has_alike(part: Part, charger_id: ChargerId | None) -> bool:
    """Whether a charger of its own is called so but for its case (QUIRKS 3)."""
    folded = (charger_id or "").casefold()
    return any(one.casefold() == folded for one in part.charger_ids)


def _listeners(host: str, port: int) -> list[socket.socket]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    listeners: list[socket.socket] = []
    for family, address in dict.fromkeys((one[0], one[4]) for one in found):
        listener = socket.create_server(address, family=family, backlog=BACKLOG)
        listener.setblocking(False)
        listeners.append(listener)
    return listeners
