"""What a vendor of bay sensors must provide."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol


class UnreadablePayload(ValueError):
    """Bytes that are not what the vendor's documentation says; counted and kept, never fatal."""


class BadOption(ValueError):
    """An option of the station file that this vendor cannot use.

    Args:
        option: its name; empty where the sensor's topic is meant.
        expected: what would be right.
    """

    def __init__(self, option: str, expected: str) -> None:
        super().__init__(f"{option or 'topic'}: expected {expected}")
        self.option = option
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Reading:
    """What one payload says of a sensor; None: nothing said of it, which is not `no`."""

    is_occupied: bool | None = None
    confidence: float = 1.0
    """0..1, how sure the device is of `is_occupied`."""
    battery_ratio: float | None = None
    """0..1."""
    is_online: bool | None = None
    """From an availability topic: the device's or its gateway's own hello and goodbye."""
    observed_at: datetime | None = None
    """The device's clock, where the payload carries one with a zone."""


class SensorDecoder(Protocol):
    """One configured sensor: where it speaks, and what its payloads mean."""

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to subscribe to, without wildcards; all of this sensor or its gateway."""
        ...

    def read(self, topic: str, payload: bytes) -> Reading:
        """Translate one payload that came on one of `topics`.

        Raises:
            UnreadablePayload: it is not what it should be.
        """
        ...


class SensorVendor(Protocol):
    """A device family that shares a message format; a model of it is a mapping in `options`."""

    @property
    def name(self) -> str:
        """How the station file calls it."""
        ...

    @property
    def silent_after_s(self) -> float | None:
        """How long such a sensor may say nothing; None: only its availability topic tells."""
        ...

    @property
    def option_names(self) -> tuple[str, ...]:
        """What a station file may set."""
        ...

    def decoder(self, topic: str, options: Mapping[str, Any]) -> SensorDecoder:
        """Return the decoder of one sensor.

        Raises:
            BadOption: the topic is not of this family, or an option has a value it cannot have.
        """
        ...
