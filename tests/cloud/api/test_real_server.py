"""The server with real sockets: streams, those who do not read, and going down."""

import asyncio
import json
import socket
import time
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from cloud.api.server import build_server
from cloud.api.streams import CHECK_S
from cloud.domain.errors import WrongLogin
from tests.cloud.api.changes import a_change
from tests.cloud.api.house import V1, House, add_charger
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.real

STATION = f"GET {V1}/stations/greenmarket/events HTTP/1.1\r\nHost: localhost\r\n\r\n"
WITHIN_S = 60


class Served:
    """A running server."""

    def __init__(self, house: House, **settings):
        self.house = house
        self.server = build_server(house.app, house.hub, host="127.0.0.1", port=0, **settings)
        self.task = asyncio.create_task(self.server.serve())
        self.writers = []

    async def up(self):
        await until(lambda: self.server.started)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]

    async def connect(self, text: str = STATION, **kwargs):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **kwargs)
        writer.write(text.encode())
        self.writers.append(writer)
        return reader, writer

    async def down(self):
        self.server.should_exit = True
        async with asyncio.timeout(WITHIN_S):
            await self.task

    async def close(self):
        for writer in self.writers:
            writer.close()
        await asyncio.gather(*(w.wait_closed() for w in self.writers), return_exceptions=True)
        await self.down()


async def until(condition):
    await eventually_async(condition, within_s=WITHIN_S)


async def read_until(reader, text: bytes) -> bytes:
    async with asyncio.timeout(WITHIN_S):
        return await reader.readuntil(text)


@asynccontextmanager
async def serving(house: House, **settings):
    add_charger(house)
    served = Served(house, **settings)
    try:
        await served.up()
        yield served
    finally:
        await served.close()


async def test_every_change_is_on_the_wire(house: House):
    async with serving(house) as served:
        reader, writer = await served.connect()
        head = await read_until(reader, b"event: snapshot")
        for version in range(1, 51):
            house.hub.publish(a_change(version=version, reason=f"v{version}."))
            await read_until(reader, f'"v{version}."'.encode())
        writer.close()
        await until(lambda: house.hub.viewer_count == 0)

    assert b"HTTP/1.1 200" in head
    assert b"text/event-stream" in head


async def test_streams_end_as_soon_as_the_server_is_told_to_stop(house: House):
    async with serving(house) as served:
        # who waited for the viewers to go would not come back within a minute
        served.server.config.timeout_graceful_shutdown = 300
        readers = [(await served.connect())[0] for _ in range(20)]
        for reader in readers:
            await read_until(reader, b"event: snapshot")

        await served.down()
        rests = await asyncio.gather(*(reader.read() for reader in readers))

    assert all(rest.endswith(b"0\r\n\r\n") for rest in rests)


async def test_a_viewer_that_stops_reading_is_cut_off_and_disturbs_nobody(house: House):
    async with AsyncExitStack() as stack:
        served = await stack.enter_async_context(serving(house))
        slow = stack.enter_context(socket.create_connection(("127.0.0.1", served.port)))
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(STATION.encode())
        reader, _ = await served.connect()
        await read_until(reader, b"event: snapshot")
        await until(lambda: house.hub.viewer_count == 2)
        fast = asyncio.create_task(reader.read())
        version, long = 0, "x" * 4_000

        async with asyncio.timeout(WITHIN_S):
            while not any(viewer.blocked_since for viewer in house.hub.viewers):
                version += 1
                house.hub.publish(a_change(version=version, reason=long))
                await asyncio.sleep(0.001)  # what was published goes out meanwhile
        pushed_bytes = version * 4_000
        await until(lambda: house.hub.tend(0, time.monotonic() + 11) or house.hub.viewer_count == 1)
        slow.settimeout(WITHIN_S)
        rest = await asyncio.to_thread(last_bytes, slow)
        assert not fast.done()
        fast.cancel()

    assert not rest.endswith(b"0\r\n\r\n")
    # our buffer, the kernel's, and the peer's
    assert pushed_bytes < 1_000_000


def last_bytes(sock: socket.socket) -> bytes:
    """Read until the connection is cut; fails if it stays open."""
    last = b""
    try:
        while chunk := sock.recv(65_536):
            last = chunk
    except ConnectionResetError:
        pass
    return last


async def test_a_login_that_ends_ends_its_streams_within_five_seconds(house: House):
    secret = house.token("maintenance")
    login = house.services.credentials.resolve(secret)
    text = f"GET {V1}/alerts/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\n\r\n"
    async with serving(house) as served:
        reader, _ = await served.connect(text)
        await read_until(reader, b"event: snapshot")

        await asyncio.to_thread(house.services.credentials.log_out, login)
        await read_until(reader, b"0\r\n\r\n")

    assert CHECK_S < 5


async def test_a_head_that_does_not_come_is_not_waited_for(house: House, monkeypatch):
    monkeypatch.setattr("cloud.api.server.HEAD_TIMEOUT_S", 0.2)
    async with serving(house) as served:
        reader, _ = await served.connect("GET /livez HTTP/1.1\r\nHost: x\r\n")
        silent, _ = await served.connect("")

        async with asyncio.timeout(WITHIN_S):
            assert await reader.read() == b""
            assert await silent.read() == b""


async def test_a_client_may_ask_again_on_the_same_connection(house: House):
    async with serving(house) as served:
        reader, writer = await served.connect("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        await read_until(reader, b'{"status":"alive"}')
        writer.write(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        await read_until(reader, b'{"status":"alive"}')


@pytest.mark.parametrize(
    "head",
    [
        "GET /livez HTTP/1.1\r\n" + "x-long: " + "y" * 20_000 + "\r\n\r\n",
        "GET /livez HTTP/1.1\r\n" + "".join(f"x-{n}: 1\r\n" for n in range(200)) + "\r\n",
        "GET /" + "a" * 20_000 + " HTTP/1.1\r\n\r\n",
    ],
    ids=["long", "many", "address"],
)
async def test_a_head_too_large_is_refused_while_it_comes(house: House, head):
    async with serving(house) as served:
        reader, _writer = await served.connect(head)
        answer = await reader.read()

    assert answer.startswith(b"HTTP/1.1 431")
    assert answer.endswith(b'"code":"headers_too_large"}')


async def test_bytes_that_are_no_http_are_answered_400(house: House):
    async with serving(house) as served:
        reader, _writer = await served.connect("\x16\x03\x01 nonsense\r\n\r\n")
        answer = await reader.read()

    assert answer.startswith(b"HTTP/1.1 400")


async def test_no_answer_names_the_server(house: House):
    async with serving(house) as served:
        reader, _writer = await served.connect("GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        head = await read_until(reader, b"\r\n\r\n")

    assert b"server:" not in head.lower()


@pytest.mark.parametrize(
    ("trusted", "origin"), [("", "127.0.0.1"), ("127.0.0.0/8", "203.0.113.9"), ("10.1.1.1", None)]
)
async def test_only_a_named_proxy_says_where_a_client_comes_from(
    house: House, monkeypatch, trusted, origin
):
    origins = []

    def log_in(_self, attempt, *_args, **_kwargs):
        origins.append(attempt.origin)
        raise WrongLogin

    monkeypatch.setattr(type(house.services.credentials), "log_in", log_in)
    body = json.dumps({"email": "a@b", "password": "x"})
    async with serving(house, trusted_proxies=trusted) as served:
        reader, _ = await served.connect(
            f"POST {V1}/auth/tokens HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            f"X-Forwarded-For: 203.0.113.9\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        )
        await read_until(reader, b"wrong_login")

    assert origins == [origin or "127.0.0.1"]
