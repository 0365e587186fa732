"""A TCP proxy that misbehaves on demand: between any two parts, as a bad network would be.

    async with ChaosProxy(target_port=1883) as proxy:
        connect_to(proxy.port)
        proxy.cut()          # connections reset, new ones too
        proxy.mend()
        proxy.half_open()    # connected, but nothing passes and nobody is told
        proxy.mend()
        proxy.delay_s = 0.3
        proxy.bytes_per_s = 8_000

TCP keeps order, so what a network loses, doubles or reorders below it is seen as delay.
"""

import asyncio
import contextlib
from enum import StrEnum
from typing import Final, Self

from tests.support.ports import LOOPBACK

_CHUNK_BYTES: Final = 16_384


class Way(StrEnum):
    """A direction through the proxy."""

    UP = "up"
    """From who connects to the target."""
    DOWN = "down"


class ChaosProxy:
    """One listening port, one target; its faults hold for all connections, old and new."""

    def __init__(self, target_port: int, target_host: str = LOOPBACK, port: int = 0) -> None:
        self._target = (target_host, target_port)
        self._wanted_port = port
        self._server: asyncio.Server | None = None
        self._pairs: set[tuple[asyncio.StreamWriter, asyncio.StreamWriter]] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_cut = False
        self._may_pass = {way: asyncio.Event() for way in Way}
        self.delay_s: float = 0
        """Each chunk arrives so much later, in order."""
        self.bytes_per_s: float | None = None
        """At most so many bytes a second, each way and connection."""
        self.accepted = 0
        """Connections ever accepted."""
        self.mend()

    @property
    def port(self) -> int:
        """Where to connect."""
        assert self._server is not None
        return self._server.sockets[0].getsockname()[1]

    @property
    def open_connections(self) -> int:
        """How many connections pass through now."""
        return len(self._pairs)

    def cut(self) -> None:
        """Reset every connection, and each new one at once, until mended."""
        self._is_cut = True
        self.drop()

    def drop(self) -> None:
        """Reset every connection once; new ones are served."""
        for near, far in list(self._pairs):
            near.transport.abort()
            far.transport.abort()

    def half_open(self, *ways: Way) -> None:
        """Let nothing pass (one way or, without arguments, both) while connections stay open."""
        for way in ways or Way:
            self._may_pass[way].clear()

    def mend(self) -> None:
        """Let everything pass again; what was held back in a half-open connection still arrives."""
        self._is_cut = False
        for event in self._may_pass.values():
            event.set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, LOOPBACK, self._wanted_port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.drop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self._is_cut:
                writer.transport.abort()
            else:
                await self._serve(reader, writer)
        finally:
            self._tasks.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = (writer, far_writer)
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._pump(reader, far_writer, Way.UP))
                ways.create_task(self._pump(far_reader, writer, Way.DOWN))
        finally:
            self._pairs.discard(pair)
            for one in pair:
                one.transport.abort()

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: Way
    ) -> None:
        line: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=1_000)
        async with asyncio.TaskGroup() as both:
            both.create_task(self._take(source, line))
            both.create_task(self._give(line, sink, way))

    async def _take(
        self, source: asyncio.StreamReader, line: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        now = asyncio.get_running_loop().time
        with contextlib.suppress(OSError):
            while chunk := await source.read(_CHUNK_BYTES):
                await line.put((now() + self.delay_s, chunk))
        await line.put((now() + self.delay_s, b""))

    async def _give(
        self, line: asyncio.Queue[tuple[float, bytes]], sink: asyncio.StreamWriter, way: Way
    ) -> None:
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while True:
                due_at, chunk = await line.get()
                await asyncio.sleep(max(0, due_at - loop.time()))
                await self._may_pass[way].wait()
                if not chunk:
                    sink.write_eof()
                    return
                sink.write(chunk)
                await sink.drain()
                if self.bytes_per_s:
                    await asyncio.sleep(len(chunk) / self.bytes_per_s)
