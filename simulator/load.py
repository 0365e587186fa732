"""Load: many chargers on one endpoint sending MeterValues at a given rate, with a live table.

Leaner than the world's chargers: no physics, one task a connection, so that the simulator is not
what is measured. Every answer is awaited and timed; what stays unanswered at the end is lost.
"""

import asyncio
import contextlib
import math
import time
from base64 import b64encode
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

import msgspec
from rich.live import Live
from rich.table import Table
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from simulator.bays import BaySpec
from simulator.chargers.evse import EvseSpec, Outlet
from simulator.chargers.lean import DEFAULT_VERSION, lean_talk
from simulator.chargers.spec import ChargerSpec
from simulator.site import StationSpec
from simulator.vehicles import Standard

KeyOf = Callable[[str], str]

_DIALS_AT_ONCE: Final = 64
_ANSWER_WITHIN_S: Final = 30.0
_RECENT: Final = 20_000
_OUTLET: Final = Outlet(1, Standard.CCS, 50_000)


@dataclass(frozen=True, slots=True)
class Load:
    """What to put on the other side."""

    url: str
    chargers: int
    rate: float
    """MeterValues a second, over all chargers."""
    seconds: float
    version: str = DEFAULT_VERSION
    prefix: str = "LOAD-"
    token: str = "SIM00001"  # noqa: S105 - an id tag, no secret

    @property
    def station(self) -> StationSpec:
        """Return the station these chargers stand at: a bay each, no sensors."""
        chargers = tuple(
            ChargerSpec(one, self.version, (EvseSpec(1, (_OUTLET,)),)) for one in self.charger_ids()
        )
        bays = tuple(
            BaySpec(f"load-{number}", f"Bay {number}", charger.charger_id, 1)
            for number, charger in enumerate(chargers, 1)
        )
        return StationSpec("load", "Load", bays, chargers)

    def charger_ids(self) -> list[str]:
        """Return the chargers' identities."""
        return [f"{self.prefix}{number:05d}" for number in range(1, self.chargers + 1)]


@dataclass
class Tally:
    """What was counted; latencies in seconds, of the last 20,000 answers."""

    connected: int = 0
    refused: int = 0
    sent: int = 0
    answered: int = 0
    errors: int = 0
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))
    began_at: float = field(default_factory=time.monotonic)
    dropped: int = 0
    """Connections lost on the way."""

    @property
    def lost(self) -> int:
        """Return how many calls have no answer (yet)."""
        return self.sent - self.answered - self.errors

    def percentile_ms(self, share: float) -> float:
        """Return a percentile of the latencies in milliseconds; 0 without any."""
        ordered = sorted(self.latencies_s)
        if not ordered:
            return 0.0
        at = max(0, math.ceil(share * len(ordered)) - 1)
        return ordered[at] * 1000


async def run(load: Load, key_of: KeyOf, tally: Tally | None = None) -> Tally:
    """Put the load on, and return what was counted."""
    counted = tally or Tally()
    dials = asyncio.Semaphore(_DIALS_AT_ONCE)
    ready: asyncio.Queue[None] = asyncio.Queue()
    start = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for number, charger_id in enumerate(load.charger_ids()):
            one = _LoadCharger(load, charger_id, key_of(charger_id), counted, number)
            tasks.create_task(one.run(dials, ready, start), name=charger_id)
        for _ in range(load.chargers):
            await ready.get()
        counted.began_at = time.monotonic()
        start.set()
    return counted


async def run_with_table(load: Load, key_of: KeyOf) -> Tally:
    """Put the load on and show a live table; return what was counted."""
    tally = Tally()
    with Live(_table(load, tally), refresh_per_second=2) as live:
        running = asyncio.create_task(run(load, key_of, tally), name="load")
        while not running.done():
            await asyncio.wait([running], timeout=0.5)
            live.update(_table(load, tally))
        return running.result()


