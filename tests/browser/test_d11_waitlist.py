"""D11: tell me when it is free, on a bay that is taken."""

from datetime import timedelta

from playwright.sync_api import expect

from cloud.domain.windows import Window

BAY = "dundee-greenmarket-1"


def test_d11_who_finds_nothing_is_told_when_it_is_free(open_page, house):
    now = house.parts.clock.now()
    house.parts.taken = [(BAY, Window(now - timedelta(hours=1), now + timedelta(days=4)))]
    with open_page("/", role="driver") as page:
        day = (now + timedelta(days=1)).date()
        page.goto(f"{house.url}/stations/dundee-greenmarket/reserve?bay={BAY}&day={day}")
        expect(page.get_by_text("Nothing is free on this day")).to_be_visible()
        page.get_by_role("button", name="Tell me", exact=True).click()
        page.wait_for_url("**/reservations#waiting")

        expect(page.get_by_text("1 driver waits before you")).to_be_visible()
        house.parts.waitlist.offer("w1")
        page.reload()
        page.get_by_role("button", name="Hold it").click()
        page.wait_for_url("**/reservations/held-*")
