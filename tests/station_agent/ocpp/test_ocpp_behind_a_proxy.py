"""The door behind somebody's proxy: whose word counts for encryption and address (FAULTS S03, S05)."""

import asyncio
import base64

import pytest

from station_agent.ocpp.arrival import networks
from tests.station_agent.ocpp.fakes import KEY, a_credential
from tests.station_agent.ocpp.test_ocpp_server_real import a_station

pytestmark = pytest.mark.real


@pytest.mark.parametrize(
    ("trusted", "proto", "status"),
    [("127.0.0.1", "https", 101), ("127.0.0.1", "http", 401), ("10.0.0.0/8", "https", 401)],
)
async def test_s03_only_a_proxy_of_ours_can_say_that_a_charger_came_encrypted(
    trusted, proto, status
):
    async with a_station(trusted_proxies=networks(trusted)) as station:
        station.credentials["CP-1"] = a_credential(security_profile=2)
        login = base64.b64encode(f"CP-1:{KEY}".encode()).decode()
        headers = {"Authorization": f"Basic {login}", "X-Forwarded-Proto": proto}
        answered = await handshake(station.server.port, headers)

        assert answered == status


async def test_s05_behind_a_proxy_failures_are_counted_by_who_is_before_it():
    async with a_station(trusted_proxies=networks("127.0.0.1")) as station:
        login = base64.b64encode(f"CP-1:{KEY}".encode()).decode()
        for _ in range(10):
            await handshake(station.server.port, {"X-Forwarded-For": "192.0.2.66"})
        right = {"Authorization": f"Basic {login}"}

        assert (
            await handshake(station.server.port, right | {"X-Forwarded-For": "192.0.2.66"}) == 401
        )
        assert await handshake(station.server.port, right | {"X-Forwarded-For": "192.0.2.7"}) == 101


async def handshake(port: int, headers: dict[str, str]) -> int:
    """Return the status a request to connect as CP-1 is answered with."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    given = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(
        "GET /CP-1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n"
        f"{given}\r\n".encode()
    )
    status = int((await reader.readline()).split()[1])
    writer.close()
    await writer.wait_closed()
    return status
