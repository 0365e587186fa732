"""The socket of a charger: dials, feeds its line, and dials again with a jittered back-off."""

import asyncio
import contextlib
import ssl
from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from simulator.chargers.line import Line
from simulator.world import World

_FIRST_WAIT_S: Final = 1.0
_OPEN_TIMEOUT_S: Final = 30.0
_MAX_FRAME: Final = 65_536


@dataclass(frozen=True, slots=True)
class Address:
    """Where a charger dials, and how it proves who it is."""

    url: str
    """ws(s)://host:port, to which the charger's id is added as the last segment."""
    key: str = ""
    """Basic auth password; empty: none is sent (security profile 0)."""
    tls: ssl.SSLContext | None = None
    ping_interval_s: float | None = 20
    longest_wait_s: float = 60
    """The most between two attempts to dial."""


class Dialer:
    """Keeps one charger connected for as long as `run` runs."""

    def __init__(
        self,
        world: World,
        charger_id: str,
        line: Line,
        address: Address,
        subprotocols: tuple[str, ...],
    ) -> None:
        self._world = world
        self._charger_id = charger_id
        self._line = line
        self._address = address
        self._subprotocols = [Subprotocol(name) for name in subprotocols]
        self._chance = world.random("dialer", charger_id, world.born_at)
        self._connection: ClientConnection | None = None
        self._may_dial = asyncio.Event()
        self._may_dial.set()
        self._away_until: datetime | None = None
        self.refusals = 0
        """How often a handshake was refused or failed."""
        self.version = ""
        """The subprotocol agreed on last; empty: none."""

    def cut(self, for_s: float) -> None:
        """Break the connection without a goodbye, and stay away for `for_s` seconds."""
        until = self._world.now() + timedelta(seconds=for_s)
        self._away_until = max(until, self._away_until or until)
        self._may_dial.clear()
        self._world.at(until, self._come_back)
        self._break()

    def hang_up(self) -> None:
        """Close the connection; dialled again at once."""
        self._break()

    async def run(self) -> None:
        """Stay connected, until cancelled."""
        failures = 0
        while True:
            await self._may_dial.wait()
            try:
                await self._hold_one_connection()
                failures = 0
            except (OSError, TimeoutError, WebSocketException):
                failures += 1
                self.refusals += 1
            await self._world.clock.sleep(self._wait_s(failures))

    def _come_back(self) -> None:
        if self._away_until is not None and self._world.now() >= self._away_until:
            self._away_until = None
            self._may_dial.set()

    def _wait_s(self, failures: int) -> float:
        longest_s = min(self._address.longest_wait_s, _FIRST_WAIT_S * 2 ** min(failures, 10))
        return self._chance.uniform(longest_s / 4, longest_s)

    async def _hold_one_connection(self) -> None:
        async with connect(
            f"{self._address.url.rstrip('/')}/{quote(self._charger_id, safe='')}",
            subprotocols=self._subprotocols or None,
            additional_headers=self._login(),
            compression=None,
            ssl=self._address.tls,
            open_timeout=self._world.clock.real_s(_OPEN_TIMEOUT_S) or None,
            ping_interval=self._ping_interval_s(),
            ping_timeout=self._ping_interval_s(),
            max_size=_MAX_FRAME,
            proxy=None,
        ) as connection:
            self._connection = connection
            self.version = connection.subprotocol or ""
            try:
                await self._talk(connection)
            finally:
                self._connection = None
                self._line.closed()

    async def _talk(self, connection: ClientConnection) -> None:
        frames: asyncio.Queue[str] = asyncio.Queue()
        writer = asyncio.create_task(_write(connection, frames), name=f"{self._charger_id} writer")
        self._line.opened(frames.put_nowait)
        try:
            with contextlib.suppress(ConnectionClosed):
                async for message in connection:
                    if isinstance(message, str):
                        self._line.received(message)
        finally:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer

    def _break(self) -> None:
        if self._connection is not None:
            self._connection.transport.abort()

    def _login(self) -> dict[str, str]:
        if not self._address.key:
            return {}
        login = f"{self._charger_id}:{self._address.key}".encode()
        return {"Authorization": f"Basic {b64encode(login).decode()}"}

    def _ping_interval_s(self) -> float | None:
        interval_s = self._address.ping_interval_s
        return None if interval_s is None else max(1.0, self._world.clock.real_s(interval_s))


async def _write(connection: ClientConnection, frames: asyncio.Queue[str]) -> None:
    with contextlib.suppress(WebSocketException):
        while True:
            await connection.send(await frames.get())
