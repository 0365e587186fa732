"""Receipts on paper: one sheet of words, written as a page of HTML or as PDF.

Names come from people: in HTML everything is escaped, and a PDF knows no markup.
"""

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Final
from urllib.parse import quote

from cloud.domain.bill_lines import Kind, duration_text, quantity_text
from cloud.services import carbon_words
from cloud.services.bill_views import LineView
from cloud.services.formats import Formats
from cloud.services.papers import Layout, Sheet, drawn
from cloud.services.receipt_views import ReceiptView
from cloud.services.texts import LOCALES, load
from cloud.services.texts import mark as _

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
        said = [(self.say(label), value) for label, value in facts]
        if one.co2 is not None:
            said.append((carbon_words.saved(self.language), self.formats.mass(one.co2.saved_g)))
        issued = self.formats.moment(one.created_at, one.timezone)
        return [*said, (self.say(_ISSUED), issued)]

    @property
    def language(self) -> str:
        return self.formats.language

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
        if one.co2 is not None:
            notes.append(carbon_words.method(one.co2, self.language))
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
    return drawn(sheet_of(receipt, language), _LAYOUT)


_LAYOUT: Final = Layout(widths_mm=(70, 30, 35, 18, 27))
