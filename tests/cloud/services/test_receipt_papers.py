"""Receipts on paper: complete, in two languages, and never what somebody's name would make of them."""

import re
import zlib
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
from babel.messages.pofile import read_po

from cloud.domain.bill_lines import Kind
from cloud.services import papers, receipt_papers
from cloud.services.receipt_papers import (
    CONTENT_POLICY,
    STATUS,
    WHAT,
    html_of,
    pdf_of,
    sheet_of,
)
from cloud.services.receipt_views import ReceiptView
from cloud.services.texts import LANGUAGES, SOURCE_LANGUAGE
from tests.cloud.builders import NOON, after

LINE = {
    "kind": "ENERGY",
    "quantity": 20_000,
    "unit_price": "0.50",
    "unit": "kWh",
    "tax_pct": "20",
    "discount_pct": 0,
    "part_pct": 100,
    "net_minor": 833,
    "tax_minor": 167,
    "total_minor": 1000,
}


def a_line(kind: str, total_minor: int, **more):
    return LINE | {"kind": kind, "quantity": 1, "unit": "", "total_minor": total_minor} | more


def a_receipt(**more) -> ReceiptView:
    known = {
        "receipt_id": "receipt-1",
        "number": "greenmarket-000001",
        "reservation_id": "r-1",
        "session_id": "s-1",
        "user_id": "u-1",
        "station_id": "greenmarket",
        "station_name": "Green Market",
        "operator": "City",
        "address": "Greenmarket 1",
        "city": "Dundee",
        "country": "GB",
        "timezone": "Europe/London",
        "bay_name": "Bay 1",
        "driver_name": "Ada",
        "driver_email": "ada@example.org",
        "status": "FULFILLED",
        "starts_at": NOON,
        "ends_at": after(3600),
        "started_at": after(60),
        "ended_at": after(3600),
        "energy_wh": 20_000,
        "charging_s": 1800,
        "parked_s": 1740,
        "overstay_s": 180,
        "tariff_id": "t-1",
        "currency": "GBP",
        "lines": [
            a_line("RESERVATION", 100, part_pct=50),
            LINE | {"discount_pct": 10},
            a_line("PARKING_TIME", 290, quantity=1740, unit_price="6.00", unit="h"),
            a_line("OVERSTAY", 75, quantity=180, unit_price="0.25", unit="min"),
            a_line("MAXIMUM", -65, tax_pct=None),
        ],
        "taxes": [{"tax_pct": "20", "net_minor": 1221, "tax_minor": 244}],
        "net_minor": 1156,
        "tax_minor": 244,
        "total_minor": 1400,
        "flags": [],
        "is_for_review": False,
        "created_at": after(4000),
    }
    return msgspec.convert(msgspec.to_builtins(known | more), ReceiptView)


def words_of(paper: bytes) -> str:
    """Return what a PDF of ours shows, as far as its own fonts wrote it."""
    streams = re.findall(rb"stream\r?\n(.*?)endstream", paper, re.DOTALL)
    said = []
    for stream in streams:
        try:
            said += re.findall(rb"\((.*?)\) Tj", zlib.decompress(stream), re.DOTALL)
        except zlib.error:
            continue
    return b"\n".join(said).decode("windows-1252")


def test_a_receipt_says_what_was_paid_for():
    sheet = sheet_of(a_receipt(), "en")

    assert sheet.title == "Receipt greenmarket-000001"
    assert dict(sheet.facts)["Station"] == "Green Market, City, Greenmarket 1, Dundee, GB"
    assert dict(sheet.facts)["Energy"] == "20 kWh"
    assert dict(sheet.facts)["Charging time"] == "30 min"
    assert dict(sheet.facts)["Overstay"] == "3 min"
    assert sheet.rows == [
        ("Reservation (50 % kept)", "", "", "20 %", "£1.00"),
        ("Energy (10 % off)", "20 kWh", "0.50 / kWh", "20 %", "£10.00"),
        ("Parking after charging", "29 min", "6.00 / h", "20 %", "£2.90"),
        ("Overstay", "3 min", "0.25 / min", "20 %", "£0.75"),
        ("Down to the maximum price", "", "", "", "-£0.65"),
    ]
    assert sheet.totals == [("Net", "£11.56"), ("Tax 20 %", "£2.44"), ("Total", "£14.00")]
    assert sheet.notes == []


def test_instants_are_the_stations_own():
    facts = dict(sheet_of(a_receipt(timezone="Asia/Kolkata"), "en").facts)

    assert facts["Reservation"] == "1 Mar 2026, 17:30 \u2013 1 Mar 2026, 18:30"


def test_where_nothing_was_charged_nothing_is_said_of_it():
    facts = dict(sheet_of(a_receipt(started_at=None, overstay_s=0, driver_email=""), "en").facts)

    assert not facts.keys() & {"Energy", "Charged", "Charging time", "Overstay"}
    assert facts["Driver"] == "u-1"


def a_link(number, total_minor):
    return {
        "receipt_id": f"id {number}",
        "number": number,
        "created_at": NOON,
        "total_minor": total_minor,
    }


def test_a_receipt_names_what_was_taken_back_of_it_and_what_is_left():
    receipt = a_receipt(credit_notes=[a_link("greenmarket-C000001", -300)], kept_minor=1100)
    page, sheet = html_of(receipt, "en"), sheet_of(receipt, "en")

    assert sheet.notes == ["Left of this receipt: £11.00"]
    assert "Taken back by credit note greenmarket-C000001: -£3.00" in page
    assert 'href="id%20greenmarket-C000001.html?lang=en"' in page
    assert "greenmarket-C000001" in words_of(pdf_of(receipt, "en"))


