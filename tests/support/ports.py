"""Free ports on loopback, and whether something listens there."""

import os
import random
import socket
from itertools import cycle
from typing import Final

LOOPBACK = "127.0.0.1"

_WORKERS: Final = 16
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _WORKERS
# below what systems give outgoing connections, so that none of those takes one we shall listen on
_PORTS: Final = range(15_000 + _WORKER, 32_000, _WORKERS)
_FIRST: Final = random.SystemRandom().randrange(len(_PORTS))
_NEXT: Final = cycle([*_PORTS[_FIRST:], *_PORTS[:_FIRST]])


def free_port() -> int:
    """Return a port nobody listens on now; nobody else is given it soon."""
    for port in _NEXT:
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind((LOOPBACK, port))
            except OSError:
                continue
            return port
    raise AssertionError("unreachable")


def is_listening(port: int, host: str = LOOPBACK) -> bool:
    """Whether a TCP connection is accepted there now."""
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False
