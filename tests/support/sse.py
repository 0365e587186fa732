"""A viewer of a live stream: keeps every event with the time it came."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import httpx


@dataclass(frozen=True)
class LiveEvent:
    """One server-sent event; `at_s` by the monotonic clock."""

    name: str
    data: Any
    id: str
    at_s: float


class Viewer:
    """Reads a stream of server-sent events until it is left."""

    def __init__(self, url: str, headers: dict[str, str] | None = None) -> None:
        self._url = url
        self._headers = headers or {}
        self._reading: asyncio.Task[None] | None = None
        self.events: list[LiveEvent] = []
        self.status: int | None = None
        self.is_over = False

    async def __aenter__(self) -> Self:
        opened = asyncio.Event()
        self._reading = asyncio.create_task(self._read(opened), name=f"viewer of {self._url}")
        await asyncio.wait_for(opened.wait(), timeout=60)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._reading is not None
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading

    def named(self, name: str) -> list[LiveEvent]:
        """Return the events of one name, in order."""
        return [one for one in self.events if one.name == name]

    async def _read(self, opened: asyncio.Event) -> None:
        try:
            async with (
                httpx.AsyncClient(timeout=httpx.Timeout(60, read=None)) as client,
                client.stream("GET", self._url, headers=self._headers) as response,
            ):
                self.status = response.status_code
                opened.set()
                fields: dict[str, str] = {}
                async for line in response.aiter_lines():
                    self._take(line, fields)
        finally:
            self.is_over = True
            opened.set()

    def _take(self, line: str, fields: dict[str, str]) -> None:
        if line:
            name, _, value = line.partition(":")
            if name:
                fields[name] = value.removeprefix(" ")
            return
        if "data" in fields:
            name, event_id = fields.get("event", "message"), fields.get("id", "")
            data = json.loads(fields["data"])
            self.events.append(LiveEvent(name, data, event_id, time.monotonic()))
        fields.clear()
