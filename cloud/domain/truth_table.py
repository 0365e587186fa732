"""The truth table as a document: `python -m cloud.domain.truth_table > docs/truth-table.md`."""

import sys
from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from cloud.domain.reconcile import MEANING, ROWS, Row, Words, every_combination

_HEAD: Final = """# What is true of a bay

Written by `python -m cloud.domain.truth_table` from `cloud/domain/reconcile.py`; a test compares.

Each witness says one word, and so does the reservation; the table is read from the top, and the first row that fits counts.
An empty cell stands for any word. The last column counts the combinations a row decides, of
{total} in all.

| # | agent | charger | connector | session | sensor | reservation | situation | published | decides |
|--:|---|---|---|---|---|---|---|---|--:|
"""


def document() -> str:
    """Return the whole document."""
    decided = Counter(_row_of(said) for said in every_combination())
    lines = [_line(number, row, decided[number]) for number, row in enumerate(ROWS, start=1)]
    head = _HEAD.format(total=sum(decided.values()))
    return head + "\n".join(lines) + "\n\n" + _meanings()


def _row_of(said: Words) -> int:
    return next(number for number, row in enumerate(ROWS, start=1) if row.fits(said))


def _line(number: int, row: Row, decides: int) -> str:
    words = (row.agent, row.charger, row.connector, row.session, row.sensor, row.reservation)
    cells = " | ".join(_cell(said) for said in words)
    status = MEANING[row.situation].status
    return f"| {number} | {cells} | {row.situation} | {status} | {decides} |"


def _cell(words: Iterable[StrEnum]) -> str:
    return ", ".join(sorted(words))


def _meanings() -> str:
    rows = [f"| {found} | {what.status} | {what.sentence} |" for found, what in MEANING.items()]
    head = "## The situations\n\n| situation | published | in words |\n|---|---|---|\n"
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
