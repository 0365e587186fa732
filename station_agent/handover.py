"""Between the process that accepts chargers' connections and those that serve them: sockets, and a few words.

A pair of Unix sockets of whole messages; with one message a connection may go along (SCM_RIGHTS), so that
whoever serves it talks to the charger itself.
"""

import asyncio
import contextlib
import os
import socket
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from contracts.ids import ChargerId
from contracts.wire import TaggedWire, Wire, encode
from station_agent.ocpp.arrival import Arrival

MAX_HEAD_BYTES: Final = 16_384
_MAX_BYTES: Final = 131_072
_IDS_AT_ONCE: Final = 500


class Serves(TaggedWire, tag="serves"):
    """A part serves these chargers; from the first to the last of such messages they replace those before."""

    charger_ids: list[ChargerId]
    is_first: bool = True
    is_last: bool = True
    is_planned: bool = False
    """No station file lists these: plans know them."""


class Ready(TaggedWire, tag="ready"):
    """A part has tried all its stations, and serves who comes."""


class Alive(TaggedWire, tag="alive"):
    """A part's loop turns."""


Word = Serves | Ready | Alive
_WORD: Final = msgspec.json.Decoder(Word)


class _Came(Wire):
    """What goes along with a connection, before what was read of it."""

    address: str
    is_encrypted: bool = False
    certificate: dict[str, Any] | None = None


_CAME: Final = msgspec.json.Decoder(_Came)


@dataclass(frozen=True, slots=True)
class Handed:
    """A connection that was handed over."""

    sock: socket.socket
    arrival: Arrival
    heard: bytes


class OtherEndGone(ConnectionError):
    """The other process has ended."""


class Channel:
    """One end of the pair; used in a loop, by one sender and one receiver at a time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._sending = asyncio.Lock()

    @staticmethod
    def pair() -> tuple[socket.socket, socket.socket]:
        """Return two ends, not yet channels."""
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    async def say(self, word: Word) -> None:
        """Send a word.

        Raises:
            OtherEndGone: nobody is there.
        """
        await self._send(encode(word))

    async def hand_over(self, sock: socket.socket, arrival: Arrival, heard: bytes) -> None:
        """Send a connection; ours stays open until it is closed here too.

        Raises:
            OtherEndGone: nobody is there.
        """
        came = _Came(
            address=arrival.address,
            is_encrypted=arrival.is_encrypted,
            certificate=None if arrival.certificate is None else dict(arrival.certificate),
        )
        await self._send(encode(came) + b"\n" + heard, sock.fileno())

    async def word(self) -> Word:
        """Return the next word.

        Raises:
            OtherEndGone: there will be none.
        """
        payload, _ = await self._receive()
        word: Word = _WORD.decode(payload)
        return word

    async def handed(self) -> Handed:
        """Return the next connection.

        Raises:
            OtherEndGone: there will be none.
        """
        while True:
            payload, fds = await self._receive()
            if fds:
                break
        sock = socket.socket(fileno=fds[0])
        sock.setblocking(False)
        head, _, heard = payload.partition(b"\n")
        came = _CAME.decode(head)
        return Handed(sock, Arrival(came.address, came.is_encrypted, came.certificate), heard)

    async def _send(self, payload: bytes, *fds: int) -> None:
        async with self._sending:
            while True:
                try:
                    socket.send_fds(self._sock, [payload], fds)
                except BlockingIOError:
                    await self._may_write()
                except OSError as error:
                    raise OtherEndGone(str(error)) from error
                else:
                    return

    async def _receive(self) -> tuple[bytes, list[int]]:
        while True:
            try:
                payload, fds, _, _ = socket.recv_fds(self._sock, _MAX_BYTES, 1)
            except BlockingIOError:
                await self._may_read()
                continue
            except OSError as error:
                raise OtherEndGone(str(error)) from error
            if not payload:
                _close_all(fds)
                raise OtherEndGone("the other process has ended")
            return payload, fds

    async def _may_read(self) -> None:
        loop, fd, is_time = self._awaited()
        loop.add_reader(fd, _come_true, is_time)
        try:
            await is_time
        finally:
            loop.remove_reader(fd)

    async def _may_write(self) -> None:
        loop, fd, is_time = self._awaited()
        loop.add_writer(fd, _come_true, is_time)
        try:
            await is_time
        finally:
            loop.remove_writer(fd)

    def _awaited(self) -> tuple[asyncio.AbstractEventLoop, int, asyncio.Future[None]]:
        loop, fd = asyncio.get_running_loop(), self._sock.fileno()
        if fd < 0:
            raise OtherEndGone("the channel is closed")
        return loop, fd, loop.create_future()


def words_of(charger_ids: list[ChargerId], planned_ids: list[ChargerId]) -> list[Serves]:
    """Return what a part says of whom it serves by files, and by plans alone, in messages that fit."""
    said = [(some, False) for some in _portions(charger_ids)]
    said += [(some, True) for some in _portions(planned_ids)]
    said = said or [([], False)]
    last = len(said) - 1
    return [
        Serves(some, is_first=at == 0, is_last=at == last, is_planned=is_planned)
        for at, (some, is_planned) in enumerate(said)
    ]


def _portions(charger_ids: list[ChargerId]) -> list[list[ChargerId]]:
    firsts = range(0, len(charger_ids), _IDS_AT_ONCE)
    return [charger_ids[at : at + _IDS_AT_ONCE] for at in firsts]


def _come_true(is_time: asyncio.Future[None]) -> None:
    if not is_time.done():
        is_time.set_result(None)


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        with contextlib.suppress(OSError):
            os.close(fd)
