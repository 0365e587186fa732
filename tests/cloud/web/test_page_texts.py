"""What the pages say is said in every language."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from cloud.domain import errors
from cloud.web import texts, words

WEB = Path(texts.__file__).parent
OTHERS = [language for language in texts.LANGUAGES if language != texts.SOURCE_LANGUAGE]


def said() -> list[str | tuple[str, ...]]:
    """Return every text of the templates, the modules, and the sentences services give as reasons."""
    found = [
        message
        for pattern, method in (("*.py", "python"), ("templates/*.html", "jinja2"))
        for path in sorted(WEB.glob(pattern))
        for _, message, _, _ in extract_from_file(method, path)
    ]
    refusals = [one.sentence for one in vars(errors).values() if hasattr(one, "sentence")]
    return [*found, *words.REASONS, *refusals]


def places(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|%s", text))


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_translated(language):
    with (WEB / "locales" / f"{language}.po").open("rb") as source:
        catalogue = read_po(source)
    missing = [
        text
        for text in said()
        if (found := catalogue.get(text if isinstance(text, str) else text[0])) is None
        or not all(found.string if isinstance(found.string, tuple) else [found.string])
    ]

    assert missing == []


@pytest.mark.parametrize("language", OTHERS)
def test_no_translation_is_of_a_text_that_is_no_longer_said(language):
    known = {text if isinstance(text, str) else text[0] for text in said()}
    with (WEB / "locales" / f"{language}.po").open("rb") as source:
        ids = [one.id if isinstance(one.id, str) else one.id[0] for one in read_po(source)]

    assert [one for one in ids if one and one not in known] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_translation_has_the_places_of_its_text(language):
    with (WEB / "locales" / f"{language}.po").open("rb") as source:
        messages = [one for one in read_po(source) if one.id]
    wrong = [
        one.id
        for one in messages
        for string in (one.string if isinstance(one.string, tuple) else [one.string])
        if places(string) != places(one.id if isinstance(one.id, str) else one.id[0])
    ]

    assert wrong == []


@pytest.mark.parametrize(
    ("wanted", "accepted", "language"),
    [
        (None, "", "en"),
        (None, "de-AT,de;q=0.9,en;q=0.5", "de"),
        (None, "fr;q=1, en;q=0.4, de;q=0.6", "de"),
        ("en", "de", "en"),
        ("xx", "de", "de"),
        (None, "de;q=much, en", "en"),
        (None, "de;q=", "de"),
    ],
)
def test_the_readers_choice_wins_then_their_browsers(wanted, accepted, language):
    assert texts.choose(wanted, accepted) == language
