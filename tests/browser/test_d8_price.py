"""D8: the price that was shown before is the price that stands; the receipt adds up to the cent."""

from decimal import Decimal

from playwright.sync_api import expect

from cloud.services.receipt_papers import CONTENT_POLICY, html_of
from tests.cloud.services.test_receipt_papers import a_line, a_receipt
from tests.cloud.web import booking_fakes

PLACE = "/stations/dundee-greenmarket/reserve?bay=dundee-greenmarket-1"
DEARER = {"total_minor": 9_900, "authorise_minor": 9_900}


def test_d8_a_price_is_frozen_when_it_is_held_whatever_the_tariff_does(
    open_page, house, monkeypatch
):
    with open_page("/", role="driver") as page:
        page.goto(house.url + PLACE)
        shown = page.locator(".price .sum").last.inner_text()
        page.locator("#hold").click()
        page.wait_for_url("**/reservations/held-*")
        its_page = page.url

        cheap = booking_fakes.a_quote
        monkeypatch.setattr(
            booking_fakes, "a_quote", lambda energy_wh=None: cheap(energy_wh, **DEARER)
        )
        page.goto(house.url + PLACE)
        expect(page.locator(".price .sum").last).to_have_text("\xa399.00")
        page.goto(its_page)
        expect(page.locator(".price .sum").last).to_have_text(shown)


def test_d8_a_receipt_lists_what_it_is_for_and_adds_up(open_page, house):
    lines = [
        a_line("RESERVATION", 100),
        a_line("ENERGY", 1_000, quantity=20_000, unit="kWh"),
        a_line("TIME", 125, quantity=1_800, unit="h"),
        a_line("PARKING_TIME", 175, quantity=1_740, unit="h"),
    ]
    headers = {"Content-Security-Policy": CONTENT_POLICY}
    paper = html_of(a_receipt(lines=lines), "en")
    with open_page("/") as page:
        page.route(
            "**/receipt-1.html",
            lambda route: route.fulfill(body=paper, content_type="text/html", headers=headers),
        )
        page.goto(f"{house.url}/receipt-1.html")
        rows = page.locator("tbody tr")
        names = [one.split("\t")[0].strip() for one in rows.all_inner_texts()]
        amounts = [one.split("\xa3")[-1].strip() for one in rows.all_inner_texts()]
        page_text = page.inner_text("body")

    assert names[:4] == ["Reservation", "Energy", "Charging time", "Parking after charging"]
    assert sum(map(Decimal, amounts[:4])) == Decimal("14.00")
    assert "Tax 20 %" in page_text
    assert "Total\t\xa314.00" in page_text
