"""Conditions and paths of the station file: `contact == false`, `object.distance_cm < 120`."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from firmware_bridge.vendors.payload import number
from firmware_bridge.vendors.sensor import UnreadablePayload

EXPECTED_PATH: Final = "a path such as battery, object.battery or data[0]"
EXPECTED_CONDITION: Final = (
    "a comparison such as 'contact == false', 'object.distance_cm < 120' or 'data[0] & 1 == 1'"
)

_NAME: Final = r"[A-Za-z_][\w\-]*"
_PATH: Final = rf"{_NAME}(?:\.{_NAME}|\[\d+\])*"
_STEP: Final = re.compile(rf"({_NAME})|\[(\d+)\]")
_WHOLE_PATH: Final = re.compile(_PATH)
_CONDITION: Final = re.compile(
    rf"\s*(?P<path>{_PATH})\s*(?:&\s*(?P<mask>0x[0-9a-fA-F]{{1,8}}|\d{{1,10}})\s*)?"
    r"(?P<comparison>==|!=|<=|>=|<|>)\s*(?P<literal>\S.*?)\s*"
)
_ORDER: Final[dict[str, Callable[[float, float], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Path:
    """Where in a message a value stands."""

    text: str
    steps: tuple[str | int, ...]

    def of(self, data: Any) -> Any:
        """Return the value, or None where the message has none."""
        for step in self.steps:
            if isinstance(step, int):
                if not isinstance(data, list) or step >= len(data):
                    return None
            elif not isinstance(data, dict) or step not in data:
                return None
            data = data[step]
        return data


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one value of a message with a constant."""

    path: Path
    comparison: str
    constant: bool | float | str
    mask: int | None = None

    def holds(self, data: Any) -> bool | None:
        """Whether it is so; None where the message does not have the value.

        Raises:
            UnreadablePayload: the value is of another type than the constant.
        """
        value = self.path.of(data)
        if value is None:
            return None
        if self.mask is not None:
            value = int(number(value, self.path.text)) & self.mask
        if self.comparison in _ORDER:
            limit = number(self.constant, "the constant")
            return _ORDER[self.comparison](number(value, self.path.text), limit)
        return self._equals(value) is (self.comparison == "==")

    def _equals(self, value: Any) -> bool:
        if isinstance(self.constant, str) and isinstance(value, str):
            return value.casefold() == self.constant.casefold()
        if isinstance(self.constant, bool) is isinstance(value, bool):
            numeric = isinstance(value, int | float) and not isinstance(self.constant, str)
            if numeric:
                return bool(value == self.constant)
        wanted = type(self.constant).__name__
        raise UnreadablePayload(f"{self.path.text} is {value!r}, expected a {wanted}"[:120])


def parse_path(written: Any) -> Path:
    """Read a path.

    Raises:
        ValueError: it is not written as one.
    """
    if not isinstance(written, str) or _WHOLE_PATH.fullmatch(written) is None:
        raise ValueError(EXPECTED_PATH)
    steps = tuple(int(index) if index else name for name, index in _STEP.findall(written))
    return Path(written, steps)


def parse_condition(written: Any) -> Condition:
    """Read a comparison; a constant that is not JSON is text.

    Raises:
        ValueError: it is not written as one.
    """
    match = _CONDITION.fullmatch(written) if isinstance(written, str) else None
    if match is None:
        raise ValueError(EXPECTED_CONDITION)
    constant = _constant(match["literal"])
    is_number = isinstance(constant, int | float) and not isinstance(constant, bool)
    if match["comparison"] in _ORDER and not is_number:
        raise ValueError(f"a number after {match['comparison']}")
    mask = int(match["mask"], 0) if match["mask"] else None
    return Condition(parse_path(match["path"]), match["comparison"], constant, mask)


def _constant(written: str) -> bool | float | str:
    try:
        constant = msgspec.json.decode(written)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return written
    return constant if isinstance(constant, bool | int | float | str) else written
