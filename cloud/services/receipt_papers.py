"""Receipts on paper: one sheet of words, written as a page of HTML or as PDF.

Names come from people: in HTML everything is escaped, and a PDF knows no markup.
"""

import base64
import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from cloud.domain.bill_lines import Kind, duration_text, quantity_text
from cloud.services.bill_views import LineView
from cloud.services.formats import Formats
from cloud.services.receipt_views import ReceiptView
from cloud.services.texts import LOCALES, load
from cloud.services.texts import mark as _

if TYPE_CHECKING:
    from fpdf import FPDF

WHAT: Final[dict[Kind, str]] = {
    Kind.FLAT: _("Start fee"),
    Kind.ENERGY: _("Energy"),
    Kind.TIME: _("Charging time"),
    Kind.PARKING_TIME: _("Parking after charging"),
    Kind.RESERVATION: _("Reservation"),
    Kind.RESERVATION_TIME: _("Reservation time"),
    Kind.EXPIRED: _("Reservation not used"),
    Kind.NO_SHOW: _("No-show"),
    Kind.OVERSTAY: _("Overstay"),
    Kind.MINIMUM: _("Up to the minimum price"),
    Kind.MAXIMUM: _("Down to the maximum price"),
    Kind.ROUNDING: _("Rounded down"),
}

STATUS: Final[dict[str, str]] = {
    "FULFILLED": _("Used"),
    "CANCELED": _("Canceled"),
    "NO_SHOW": _("Nobody came"),
}

_RECEIPT: Final = _("Receipt %(number)s")
_NOTE: Final = _("Credit note %(number)s")
_CORRECTS: Final = _("Takes back a part of receipt %(number)s")
_CORRECTED: Final = _("Taken back by credit note %(number)s: %(amount)s")
_KEPT: Final = _("Left of this receipt: %(amount)s")
_REASON: Final = _("Reason")
_STATION: Final = _("Station")
_BAY: Final = _("Bay")
_DRIVER: Final = _("Driver")
_SLOT: Final = _("Reservation")
_OUTCOME: Final = _("Outcome")
_CHARGED: Final = _("Charged")
_ENERGY: Final = _("Energy")
_CHARGING: Final = _("Charging time")
_PARKED: Final = _("Parking after charging")
_OVERSTAY: Final = _("Overstay")
_ISSUED: Final = _("Issued")
_HEAD: Final = (_("For"), _("Quantity"), _("Price"), _("Tax"), _("Amount"))
_LESS: Final = _("%(percent)d %% off")
_PART: Final = _("%(percent)d %% kept")
_NET: Final = _("Net")
_TAX: Final = _("Tax %(percent)s %%")
_TOTAL: Final = _("Total")
_REVIEW: Final = _(
    "The meter was odd during this charge. At most what was possible is billed, "
    "and we will look at it again."
)

CATALOGUES: Final = LOCALES / "receipts"

WORDS: Final = (
    *(_RECEIPT, _STATION, _BAY, _DRIVER, _SLOT, _OUTCOME, _CHARGED, _ENERGY, _CHARGING, _PARKED),
    *(_NOTE, _CORRECTS, _CORRECTED, _KEPT, _REASON),
    *(_OVERSTAY, _ISSUED, *_HEAD, _LESS, _PART, _NET, _TAX, _TOTAL, _REVIEW),
)
"""What a catalogue must have beside `WHAT` and `STATUS`."""

CONTENT_TYPES: Final = {"html": "text/html; charset=utf-8", "pdf": "application/pdf"}

_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:48rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}h1{font-size:1.4rem}dl{display:grid;"
    "grid-template-columns:max-content 1fr;gap:.2rem 1.5rem}dt{color:#555}dd{margin:0}"
    "table{width:100%;border-collapse:collapse;margin:1.5rem 0}"
    "th,td{padding:.35rem .5rem;border-bottom:1px solid #ccc;text-align:right}"
    "th:first-child,td:first-child{text-align:left}tfoot tr:last-child{font-weight:700}"
    "@media print{body{margin:0}}"
)


def style_digest(style: str) -> str:
    """Return what a content policy knows a style by."""
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


