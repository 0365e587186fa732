"""Reading a page as a test sees it."""

import html
import re
from html.parser import HTMLParser

_VOID = {"meta", "link", "input", "br", "img", "use", "path", "rect", "circle", "ellipse"}


class Page(HTMLParser):
    """A page's elements: (tag, attributes, the text inside)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str], list[str]]] = []
        self._open: list[tuple[str, list[str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        words: list[str] = []
        self.elements.append((tag, {name: value or "" for name, value in attrs}, words))
        if tag not in _VOID:
            self._open.append((tag, words))

    def handle_endtag(self, tag: str) -> None:
        while tag not in _VOID and self._open:
            opened, _ = self._open.pop()
            if opened == tag:
                return

    def handle_data(self, data: str) -> None:
        for _, words in self._open:
            words.append(data)

    def having(self, name: str, value: str | None = None) -> list[tuple[dict[str, str], str]]:
        """Return attributes and text of the elements with this attribute."""
        return [
            (attributes, " ".join("".join(words).split()))
            for _, attributes, words in self.elements
            if name in attributes and value in {None, attributes[name]}
        ]

    def tags(self, tag: str) -> list[tuple[dict[str, str], str]]:
        """Return attributes and text of the elements of a kind."""
        return [
            (attributes, " ".join("".join(words).split()))
            for found, attributes, words in self.elements
            if found == tag
        ]


def assets_of(text: str) -> list[str]:
    """Return the addresses of a page's scripts and sheets."""
    page = Page(text)
    scripts = [attributes["src"] for attributes, _ in page.tags("script")]
    sheets = [
        attributes["href"]
        for attributes, _ in page.tags("link")
        if attributes.get("rel") == "stylesheet"
    ]
    return scripts + sheets


def imports_of(script: str) -> list[str]:
    """Return what a module imports."""
    return [html.unescape(name) for name in re.findall(r'from "\./([^"]+)"', script)] + re.findall(
        r'import "\./([^"]+)"', script
    )
