"""Server CPU time per OCPP message: the agent, a plain `ocpp` central system, and a bare echo.

The same sessions go to all three in interleaved rounds, each server a process of its own; what is
measured is the CPU time (user and system, all threads) the server took, logins not counted.
"""

import asyncio
import base64
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psutil
import uvloop
from rich.console import Console
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.agent_home import STATION, charger_id, make_agent_home
from benchmarks.row import Row

CHARGERS: Final = 50
METER_VALUES: Final = 160
ROUNDS: Final = 5
MESSAGES: Final = CHARGERS * (METER_VALUES + 4)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and how to reach it."""

    name: str
    port: int
    process: psutil.Process
    path: str = ""

    def cpu_s(self) -> float:
        """Return the CPU seconds it has taken so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)


def measure(console: Console) -> list[Row]:
    """Return the two ratios of the agent's CPU time per message."""
    with console.status("OCPP messages: agent, plain `ocpp`, bare echo"), ExitStack() as stack:
        servers = _start_all(stack)
        us = uvloop.run(_run_rounds(servers))
    what = "agent: CPU per OCPP message, checked, stored, answered"
    return [
        Row(
            id="A1",
            what=f"{what} / plain ocpp 2.1",
            unit="us",
            ours=us["agent"],
            baseline=us["plain"],
            bound="at_most",
            target=0.25,
        ),
        Row(
            id="A2",
            what=f"{what} / bare websockets echo",
            unit="us",
            ours=us["agent"],
            baseline=us["echo"],
            bound="at_most",
            target=2.5,
        ),
    ]


def _start_all(stack: ExitStack) -> list[Server]:
    home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    servers = []
    for kind in ("echo", "plain"):
        port = free_port()
        command = [sys.executable, "-m", "benchmarks.baselines", kind, str(port)]
        servers.append(_start(stack, kind, port, command, {}))
    port = free_port()
    env = make_agent_home(home, chargers=CHARGERS * ROUNDS, ocpp_port=port, broker_port=free_port())
    command = [sys.executable, "-m", "station_agent", "run"]
    servers.append(_start(stack, "agent", port, command, env))
    return servers


def _start(
    stack: ExitStack, name: str, port: int, command: list[str], env: dict[str, str]
) -> Server:
    process = psutil.Popen(command, env=_environment() | env, stdout=subprocess.DEVNULL)
    stack.callback(process.wait, 20)
    stack.callback(process.terminate)
    wait_for_port(port)
    return Server(name, port, process)


def _environment() -> dict[str, str]:
    return dict(psutil.Process().environ())


def free_port() -> int:
    """Return a loopback port nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, within_s: float = 30) -> None:
    """Return once something listens.

    Raises:
        TimeoutError: nothing did in time.
    """
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on port {port}")


async def _run_rounds(servers: list[Server]) -> dict[str, float]:
    taken: dict[str, list[float]] = {server.name: [] for server in servers}
    for number in range(ROUNDS):
        for server in servers:
            taken[server.name].append(await _run_round(server, number * CHARGERS))
    return {name: statistics.median(values) for name, values in taken.items()}


async def _run_round(server: Server, first: int) -> float:
    """Return CPU microseconds per message of one round.

    Of chargers no round had before: one that goes on so would be slowed down for flooding.
    """
    connections = [await _connect(server, first + number) for number in range(CHARGERS)]
    try:
        before = server.cpu_s()
        await asyncio.gather(
            *(_drive(one, number) for number, one in enumerate(connections, start=1))
        )
        return (server.cpu_s() - before) / MESSAGES * 1e6
    finally:
        await asyncio.gather(*(one.close() for one in connections))


async def _connect(server: Server, number: int) -> ClientConnection:
    identity = charger_id(number)
    secret = base64.b64encode(f"{identity}:{STATION.key}".encode()).decode()
    return await connect(
        f"ws://127.0.0.1:{server.port}/{identity}",
        subprotocols=["ocpp1.6"],  # type: ignore[list-item]
        additional_headers={"Authorization": f"Basic {secret}"},
        compression=None,
    )


async def _drive(connection: ClientConnection, number: int) -> None:
    transaction_id = 1
    for count, (action, payload) in enumerate(_session(number)):
        if "transactionId" in payload:
            payload["transactionId"] = transaction_id
        message_id = f"{time.time_ns()}-{number}-{count}"
        await connection.send(json.dumps([2, message_id, action, payload]))
        answer = await _answer_to(connection, message_id)
        if action == "StartTransaction" and answer[0] == 3:
            transaction_id = answer[2]["transactionId"]


async def _answer_to(connection: ClientConnection, message_id: str) -> list[Any]:
    while True:
        frame: list[Any] = json.loads(await connection.recv())
        if frame[1] == message_id:
            if frame[0] == 4:
                raise RuntimeError(f"the server refused a sound message: {frame}")
            return frame
        await connection.send(json.dumps([4, frame[1], "NotSupported", "", {}]))


def _session(number: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield one session of a 1.6 charger; energy and time as a 7 kW charge has them."""

    def now() -> str:
        return datetime.now(UTC).isoformat()

    def status(state: str) -> dict[str, Any]:
        return {"connectorId": 1, "errorCode": "NoError", "status": state, "timestamp": now()}

    start = {"connectorId": 1, "idTag": f"TAG{number:03d}", "meterStart": 1000, "timestamp": now()}
    yield "StartTransaction", start
    yield "StatusNotification", status("Charging")
    for sample in range(METER_VALUES):
        readings = [
            ("Energy.Active.Import.Register", "Wh", 1000 + 58 * sample),
            ("Power.Active.Import", "W", 7012.5),
            ("Current.Import", "A", 30.6),
            ("SoC", "Percent", 40 + sample / 2),
        ]
        values = [
            {"value": str(value), "measurand": measurand, "unit": unit}
            for measurand, unit, value in readings
        ]
        meter_value = [{"timestamp": now(), "sampledValue": values}]
        yield "MeterValues", {"connectorId": 1, "transactionId": 0, "meterValue": meter_value}
    stop = {"transactionId": 0, "meterStop": 1000 + 58 * METER_VALUES, "timestamp": now()}
    yield "StopTransaction", stop
    yield "StatusNotification", status("Available")
