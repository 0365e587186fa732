"""A charging post under test: a simulated charger on a real socket, and the API of those who run it."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, Self

from simulator.chargers.charger import Charger
from simulator.chargers.dialer import Address, Dialer
from simulator.chargers.evse import EvseSpec, Outlet
from simulator.chargers.line import Call, Payload, Refusal
from simulator.chargers.manners import Manners
from simulator.chargers.quirks import Quirk
from simulator.chargers.spec import Behaviour, ChargerSpec
from simulator.chargers.versions import build
from simulator.journal import Entry, Kind
from simulator.running import dial
from simulator.vehicles import MODELS, Battery, Car, Standard
from simulator.world import World
from tests.support.ports import LOOPBACK
from tests.support.stack import Stack, Station
from tests.support.waiting import eventually_async

WITHIN_S = 30.0
"""How long anything may take on a busy machine before it counts as never."""
_TRIES = 5
_BY_STATUS = "StatusNotification"


class Refused(AssertionError):
    """The other end answered with a CALLERROR; `code` is its word."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Tape:
    """A journal that can be waited for."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def write(self, entry: Entry) -> None:
        """See Journal.write."""
        self.entries.append(entry)

    def of(self, kind: Kind, action: str = "") -> list[Entry]:
        """Return the entries of a kind, and of an action where one is named; oldest first."""
        return [one for one in self.entries if one.kind is kind and action in {"", one.action}]


class Post:
    """One charger, dialled in while the `async with` lasts; a test asks both of its sides.

    `charger` is the simulator's own (plug cars in, present tokens, break it down); `call` says what a
    test wants said; `ask` and `command` go through the API, as staff would.
    """

    in_time_s = WITHIN_S
    """How long what it is asked may take, in seconds of the house's clock."""

    def __init__(
        self,
        stack: Stack,
        station: Station,
        charger_id: str,
        version: str = "2.0.1",
        *,
        quirks: Sequence[Quirk] = (),
        behaviour: Behaviour | None = None,
        manners: Manners | None = None,
    ) -> None:
        self.stack = stack
        self.station = station
        self.charger_id = charger_id
        self.tape = Tape()
        self.world = World(stack.clock, 1, self.tape)
        outlet = Outlet(1, Standard.TYPE_2, 22_000)
        numbers = sorted(evse for one, evse in station.bays.values() if one == charger_id)
        spec = ChargerSpec(charger_id, version, tuple(EvseSpec(one, (outlet,)) for one in numbers))
        self.charger: Charger = build(
            self.world,
            spec,
            behaviour=behaviour or Behaviour(heartbeat_s=3_600, sample_s=3_600, reboot_s=0.5),
            manners=manners,
            quirks=quirks,
        )
        self.dialer: Dialer = dial(self.world, [self.charger], lambda _: self._address())[0].dialer
        self._tasks: list[asyncio.Task[None]] = []
        self._heard: dict[str, int] = {}

    async def __aenter__(self) -> Self:
        self._tasks = [
            asyncio.create_task(self.world.run(), name=f"world of {self.charger_id}"),
            asyncio.create_task(self.dialer.run(), name=f"dialer of {self.charger_id}"),
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task

    # --- the charger's side ----------------------------------------------------------------------

    async def booted(self) -> Self:
        """Wait until the charger was accepted, all it had to say of its states is said, and both sides know."""
        line = self.charger.line
        await self.until(lambda: line.is_booted, "booted")
        count = sum(len(one.spec.outlets) for one in self.charger.evses.values())
        done = partial(self.tape.of, Kind.ACKNOWLEDGED)
        told_by = "NotifyEvent" if self.charger.behaviour.tells_states_by_event else _BY_STATUS
        await self.until(lambda: len(done(told_by)) >= count, "its states told")
        await self.until(self._is_known_here, "known to be connected")
        return self

    async def call(self, action: str, payload: Payload) -> Payload:
        """Send a call and return the answer's payload.

        Raises:
            Refused: a CALLERROR came, or the connection went.
        """
        answer: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()

        def refused(code: str) -> None:
            if not answer.done():
                answer.set_exception(Refused(code))

        def answered(payload: Payload) -> None:
            if not answer.done():
                answer.set_result(payload)

        self.charger.line.call(
            Call(action, lambda: payload, on_answer=answered, on_failure=refused)
        )
        return await asyncio.wait_for(answer, WITHIN_S)

    async def asked(self, action: str) -> Payload:
        """Wait for the next call of this action and return its payload; each is returned once."""
        before = self._heard.get(action, 0)
        found = partial(self.tape.of, Kind.ASKED, action)
        await self.until(lambda: len(found()) > before, f"asked for {action}")
        self._heard[action] = before + 1
        return found()[before].body["payload"]

    def answers(
        self, action: str, answer: Payload | Refusal | Callable[[Payload], Payload | Refusal]
    ) -> None:
        """From now on answer calls of this action so, whatever the simulated charger would say."""
        given = answer if callable(answer) else lambda _: answer
        self.charger.answers = {
            **self.charger.answers,
            action: lambda _charger, payload: given(payload),
        }

    def car(self, soc_pct: float = 40.0) -> Car:
        """Return a car the plugs fit."""
        model = next(one for one in MODELS if one.takes(Standard.TYPE_2))
        return Car("test", Battery(model, model.capacity_wh * soc_pct / 100.0))

    def sent(self, action: str) -> list[Payload]:
        """Return what the charger sent of an action, oldest first."""
        return [one.body for one in self.tape.of(Kind.SENT, action)]

    # --- the operator's side ---------------------------------------------------------------------

    async def ask(self, action: str, payload: Payload | None = None) -> dict[str, Any]:
        """Have the cloud call an action of the charger's version; return the command as it ended."""
        body = {"action": action, "payload": payload or {}, "timeout_s": self.in_time_s}
        return await self._asks("calls", body)

    async def command(self, kind: str, **fields: Any) -> dict[str, Any]:
        """Have the cloud request something that means the same in every version."""
        return await self._asks(f"commands?timeout_s={self.in_time_s:.0f}", {"kind": kind} | fields)

    async def _asks(self, what: str, body: Payload) -> dict[str, Any]:
        """Ask; again while its time is over before its turn came, as on a busy machine it may be."""
        command = await self.post(f"/chargers/{self.charger_id}/{what}", body)
        tries = _TRIES
        while command["state"] == "expired" and (tries := tries - 1):
            command = await self.post(f"/chargers/{self.charger_id}/{what}", body)
        return command

    async def get(self, path: str, **params: Any) -> Any:
        """Read of the API, as an administrator."""
        return await asyncio.to_thread(partial(self.stack.get, path, **params))

    async def post(self, path: str, body: Any = None) -> Any:
        """Write to the API, as an administrator."""
        return await asyncio.to_thread(self.stack.post, path, body)

    async def post_token(self, token: str, **more: Any) -> None:
        """Have the cloud know a token."""
        await asyncio.to_thread(partial(self.stack.put_token, token, **more))

    async def put(self, path: str, body: Any) -> Any:
        """Change by the API, as an administrator."""
        answer = await asyncio.to_thread(partial(self.stack.api.put, path, json=body))
        assert answer.is_success, answer.text
        return answer.json()

    async def remove(self, path: str) -> None:
        """Take away by the API, as an administrator."""
        answer = await asyncio.to_thread(self.stack.api.delete, path)
        assert answer.is_success, answer.text

    async def download(self, path: str) -> bytes:
        """Read a file of the API, as an administrator."""
        answer = await asyncio.to_thread(self.stack.api.get, path)
        assert answer.is_success, answer.text
        return answer.content

    async def inventory(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return what the cloud knows the charger to hold of a kind, by key."""
        path = f"/chargers/{self.charger_id}/inventory"
        items: dict[str, dict[str, Any]] = {}
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, kind=kind, limit=200, **cursor)
            items |= {one["key"]: one["body"] for one in page["items"]}
            if page["next_cursor"] is None:
                return items
            cursor = {"cursor": page["next_cursor"]}

    async def jobs(self, job: str) -> list[dict[str, Any]]:
        """Return the charger's jobs of a kind, the one that changed last first."""
        found = (await self.get(f"/chargers/{self.charger_id}/jobs"))["jobs"]
        return [one for one in found if one["job"] == job]

    async def facts(self, kind: str) -> list[dict[str, Any]]:
        """Return what the cloud was told of this charger of a kind of fact, newest first."""
        log = await self.get(f"/chargers/{self.charger_id}/log", limit=200)
        return [one["body"] for one in log["entries"] if one["kind"] == kind]

    async def alerts(self) -> list[dict[str, Any]]:
        """Return what maintenance is told of this post."""
        found = (await self.get("/alerts", station_id=self.station.station_id, limit=200))["alerts"]
        return [one for one in found if one["charger_id"] == self.charger_id]

    async def sessions(self) -> list[dict[str, Any]]:
        """Return the sessions of the post's station at this charger, newest first."""
        found = (await self.get("/sessions", station_id=self.station.station_id))["sessions"]
        return [one for one in found if one["charger_id"] == self.charger_id]

    async def until(self, condition: Callable[[], Any], what: str = "") -> Any:
        """Wait until the condition, which may be awaited, is true; return its value."""
        return await eventually_async(condition, WITHIN_S, what)

    async def _is_known_here(self) -> bool:
        charger = (await self.get(f"/chargers/{self.charger_id}"))["charger"]
        return charger["is_connected"] and all((charger["ocpp_version"], charger["vendor"]))

    def _address(self) -> Address:
        port = self.stack.agents[self.station.station_id].env["AGENT_OCPP_PORT"]
        key = self.station.charger_keys[self.charger_id]
        return Address(f"ws://{LOOPBACK}:{port}", key, longest_wait_s=1)
