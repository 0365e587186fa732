"""Payloads made by the rule of a JSON schema: ones that fit it, and ones with exactly one thing wrong."""

import copy
from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final, NamedTuple

from hypothesis import strategies as st

Definition = dict[str, Any]

_INT32: Final = 2**31 - 1
_NO_WORD: Final = "Bogus"
_LONGEST: Final = 24
"""Texts the schema does not bound are no longer in drawn payloads, or drawing them takes minutes."""
_OF_WRONG_TYPE: Final[dict[str, tuple[Any, ...]]] = {
    "string": (7, True, {"a": "b"}, ["x"], None),
    "integer": ("seven", 1.5, True, {}, None),
    "number": ("seven", True, [1.0], None),
    "boolean": ("perhaps", 1, {}, None),
    "object": ("text", 5, [], None),
    "array": ("text", {}, 3, None),
}


class Wrong(StrEnum):
    """What a schema can find wrong."""

    MISSING = "a required field is missing"
    EXTRA = "a field that does not exist"
    TYPE = "a value of another type"
    VALUE = "a value that is not allowed"
    COUNT = "too few or too many elements"


# By hand from OCPP-J 1.6, table 7, and OCPP 2.0.1 part 4, table 8, of which 2.1's is a copy.
_CODES_2: Final = {
    Wrong.MISSING: "OccurrenceConstraintViolation",
    Wrong.EXTRA: "ProtocolError",
    Wrong.TYPE: "TypeConstraintViolation",
    Wrong.VALUE: "PropertyConstraintViolation",
    Wrong.COUNT: "OccurrenceConstraintViolation",
}
CODES: Final = {
    "ocpp1.6": {
        Wrong.MISSING: "ProtocolError",
        Wrong.EXTRA: "FormationViolation",
        Wrong.TYPE: "TypeConstraintViolation",
        Wrong.VALUE: "PropertyConstraintViolation",
        Wrong.COUNT: "OccurenceConstraintViolation",
    },
    "ocpp2.0.1": _CODES_2,
    "ocpp2.1": _CODES_2,
}
"""What each version answers with."""


class Spoiled(NamedTuple):
    """A payload that would fit, but for one thing."""

    wrong: Wrong
    where: str
    payload: dict[str, Any]
    is_soft: bool
    """A text too long, a null where nothing need be, or a field too many: the rest can be read."""


def fullest(definition: Definition) -> dict[str, Any]:
    """Return the payload with every field there is, vendors' own apart."""
    made: dict[str, Any] = _fullest(definition, definition)
    return made


def spoiled(definition: Definition) -> Iterator[Spoiled]:
    """Return every way to break one rule of the schema in the fullest payload."""
    whole = fullest(definition)
    for wrong, path, value in _faults(definition, definition, whole, ()):
        where = ".".join(str(step) for step in path)
        is_soft = _is_soft(definition, wrong, path, value)
        yield Spoiled(wrong, where, _replaced(whole, path, value), is_soft)


