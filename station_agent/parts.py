"""The processes that serve a part of the stations each: started, listened to, and started again."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Sequence
from typing import Final

import structlog

from contracts.ids import ChargerId
from station_agent.handover import Alive, Channel, OtherEndGone, Ready, Serves

log = structlog.get_logger()

_COMMAND: Final = (sys.executable, "-m", "station_agent", "part")
_SILENT_S: Final = 30.0
_AGAIN_AFTER_S: Final = 1.0
_STOP_WITHIN_S: Final = 15.0
_SYSTEMD: Final = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Part:
    """One such process."""

    def __init__(
        self,
        number: int,
        metrics_port: int = 0,
        command: Sequence[str] = _COMMAND,
        silent_s: float = _SILENT_S,
    ) -> None:
        """Set a part up.

        Args:
            number: which one, from 0.
            metrics_port: its own; 0: none.
            command: what is started, with the number and the channel it shall have.
            silent_s: a part says every few seconds that it lives; one that did not for so long is
                ended by force (FAULTS L13).
        """
        self.number = number
        self.charger_ids: frozenset[ChargerId] = frozenset()
        """Whom it serves, or did until it ended; its stations are nobody else's meanwhile."""
        self.planned_ids: frozenset[ChargerId] = frozenset()
        """Whom it serves besides, by plans alone."""
        self.channel: Channel | None = None
        """None: it is away."""
        self._metrics_port = metrics_port
        self._command = command
        self._silent_s = silent_s
        self._next_ids: set[ChargerId] = set()
        self._next_planned_ids: set[ChargerId] = set()

    async def run(self, is_ready: asyncio.Event) -> None:
        """Keep the process running until cancelled; `is_ready` once it served for the first time."""
        while True:
            process, channel = await self._start()
            try:
                await self._listen(channel, is_ready)
            except OtherEndGone:
                log.error("part.ended", part=self.number)  # noqa: TRY400 - how is not known
            except TimeoutError:
                log.error("part.silent", part=self.number)  # noqa: TRY400 - there is no more to say
                _kill(process)
            finally:
                self.channel = None
                await asyncio.shield(_stop(process))
                channel.close()
            await asyncio.sleep(_AGAIN_AFTER_S)

    async def _start(self) -> tuple[asyncio.subprocess.Process, Channel]:
        ours, theirs = Channel.pair()
        number, fd = str(self.number), str(theirs.fileno())
        command = (*self._command, "--number", number, "--channel", fd)
        environment = {k: v for k, v in os.environ.items() if k not in _SYSTEMD}
        if self._metrics_port:
            environment["AGENT_METRICS_PORT"] = str(self._metrics_port)
        with theirs:
            process = await asyncio.create_subprocess_exec(
                *command, pass_fds=[theirs.fileno()], env=environment
            )
        log.info("part.started", part=self.number, pid=process.pid)
        return process, Channel(ours)

    async def _listen(self, channel: Channel, is_ready: asyncio.Event) -> None:
        while True:
            async with asyncio.timeout(self._silent_s if self.channel else None):
                word = await channel.word()
            match word:
                case Serves():
                    self._note(word)
                case Ready():
                    self.channel = channel
                    is_ready.set()
                case Alive():
                    pass

    def _note(self, word: Serves) -> None:
        if word.is_first:
            self._next_ids, self._next_planned_ids = set(), set()
        said = self._next_planned_ids if word.is_planned else self._next_ids
        said |= set(word.charger_ids)
        if word.is_last:
            self.charger_ids = frozenset(self._next_ids)
            self.planned_ids = frozenset(self._next_planned_ids)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Ask a process to end, and see that it does."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_STOP_WITHIN_S):
            await process.wait()
    except TimeoutError:
        _kill(process)
        await process.wait()


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
