"""systemd's notify protocol (sd_notify(3)): ready, alive, stopping; silent where nobody listens."""

import asyncio
import socket
from collections.abc import Mapping

_MICRO = 1e-6


class Systemd:
    """Says how the service is doing, if it was started by systemd."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._address = environment.get("NOTIFY_SOCKET", "")
        self._watchdog_s = int(environment.get("WATCHDOG_USEC", "0")) * _MICRO

    def notify(self, state: str) -> None:
        """Send one state, such as READY=1."""
        if not self._address:
            return
        # A leading @ is the abstract name space.
        address = "\0" + self._address[1:] if self._address[0] == "@" else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.sendto(state.encode(), address)

    async def keep_alive(self) -> None:
        """Say that the loop still turns, twice as often as systemd wants to hear it."""
        while self._watchdog_s:
            self.notify("WATCHDOG=1")
            await asyncio.sleep(self._watchdog_s / 2)
