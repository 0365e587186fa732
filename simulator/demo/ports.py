"""Which ports the demonstration uses; each can be set, and a busy one is said by name."""

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

STATIONS: Final = 6
HOST: Final = "127.0.0.1"
_HIGHEST: Final = 65_535


class PortTrouble(RuntimeError):
    """A port cannot be used; the text says which setting to change."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts listen, all on loopback."""

    http: int = 8000
    broker: int = 18883
    ocpp: int = 19000
    """Of the first station; the others follow."""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Self:
        """Read BAYWATT_DEMO_PORT, BAYWATT_DEMO_BROKER_PORT and BAYWATT_DEMO_OCPP_PORT.

        Raises:
            PortTrouble: one is no port number, or two parts would share a port.
        """
        ports = cls(**{name: _port(environment, name) for name in _VARIABLES})
        taken = [port for _, port in ports.named()]
        if len(set(taken)) < len(taken):
            raise PortTrouble("two parts of the demonstration would share a port: " + ports.said())
        return ports

    def named(self) -> list[tuple[str, int]]:
        """Return every port with the setting it comes from."""
        ocpp = [(_VARIABLES["ocpp"], self.ocpp + number) for number in range(STATIONS)]
        return [(_VARIABLES["http"], self.http), (_VARIABLES["broker"], self.broker), *ocpp]

    def said(self) -> str:
        """Return all ports in words."""
        last = self.ocpp + STATIONS - 1
        return f"pages {self.http}, broker {self.broker}, OCPP {self.ocpp} to {last}"

    def refuse_busy(self) -> None:
        """Make sure that nobody listens there yet.

        Raises:
            PortTrouble: somebody does.
        """
        for variable, port in self.named():
            if not _is_free(port):
                raise PortTrouble(
                    f"port {port} is in use by another program; "
                    f"set {variable} to a free one, as in: {variable}={port + 1000} make demo"
                )


_VARIABLES: Final = {
    "http": "BAYWATT_DEMO_PORT",
    "broker": "BAYWATT_DEMO_BROKER_PORT",
    "ocpp": "BAYWATT_DEMO_OCPP_PORT",
}


def _port(environment: Mapping[str, str], name: str) -> int:
    variable = _VARIABLES[name]
    text = environment.get(variable, "").strip()
    if not text:
        return int(getattr(Ports(), name))
    highest = _HIGHEST - (STATIONS - 1 if name == "ocpp" else 0)
    if not text.isdecimal() or not 1 <= int(text) <= highest:
        raise PortTrouble(f"{variable} is a port number, 1 to {highest}, not {text!r}")
    return int(text)


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
