"""D9: the inbox, its bell, and what comes by which way."""

from playwright.sync_api import expect


def test_d9_what_is_read_is_gone_from_the_bell_without_a_reload(open_page, house):
    with open_page("/", role="driver") as page:
        page.goto(f"{house.url}/inbox")
        expect(page.locator("#bell .count")).to_have_text("1")
        page.locator("#notice-n1").get_by_role("button").click()
        expect(page.locator("#bell .count")).to_have_count(0)

        assert page.locator("#notice-n1 a").get_attribute("href") == "/reservations/r1"


def test_d9_a_kind_is_switched_off_for_a_channel(open_page, house):
    with open_page("/", role="driver") as page:
        page.goto(f"{house.url}/inbox/settings")
        page.get_by_label("10 minutes before a booking: E-mail").uncheck()
        page.get_by_role("button", name="Save").click()
        page.get_by_text("Saved.").wait_for()

        assert not page.get_by_label("10 minutes before a booking: E-mail").is_checked()
        assert page.get_by_label("10 minutes before a booking: Text message").is_checked()
