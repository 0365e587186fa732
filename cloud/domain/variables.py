"""Variables of chargers, as they are told bit by bit: a value alone does not undo what else is known."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

_ATTRIBUTES: Final = "variableAttribute"
_USUAL: Final = "Actual"


def merged(known: Mapping[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """Return a variable with what was told of it now; of each type of attribute there is one."""
    whole = {**known, **told}
    if _ATTRIBUTES in known and _ATTRIBUTES in told:
        whole[_ATTRIBUTES] = _merged(known[_ATTRIBUTES], told[_ATTRIBUTES])
    return whole


def _merged(
    known: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    by_type = {one.get("type", _USUAL): dict(one) for one in known}
    for one in told:
        kind = one.get("type", _USUAL)
        by_type[kind] = {**by_type.get(kind, {}), **one}
    return list(by_type.values())
