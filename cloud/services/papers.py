"""Sheets of words as PDF: whatever is said on them, letters are shown as well as the machine's fonts allow."""

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fpdf import FPDF

FONTS: Final = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/TTF/DejaVuSans.ttf"),
)
"""For names in letters that PDF's own fonts do not know; without one they are written as near as can be."""

_LABEL_MM: Final = 45
_LINE_MM: Final = 7
_WESTERN: Final = "windows-1252"
_PLAIN: Final = str.maketrans({"\u202f": "\u00a0", "\u2009": "\u00a0", "\u2082": "2"})
"""Letters of our own that every font has in a plainer form: narrow spaces, and the 2 of CO2."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A paper in words: facts about it, a table with totals, and what else is to be said."""

    title: str
    facts: list[tuple[str, str]]
    head: Sequence[str]
    rows: list[tuple[str, ...]]
    totals: list[tuple[str, str]]
    notes: list[str]
    links: list[tuple[str, str]]
    """What belongs to it, each with its id."""
    language: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Layout:
    """How the columns of a sheet's table stand."""

    widths_mm: tuple[int, ...]
    left: int = 1
    """So many are words and stand left; the others are figures."""


def drawn(sheet: Sheet, layout: Layout) -> bytes:
    """Return the sheet as PDF; the same sheet is the same bytes."""
    pdf, say = _paper(sheet)
    pdf.set_font_size(16)
    pdf.multi_cell(0, 10, say(sheet.title), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(2)
    pdf.set_font_size(10)
    for label, value in sheet.facts:
        pdf.set_x(pdf.l_margin)
        pdf.cell(_LABEL_MM, 6, say(label))
        pdf.multi_cell(0, 6, say(value), new_x="LMARGIN", new_y="NEXT")
    pdf.ln(4)
    head = [say(one) for one in sheet.head]
    _line(pdf, layout, head)
    between = [""] * (len(head) - 2)
    for row in (*sheet.rows, *((label, *between, amount) for label, amount in sheet.totals)):
        if pdf.will_page_break(_LINE_MM):
            pdf.add_page()
            _line(pdf, layout, head)
        _line(pdf, layout, [say(one) for one in row])
    pdf.ln(4)
    for note in (*(one[0] for one in sheet.links), *sheet.notes):
        with pdf.unbreakable() as together:
            together.multi_cell(0, 6, say(note), new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


def _line(pdf: "FPDF", layout: Layout, texts: Sequence[str]) -> None:
    pdf.set_x(pdf.l_margin)
    for place, (text, width_mm) in enumerate(zip(texts, layout.widths_mm, strict=True)):
        align = "L" if place < layout.left else "R"
        # what stands before an empty cell may reach into it
        has_room = place + 1 < len(texts) and not texts[place + 1]
        shown = text if has_room else _fitted(pdf, text, width_mm)
        pdf.cell(width_mm, _LINE_MM, shown, border="B", align=align)
    pdf.ln(_LINE_MM)


def _fitted(pdf: "FPDF", text: str, width_mm: float) -> str:
    """Return as much of a text as a cell has room for."""
    room = width_mm - 2 * pdf.c_margin
    if pdf.get_string_width(text) <= room:
        return text
    while text and pdf.get_string_width(text + "...") > room:
        text = text[:-1]
    return text.rstrip() + "..."


def _paper(sheet: Sheet) -> tuple["FPDF", Callable[[str], str]]:
    """Return an empty page, and how texts are to be written on it."""
    # takes half a second and is needed by few processes
    from fpdf import FPDF  # noqa: PLC0415

    pdf = FPDF()
    pdf.set_creation_date(sheet.created_at)
    pdf.set_title(sheet.title)
    pdf.set_lang(sheet.language)
    pdf.add_page()
    font = next((one for one in FONTS if one.exists()), None)
    if font is not None and not all(_is_western(one) for one in _texts(sheet)):
        pdf.add_font("names", fname=font)
        pdf.set_font("names")
        return pdf, str
    pdf.core_fonts_encoding = _WESTERN
    pdf.set_font("helvetica")
    return pdf, _western


def _texts(sheet: Sheet) -> list[str]:
    cells = [cell for row in sheet.rows for cell in row]
    facts = [text for pair in (*sheet.facts, *sheet.totals) for text in pair]
    links = [one[0] for one in sheet.links]
    return [sheet.title, *sheet.head, *cells, *facts, *links, *sheet.notes]


def _is_western(text: str) -> bool:
    try:
        text.translate(_PLAIN).encode(_WESTERN)
    except UnicodeEncodeError:
        return False
    return True


def _western(text: str) -> str:
    """Return the text in letters PDF's own fonts know: without its accents, or as `?`."""
    text = text.translate(_PLAIN)
    return "".join(
        one if _is_western(one) else _bare(one).encode(_WESTERN, "replace").decode(_WESTERN)
        for one in text
    )


def _bare(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter)
    return "".join(one for one in parts if not unicodedata.combining(one)) or "?"
