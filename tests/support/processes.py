"""Programs a test starts: their log in a file, ended by pid, shown when the test fails."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, Self

from tests.support.waiting import eventually

ROOT: Final = Path(__file__).resolve().parents[2]
PYTHON: Final = sys.executable
_TAIL_CHARACTERS: Final = 6_000
_SBIN: Final = ("/usr/sbin", "/usr/local/sbin")
_LAUNCHER: Final = ThreadPoolExecutor(1, thread_name_prefix="launcher")

started: Final[list["Program"]] = []
"""All programs of this worker that still may matter to a failing test."""


def program_path(name: str) -> str:
    """Return where a server's program is.

    Raises:
        RuntimeError: it is not installed; says what to do.
    """
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), *_SBIN]))
    if found is None:
        raise RuntimeError(f"{name} is not on PATH: `make test` installs it (tools/setup.py test)")
    return found


class Program:
    """One program as a subprocess; it dies with the tests, however they end.

    May be started again after `kill` or `stop`; the log goes on in the same file.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        log_dir: Path | None = None,
    ) -> None:
        self.name = name
        self.command = [str(word) for word in command]
        self.env = dict(env or {})
        log_dir = log_dir or Path(tempfile.mkdtemp(prefix=f"baywatt-{name}-"))
        self.log_path = log_dir / f"{name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The running process; an error if there is none."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        return self._process.poll() if self._process else None

    def start(self, is_ready: Callable[[], object] | None = None, within_s: float = 60) -> Self:
        """Start, and wait until `is_ready()` is true.

        Raises:
            AssertionError: it ended or was not ready in time; says what it logged.
        """
        assert not self.is_running, f"{self.name} runs already"
        # the kernel ends the child with the thread that made it: one thread lives as long as we do
        self._process = _LAUNCHER.submit(self._launch).result()
        if self not in started:
            started.append(self)
        if is_ready is not None:
            self.wait_until(is_ready, within_s)
        return self

    def _launch(self) -> subprocess.Popen[bytes]:
        with self.log_path.open("ab") as log:
            return subprocess.Popen(
                _dying_with_us(self.command),
                env=environment(self.env),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until(self, is_ready: Callable[[], object], within_s: float = 60) -> None:
        """Wait for a condition of a program that must go on running meanwhile.

        Raises:
            AssertionError: it ended or the condition stayed false; says what it logged.
        """

        def ready_or_dead() -> object:
            return not self.is_running or is_ready()

        try:
            eventually(ready_or_dead, within_s, f"{self.name} ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log_tail()}") from error
        code = self.exit_code
        assert self.is_running, f"{self.name} ended with {code}:\n{self.log_tail()}"

    def wait_for_end(self, within_s: float = 60) -> int:
        """Return the exit code once it ended by itself.

        Raises:
            AssertionError: it goes on and on.
        """
        assert self._process is not None
        try:
            return self._process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs:\n{self.log_tail()}") from None

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()

    def stop(self, within_s: float = 30) -> int | None:
        """End it politely (SIGTERM), by force where that does not help; returns the exit code."""
        if self._process is None:
            return None
        if self.is_running:
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
        try:
            return self._process.wait(timeout=within_s)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.returncode

    def freeze(self) -> None:
        """Let it hang, as a machine out of memory would; returns once all of it stands still."""
        self.send_signal(signal.SIGSTOP)
        eventually(self._stands_still, what=f"{self.name} stands still")

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self.send_signal(signal.SIGCONT)

    def _stands_still(self) -> bool:
        stats = Path(f"/proc/{self.pid}/task").glob("*/stat")
        return all(stat.read_text().rpartition(")")[2].split()[0] == "T" for stat in stats)

    def send_signal(self, number: signal.Signals) -> None:
        """Send any signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def log_text(self) -> str:
        """Return all it wrote to standard output and error."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self) -> str:
        """Return the end of what it wrote."""
        return self.log_text()[-_TAIL_CHARACTERS:]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def our_program(
    package: str,
    *arguments: str | Path,
    env: Mapping[str, str] | None = None,
    name: str | None = None,
    log_dir: Path | None = None,
) -> Program:
    """Return `python -m package arguments`, not yet started."""
    command = [PYTHON, "-m", package, *arguments]
    return Program(name or package, command, env=env, log_dir=log_dir)


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program of ours: no settings but these."""
    # settings of the person at the terminal must not leak into tests
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("CLOUD_", "AGENT_"))}
    path = os.pathsep.join([kept.get("PATH", ""), *_SBIN])
    return kept | {"PATH": path, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"} | dict(extra)


def _dying_with_us(command: list[str]) -> list[str]:
    setpriv = shutil.which("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--", *command] if setpriv else command
