"""Plain JSON, for sensors that are one's own: `sensors/<id>` with `{"occupied": true}`."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, Final

from firmware_bridge.vendors.mapping import OPTION_NAMES, Mapping, mapping_from
from firmware_bridge.vendors.payload import json_object
from firmware_bridge.vendors.sensor import Reading, UnreadablePayload

_DEFAULTS: Final = {
    "occupied_when": "occupied == true",
    "confidence": "confidence",
    "battery": "battery_pct",
    "observed_at": "at",
}


@dataclass(frozen=True, slots=True)
class PlainDecoder:
    """One plain sensor; every message must say whether the bay is occupied."""

    topics: tuple[str, ...]
    mapping: Mapping

    def read(self, topic: str, payload: bytes) -> Reading:  # noqa: ARG002 - it has but one
        """See SensorDecoder.read."""
        reading = self.mapping.reading(json_object(payload))
        if reading.is_occupied is None:
            wanted = self.mapping.occupied_when[0].path.text
            raise UnreadablePayload(f"nothing said of {wanted!r}")
        return reading


class Plain:
    """Reports on change and at least every 30 s, so 90 s without a word is silence."""

    name = "plain"
    silent_after_s = 90.0
    option_names = OPTION_NAMES

    def decoder(self, topic: str, options: AnyMapping[str, Any]) -> PlainDecoder:
        """See SensorVendor.decoder."""
        return PlainDecoder((topic,), mapping_from(options, _DEFAULTS))
