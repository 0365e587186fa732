"""The chargers: all dial in at once, boot, then beat; a tenth of them charges and sends samples."""

import asyncio
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Coroutine, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.typing import Subprotocol

HEARTBEAT_S: Final = 60.0
SAMPLE_S: Final = 30.0
CHARGES_EVERY: Final = 10
"""One charger in so many charges."""
_ANSWER_S: Final = 60.0
_SUBPROTOCOL: Final = Subprotocol("ocpp1.6")


@dataclass(slots=True)
class Tally:
    """What was asked and answered."""

    asked: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    """Logins that failed, of those that should not have."""
    dropped: int = 0
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def p99_ms(self) -> float:
        """Return the latency only one answer in a hundred was worse than."""
        ordered = sorted(self.latencies_ms)
        return ordered[len(ordered) * 99 // 100] if ordered else 0.0


class Crowd:
    """All chargers of the measurement."""

    def __init__(self, port: int, charger_ids: list[str], key: str) -> None:
        self.tally = Tally()
        self._chargers = [
            _Charger(port, one, key, number, self.tally) for number, one in enumerate(charger_ids)
        ]

    async def arrive(self) -> float:
        """Have all connect and boot at once; returns how many seconds the last one took."""
        began = time.monotonic()
        await _together(one.arrive() for one in self._chargers)
        return time.monotonic() - began

    async def live(self, seconds: float) -> None:
        """Have all of them beat, and a tenth charge, for so long."""
        await _together(one.live(seconds) for one in self._chargers)

    async def leave(self) -> None:
        """Have all hang up."""
        await _together(one.leave() for one in self._chargers)


class _Charger:
    def __init__(self, port: int, charger_id: str, key: str, number: int, tally: Tally) -> None:
        self._address = f"ws://127.0.0.1:{port}/{charger_id}"
        self._headers = login(charger_id, key)
        self._number = number
        self._tally = tally
        self._socket: ClientConnection | None = None
        self._calls = 0
        self._id = charger_id

    async def arrive(self) -> None:
        try:
            self._socket = await _dial(self._address, self._headers)
            await self._call(
                "BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}
            )
            await self._status("Available")
        except (OSError, TimeoutError, WebSocketException):
            self._tally.refused += 1

    async def live(self, seconds: float) -> None:
        if self._socket is None:
            return
        try:
            if self._number % CHARGES_EVERY:
                await self._beat(time.monotonic() + seconds)
            else:
                await self._charge(time.monotonic() + seconds)
        except (OSError, TimeoutError, WebSocketException):
            self._tally.dropped += 1

    async def leave(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def _beat(self, until_s: float, interval_s: float = HEARTBEAT_S) -> None:
        due_s = time.monotonic() + interval_s * (self._number % 997) / 997
        while due_s < until_s:
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            await self._call("Heartbeat", {})
            due_s += interval_s

    async def _charge(self, until_s: float) -> None:
        start = {"connectorId": 1, "idTag": "BENCH", "meterStart": 0, "timestamp": _now()}
        begun = await self._call("StartTransaction", start)
        await self._status("Charging")
        register_wh, heartbeat_s = 0, time.monotonic()
        due_s = time.monotonic() + SAMPLE_S * (self._number % 991) / 991
        while due_s < until_s:
            await asyncio.sleep(max(0.0, due_s - time.monotonic()))
            register_wh += 90
            await self._call("MeterValues", _sample(begun["transactionId"], register_wh))
            if time.monotonic() - heartbeat_s >= HEARTBEAT_S:
                heartbeat_s = time.monotonic()
                await self._call("Heartbeat", {})
            due_s += SAMPLE_S
        stop = {
            "transactionId": begun["transactionId"],
            "meterStop": register_wh,
            "timestamp": _now(),
        }
        await self._call("StopTransaction", stop)
        await self._status("Available")

    async def _status(self, status: str) -> None:
        payload = {"connectorId": 1, "errorCode": "NoError", "status": status, "timestamp": _now()}
        await self._call("StatusNotification", payload)

    async def _call(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        assert self._socket is not None  # noqa: S101 - called while connected
        self._calls += 1
        message_id = f"{self._id}-{self._calls}"
        self._tally.asked[action] += 1
        began = time.monotonic()
        await self._socket.send(msgspec.json.encode([2, message_id, action, payload]), text=True)
        async with asyncio.timeout(_ANSWER_S):
            while True:
                frame = msgspec.json.decode(await self._socket.recv())
                if frame[1] == message_id:
                    break
        if frame[0] != 3:
            raise ConnectionError(f"{action} was refused: {frame}")
        self._tally.answered[action] += 1
        self._tally.latencies_ms.append((time.monotonic() - began) * 1000)
        answer: dict[str, Any] = frame[2]
        return answer


async def knock(port: int, charger_ids: list[str], key: str) -> int:
    """Have somebody try a wrong key at each name; returns how many were turned away."""
    turned_away = 0

    async def try_one(charger_id: str) -> None:
        nonlocal turned_away
        try:
            (
                await _dial(f"ws://127.0.0.1:{port}/{charger_id}", login(charger_id, key))
            ).transport.abort()
        except InvalidStatus as error:
            turned_away += error.response.status_code == 401

    for first in range(0, len(charger_ids), 100):
        await asyncio.gather(*map(try_one, charger_ids[first : first + 100]))
    return turned_away


def login(charger_id: str, key: str) -> dict[str, str]:
    """Return the header of basic authentication."""
    return {"Authorization": f"Basic {b64encode(f'{charger_id}:{key}'.encode()).decode()}"}


async def _dial(address: str, headers: dict[str, str]) -> ClientConnection:
    return await connect(
        address,
        subprotocols=[_SUBPROTOCOL],
        additional_headers=headers,
        compression=None,
        open_timeout=_ANSWER_S,
        ping_interval=None,
        proxy=None,
    )


async def _together(work: Iterable[Coroutine[Any, Any, None]]) -> None:
    async with asyncio.TaskGroup() as tasks:
        for one in work:
            tasks.create_task(one)


def _sample(transaction_id: int, register_wh: int) -> dict[str, Any]:
    values = [
        {"value": str(register_wh), "measurand": "Energy.Active.Import.Register", "unit": "Wh"},
        {"value": "11000", "measurand": "Power.Active.Import", "unit": "W"},
    ]
    meter_value = [{"timestamp": _now(), "sampledValue": values}]
    return {"connectorId": 1, "transactionId": transaction_id, "meterValue": meter_value}


def _now() -> str:
    return datetime.now(UTC).isoformat()
