"""Addresses of MQTT brokers as settings and station files write them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is, and who we are to it."""

    host: str
    port: int
    is_tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    """Whom we trust under TLS; None: the system's authorities."""


def broker_address(url: str) -> BrokerAddress:
    """Read `mqtt://` or `mqtts://`, with user and password where the broker wants them.

    Raises:
        ValueError: it is neither; the text never repeats a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError("a broker's address is mqtt://[user:password@]host[:port] or mqtts://...")
    return BrokerAddress(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        is_tls=parts.scheme == "mqtts",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
