"""What pages say, in the reader's language: gettext catalogues compiled when the program starts."""

import gettext
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES: Final = Path(__file__).parent / "locales"
SOURCE_LANGUAGE: Final = "en"

LANGUAGES: Final[dict[str, str]] = {"en": "English", "de": "Deutsch"}
"""Language code -> its own name; each but the source language has `locales/<code>.po`."""


def mark(text: str) -> str:
    """Mark a text for the catalogues where it is written down, to be translated where it is shown."""
    return text


def load(language: str) -> gettext.NullTranslations:
    """Return the catalogue of a language; the source language needs none."""
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    with (LOCALES / f"{language}.po").open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


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