def test_a_credit_note_names_its_receipt_and_says_amounts_alone():
    line = LINE | {"net_minor": -250, "tax_minor": -50, "total_minor": -300}
    more = {"lines": [line], "net_minor": -250, "tax_minor": -50, "total_minor": -300}
    note = a_receipt(
        number="greenmarket-C000001",
        corrects=a_link("greenmarket-000001", 1400),
        reason="<slow>",
        **more,
    )
    sheet = sheet_of(note, "de")

    assert sheet.title == "Gutschrift greenmarket-C000001"
    assert sheet.rows == [("Energie", "", "", "20 %", "-3,00\xa0£")]
    assert ("Grund", "<slow>") in sheet.facts
    assert "Beleg greenmarket-000001" in html_of(note, "de")
    assert "&lt;slow&gt;" in html_of(note, "de")


def test_an_odd_meter_is_said():
    (note,) = sheet_of(a_receipt(is_for_review=True), "en").notes

    assert note.startswith("The meter was odd")


CO2 = {
    "saved_g": 12_500,
    "driven_wh": 20_000,
    "car_wh_per_km": 200,
    "combustion_g_per_km": 167,
    "grid_g_per_kwh": 210,
}


def test_d8_a_receipt_tells_the_co2_saved_and_how_it_was_reckoned():
    receipt = a_receipt(co2=CO2)
    english, german = sheet_of(receipt, "en"), sheet_of(receipt, "de")

    assert dict(english.facts)["CO\u2082 saved"] == "12.5 kg"
    assert dict(german.facts)["CO\u2082 gespart"] == "12,5 kg"
    for words in ("20 kWh", "167 g/km", "210 g/kWh", "100.0 km", "16.7 kg", "4.2 kg"):
        assert words in english.notes[0]
    assert "167 g/km" in html_of(receipt, "de")


def test_co2_needs_no_font_of_its_own_on_paper():
    paper = pdf_of(a_receipt(co2=CO2), "en")

    assert b"/FontFile2" not in paper
    assert "CO2 saved" in words_of(paper)


def test_a_receipt_of_before_the_figure_tells_none():
    sheet = sheet_of(a_receipt(), "en")

    assert "CO\u2082 saved" not in dict(sheet.facts)
    assert "CO\u2082" not in html_of(a_receipt(), "en")


@pytest.mark.parametrize("language", [one for one in LANGUAGES if one != SOURCE_LANGUAGE])
def test_every_word_is_translated_and_nothing_else(language):
    with (receipt_papers.CATALOGUES / f"{language}.po").open("rb") as source:
        catalogue = {one.id: one.string for one in read_po(source) if one.id}

    assert set(catalogue) == {*WHAT.values(), *STATUS.values(), *receipt_papers.WORDS}
    assert all(catalogue.values())


def test_every_kind_of_line_has_a_word():
    assert set(WHAT) == set(Kind)


def test_german_readers_are_written_to_in_german():
    sheet = sheet_of(a_receipt(), "de")

    assert sheet.title == "Beleg greenmarket-000001"
    assert sheet.rows[1][0] == "Energie (10 % Nachlass)"
    assert sheet.totals[-1] == ("Summe", "14,00\xa0£")


NASTY = "<script>alert(1)</script>\"'&=cmd|' /C calc'!A0"


def test_s09_a_name_is_a_name_and_no_markup():
    names = ("station_name", "operator", "address", "city", "bay_name", "driver_name", "number")

    page = html_of(a_receipt(**dict.fromkeys(names, NASTY)), "en")

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert set(re.findall(r"<(\w+)", page)) <= {
        *("html", "head", "meta", "title", "style", "body", "h1", "dl", "dt", "dd", "table"),
        *("thead", "tbody", "tfoot", "tr", "th", "td", "p"),
    }


def test_the_page_may_show_its_own_style_and_nothing_else():
    page = html_of(a_receipt(), "de")

    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = re.search(r"'sha256-(.*?)'", CONTENT_POLICY)[1]
    assert receipt_papers.style_digest(style) == digest
    assert "style=" not in page
    assert "http" not in page
    assert 'lang="de"' in page


def test_the_paper_says_what_the_page_says():
    paper = pdf_of(a_receipt(), "en")

    assert paper.startswith(b"%PDF-")
    said = words_of(paper)
    for text in ("Receipt greenmarket-000001", "Green Market", "20 kWh", "£14.00", "Overstay"):
        assert text in said


def test_the_same_receipt_is_the_same_paper():
    assert pdf_of(a_receipt(), "en") == pdf_of(a_receipt(), "en")


def test_euros_and_umlauts_are_letters_of_every_paper():
    said = words_of(pdf_of(a_receipt(currency="EUR", station_name="Grünmarkt"), "de"))

    assert "14,00\xa0€" in said
    assert "Grünmarkt" in said


def test_without_a_font_foreign_letters_are_written_as_near_as_can_be(monkeypatch):
    monkeypatch.setattr(papers, "FONTS", (Path("not/there.ttf"),))

    said = words_of(pdf_of(a_receipt(station_name="Łódź 東京 Ǎ"), "en"))

    # a bar through a letter is no accent; ó is known
    assert "?ódz ?? A" in said


def test_with_a_font_foreign_letters_are_themselves(monkeypatch):
    fonts = [one for one in papers.FONTS if one.exists()]
    if not fonts:
        pytest.skip("no DejaVu font on this machine")

    paper = pdf_of(a_receipt(station_name="Łódź"), "en")

    assert b"/FontFile2" in paper


def test_a_long_name_stays_on_the_paper():
    receipt = replace(a_receipt(), station_name="x" * 500, driver_name="y" * 500)

    assert pdf_of(receipt, "en").count(b"/Type /Page\n") == 1
