"""D5: who loses a race is told so, with at least three others, each one tap to hold."""

from playwright.sync_api import expect

from tests.cloud.web.booking_fakes import some_options

PATH = "/stations/dundee-greenmarket/reserve?bay=dundee-greenmarket-1"


def test_d5_the_loser_sees_three_alternatives_and_holds_one_with_one_tap(open_page, house):
    with open_page("/", role="driver", may_complain_of="409") as page:
        page.goto(house.url + PATH)
        house.parts.reservations.taken = some_options(house.parts.clock.now())
        page.locator("#hold").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Somebody was faster")
        assert page.locator(".options li").count() == 3
        page.get_by_role("button", name="Dundee Ice Arena").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Confirm with your code")

        expect(page.get_by_role("link", name="Dundee Ice Arena")).to_be_visible()
