"""TLS ended in one process for a charger served in another: what it says is piped there, and back."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Final

_HANDSHAKE_S: Final = 10.0
_CLOSE_S: Final = 3.0
_CHUNK_BYTES: Final = 16_384
_BUFFER_BYTES: Final = 65_536
"""What may wait on one side for the other; a peer that does not read is not read from either."""


class Tls:
    """A charger's end of the pipe."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def certificate(self) -> Mapping[str, Any] | None:
        """The charger's, verified; None: it showed none."""
        found: Mapping[str, Any] | None = self._writer.get_extra_info("peercert")
        return found or None

    async def first_line(self, max_bytes: int) -> bytes:
        """Return what the charger says first, up to a line's end or `max_bytes`.

        Raises:
            OSError: it hung up instead.
        """
        heard = b""
        while b"\n" not in heard and len(heard) < max_bytes:
            more = await self._reader.read(max_bytes - len(heard))
            if not more:
                raise ConnectionResetError("the charger hung up")
            heard += more
        return heard

    async def say(self, text: bytes) -> None:
        """Send something of our own."""
        self._writer.write(text)
        await self._writer.drain()

    async def pipe(self, ours: socket.socket) -> None:
        """Pipe until one side closes; then close the other."""
        reader, writer = await asyncio.open_connection(sock=ours, limit=_BUFFER_BYTES)
        tasks = [
            asyncio.create_task(_copy(self._reader, writer)),
            asyncio.create_task(_copy(reader, self._writer)),
        ]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in tasks:
                one.cancel()
            await asyncio.wait(tasks)
            writer.close()

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def open_tls(sock: socket.socket, context: ssl.SSLContext) -> Tls:
    """Shake hands with who connected.

    Raises:
        OSError: it came to nothing, or not in time.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_BUFFER_BYTES)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(
        lambda: protocol,
        sock,
        ssl=context,
        ssl_handshake_timeout=_HANDSHAKE_S,
        ssl_shutdown_timeout=_CLOSE_S,
    )
    return Tls(reader, asyncio.StreamWriter(transport, protocol, reader, loop))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
