"""D13: a calendar feed at a secret address, shown once, closed at any time."""

from playwright.sync_api import expect

SETTINGS = "/inbox/settings"


def test_d13_a_secret_address_is_made_shown_once_and_closed(open_page, house):
    with open_page("/", role="driver") as page:
        page.goto(house.url + SETTINGS)
        calendars = page.locator("#calendars")
        calendars.get_by_role("button", name="Make an address").click()
        address = page.get_by_label("The address, shown this once")
        expect(address).to_have_value("https://baywatt.example/api/v1/calendars/secret.ics")

        page.goto(house.url + SETTINGS)
        expect(calendars.get_by_text("Made on")).to_be_visible()
        expect(address).to_have_count(0)
        assert "secret.ics" not in page.content()

        calendars.get_by_role("button", name="Close it").click()
        page.wait_for_url("**/inbox/settings#calendars")
        expect(calendars.get_by_text("Made on")).to_have_count(0)
        assert house.parts.calendar_feeds.feeds == []
