"""Firmware a charger that is a local controller publishes for others (OCPP 2.0.1 L03, L04)."""

from collections.abc import Callable
from typing import Any, Final

from simulator.chargers.line import Payload
from simulator.world import World

_STEPS: Final = ("Downloading", "Downloaded", "ChecksumVerified", "Published")
_INSTEAD: Final = {
    "DownloadFailed": "Downloaded",
    "InvalidChecksum": "ChecksumVerified",
    "PublishFailed": "Published",
}
"""Which step each fault takes the place of."""


class Publisher:
    """What is published, by checksum."""

    def __init__(self, world: World, send: Callable[[str, Payload], None]) -> None:
        self._world = world
        self._send = send
        self.pace_s = 5.0
        self.fault = ""
        """The word in which orders end from now on."""
        self.published: dict[str, str] = {}
        self._fetching: set[str] = set()

    def publish(self, payload: Payload) -> Payload:
        """Answer PublishFirmware."""
        self._fetching.add(payload["checksum"])
        self._later(payload, 0)
        return {"status": "Accepted"}

    def unpublish(self, payload: Payload) -> Payload:
        """Answer UnpublishFirmware."""
        checksum = payload["checksum"]
        if checksum in self._fetching:
            return {"status": "DownloadOngoing"}
        is_known = self.published.pop(checksum, None) is not None
        return {"status": "Unpublished" if is_known else "NoFirmware"}

    def _later(self, order: Payload, number: int) -> None:
        self._world.after(self.pace_s, lambda: self._step(order, number))

    def _step(self, order: Payload, number: int) -> None:
        usual = _STEPS[number]
        is_fault = _INSTEAD.get(self.fault) == usual
        status = self.fault if is_fault else usual
        told: dict[str, Any] = {"status": status, "requestId": order["requestId"]}
        if status == "Published":
            self.published[order["checksum"]] = order["location"]
            name = order["location"].rsplit("/", 1)[-1]
            told["location"] = [f"http://local-controller.example/{name}"]
        self._send("PublishFirmwareStatusNotification", told)
        if is_fault or status == "Published":
            self._fetching.discard(order["checksum"])
        else:
            self._later(order, number + 1)