CONTENT_POLICY: Final = (
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src "
    f"'sha256-{style_digest(_STYLE)}'"
)
"""What a receipt's page may do: show its own style."""

FONTS: Final = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/TTF/DejaVuSans.ttf"),
)
"""For names in letters that PDF's own fonts do not know; without one they are written as near as can be."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A receipt in words."""

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


def sheet_of(receipt: ReceiptView, language: str) -> Sheet:
    """Return the receipt in a reader's words."""
    translations = load(language, CATALOGUES)
    writer = _Writer(receipt, Formats(language), translations.gettext)
    return Sheet(
        title=writer.say(_NOTE if receipt.corrects else _RECEIPT) % {"number": receipt.number},
        facts=writer.facts(),
        head=[writer.say(one) for one in _HEAD],
        rows=[writer.row(line) for line in receipt.lines],
        totals=writer.totals(),
        notes=writer.notes(),
        links=writer.links(),
        language=language,
        created_at=receipt.created_at,
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    receipt: ReceiptView
    formats: Formats
    say: Callable[[str], str]

    def facts(self) -> list[tuple[str, str]]:
        one = self.receipt
        place = ", ".join(part for part in (one.address, one.city, one.country) if part)
        driver = f"{one.driver_name} <{one.driver_email}>" if one.driver_email else one.user_id
        facts = [
            (_STATION, ", ".join(part for part in (one.station_name, one.operator, place) if part)),
            (_BAY, one.bay_name),
            (_DRIVER, driver),
            (_SLOT, self._span(one.starts_at, one.ends_at)),
            (_OUTCOME, self.say(STATUS.get(one.status, one.status))),
        ]
        if one.started_at is not None:
            facts += [
                (_CHARGED, self._span(one.started_at, one.ended_at or one.started_at)),
                (_ENERGY, quantity_text(Kind.ENERGY, one.energy_wh)),
                (_CHARGING, duration_text(one.charging_s)),
                (_PARKED, duration_text(one.parked_s)),
            ]
        if one.reason:
            facts.append((_REASON, one.reason))
        if one.overstay_s:
            facts.append((_OVERSTAY, duration_text(one.overstay_s)))
        facts.append((_ISSUED, self.formats.moment(one.created_at, one.timezone)))
        return [(self.say(label), value) for label, value in facts]

    def _span(self, since: datetime, until: datetime) -> str:
        zone = self.receipt.timezone
        return f"{self.formats.moment(since, zone)} \u2013 {self.formats.moment(until, zone)}"

    def row(self, line: LineView) -> tuple[str, ...]:
        kind = Kind(line.kind)
        notes = [
            self.say(text) % {"percent": percent}
            for text, percent, usual in (
                (_LESS, line.discount_pct, 0),
                (_PART, line.part_pct, 100),
            )
            if percent != usual
        ]
        what = self.say(WHAT[kind])
        if self.receipt.corrects is not None:
            return what, "", "", self._tax(line), self._money(line.total_minor)
        return (
            f"{what} ({', '.join(notes)})" if notes else what,
            quantity_text(kind, line.quantity),
            f"{line.unit_price} / {line.unit}" if line.unit else "",
            self._tax(line),
            self._money(line.total_minor),
        )

    def _tax(self, line: LineView) -> str:
        return "" if line.tax_pct is None else f"{line.tax_pct} %"

    def totals(self) -> list[tuple[str, str]]:
        one = self.receipt
        taxes = [
            (self.say(_TAX) % {"percent": tax.tax_pct}, self._money(tax.tax_minor))
            for tax in one.taxes
        ]
        return [
            (self.say(_NET), self._money(one.net_minor)),
            *taxes,
            (self.say(_TOTAL), self._money(one.total_minor)),
        ]

    def notes(self) -> list[str]:
        one = self.receipt
        notes = [self.say(_REVIEW)] if one.is_for_review else []
        if one.credit_notes and one.kept_minor is not None:
            notes.append(self.say(_KEPT) % {"amount": self._money(one.kept_minor)})
        return notes

    def links(self) -> list[tuple[str, str]]:
        one = self.receipt
        if one.corrects is not None:
            return [
                (self.say(_CORRECTS) % {"number": one.corrects.number}, one.corrects.receipt_id)
            ]
        return [
            (
                self.say(_CORRECTED)
                % {"number": note.number, "amount": self._money(note.total_minor)},
                note.receipt_id,
            )
            for note in one.credit_notes
        ]

    def _money(self, amount_minor: int) -> str:
        return self.formats.money(amount_minor, self.receipt.currency)


def html_of(receipt: ReceiptView, language: str) -> str:
    """Return the receipt as a page that needs nothing else; send it with `CONTENT_POLICY`."""
    sheet = sheet_of(receipt, language)
    facts = "".join(f"<dt>{escape(one)}</dt><dd>{escape(two)}</dd>" for one, two in sheet.facts)
    rows = "".join(f"<tr>{_cells('td', row)}</tr>" for row in sheet.rows)
    totals = "".join(
        f'<tr><th colspan="4" scope="row">{escape(label)}</th><td>{escape(amount)}</td></tr>'
        for label, amount in sheet.totals
    )
    notes = "".join(
        f'<p><a href="{quote(one)}.html?lang={escape(language)}">{escape(text)}</a></p>'
        for text, one in sheet.links
    )
    notes += "".join(f"<p>{escape(one)}</p>" for one in sheet.notes)
    return (
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(sheet.title)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(sheet.title)}</h1><dl>{facts}</dl>"
        f"<table><thead><tr>{_cells('th', sheet.head)}</tr></thead><tbody>{rows}</tbody>"
        f"<tfoot>{totals}</tfoot></table>{notes}</body></html>\n"
    )


