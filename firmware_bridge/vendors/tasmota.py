"""Tasmota: `tele/<device>/SENSOR` in JSON, `stat/<device>/RESULT` at once, `tele/<device>/LWT`."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, Final

from firmware_bridge.vendors.mapping import OPTION_NAMES, Mapping, mapping_from
from firmware_bridge.vendors.payload import json_object, online_word
from firmware_bridge.vendors.sensor import BadOption, Reading

_DEFAULTS: Final = {"occupied_when": ("Switch1.Action == ON", "Switch1 == ON")}
"""A change comes with `SetOption114 1` as `{"Switch1": {"Action": "ON"}}`, a report as a word."""


@dataclass(frozen=True, slots=True)
class TasmotaDecoder:
    """One device; its `Time` is local without a zone, so it is not used."""

    topics: tuple[str, ...]
    mapping: Mapping

    def read(self, topic: str, payload: bytes) -> Reading:
        """See SensorDecoder.read."""
        if topic == self.topics[2]:
            return Reading(is_online=online_word(payload))
        return self.mapping.reading(json_object(payload))


class Tasmota:
    """Reports every 300 s as delivered (TelePeriod), twice that and a little is silence."""

    name = "tasmota"
    silent_after_s = 650.0
    option_names = OPTION_NAMES

    def decoder(self, topic: str, options: AnyMapping[str, Any]) -> TasmotaDecoder:
        """See SensorVendor.decoder."""
        levels = topic.split("/")
        if len(levels) < 3 or levels[0] != "tele" or levels[-1] != "SENSOR":  # noqa: PLR2004
            raise BadOption("", "tele/<device>/SENSOR")
        device = "/".join(levels[1:-1])
        topics = (topic, f"stat/{device}/RESULT", f"tele/{device}/LWT")
        return TasmotaDecoder(topics, mapping_from(options, _DEFAULTS))
