"""A viewer of a live stream, spoken to by ASGI itself: reads when told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

WITHIN_S = 60


@dataclass
class Event:
    """One server-sent event."""

    name: str
    id: str
    data: Any


@dataclass
class Listener:
    """What came, and whether more is taken."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    comments: int = 0
    is_over: bool = False
    reads: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _rest: bytes = b""
    _events: list[Event] = field(default_factory=list)

    async def send(self, message) -> None:
        await self.reads.wait()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {k.decode(): v.decode() for k, v in message["headers"]}
        else:
            self.body += message.get("body", b"")
            self._rest += message.get("body", b"")
            self.is_over = not message.get("more_body", False)
        self._parse()
        self.arrived.set()

    async def receive(self):
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def event(self) -> Event:
        """Wait for the next event."""
        await self._until(lambda: self._events)
        return self._events.pop(0)

    async def end(self) -> None:
        """Wait for the end of the stream."""
        await self._until(lambda: self.is_over)

    async def begun(self) -> int:
        """Wait for the head of the answer; returns its status."""
        await self._until(lambda: self.status)
        return self.status

    def no_event(self) -> bool:
        return not self._events

    async def _until(self, condition) -> None:
        async with asyncio.timeout(WITHIN_S):
            while not condition():
                self.arrived.clear()
                await self.arrived.wait()

    def _parse(self) -> None:
        while b"\n\n" in self._rest:
            block, self._rest = self._rest.split(b"\n\n", 1)
            lines = [line.partition(": ") for line in block.decode().splitlines()]
            fields = {name: value for name, _, value in lines if not name.startswith(":")}
            if "event" in fields:
                data = json.loads(fields.get("data", "null"))
                self._events.append(Event(fields["event"], fields.get("id", ""), data))
            elif any(name.startswith(":") for name, _, _ in lines):
                self.comments += 1


@asynccontextmanager
async def listening(
    app, path: str, headers: dict[str, str] | None = None, query: str = "", *, reads: bool = True
) -> AsyncIterator[Listener]:
    """Open a stream and close it at the end."""
    listener = Listener()
    if reads:
        listener.reads.set()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "scheme": "http",
        "headers": [(k.lower().encode(), v.encode()) for k, v in (headers or {}).items()],
        "client": ("127.0.0.1", 50000),
        "server": ("testserver", 80),
        "state": {},
    }
    task = asyncio.create_task(app(scope, listener.receive, listener.send))
    try:
        yield listener
    finally:
        listener.gone.set()
        listener.reads.set()
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(task, return_exceptions=True)
