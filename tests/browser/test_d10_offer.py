"""D10: a lost bay is told on the open page, and another one is taken with one tap."""

from playwright.sync_api import expect

from tests.browser.conftest import ready
from tests.cloud.web.booking_fakes import an_offer


def test_d10_an_offer_appears_on_the_open_page_and_one_tap_takes_it(open_page, house):
    with open_page("/", role="driver") as page:
        page.goto(f"{house.url}/reservations/r1")
        ready(page)
        house.parts.offers.open = [an_offer(house.parts.clock.now())]
        house.change_reservation("r1", trouble="stolen")
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text("Your bay is in danger")
        page.get_by_role("button", name="Greenmarket Car Park, bay 5").click()
        expect(heading).to_have_text("Booked")

        expect(page.get_by_text("You were moved here from another bay.")).to_be_visible()
        assert page.locator(".ticket h2").inner_text() == "Bay 5"
