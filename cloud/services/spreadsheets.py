"""Tables for spreadsheets: RFC 4180, and no cell is taken for a formula."""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""What spreadsheets take for the start of a formula."""


def table(head: Sequence[str], rows: Iterable[Sequence[str | int | None]]) -> str:
    """Return the rows under their head; integers stay figures, whatever their sign."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([_cell(one) for one in row] for row in rows)
    return text.getvalue()


def _cell(content: str | int | None) -> str | int:
    if isinstance(content, int):
        return content
    text = content or ""
    return f"'{text}" if text.startswith(_FORMULA) else text
