"""The chaos proxy does to a connection what its faults are named after, and mends."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.support.chaos import ChaosProxy, Way
from tests.support.ports import LOOPBACK
from tests.support.waiting import eventually_async


@asynccontextmanager
async def an_echo_behind_a_proxy():
    async def echo(reader, writer):
        while data := await reader.read(1_000):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, LOOPBACK, 0)
    async with ChaosProxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def connected(proxy):
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    yield reader, writer
    writer.transport.abort()


async def is_silent(reader) -> bool:
    try:
        await asyncio.wait_for(reader.read(1), timeout=0.1)
    except TimeoutError:
        return True
    return False


async def test_what_goes_in_comes_out_in_order():
    async with an_echo_behind_a_proxy() as proxy, connected(proxy) as (reader, writer):
        writer.write(b"a" * 50_000 + b"b")

        assert await reader.readexactly(50_001) == b"a" * 50_000 + b"b"


async def test_a_cut_resets_old_connections_and_refuses_new_ones_until_mended():
    async with an_echo_behind_a_proxy() as proxy, connected(proxy) as (reader, writer):
        writer.write(b"x")
        await reader.readexactly(1)

        proxy.cut()

        assert await _end_of(reader)
        async with connected(proxy) as (second, _):
            assert await _end_of(second)
        proxy.mend()
        async with connected(proxy) as (third, third_writer):
            third_writer.write(b"y")
            assert await third.readexactly(1) == b"y"


async def test_half_open_keeps_the_connection_and_passes_nothing_until_mended():
    async with an_echo_behind_a_proxy() as proxy, connected(proxy) as (reader, writer):
        proxy.half_open()
        writer.write(b"x")

        assert await is_silent(reader)
        proxy.mend()
        assert await reader.readexactly(1) == b"x"


async def test_half_open_one_way_still_carries_the_other():
    async with an_echo_behind_a_proxy() as proxy, connected(proxy) as (reader, writer):
        writer.write(b"x")
        await reader.readexactly(1)
        proxy.half_open(Way.UP)
        writer.write(b"y")

        assert await is_silent(reader)
        assert proxy.open_connections == 1


@pytest.mark.parametrize(
    ("fault", "value"), [("delay_s", 0.2), ("bytes_per_s", 500)], ids=["delay", "throttle"]
)
async def test_delay_and_throttle_make_it_late_not_lost(fault, value):
    now = asyncio.get_running_loop().time
    async with an_echo_behind_a_proxy() as proxy, connected(proxy) as (reader, writer):
        setattr(proxy, fault, value)
        began = now()
        writer.write(b"x" * 100)
        await reader.readexactly(100)
        writer.write(b"y")
        await reader.readexactly(1)

        assert now() - began >= 0.2


async def test_a_target_that_is_not_there_is_a_reset_and_the_client_may_try_again():
    async with an_echo_behind_a_proxy() as proxy:
        port = proxy.port
    async with ChaosProxy(port) as proxy, connected(proxy) as (reader, _):
        assert await _end_of(reader)
        await eventually_async(lambda: proxy.open_connections == 0)


async def _end_of(reader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), timeout=5) == b""
    except ConnectionResetError:
        return True
