"""The balancer's example says nothing HAProxy would not do: each charger to its host, and how it came."""

import asyncio
import shutil
from contextlib import asynccontextmanager

import pytest

from tests.support.ports import LOOPBACK, free_port, is_listening
from tests.support.processes import ROOT, Program

EXAMPLE = ROOT / "deploy" / "haproxy" / "haproxy.cfg"
HAPROXY = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin")


def configuration(folder, port, hosts):
    """Return the example, listening here without TLS and sending to these ports."""
    text = EXAMPLE.read_text()
    for old, new in {
        ":443 ssl crt /etc/haproxy/certs ssl-min-ver TLSv1.2": f"{LOOPBACK}:{port}",
        "/etc/haproxy/chargers.map": str(folder / "chargers.map"),
        "maxconn 60000": "maxconn 100",
        "192.0.2.11:9000": f"{LOOPBACK}:{hosts[0]}",
        "192.0.2.12:9000": f"{LOOPBACK}:{hosts[1]}",
    }.items():
        assert text.count(old) >= 1, old
        text = text.replace(old, new)
    file = folder / "haproxy.cfg"
    file.write_text(text)
    return file


@asynccontextmanager
async def a_host(name):
    """Listen, and answer each request with its own headers; yields the port."""

    async def answer(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).replace(b"\r\n", b"|")
        body = name.encode() + b" " + head
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, LOOPBACK, 0) as server:
        yield server.sockets[0].getsockname()[1]


async def ask(port, path):
    reader, writer = await asyncio.open_connection(LOOPBACK, port)
    writer.write(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 1.2.3.4\r\n"
        f"X-Forwarded-Proto: http\r\nConnection: close\r\n\r\n".encode()
    )
    answer = (await reader.read()).decode()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.real
async def test_each_charger_goes_to_its_host_which_is_told_how_it_came(tmp_path):
    if HAPROXY is None:
        assert "use_backend" in EXAMPLE.read_text()
        return
    (tmp_path / "chargers.map").write_text("A-1 host-a\nB-1 host-b\n")
    async with a_host("a") as first, a_host("b") as second:
        port = free_port()
        file = configuration(tmp_path, port, (first, second))
        with Program("haproxy", [HAPROXY, "-f", file], log_dir=tmp_path) as balancer:
            balancer.start(lambda: is_listening(port))
            one, other = await ask(port, "/ocpp/A-1"), await ask(port, "/B-1/")
            nobody = await ask(port, "/ocpp/C-1")

    assert "\r\n\r\na GET /ocpp/A-1 " in one
    assert "\r\n\r\nb GET /B-1/ " in other
    assert "401" in nobody.splitlines()[0]
    said = one.lower()
    assert "|x-forwarded-proto: https|" in said
    assert f"|x-forwarded-for: {LOOPBACK}|" in said
    assert "1.2.3.4" not in said
