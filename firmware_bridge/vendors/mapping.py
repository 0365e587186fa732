"""How a model of a JSON-speaking family is described in the station file."""

from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any, Final

from firmware_bridge.vendors.condition import (
    EXPECTED_PATH,
    Condition,
    Path,
    parse_condition,
    parse_path,
)
from firmware_bridge.vendors.payload import instant, number
from firmware_bridge.vendors.sensor import BadOption, Reading, UnreadablePayload

OPTION_NAMES: Final = (
    "occupied_when",
    "confidence",
    "battery",
    "battery_empty",
    "battery_full",
    "observed_at",
)
"""`battery_empty` and `battery_full` say what the battery's value means; 0 and 100 if not given."""


@dataclass(frozen=True, slots=True)
class Mapping:
    """Where in a message of this model each part of a Reading stands."""

    occupied_when: tuple[Condition, ...]
    """The first whose value the message has decides."""
    confidence: Path | None = None
    battery: Path | None = None
    battery_empty: float = 0
    battery_full: float = 100
    observed_at: Path | None = None

    def reading(self, data: AnyMapping[str, Any]) -> Reading:
        """Translate a message.

        Raises:
            UnreadablePayload: a value is not of the type or in the range it should be.
        """
        return Reading(
            is_occupied=self._occupied(data),
            confidence=self._confidence(data),
            battery_ratio=self._battery(data),
            observed_at=self._observed_at(data),
        )

    def _occupied(self, data: AnyMapping[str, Any]) -> bool | None:
        verdicts = (condition.holds(data) for condition in self.occupied_when)
        return next((verdict for verdict in verdicts if verdict is not None), None)

    def _confidence(self, data: AnyMapping[str, Any]) -> float:
        value = self.confidence.of(data) if self.confidence else None
        if value is None:
            return 1.0
        ratio = number(value, "confidence")
        if not 0 <= ratio <= 1:
            raise UnreadablePayload(f"confidence is {ratio}, expected 0 to 1")
        return ratio

    def _battery(self, data: AnyMapping[str, Any]) -> float | None:
        value = self.battery.of(data) if self.battery else None
        if value is None:
            return None
        span = self.battery_full - self.battery_empty
        ratio = (number(value, "battery") - self.battery_empty) / span
        return min(max(ratio, 0.0), 1.0)

    def _observed_at(self, data: AnyMapping[str, Any]) -> Any:
        value = self.observed_at.of(data) if self.observed_at else None
        return None if value is None else instant(value)


def mapping_from(options: AnyMapping[str, Any], default: AnyMapping[str, Any]) -> Mapping:
    """Read the options of one sensor over its family's defaults, which are written the same way.

    Raises:
        BadOption: a value cannot be used.
    """
    merged = {**default, **options}
    empty, full = (_figure(merged, "battery_empty", 0), _figure(merged, "battery_full", 100))
    if empty == full:
        raise BadOption("battery_full", "another value than battery_empty")
    return Mapping(
        occupied_when=_conditions(merged["occupied_when"]),
        confidence=_path(merged, "confidence"),
        battery=_path(merged, "battery"),
        battery_empty=empty,
        battery_full=full,
        observed_at=_path(merged, "observed_at"),
    )


def _conditions(written: Any) -> tuple[Condition, ...]:
    several = written if isinstance(written, tuple) else (written,)
    try:
        return tuple(parse_condition(one) for one in several)
    except ValueError as error:
        raise BadOption("occupied_when", str(error)) from None


def _path(options: AnyMapping[str, Any], name: str) -> Path | None:
    if options.get(name) is None:
        return None
    try:
        return parse_path(options[name])
    except ValueError:
        raise BadOption(name, EXPECTED_PATH) from None


def _figure(options: AnyMapping[str, Any], name: str, default: float) -> float:
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadOption(name, "a number")
    return float(value)