def fitting(definition: Definition) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of payloads that fit: any optional fields, any values allowed."""
    return _drawn(definition, definition)


def _is_soft(root: Definition, wrong: Wrong, path: tuple[str | int, ...], value: Any) -> bool:
    match wrong:
        case Wrong.EXTRA:
            return True
        case Wrong.VALUE:
            return isinstance(value, str) and value != _NO_WORD
        case Wrong.TYPE:
            return value is None and not _is_needed(root, path)
        case _:
            return False


def _is_needed(root: Definition, path: tuple[str | int, ...]) -> bool:
    """Whether something must be at this place; an element of an array is something."""
    schema = root
    for step in path[:-1]:
        within = _resolved(schema, root)
        schema = within["properties"][step] if isinstance(step, str) else within["items"]
    return isinstance(path[-1], int) or path[-1] in _resolved(schema, root).get("required", ())


class _Gone:
    """Stands for no value at all."""


def _faults(
    schema: Definition, root: Definition, value: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[Wrong, tuple[str | int, ...], Any]]:
    schema = _resolved(schema, root)
    kind = _kind(schema)
    if path:
        for other in _OF_WRONG_TYPE.get(kind, ()):
            yield Wrong.TYPE, path, other
    if kind == "object":
        yield from _object_faults(schema, root, value, path)
    elif kind == "array":
        yield from _array_faults(schema, root, value, path)
    else:
        for other in _forbidden(schema, kind):
            yield Wrong.VALUE, path, other


def _object_faults(
    schema: Definition, root: Definition, value: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[Wrong, tuple[str | int, ...], Any]]:
    for name in schema.get("required", ()):
        yield Wrong.MISSING, (*path, name), _Gone
    if schema.get("additionalProperties") is False:
        yield Wrong.EXTRA, (*path, "bogus"), 1
    for name in value:
        yield from _faults(schema["properties"][name], root, value[name], (*path, name))


def _array_faults(
    schema: Definition, root: Definition, value: Any, path: tuple[str | int, ...]
) -> Iterator[tuple[Wrong, tuple[str | int, ...], Any]]:
    if schema.get("minItems"):
        yield Wrong.COUNT, path, []
    if "maxItems" in schema:
        yield Wrong.COUNT, path, value[:1] * (schema["maxItems"] + 1)
    yield from _faults(schema["items"], root, value[0], (*path, 0))


def _forbidden(schema: Definition, kind: str) -> Iterator[Any]:
    if "enum" in schema:
        yield _NO_WORD
    if "maxLength" in schema:
        yield "x" * (schema["maxLength"] + 1)
    step = 0.5 if kind == "number" else 1
    if "minimum" in schema:
        yield _number(schema["minimum"] - step, kind)
    if "maximum" in schema:
        yield _number(schema["maximum"] + step, kind)
    if "multipleOf" in schema:
        yield schema["multipleOf"] * 1.5


def _replaced(whole: dict[str, Any], path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    payload = copy.deepcopy(whole)
    node: Any = payload
    for step in path[:-1]:
        node = node[step]
    if value is _Gone:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return payload


def _fullest(schema: Definition, root: Definition) -> Any:
    schema = _resolved(schema, root)
    match _kind(schema):
        case "object":
            return {name: _fullest(one, root) for name, one in _fields(schema).items()}
        case "array":
            return [_fullest(schema["items"], root)] * max(schema.get("minItems", 1), 1)
        case kind:
            return _scalar(schema, kind)


def _scalar(schema: Definition, kind: str) -> Any:
    match kind:
        case "string":
            return _text(schema)
        case "integer" | "number":
            return _number(min(max(1, schema.get("minimum", 1)), schema.get("maximum", 1)), kind)
        case "boolean":
            return True
        case _:
            return "anything"


def _drawn(schema: Definition, root: Definition) -> st.SearchStrategy[Any]:
    schema = _resolved(schema, root)
    match _kind(schema):
        case "object":
            optional = {name: _drawn(one, root) for name, one in _fields(schema).items()}
            required = {name: optional.pop(name) for name in schema.get("required", ())}
            return st.fixed_dictionaries(required, optional=optional)
        case "array":
            few = schema.get("minItems", 0)
            many = min(schema.get("maxItems", few + 2), few + 2)
            return st.lists(_drawn(schema["items"], root), min_size=few, max_size=many)
        case kind:
            return _drawn_scalar(schema, kind)


def _drawn_scalar(schema: Definition, kind: str) -> st.SearchStrategy[Any]:
    match kind:
        case "string":
            return _drawn_text(schema)
        case "integer" | "number":
            return _drawn_number(schema, kind)
        case "boolean":
            return st.booleans()
        case _:
            return st.text(max_size=_LONGEST)


def _drawn_text(schema: Definition) -> st.SearchStrategy[str]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("format") == "date-time":
        return st.datetimes().map(lambda at: f"{at.isoformat(timespec='milliseconds')}Z")
    return st.text(_CHARACTERS, max_size=min(schema.get("maxLength", _LONGEST), _LONGEST))


_CHARACTERS: Final = st.characters(exclude_categories=["Cs"])


def _drawn_number(schema: Definition, kind: str) -> st.SearchStrategy[Any]:
    # OCPP's integers have 32 bits (2.0.1 part 2, section 2.1.3), whatever the schema says
    low, high = schema.get("minimum", 0), schema.get("maximum", _INT32)
    whole = st.integers(int(min(low, high)), int(high))
    if kind == "integer":
        return whole
    if "multipleOf" in schema:
        return st.integers(0, 1_000).map(lambda number: number / 10)
    return whole | st.floats(min(low, high), high, allow_nan=False)


def _number(value: float, kind: str) -> float:
    return int(value) if kind == "integer" else float(value)


def _text(schema: Definition) -> str:
    if "enum" in schema:
        word: str = schema["enum"][0]
        return word
    match schema.get("format"):
        case "date-time":
            return "2026-11-22T12:00:00Z"
        case "uri":
            return "https://example.org/"
    return "1"[: schema.get("maxLength", 1)]


def _fields(schema: Definition) -> dict[str, Definition]:
    """Return what an object may have, vendors' own apart."""
    return {name: one for name, one in schema.get("properties", {}).items() if name != "customData"}


def _kind(schema: Definition) -> str:
    kind: str = schema.get("type", "object" if "properties" in schema else "any")
    return kind


def _resolved(schema: Definition, root: Definition) -> Definition:
    if "$ref" not in schema:
        return schema
    found: Definition = root["definitions"][schema["$ref"].rpartition("/")[2]]
    return found
