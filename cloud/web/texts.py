"""What pages say, in the reader's language: gettext catalogues compiled when the program starts."""

import gettext
from pathlib import Path
from typing import Final

from cloud.services import texts
from cloud.services.texts import LANGUAGES, SOURCE_LANGUAGE, mark

__all__ = ["LANGUAGES", "LOCALES", "SOURCE_LANGUAGE", "choose", "load", "mark"]

LOCALES: Final = Path(__file__).parent / "locales"


def load(language: str) -> gettext.NullTranslations:
    """Return the pages' catalogue of a language."""
    return texts.load(language, LOCALES)


def choose(wanted: str | None, accept_language: str) -> str:
    """Return the reader's language: what they chose, else what their browser prefers."""
    if wanted in LANGUAGES:
        return wanted
    for language, _ in sorted(_weighed(accept_language), key=lambda pair: -pair[1]):
        if language in LANGUAGES:
            return language
    return SOURCE_LANGUAGE


def _weighed(accept_language: str) -> list[tuple[str, float]]:
    """Read an Accept-Language header (RFC 9110, section 12.5.4); unreadable parts weigh nothing."""
    found = []
    for part in accept_language.split(",")[:20]:
        tag, _, weight = part.strip().partition(";q=")
        try:
            found.append((tag.split("-")[0].lower(), float(weight or 1)))
        except ValueError:
            continue
    return found
