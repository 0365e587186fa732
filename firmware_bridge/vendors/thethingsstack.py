"""The Things Stack v3: `v3/<application>@<tenant>/devices/<device>/up`, in JSON."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, Final

from firmware_bridge.vendors.mapping import OPTION_NAMES, Mapping, mapping_from
from firmware_bridge.vendors.payload import json_object, raw_bytes
from firmware_bridge.vendors.sensor import BadOption, Reading, UnreadablePayload

_DEFAULTS: Final = {
    "occupied_when": "decoded_payload.occupied == true",
    "battery": "last_battery_percentage.value",
    "observed_at": "received_at",
}


@dataclass(frozen=True, slots=True)
class TheThingsStackDecoder:
    """One LoRaWAN device; options see `uplink_message`, with the frame's bytes as `data[n]`."""

    topics: tuple[str, ...]
    mapping: Mapping

    def read(self, topic: str, payload: bytes) -> Reading:  # noqa: ARG002 - it has but one
        """See SensorDecoder.read."""
        uplink = json_object(payload).get("uplink_message")
        if not isinstance(uplink, dict):
            raise UnreadablePayload("no uplink_message")
        if "frm_payload" in uplink:
            uplink["data"] = raw_bytes(uplink["frm_payload"])
        return self.mapping.reading(uplink)


class TheThingsStack:
    """Battery sensors on LoRaWAN speak on change and about hourly."""

    name = "thethingsstack"
    silent_after_s = 7_800.0
    option_names = OPTION_NAMES

    def decoder(self, topic: str, options: AnyMapping[str, Any]) -> TheThingsStackDecoder:
        """See SensorVendor.decoder."""
        levels = topic.split("/")
        if len(levels) != 5 or levels[0] != "v3" or levels[2:5:2] != ["devices", "up"]:  # noqa: PLR2004
            raise BadOption("", "v3/<application>@<tenant>/devices/<device>/up")
        return TheThingsStackDecoder((topic,), mapping_from(options, _DEFAULTS))
