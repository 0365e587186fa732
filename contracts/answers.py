"""The status words in a charger's answer to a call, of whichever version it speaks."""

from collections.abc import Mapping
from typing import Any, Final

_AT_BOOT: Final = "RebootRequired"


def status_words(answer: Mapping[str, Any]) -> list[object]:
    """Return the answer's own word and each of its results'; None where one has none."""
    words: list[object] = [answer.get("status")]
    for results in answer.values():
        if isinstance(results, list):
            rows = [one for one in results if isinstance(one, dict)]
            words += [one.get("attributeStatus", one.get("status")) for one in rows]
    return words


def is_due_at_boot(answer: Mapping[str, Any] | None) -> bool:
    """Whether the charger said yes, and does it when it boots next."""
    return answer is not None and _AT_BOOT in status_words(answer)
