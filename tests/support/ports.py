"""Free ports on loopback, and whether something listens there."""

import socket

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a port nobody listens on now; the system does not soon give it out again."""
    with socket.socket() as one:
        one.bind((LOOPBACK, 0))
        return one.getsockname()[1]


def is_listening(port: int, host: str = LOOPBACK) -> bool:
    """Whether a TCP connection is accepted there now."""
    try:
        with socket.create_connection((host, port), timeout=0.5):
            return True
    except OSError:
        return False
