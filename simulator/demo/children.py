"""Our programs as child processes: started with a log each, watched, ended in order by their pid."""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).resolve().parents[2]
_STOP_WITHIN_S: Final = 10
_TAIL_LINES: Final = 15
_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class ChildDied(RuntimeError):
    """A program ended though nobody asked it to; the text has the end of its log."""


@dataclass(slots=True)
class Child:
    """One running program."""

    name: str
    process: asyncio.subprocess.Process
    log: Path

    def tail(self) -> str:
        """Return the last lines it wrote."""
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])


@dataclass
class Children:
    """All programs of one demonstration; the last started is ended first."""

    log_dir: Path
    running: list[Child] = field(default_factory=list)

    async def start(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> Child:
        """Start `python -m` with these arguments; its output goes to a log of its name."""
        log = self.log_dir / f"{name}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", *arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=_ROOT,
                env=environment_for(environment),
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        child = Child(name, process, log)
        self.running.append(child)
        return child

    async def call(
        self, arguments: Sequence[str], environment: Mapping[str, str], said: str
    ) -> None:
        """Run `python -m` to its end, with `said` on its standard input.

        Raises:
            ChildDied: it failed.
        """
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=_ROOT,
            env=environment_for(environment),
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        try:
            output, _ = await process.communicate(said.encode())
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        if process.returncode:
            raise ChildDied(_obituary(" ".join(arguments[:2]), process.returncode, output.decode()))

    async def watch(self) -> None:
        """Wait until a program ends by itself.

        Raises:
            ChildDied: always, sooner or later.
        """
        waits = {
            asyncio.create_task(child.process.wait(), name=child.name): child
            for child in self.running
        }
        try:
            done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        child = waits[done.pop()]
        raise ChildDied(_obituary(child.name, child.process.returncode, child.tail()))

    async def stop(self) -> None:
        """End them all, the last started first; those started together at the same time."""
        while self.running:
            kind = self.running[-1].name.partition("-")[0]
            group = [one for one in self.running if one.name.partition("-")[0] == kind]
            self.running = [one for one in self.running if one not in group]
            await asyncio.gather(*(_end(child) for child in group))


async def _end(child: Child) -> None:
    with contextlib.suppress(ProcessLookupError):
        child.process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(_STOP_WITHIN_S):
            await child.process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.process.kill()
        await child.process.wait()


def environment_for(more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment without settings of our programs, and with `more`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("CLOUD_", "AGENT_"))
    }
    return kept | {"PYTHONPATH": str(_ROOT), "PYTHONUNBUFFERED": "1"} | dict(more)


def _die_with_parent() -> None:
    """Have the kernel end the child should this process be killed outright (Linux)."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _obituary(name: str, code: int | None, log: str) -> str:
    return f"{name} ended by itself (exit {code}). Its last lines:\n\n{log.strip() or '(none)'}"
