"""A charger that sends any bytes it likes, and takes what comes back as it comes."""

import asyncio
import base64
import json
from collections.abc import AsyncIterable
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from tests.support.ports import LOOPBACK

WITHIN_S = 15.0
PROBE_ID = "still-there"


class RawCharger:
    """One WebSocket; nothing is sent but what the test says."""

    def __init__(
        self, port: int, charger_id: str, key: str, *offers: str, is_compressed: bool = False
    ) -> None:
        login = base64.b64encode(f"{charger_id}:{key}".encode()).decode()
        self.charger_id = charger_id
        self._connecting = connect(
            f"ws://{LOOPBACK}:{port}/{charger_id}",
            subprotocols=[Subprotocol(one) for one in offers] or None,
            additional_headers={"Authorization": f"Basic {login}"},
            compression="deflate" if is_compressed else None,
            ping_interval=None,
            max_queue=None,
            open_timeout=WITHIN_S,
        )
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        self._socket = await self._connecting
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.socket.close_code is None:
            await self.socket.close()

    @property
    def socket(self) -> ClientConnection:
        """The open WebSocket."""
        assert self._socket is not None
        return self._socket

    async def send(self, frame: str | bytes | list[Any] | AsyncIterable[str]) -> None:
        """Send a frame as text, whatever is in it; a list becomes JSON, a stream fragments."""
        if isinstance(frame, list):
            frame = json.dumps(frame)
        await self.socket.send(frame, text=True)

    async def receive(self) -> list[Any]:
        """Return the next frame."""
        async with asyncio.timeout(WITHIN_S):
            frame: list[Any] = json.loads(await self.socket.recv())
            return frame

    async def say(self, frame: str | bytes | list[Any]) -> list[list[Any]]:
        """Send a frame, and a heartbeat after it; return what came before that one's answer."""
        await self.send(frame)
        await self.send([2, PROBE_ID, "Heartbeat", {}])
        came = []
        while (reply := await self.receive())[1] != PROBE_ID:
            came.append(reply)
        return came

    async def call(self, action: str, payload: dict[str, Any], message_id: str = "1") -> list[Any]:
        """Send a call and return the frame that answers it; calls of theirs are passed over."""
        await self.send([2, message_id, action, payload])
        while (reply := await self.receive())[1] != message_id:
            pass
        return reply

    async def answers_calls(self, answer: dict[str, Any]) -> None:
        """Answer every call of theirs so, until cancelled."""
        while True:
            frame = json.loads(await self.socket.recv())
            if frame[0] == 2:
                await self.send([3, frame[1], answer])

    async def close_code(self) -> int | None:
        """Return the code the other end closed with."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while True:
                    await self.socket.recv()
        except ConnectionClosed:
            return self.socket.close_code