def _cells(tag: str, texts: Sequence[str]) -> str:
    return "".join(f"<{tag}>{escape(one)}</{tag}>" for one in texts)


def pdf_of(receipt: ReceiptView, language: str) -> bytes:
    """Return the receipt as PDF; the same receipt is the same bytes."""
    sheet = sheet_of(receipt, language)
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
    for row in (tuple(sheet.head), *sheet.rows):
        _line(pdf, [say(one) for one in row])
    for label, amount in sheet.totals:
        _line(pdf, [say(label), "", "", "", say(amount)])
    pdf.ln(4)
    for note in (*(one[0] for one in sheet.links), *sheet.notes):
        pdf.multi_cell(0, 6, say(note), new_x="LMARGIN", new_y="NEXT")
    return bytes(pdf.output())


_LABEL_MM: Final = 45
_WIDTHS_MM: Final = (70, 30, 35, 18, 27)


def _line(pdf: "FPDF", texts: Sequence[str]) -> None:
    pdf.set_x(pdf.l_margin)
    for place, (text, width) in enumerate(zip(texts, _WIDTHS_MM, strict=True)):
        pdf.cell(width, 7, text, border="B", align="L" if place == 0 else "R")
    pdf.ln(7)


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
        pdf.add_font("receipt", fname=font)
        pdf.set_font("receipt")
        return pdf, str
    pdf.core_fonts_encoding = _WESTERN
    pdf.set_font("helvetica")
    return pdf, _western


_WESTERN: Final = "windows-1252"
_NARROW_SPACES: Final = str.maketrans({"\u202f": "\u00a0", "\u2009": "\u00a0"})


def _texts(sheet: Sheet) -> list[str]:
    cells = [cell for row in sheet.rows for cell in row]
    facts = [text for pair in (*sheet.facts, *sheet.totals) for text in pair]
    links = [one[0] for one in sheet.links]
    return [sheet.title, *sheet.head, *cells, *facts, *links, *sheet.notes]


def _is_western(text: str) -> bool:
    try:
        text.translate(_NARROW_SPACES).encode(_WESTERN)
    except UnicodeEncodeError:
        return False
    return True


def _western(text: str) -> str:
    """Return the text in letters PDF's own fonts know: without its accents, or as `?`."""
    text = text.translate(_NARROW_SPACES)
    return "".join(
        one if _is_western(one) else _bare(one).encode(_WESTERN, "replace").decode(_WESTERN)
        for one in text
    )


def _bare(letter: str) -> str:
    parts = unicodedata.normalize("NFKD", letter)
    return "".join(one for one in parts if not unicodedata.combining(one)) or "?"
