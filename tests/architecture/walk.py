"""The walk of one StatusNotification, as docs/ARCHITECTURE.md tells it."""

import re
from dataclasses import dataclass

from tests.support.processes import ROOT

_ROW = re.compile(r"^\| (\d+) \| `([\w/.]+)` \| `(\w+)` \|", re.MULTILINE)


@dataclass(frozen=True)
class Step:
    """One function the message passes."""

    number: int
    file: str
    function: str


def walk() -> list[Step]:
    """Return the steps in the order they are told."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text()
    return [Step(int(number), file, function) for number, file, function in _ROW.findall(text)]