class _LoadCharger:
    """One connection: boots, begins a transaction, sends samples at its share of the rate."""

    def __init__(self, load: Load, charger_id: str, key: str, tally: Tally, number: int) -> None:
        self._load = load
        self._charger_id = charger_id
        self._key = key
        self._tally = tally
        self._interval_s = load.chargers / load.rate
        self._offset_s = self._interval_s * number / load.chargers
        self._waiting: dict[str, tuple[float, asyncio.Future[Any]]] = {}
        self._calls = 0
        self._register_wh = 1_000_000 + 10_000 * number
        self._talk = lean_talk(load.version, charger_id, load.token)

    async def run(
        self, dials: asyncio.Semaphore, ready: asyncio.Queue[None], start: asyncio.Event
    ) -> None:
        is_ready = False
        try:
            async with contextlib.AsyncExitStack() as stack:
                async with dials:
                    connection = await stack.enter_async_context(self._connect())
                self._tally.connected += 1
                reader = asyncio.create_task(self._read(connection))
                stack.callback(reader.cancel)
                await self._introduce(connection)
                ready.put_nowait(None)
                is_ready = True
                await start.wait()
                await self._send_samples(connection)
                await self._wait_for_answers()
        except (OSError, TimeoutError, WebSocketException):
            if is_ready:
                self._tally.dropped += 1
            else:
                self._tally.refused += 1
                ready.put_nowait(None)

    def _connect(self) -> connect:
        headers = {}
        if self._key:
            login = b64encode(f"{self._charger_id}:{self._key}".encode()).decode()
            headers["Authorization"] = f"Basic {login}"
        return connect(
            f"{self._load.url.rstrip('/')}/{quote(self._charger_id, safe='')}",
            subprotocols=[Subprotocol(self._talk.subprotocol)],
            additional_headers=headers,
            compression=None,
            open_timeout=60,
            ping_interval=None,
            proxy=None,
        )

    async def _introduce(self, connection: ClientConnection) -> None:
        answer: Any = {}
        for action, payload in self._talk.introduction(self._register_wh):
            answered = await self._post(connection, action, payload)
            async with asyncio.timeout(_ANSWER_WITHIN_S):
                answer = await answered
        self._talk.begun(answer)

    async def _send_samples(self, connection: ClientConnection) -> None:
        began_s = time.monotonic()
        due_s = began_s + self._offset_s
        while due_s < began_s + self._load.seconds:
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            self._register_wh += 7
            await self._post(connection, *self._talk.sample(self._register_wh))
            due_s += self._interval_s

    async def _post(
        self, connection: ClientConnection, action: str, payload: dict[str, Any]
    ) -> asyncio.Future[Any]:
        self._calls += 1
        message_id = f"{self._charger_id[-20:]}-{self._calls}"
        answered = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = (time.monotonic(), answered)
        self._tally.sent += 1
        await connection.send(_encode([2, message_id, action, payload]))
        return answered

    async def _read(self, connection: ClientConnection) -> None:
        with contextlib.suppress(WebSocketException):
            async for text in connection:
                self._take(msgspec.json.decode(text))

    def _take(self, frame: list[Any]) -> None:
        sent_s, answered = self._waiting.pop(str(frame[1]), (0.0, None))
        if answered is None:
            return
        if frame[0] == 3:  # noqa: PLR2004 - CALLRESULT
            self._tally.answered += 1
            self._tally.latencies_s.append(time.monotonic() - sent_s)
            answered.set_result(frame[2])
        else:
            self._tally.errors += 1
            answered.set_result({})

    async def _wait_for_answers(self) -> None:
        waiting = [answered for _, answered in self._waiting.values()]
        if waiting:
            await asyncio.wait(waiting, timeout=_ANSWER_WITHIN_S)


def _encode(frame: list[Any]) -> str:
    return msgspec.json.encode(frame).decode()


def _table(load: Load, tally: Tally) -> Table:
    table = Table(title=f"{load.chargers} chargers, {load.version}, {load.rate:g} messages/s")
    names = ("seconds", "connected", "refused", "sent", "messages/s", "answered")
    for name in (*names, "p50 ms", "p99 ms", "errors", "lost"):
        table.add_column(name, justify="right")
    elapsed_s = max(0.001, time.monotonic() - tally.began_at)
    table.add_row(
        f"{elapsed_s:.0f}",
        f"{tally.connected:,}",
        f"{tally.refused:,}",
        f"{tally.sent:,}",
        f"{tally.answered / elapsed_s:,.0f}",
        f"{tally.answered:,}",
        f"{tally.percentile_ms(0.5):.1f}",
        f"{tally.percentile_ms(0.99):.1f}",
        f"{tally.errors:,}",
        f"{tally.lost:,}",
    )
    return table
