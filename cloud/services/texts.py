"""What people are told, in their language: gettext catalogues compiled when the program starts."""

import gettext
from io import BytesIO
from pathlib import Path
from typing import Final

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES: Final = Path(__file__).parent / "locales"
SOURCE_LANGUAGE: Final = "en"

LANGUAGES: Final[dict[str, str]] = {"en": "English", "de": "Deutsch"}
"""Language code -> its own name; each but the source language has a catalogue `<code>.po`."""


def mark(text: str) -> str:
    """Mark a text for the catalogues where it is written down, to be translated where it is told."""
    return text


def load(language: str, folder: Path = LOCALES) -> gettext.NullTranslations:
    """Return a folder's catalogue of a language; the source language needs none."""
    if language == SOURCE_LANGUAGE:
        return gettext.NullTranslations()
    with (folder / f"{language}.po").open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
