"""A real WebSocket server on loopback that answers chargers as FakeCsms does."""

import asyncio
import base64
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

from websockets.asyncio.server import serve

from tests.simulator.fakes import FakeCsms

SCHEMA_OF = {"ocpp1.6": "v16", "ocpp2.0.1": "v201", "ocpp2.1": "v21", None: "v16"}


@dataclass
class Loopback:
    """What came in, by charger id."""

    port: int = 0
    centrals: dict[str, FakeCsms] = field(default_factory=dict)
    logins: list[str] = field(default_factory=list)
    protocols: list[str | None] = field(default_factory=list)
    refuses: bool = False

    @property
    def url(self):
        return f"ws://127.0.0.1:{self.port}/ocpp"

    def central(self, charger_id):
        return self.centrals[charger_id]

    def _screen(self, connection, request):
        self.logins.append(request.headers.get("Authorization", ""))
        if self.refuses:
            return connection.respond(HTTPStatus.UNAUTHORIZED, "")
        return None

    async def _handle(self, connection):
        self.protocols.append(connection.subprotocol)
        charger_id = connection.request.path.rsplit("/", 1)[1]
        schema = SCHEMA_OF[connection.subprotocol]
        central = self.centrals.setdefault(charger_id, FakeCsms(schema))
        answers = asyncio.Queue()
        central.send = answers.put_nowait

        async def write():
            while True:
                await connection.send(await answers.get())

        writer = asyncio.create_task(write())
        try:
            async for text in connection:
                central.receive(text)
        finally:
            writer.cancel()


@asynccontextmanager
async def loopback():
    """Serve every version on a free port."""
    place = Loopback()
    async with serve(
        place._handle,  # noqa: SLF001 - its own
        "127.0.0.1",
        0,
        subprotocols=[name for name in SCHEMA_OF if name],
        select_subprotocol=_select,
        process_request=place._screen,  # noqa: SLF001 - its own
        ping_interval=None,
    ) as server:
        place.port = server.sockets[0].getsockname()[1]
        yield place


def _select(connection, offered):
    del connection
    return offered[0] if offered else None


def basic(charger_id, key):
    """Return the header of a login."""
    return "Basic " + base64.b64encode(f"{charger_id}:{key}".encode()).decode()
