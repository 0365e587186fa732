"""Zigbee2MQTT: `<base>/<name>` in JSON, `<base>/<name>/availability` (its guide, MQTT topics)."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from firmware_bridge.vendors.mapping import OPTION_NAMES, Mapping, mapping_from
from firmware_bridge.vendors.payload import instant, json_object, online_word
from firmware_bridge.vendors.sensor import Reading, UnreadablePayload

_DEFAULTS: Final = {
    "occupied_when": ("occupancy == true", "presence == true"),
    "battery": "battery",
}


@dataclass(frozen=True, slots=True)
class Zigbee2MqttDecoder:
    """One Zigbee device; a message may carry only part of its state."""

    topics: tuple[str, ...]
    mapping: Mapping

    def read(self, topic: str, payload: bytes) -> Reading:
        """See SensorDecoder.read."""
        if topic == self.topics[1]:
            return Reading(is_online=_is_online(payload))
        data = json_object(payload)
        reading = self.mapping.reading(data)
        if reading.observed_at is not None:
            return reading
        return replace(reading, observed_at=_last_seen(data.get("last_seen")))


class Zigbee2Mqtt:
    """Battery devices check in at least hourly; its own availability check knows earlier."""

    name = "zigbee2mqtt"
    silent_after_s = 3_900.0
    option_names = OPTION_NAMES

    def decoder(self, topic: str, options: AnyMapping[str, Any]) -> Zigbee2MqttDecoder:
        """See SensorVendor.decoder."""
        topics = (topic, f"{topic}/availability")
        return Zigbee2MqttDecoder(topics, mapping_from(options, _DEFAULTS))


def _is_online(payload: bytes) -> bool:
    """JSON since 2.0, a bare word before."""
    if not payload.lstrip().startswith(b"{"):
        return online_word(payload)
    state = json_object(payload).get("state")
    if not isinstance(state, str):
        raise UnreadablePayload("expected state online or offline")
    return online_word(state.encode())


def _last_seen(value: Any) -> datetime | None:
    """ISO 8601 or milliseconds; its `ISO_8601_local` may lack a zone and says nothing then."""
    try:
        return instant(value)
    except UnreadablePayload:
        return None
