"""The socket of a charger: dials, feeds its line, and dials again with a jittered back-off."""

import asyncio
import contextlib
import ssl
from base64 import b64encode
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, WebSocketException
from websockets.typing import Subprotocol

from simulator.chargers.habits import BY_THE_BOOK, Habits, HabitualConnection
from simulator.chargers.line import Line
from simulator.world import World

_FIRST_WAIT_S: Final = 1.0
_OPEN_TIMEOUT_S: Final = 30.0
_OPEN_LEAST_S: Final = 10.0
"""Of the machine: networks do not get faster when the clock does."""
_MAX_FRAME: Final = 65_536
_STALL_S: Final = 20.0


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
        *,
        habits: Habits = BY_THE_BOOK,
    ) -> None:
        self._habits = habits
        self._world = world
        self._charger_id = charger_id
        self._line = line
        self._address = address
        self._is_keyed = True
        self._subprotocols = [Subprotocol(name) for name in subprotocols]
        self._chance = world.random("dialer", charger_id, world.born_at)
        self._connection: HabitualConnection | None = None
        self._ghosts: list[HabitualConnection] = []
        self._vanished = asyncio.Event()
        self._may_dial = asyncio.Event()
        self._may_dial.set()
        self._away_until: datetime | None = None
        self.refusals = 0
        """How often a handshake was refused or failed."""
        self.version = ""
        """The subprotocol agreed on last; empty: none."""

    def cut(self, for_s: float) -> None:
        """Break the connection without a goodbye, and stay away for `for_s` seconds."""
        self._stay_away(for_s)
        self._break()

    def vanish(self, for_s: float) -> None:
        """Go as in a power cut: nobody is told, and the socket stays half-open (QUIRKS 4)."""
        if self._connection is not None:
            self._connection.transport.pause_reading()
            self._ghosts.append(self._connection)
            self._vanished.set()
        self._stay_away(for_s)

    def bury(self) -> None:
        """Let the network notice what `vanish` left behind."""
        for ghost in self._ghosts:
            ghost.transport.abort()
        self._ghosts.clear()

    def hang_up(self) -> None:
        """Close the connection; dialled again at once."""
        self._break()

    def change(self, *, is_keyed: bool = True, **fields: Any) -> None:
        """Dial by other fields of Address, beginning at once; not keyed: a certificate proves it."""
        self._is_keyed = is_keyed
        self._address = replace(self._address, **fields)
        self._break()

    @property
    def pings(self) -> int:
        """Return how often it was pinged on the connection it has."""
        return self._connection.pings if self._connection else 0

    async def run(self) -> None:
        """Stay connected, until cancelled."""
        failures = 0
        try:
            while True:
                await self._may_dial.wait()
                try:
                    await self._hold_one_connection()
                    failures = 0
                except (OSError, TimeoutError, WebSocketException):
                    failures += 1
                    self.refusals += 1
                await self._world.clock.sleep(self._wait_s(failures))
        finally:
            self.bury()

    def _stay_away(self, for_s: float) -> None:
        until = self._world.now() + timedelta(seconds=for_s)
        self._away_until = max(until, self._away_until or until)
        self._may_dial.clear()
        self._world.at(until, self._come_back)

    def _come_back(self) -> None:
        if self._away_until is not None and self._world.now() >= self._away_until:
            self._away_until = None
            self._may_dial.set()

    def _wait_s(self, failures: int) -> float:
        if not failures and self._habits.redials_after_s is not None:
            return self._habits.redials_after_s
        longest_s = min(self._address.longest_wait_s, _FIRST_WAIT_S * 2 ** min(failures, 10))
        return self._chance.uniform(longest_s / 4, longest_s)

    async def _hold_one_connection(self) -> None:
        habits = self._habits
        connection = await connect(
            self._target(),
            subprotocols=self._subprotocols or None,
            additional_headers=self._login(),
            compression=None,
            ssl=self._address.tls,
            open_timeout=max(_OPEN_LEAST_S, self._world.clock.real_s(_OPEN_TIMEOUT_S)),
            ping_interval=self._ping_interval_s(),
            ping_timeout=self._patience_s(),
            max_size=_MAX_FRAME,
            proxy=None,
            create_connection=partial(HabitualConnection, habits),  # type: ignore[arg-type]
        )
        assert isinstance(connection, HabitualConnection)  # noqa: S101 - what was asked for
        self._connection = connection
        self._vanished.clear()
        self.version = connection.subprotocol or ""
        if habits.wants_pings_s is not None:
            self._want_pings(connection, habits.wants_pings_s)
        try:
            await self._talk(connection)
        finally:
            self._connection = None
            self._line.closed()
            if connection not in self._ghosts:
                await connection.close()

    async def _talk(self, connection: HabitualConnection) -> None:
        frames: asyncio.Queue[str] = asyncio.Queue()
        name = self._charger_id
        writer = asyncio.create_task(self._write(connection, frames), name=f"{name} writer")
        reader = asyncio.create_task(self._read(connection), name=f"{name} reader")
        vanished = asyncio.create_task(self._vanished.wait(), name=f"{name} vanished")
        self._line.opened(frames.put_nowait)
        try:
            await asyncio.wait((reader, vanished), return_when=asyncio.FIRST_COMPLETED)
            if reader.done():
                reader.result()
        finally:
            for task in (writer, reader, vanished):
                task.cancel()
            await asyncio.gather(writer, reader, vanished, return_exceptions=True)

    async def _read(self, connection: HabitualConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for message in connection:
                if isinstance(message, str):
                    self._line.received(message)

    async def _write(self, connection: HabitualConnection, frames: asyncio.Queue[str]) -> None:
        habits = self._habits
        with contextlib.suppress(WebSocketException):
            while True:
                frame = await frames.get()
                for text in (*habits.noise, frame):
                    await connection.send(text.encode() if habits.is_binary else text)

    def _want_pings(self, connection: HabitualConnection, within_s: float) -> None:
        before = connection.pings

        def look() -> None:
            if connection is not self._connection:
                return
            if connection.pings == before:
                self._break()
            else:
                self._want_pings(connection, within_s)

        self._world.after(within_s, look)

    def _target(self) -> str:
        habits, base = self._habits, self._address.url.rstrip("/")
        name = quote(habits.spells(self._charger_id), safe="")
        return f"{base}{habits.before_id}{name}{habits.after_id}"

    def _break(self) -> None:
        if self._connection is not None:
            self._connection.transport.abort()

    def _login(self) -> dict[str, str]:
        if not self._address.key or not self._is_keyed:
            return {}
        name = self._habits.spells(self._charger_id)
        login = f"{name}:{self._address.key}".encode()
        return {"Authorization": f"Basic {b64encode(login).decode()}"}

    def _patience_s(self) -> float | None:
        """How long it waits for a pong: never less than a busy computer may stand still."""
        interval_s = self._ping_interval_s()
        return None if interval_s is None else max(_STALL_S, interval_s)

    def _ping_interval_s(self) -> float | None:
        interval_s = self._address.ping_interval_s
        return None if interval_s is None else max(1.0, self._world.clock.real_s(interval_s))
