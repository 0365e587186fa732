"""Whether a charger's answer means yes. Pure: the schema of the answer says where its yes must stand."""

from collections.abc import Mapping
from typing import Any, Final

from contracts.answers import status_words
from contracts.events import CommandOutcome

ACCEPTED: Final = frozenset(
    {
        "Accepted",
        "AcceptedCanceled",
        "EmptyResultSet",
        "Processing",
        "RebootRequired",
        "Scheduled",
        "Unlocked",
        "Unpublished",
    }
)
"""Status words of answers that promise what was asked."""

_QUESTIONS: Final = frozenset({"GetVariables"})
"""What they answer promises nothing, and is of use in another version's shape too (QUIRKS 7)."""
_STATUS: Final = "status"
_WORDS: Final = (_STATUS, "attributeStatus")


def outcome_of(
    action: str, answer: Mapping[str, Any], schema: Mapping[str, Any]
) -> CommandOutcome | None:
    """Say whether an answer means yes; several results mean yes if all do.

    Returns:
        None: by its schema it has to say so, and what it says cannot be read. Where no status is
        due, an answer without one is a yes.
    """
    words = status_words(answer)
    if _must_say(schema) and action not in _QUESTIONS and not _is_readable(answer, words, schema):
        return None
    is_yes = all(word is None or (isinstance(word, str) and word in ACCEPTED) for word in words)
    return CommandOutcome.ACCEPTED if is_yes else CommandOutcome.REJECTED


def _must_say(schema: Mapping[str, Any]) -> bool:
    return _STATUS in schema.get("required", ()) or bool(_results_of(schema))


def _is_readable(answer: Mapping[str, Any], words: list[object], schema: Mapping[str, Any]) -> bool:
    """Whether there is a status, its own or as another version has it, and none of it is broken."""
    for name in _results_of(schema):
        results = answer.get(name, ())
        if not isinstance(results, list | tuple) or not all(_has_word(one) for one in results):
            return False
    said = [word for word in words if word is not None]
    return bool(said) and all(isinstance(word, str) for word in said)


def _has_word(result: object) -> bool:
    return isinstance(result, dict) and any(isinstance(result.get(one), str) for one in _WORDS)


def _results_of(schema: Mapping[str, Any]) -> list[str]:
    """Return which lists an answer must have whose every item must have a status."""
    fields, kinds = schema.get("properties", {}), schema.get("definitions", {})
    items = {
        name: fields[name]["items"]
        for name in schema.get("required", ())
        if "items" in fields[name]
    }
    demanded = {
        name: kinds.get(item.get("$ref", "").rpartition("/")[2], item).get("required", ())
        for name, item in items.items()
    }
    return [name for name, fields in demanded.items() if any(one in fields for one in _WORDS)]
