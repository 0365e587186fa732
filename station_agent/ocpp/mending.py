"""Reads what real chargers send where the standard has something else (QUIRKS 22, 33, 34).

Two steps, each only taken after the strict one failed: broken JSON text, and a payload its schema refuses.
What was mended is said, so that it can be flagged; what cannot be read is left out, never guessed.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

_MAX_NOTES: Final = 8
_NO_SUCH_FIELD: Final = "no such field"
_NULL: Final = "null"
_TOO_LONG: Final = "too long"
_SOFT: Final = frozenset({_NO_SUCH_FIELD, _NULL, _TOO_LONG})
_MAX_DEPTH: Final = 16

# A string is taken whole (to the end of the text if it never closes, so that the search stays
# linear); otherwise a value left out after its colon, or an element left out before its comma.
_HOLES: Final = re.compile(
    r'("(?:[^"\\]|\\.)*+(?:"|\\?\Z))|(:)(?=\s*+[,}\]])|(?<=\[)\s*+(,)', re.DOTALL
)


def mend_text(text: str) -> Any:
    """Return what JSON text with left-out values, or NaN and Infinity, was meant to say.

    Raises:
        ValueError: it is broken in another way.
    """
    mended = _HOLES.sub(lambda found: found[1] or (":null" if found[2] else ""), text)
    try:
        # There and back again: what we could not write ourselves (NaN, half a surrogate pair, an
        # integer of a hundred digits) becomes null, or is refused here and not when it is stored.
        return msgspec.json.decode(msgspec.json.encode(json.loads(mended)))
    except (RecursionError, OverflowError):
        raise ValueError("nested too deeply, or too large a number") from None


class Unmendable(ValueError):
    """A value that cannot be what its schema wants."""


@dataclass(slots=True)
class Mended:
    """A payload as its schema wants it, as far as it could be read."""

    payload: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    """What was amiss, the first few: `meterValue: object for array`."""
    is_soft: bool = True
    """All that was amiss is fields of no such name, nulls, and texts too long."""


def mend(payload: dict[str, Any], schema: Mapping[str, Any]) -> Mended:
    """Return the payload with every value its schema can be given; the rest is left out."""
    mender = _Mender(schema)
    mended = mender.read_object(payload, schema, "", 0)
    return Mended(mended, mender.notes, is_soft=mender.is_soft)


class _Mender:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._definitions = root.get("definitions", {})
        self.notes: list[str] = []
        self.is_soft = True

    def read_object(
        self, value: dict[str, Any], schema: Mapping[str, Any], path: str, depth: int
    ) -> dict[str, Any]:
        properties = schema.get("properties", {})
        mended = {}
        for name, one in value.items():
            where = f"{path}.{name}" if path else name
            if name not in properties:
                self._note(where[:64], _NO_SUCH_FIELD)
            elif one is not None:
                try:
                    mended[name] = self._read(one, properties[name], where, depth + 1)
                except Unmendable as error:
                    self._note(where, str(error))
            else:
                self._note(where, _NULL)
        for name in schema.get("required", ()):
            if name not in value:
                self._note(f"{path}.{name}" if path else name, "missing")
        return mended

    def _read(self, value: Any, schema: Mapping[str, Any], path: str, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise Unmendable("nested too deeply")
        schema = self._resolve(schema)
        match schema.get("type"):
            case "object":
                if not isinstance(value, dict):
                    raise Unmendable("no object")
                return self.read_object(value, schema, path, depth)
            case "array":
                return self._read_array(value, schema, path, depth)
            case "string":
                return self._read_string(value, schema, path)
            case "integer" | "number" as kind:
                return self._read_number(value, path, is_integer=kind == "integer")
            case "boolean":
                return self._read_boolean(value, path)
            case _:
                return value

    def _read_array(
        self, value: Any, schema: Mapping[str, Any], path: str, depth: int
    ) -> list[Any]:
        if not isinstance(value, list):
            self._note(path, "no array")
            value = [value]
        mended = []
        for one in value:
            try:
                mended.append(self._read(one, schema["items"], path, depth + 1))
            except Unmendable as error:
                self._note(path, str(error))
        return mended

    def _read_string(self, value: Any, schema: Mapping[str, Any], path: str) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Unmendable("no string")
        if not isinstance(value, str):
            self._note(path, "number for string")
            return str(value)
        words = schema.get("enum")
        if words and value not in words:
            return self._read_word(value, words, path)
        if len(value) > schema.get("maxLength", len(value)):
            self._note(path, _TOO_LONG)
        return value

    def _read_word(self, value: str, words: list[str], path: str) -> str:
        self._note(path, f"unknown word {value[:32]!r}")
        meant = value.strip().casefold()
        return next((word for word in words if word.casefold() == meant), value)

    def _read_number(self, value: Any, path: str, *, is_integer: bool) -> int | float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise Unmendable("no number")
        try:
            number = float(value.strip().replace(",", ".")) if isinstance(value, str) else value
        except ValueError:
            raise Unmendable("no number") from None
        if not math.isfinite(number):
            raise Unmendable("not a finite number")
        if isinstance(value, str):
            self._note(path, "string for number")
        if not is_integer:
            return number
        if number != int(number):
            self._note(path, "fraction for integer")
        return round(number)

    def _read_boolean(self, value: Any, path: str) -> bool:
        if isinstance(value, bool):
            return value
        words = {"true": True, "false": False, "1": True, "0": False}
        try:
            meant = words[str(value).strip().casefold()]
        except KeyError:
            raise Unmendable("no boolean") from None
        self._note(path, "word for boolean")
        return meant

    def _resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        if "$ref" not in schema:
            return schema
        found: Mapping[str, Any] = self._definitions[schema["$ref"].rpartition("/")[2]]
        return found

    def _note(self, path: str, what: str) -> None:
        self.is_soft = self.is_soft and what in _SOFT
        if len(self.notes) < _MAX_NOTES:
            self.notes.append(f"{path}: {what}")
