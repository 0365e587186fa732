"""A charger in a few lines: says exactly what a test tells it to, and keeps what it was asked."""

import asyncio
import base64
import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tests.support.ports import LOOPBACK

CALL, RESULT, ERROR = 2, 3, 4


class CallRefused(AssertionError):
    """The other end answered with a CALLERROR."""


class Charger:
    """One OCPP-J connection; `answers` says how it answers calls, else with an empty payload."""

    def __init__(
        self,
        port: int,
        charger_id: str,
        key: str,
        subprotocol: str = "ocpp1.6",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        login = base64.b64encode(f"{charger_id}:{key}".encode()).decode()
        self._headers = {"Authorization": f"Basic {login}"}
        self._address = f"{'wss' if tls else 'ws'}://{LOOPBACK}:{port}/{charger_id}"
        self._tls = tls
        self._subprotocol = subprotocol
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None
        self._waiting: dict[str, asyncio.Future[list[Any]]] = {}
        self._ids = count(1)
        self.charger_id = charger_id
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, Callable[[dict[str, Any]], dict[str, Any] | None]] = {}

    async def __aenter__(self) -> Self:
        self._socket = await connect(
            self._address,
            subprotocols=[self._subprotocol],
            additional_headers=self._headers,
            open_timeout=60,
            ssl=self._tls,
        )
        self._reading = asyncio.create_task(self._read(), name=f"charger {self.charger_id}")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._socket is not None
        assert self._reading is not None
        await self._socket.close()
        await self._reading

    async def call(
        self, action: str, payload: dict[str, Any], *, message_id: str | None = None
    ) -> dict[str, Any]:
        """Send a CALL and return the payload of its CALLRESULT.

        Raises:
            CallRefused: a CALLERROR came instead.
            TimeoutError: nothing came within a minute.
        """
        assert self._socket is not None
        message_id = message_id or f"{self.charger_id}-{next(self._ids)}"
        answer = asyncio.get_running_loop().create_future()
        self._waiting[message_id] = answer
        await self._socket.send(json.dumps([CALL, message_id, action, payload]))
        frame = await asyncio.wait_for(answer, timeout=60)
        if frame[0] == ERROR:
            raise CallRefused(f"{action}: {frame[2:]}")
        return frame[2]

    @property
    def is_closed(self) -> bool:
        """Whether the connection is gone, as far as was noticed."""
        return self._socket is None or self._socket.close_code is not None

    async def closed(self) -> int | None:
        """Wait until the other end closes; returns its code."""
        assert self._socket is not None
        async with asyncio.timeout(30):
            await self._socket.wait_closed()
        return self._socket.close_code

    async def _read(self) -> None:
        assert self._socket is not None
        with suppress(ConnectionClosed):
            async for text in self._socket:
                frame = json.loads(text)
                if frame[0] == CALL:
                    await self._answer(*frame[1:])
                elif (waiting := self._waiting.pop(frame[1], None)) is not None:
                    waiting.set_result(frame)
        for one in self._waiting.values():
            one.cancel()

    async def _answer(self, message_id: str, action: str, payload: dict[str, Any]) -> None:
        assert self._socket is not None
        self.asked.append((action, payload))
        answer = self.answers.get(action, lambda _: {})(payload)
        if answer is None:
            return
        await self._socket.send(json.dumps([RESULT, message_id, answer]))
