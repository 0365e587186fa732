"""The cloud's commands: each carried out at most once, never after its deadline, always answered."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import timedelta
from typing import Final, Protocol
from weakref import WeakValueDictionary

import msgspec
import structlog

from contracts.clock import Clock
from contracts.commands import Command, decode_command
from contracts.events import CommandAnswered, CommandOutcome
from contracts.ids import ChargerId, CommandId, StationId
from contracts.wire import Broken, Instant, Wire, encode
from station_agent.ports import (
    ChargerGateway,
    CommandResult,
    Kept,
    OutboxUnavailable,
    Recorder,
)

log = structlog.get_logger()

_KIND: Final = "command"
_REMEMBERED_FOR: Final = timedelta(days=1)
"""After its deadline a command is refused anyway; this bridges clocks that disagree."""
_MAX_RUNNING: Final = 64
_RETRY_S: Final = 1.0
_UNSENT: Final = frozenset({CommandOutcome.CHARGER_OFFLINE, CommandOutcome.EXPIRED})
"""Outcomes that say the charger has not heard the command."""


class Seen(Wire, kw_only=True):
    """A command that came, and whether its answer was told."""

    expires_at: Instant
    is_answered: bool = False


_SEEN: Final = msgspec.json.Decoder(Seen)


class Memory(Recorder, Protocol):
    """The outbox, as far as commands are concerned."""

    def kept(self, kind: str) -> Mapping[str, bytes]:
        """See Outbox.kept."""
        ...


class Commands:
    """Told of what comes on `commands`; runs each in a task of its own, within `run`."""

    def __init__(
        self, station_id: StationId, gateway: ChargerGateway, memory: Memory, clock: Clock
    ) -> None:
        self._station_id = station_id
        self._gateway = gateway
        self._memory = memory
        self._clock = clock
        known = [(key, _SEEN.decode(body)) for key, body in memory.kept(_KIND).items()]
        self._seen = dict(sorted(known, key=lambda entry: entry[1].expires_at))
        self._interrupted = [key for key, seen in known if not seen.is_answered]
        self._came: asyncio.Queue[Command] = asyncio.Queue()
        self._running = 0
        self._turns: WeakValueDictionary[ChargerId, asyncio.Lock] = WeakValueDictionary()

    def take(self, payload: bytes) -> None:
        """Take a command, once; unreadable and foreign ones have nobody to be answered to."""
        try:
            command = decode_command(payload)
        except Broken as error:
            log.warning("commands.unreadable", error=str(error))
            return
        if command.station != self._station_id:
            log.warning("commands.foreign", station=command.station)
        elif command.id in self._seen:
            log.info("commands.repeated", command_id=command.id)
        else:
            self._seen[command.id] = Seen(expires_at=command.expires_at)
            self._came.put_nowait(command)

    async def run(self) -> None:
        """Carry out what comes, until cancelled."""
        await self._answer_interrupted()
        async with asyncio.TaskGroup() as tasks:
            while True:
                command = await self._came.get()
                tasks.create_task(self._carry_out(command), name=f"command {command.id}")

    async def _answer_interrupted(self) -> None:
        """Answer those a restart cut off: whether the charger heard them nobody knows."""
        for command_id in self._interrupted:
            answer = {"description": "the station agent was restarted meanwhile"}
            result = CommandResult(CommandOutcome.TIMED_OUT, answer)
            await self._answer(command_id, self._seen[command_id], result)

    async def _carry_out(self, command: Command) -> None:
        seen = self._seen[command.id]
        if not self._time_left_s(command) > 0:
            await self._end(command, CommandResult(CommandOutcome.EXPIRED))
            return
        if self._running >= _MAX_RUNNING:
            busy = {"description": f"{_MAX_RUNNING} commands are being carried out already"}
            outcome = CommandOutcome.EXPIRED if command.is_patient else CommandOutcome.FAILED
            await self._end(command, CommandResult(outcome, busy))
            return
        self._running += 1
        try:
            async with self._turn(command):
                await self._end(command, await self._execute(command, seen))
        finally:
            self._running -= 1

    def _turn(self, command: Command) -> AbstractAsyncContextManager[None]:
        """Let patient commands of one charger be begun one after another.

        Of those that wait their turn a restart can say that the charger has not heard them.
        """
        if not command.is_patient:
            return nullcontext()
        return self._turns.setdefault(command.request.charger_id, asyncio.Lock())

    async def _end(self, command: Command, result: CommandResult) -> None:
        """Answer; of a patient command the charger has not heard nothing is remembered."""
        if command.is_patient and result.outcome in _UNSENT:
            await self._tell(command.id, result, [Kept(_KIND, command.id, None)])
            del self._seen[command.id]
        else:
            await self._answer(command.id, self._seen[command.id], result)

    async def _execute(self, command: Command, seen: Seen) -> CommandResult:
        """Ask the charger, once it is on disk that this command was begun."""
        try:
            await self._memory.record((), [Kept(_KIND, command.id, encode(seen))])
        except OutboxUnavailable as error:
            return CommandResult(CommandOutcome.FAILED, {"description": f"outbox: {error}"})
        left_s = self._time_left_s(command)
        if left_s <= 0:
            return CommandResult(CommandOutcome.EXPIRED)
        return await self._gateway.execute(command.request, left_s)

    async def _answer(self, command_id: CommandId, seen: Seen, result: CommandResult) -> None:
        """Tell the outcome, and that it was told."""
        answered = Seen(expires_at=seen.expires_at, is_answered=True)
        notes = [Kept(_KIND, command_id, encode(answered)), *self._outdated()]
        await self._tell(command_id, result, notes)
        self._seen[command_id] = answered

    async def _tell(self, command_id: CommandId, result: CommandResult, notes: list[Kept]) -> None:
        """Record how a command ended; a full disk is tried again for as long as it takes."""
        fact = CommandAnswered(
            command_id=command_id,
            outcome=result.outcome,
            answer=result.answer,
            observed_at=self._clock.now(),
        )
        while True:
            try:
                await self._memory.record([fact], notes)
            except OutboxUnavailable:
                await self._clock.sleep(_RETRY_S)
            else:
                return

    def _time_left_s(self, command: Command) -> float:
        """By its deadline, and never longer than it was given, whatever the clocks say."""
        left = min(command.expires_at - self._clock.now(), command.expires_at - command.issued_at)
        return left.total_seconds()

    def _outdated(self) -> list[Kept]:
        """Forget those long past their deadline, oldest first: as many go as come."""
        gone: list[Kept] = []
        limit = self._clock.now() - _REMEMBERED_FOR
        for command_id, seen in list(self._seen.items()):
            if not seen.is_answered or seen.expires_at >= limit:
                break
            del self._seen[command_id]
            gone.append(Kept(_KIND, command_id, None))
        return gone
