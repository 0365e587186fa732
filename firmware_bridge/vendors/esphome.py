"""ESPHome: `<node>/binary_sensor/<id>/state`, or a number below `sensor`, and `<node>/status`."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, Final

from firmware_bridge.vendors.condition import EXPECTED_CONDITION, Condition, parse_condition
from firmware_bridge.vendors.payload import number, online_word, text
from firmware_bridge.vendors.sensor import BadOption, Reading, UnreadablePayload

_STATE_LEVELS: Final = 4


@dataclass(frozen=True, slots=True)
class EspHomeDecoder:
    """One component of a node; its state is a bare word or number, called `state` in options."""

    topics: tuple[str, ...]
    occupied_when: Condition

    def read(self, topic: str, payload: bytes) -> Reading:
        """See SensorDecoder.read."""
        if topic == self.topics[1]:
            return Reading(is_online=online_word(payload))
        state = text(payload)
        if not state:
            raise UnreadablePayload("empty state")
        return Reading(is_occupied=self.occupied_when.holds({"state": _value(state)}))


class EspHome:
    """Speaks on change only, so silence is for its birth and last will on `<node>/status`."""

    name = "esphome"
    silent_after_s = None
    option_names = ("occupied_when",)

    def decoder(self, topic: str, options: AnyMapping[str, Any]) -> EspHomeDecoder:
        """See SensorVendor.decoder. The prefix of the node may have several levels."""
        levels = topic.split("/")
        if len(levels) < _STATE_LEVELS or levels[-1] != "state":
            raise BadOption("", "<node>/binary_sensor/<id>/state or <node>/sensor/<id>/state")
        try:
            condition = parse_condition(options.get("occupied_when", "state == ON"))
        except ValueError:
            raise BadOption("occupied_when", EXPECTED_CONDITION) from None
        return EspHomeDecoder((topic, "/".join([*levels[:-3], "status"])), condition)


def _value(state: str) -> float | str:
    """Return numbers as numbers; a sensor without a value says `nan`, which is none."""
    try:
        figure = float(state)
    except ValueError:
        if state.casefold() not in {"on", "off"}:
            raise UnreadablePayload(f"expected ON, OFF or a number, got {state[:32]!r}") from None
        return state
    return number(figure, "state")
