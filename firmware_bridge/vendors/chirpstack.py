"""ChirpStack v4: `application/<id>/device/<eui>/event/up` and `event/status`, in JSON."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, Final

from firmware_bridge.vendors.mapping import OPTION_NAMES, Mapping, mapping_from
from firmware_bridge.vendors.payload import json_object, number, raw_bytes
from firmware_bridge.vendors.sensor import BadOption, Reading

_DEFAULTS: Final = {"occupied_when": "object.occupied == true", "observed_at": "time"}


@dataclass(frozen=True, slots=True)
class ChirpStackDecoder:
    """One LoRaWAN device; options see the codec's `object`, and the frame's bytes as `data[n]`."""

    topics: tuple[str, ...]
    mapping: Mapping

    def read(self, topic: str, payload: bytes) -> Reading:
        """See SensorDecoder.read."""
        event = json_object(payload)
        if topic == self.topics[1]:
            return Reading(battery_ratio=_battery(event))
        if "data" in event:
            event["data"] = raw_bytes(event["data"])
        return self.mapping.reading(event)


class ChirpStack:
    """Battery sensors on LoRaWAN speak on change and about hourly."""

    name = "chirpstack"
    silent_after_s = 7_800.0
    option_names = OPTION_NAMES

    def decoder(self, topic: str, options: AnyMapping[str, Any]) -> ChirpStackDecoder:
        """See SensorVendor.decoder."""
        device = topic.removesuffix("/event/up")
        levels = device.split("/")
        if len(levels) < 4 or levels[-4] != "application" or levels[-2] != "device":  # noqa: PLR2004
            raise BadOption("", "application/<id>/device/<eui>/event/up")
        topics = (f"{device}/event/up", f"{device}/event/status")
        return ChirpStackDecoder(topics, mapping_from(options, _DEFAULTS))


def _battery(status: AnyMapping[str, Any]) -> float | None:
    """0 to 100 percent, unless the device has mains power or cannot tell."""
    if status.get("batteryLevelUnavailable") or status.get("externalPowerSource"):
        return None
    level = status.get("batteryLevel")
    return None if level is None else min(max(number(level, "batteryLevel") / 100, 0.0), 1.0)
