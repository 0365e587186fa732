"""Any valid message of a type, for Hypothesis: read from the type itself, so that none is forgotten."""

from datetime import UTC
from functools import cache

import msgspec
from hypothesis import strategies as st
from msgspec import inspect

_CHARACTERS = st.characters(exclude_categories=["Cs"])
_LONG = 40
"""Longer texts prove nothing more."""
_TEXT = st.text(_CHARACTERS, max_size=_LONG)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=5,
)


@cache
def any_valid(kind: type) -> st.SearchStrategy:
    """Return valid messages of a Struct or a union of them."""
    return _of(inspect.type_info(kind))


def _of(info: inspect.Type) -> st.SearchStrategy:
    for kind, make in _MAKERS.items():
        if isinstance(info, kind):
            return make(info)
    raise TypeError(f"no strategy for {info}: add one to _MAKERS")


def _struct(info: inspect.StructType) -> st.SearchStrategy[msgspec.Struct]:
    required = {field.name: _of(field.type) for field in info.fields if field.required}
    optional = {field.name: _of(field.type) for field in info.fields if not field.required}
    values = st.fixed_dictionaries(required, optional=optional)
    return values.map(lambda given: info.cls(**given))


def _string(info: inspect.StrType) -> st.SearchStrategy[str]:
    longest = info.max_length or _LONG
    if info.pattern:
        written = st.from_regex(info.pattern.removesuffix(r"$(?!\n)") + r"\Z")
        return written.filter(lambda one: len(one) <= longest) if info.max_length else written
    return st.text(_CHARACTERS, min_size=info.min_length or 0, max_size=min(longest, _LONG))


def _integer(info: inspect.IntType) -> st.SearchStrategy[int]:
    return st.integers(info.ge if info.ge is not None else -(2**63), info.le or 2**63 - 1)


_MAKERS = {
    inspect.Metadata: lambda info: _of(info.type),
    inspect.StructType: _struct,
    inspect.UnionType: lambda info: st.one_of([_of(one) for one in info.types]),
    inspect.ListType: lambda info: st.lists(
        _of(info.item_type), min_size=info.min_length or 0, max_size=3
    ),
    inspect.DictType: lambda info: st.dictionaries(
        _of(info.key_type), _of(info.value_type), max_size=3
    ),
    inspect.EnumType: lambda info: st.sampled_from(info.cls),
    inspect.StrType: _string,
    inspect.IntType: _integer,
    inspect.FloatType: lambda info: st.floats(
        info.ge, info.le, allow_nan=False, allow_infinity=False
    ),
    inspect.DateTimeType: lambda _: st.datetimes(timezones=st.just(UTC)),
    inspect.BoolType: lambda _: st.booleans(),
    inspect.NoneType: lambda _: st.none(),
    inspect.AnyType: lambda _: _JSON,
}
