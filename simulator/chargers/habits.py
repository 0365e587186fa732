"""How a charger dials and treats its socket, where that differs from the book (QUIRKS 1-8)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.datastructures import Headers
from websockets.frames import Frame, Opcode
from websockets.http11 import Request, Response


@dataclass(frozen=True, slots=True)
class Habits:
    """What a charger does around its messages; the defaults are by the book."""

    before_id: str = "/"
    """What its path has before its id."""
    after_id: str = ""
    spells: Callable[[str], str] = str
    """How it writes its own id."""
    amends: Callable[[Headers], None] | None = None
    """Changes the headers it asks for the upgrade with."""
    handshake_key: str = ""
    """What it sends for the random 16 bytes; empty: those."""
    pongs: bool = True
    """False: no ping is ever answered."""
    wants_pings_s: float | None = None
    """It hangs up when it was not pinged for so long."""
    is_binary: bool = False
    """Whether its messages are binary frames."""
    noise: tuple[str, ...] = ()
    """Frames it sends before each of its messages."""
    redials_after_s: float | None = None
    """How long it stays away once it lost a connection; None: seconds."""


BY_THE_BOOK: Final = Habits()


class HabitualConnection(ClientConnection):
    """A client's WebSocket with habits; counts the pings it gets."""

    def __init__(self, habits: Habits, protocol: ClientProtocol, **settings: Any) -> None:
        super().__init__(protocol, **settings)
        self.pings = 0
        if habits.handshake_key:
            protocol.key = habits.handshake_key
        if habits.amends is not None:
            protocol.connect = _amended(protocol.connect, habits.amends)  # type: ignore[method-assign]
        if not habits.pongs:
            protocol.send_frame = _without_pongs(protocol.send_frame)  # type: ignore[assignment,method-assign]

    def process_event(self, event: Frame | Response) -> None:  # type: ignore[override]
        """Count pings; all else is as in any connection."""
        if isinstance(event, Frame) and event.opcode is Opcode.PING:
            self.pings += 1
        super().process_event(event)


def _amended(
    connect: Callable[[], Request], amend: Callable[[Headers], None]
) -> Callable[[], Request]:
    def amended() -> Request:
        request = connect()
        amend(request.headers)
        return request

    return amended


def _without_pongs(send: Callable[[Frame], None]) -> Callable[[Frame], None]:
    def send_but_pongs(frame: Frame) -> None:
        if frame.opcode is not Opcode.PONG:
            send(frame)

    return send_but_pongs
