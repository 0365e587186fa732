"""Servers with nothing of ours in them: `python -m benchmarks.baselines echo|plain PORT`."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Any, Final

import uvloop
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import AuthorizationStatus, RegistrationStatus
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed


class PlainCentralSystem(ChargePoint):
    """The `ocpp` package as its readme shows it: answers, keeps nothing."""

    @on("BootNotification")
    def boot(self, **_: Any) -> call_result.BootNotification:
        """Accept."""
        now = datetime.now(UTC).isoformat()
        return call_result.BootNotification(now, 300, RegistrationStatus.accepted)

    @on("StatusNotification")
    def status(self, **_: Any) -> call_result.StatusNotification:
        """Accept."""
        return call_result.StatusNotification()

    @on("StartTransaction")
    def start_transaction(self, **_: Any) -> call_result.StartTransaction:
        """Accept, always as transaction 1."""
        return call_result.StartTransaction(1, IdTagInfo(AuthorizationStatus.accepted))

    @on("MeterValues")
    def meter_values(self, **_: Any) -> call_result.MeterValues:
        """Accept."""
        return call_result.MeterValues()

    @on("StopTransaction")
    def stop_transaction(self, **_: Any) -> call_result.StopTransaction:
        """Accept."""
        return call_result.StopTransaction()


async def echo(socket: ServerConnection) -> None:
    """Send back what comes."""
    async for message in socket:
        await socket.send(message)


async def plain(socket: ServerConnection) -> None:
    """Serve one charger by the `ocpp` package alone."""
    try:
        await PlainCentralSystem("charger", socket).start()
    except ConnectionClosed:
        return


SERVERS: Final = {"echo": echo, "plain": plain}


async def run(kind: str, port: int) -> None:
    """Serve until ended."""
    async with serve(SERVERS[kind], "127.0.0.1", port, subprotocols=["ocpp1.6"], compression=None):  # type: ignore[list-item]
        await asyncio.Future()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], int(sys.argv[2])))
