"""Receipts over HTTP: for whose they are, as data, as a page and as PDF."""

from datetime import timedelta

import msgspec
import pytest

from cloud.adapters.sql import tables
from cloud.services.receipt_papers import CONTENT_POLICY
from tests.cloud.api.house import V1, House, add_charger, receipt_row

RECEIPT = f"{V1}/receipts/receipt-1"


@pytest.fixture
def paid(house: House) -> House:
    add_charger(house)
    house.put(tables.receipts, receipt_row(house))
    return house


def test_a_receipt_is_exact_data(paid):
    receipt = paid.client("driver").get(RECEIPT).json()

    assert (receipt["net_minor"], receipt["tax_minor"], receipt["total_minor"]) == (500, 100, 600)
    assert receipt["lines"] == [
        {
            "kind": "ENERGY",
            "quantity": 10_000,
            "unit_price": "0.60",
            "unit": "kWh",
            "tax_pct": "20",
            "discount_pct": 0,
            "part_pct": 100,
            "net_minor": 500,
            "tax_minor": 100,
            "total_minor": 600,
        }
    ]
    assert receipt["taxes"] == [{"tax_pct": "20", "net_minor": 500, "tax_minor": 100}]


def test_a_receipt_is_a_page_of_its_own(paid):
    answer = paid.client("driver").get(f"{RECEIPT}.html?lang=de")

    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"] == CONTENT_POLICY
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Beleg greenmarket-receipt-1" in answer.text
    assert "6,00\xa0£" in answer.text


def test_a_receipt_is_a_paper(paid):
    answer = paid.client("driver").get(f"{RECEIPT}.pdf")

    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Content-Disposition"] == 'inline; filename="receipt-receipt-1.pdf"'
    assert answer.content.startswith(b"%PDF-")


@pytest.mark.parametrize("form", ["", ".html", ".pdf"])
def test_s11_a_strangers_receipt_is_not_there(paid, form):
    for name in ("stranger", "rival"):
        foreign = paid.client(name).get(f"{RECEIPT}{form}")
        nothing = paid.client(name).get(f"{V1}/receipts/not-there{form}")

        assert (foreign.status_code, foreign.content) == (404, nothing.content)
    for name in ("driver", "owner", "maintenance", "admin"):
        assert paid.client(name).get(f"{RECEIPT}{form}").status_code == 200
    assert paid.client().get(f"{RECEIPT}{form}").status_code == 401


def test_only_languages_there_are_can_be_asked_for(paid):
    assert paid.client("driver").get(f"{RECEIPT}.html?lang=xx").status_code == 422


def test_s09_what_people_call_themselves_is_shown_as_they_wrote_it(paid):
    row = receipt_row(paid, "receipt-2", seq=2)
    row["body"] |= {"driver_name": "<img src=x onerror=alert(1)>"}
    paid.put(tables.receipts, row)

    page = paid.client("driver").get(f"{V1}/receipts/receipt-2.html").text

    assert "<img" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_receipts_come_page_by_page(paid):
    paid.put(
        tables.receipts,
        *(
            receipt_row(
                paid, f"more-{one}", seq=one, created_at=paid.clock.now() + timedelta(hours=one)
            )
            for one in (2, 3)
        ),
    )
    driver = paid.client("driver")

    first = driver.get(f"{V1}/receipts?limit=2").json()
    second = driver.get(f"{V1}/receipts?limit=2&cursor={first['next_cursor']}").json()

    assert [one["receipt_id"] for one in first["receipts"]] == ["more-3", "more-2"]
    assert [one["receipt_id"] for one in second["receipts"]] == ["receipt-1"]
    assert second["next_cursor"] is None
    assert first["receipts"][0]["station_name"] == "Greenmarket"
    assert paid.client("stranger").get(f"{V1}/receipts").json()["receipts"] == []
    assert paid.client("rival").get(f"{V1}/receipts").json()["receipts"] == []
    assert len(paid.client("owner").get(f"{V1}/receipts").json()["receipts"]) == 3
    assert driver.get(f"{V1}/receipts?cursor=nonsense").status_code == 422


def test_no_amount_is_ever_a_fraction(paid):
    answer = paid.client("driver").get(RECEIPT).content

    def floats(part):
        if isinstance(part, dict):
            return [one for value in part.values() for one in floats(value)]
        if isinstance(part, list):
            return [one for value in part for one in floats(value)]
        return [part] if isinstance(part, float) else []

    assert floats(msgspec.json.decode(answer)) == []
