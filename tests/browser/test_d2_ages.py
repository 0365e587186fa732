"""D2: every status has its age, ticking by the server's clock; changes are on the page at once."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import ready

BAY = "dundee-greenmarket-1"


def test_ages_tick(open_page, house):
    with open_page("/stations/dundee-greenmarket") as page:
        ready(page)
        house.change_bay(BAY, "charging")
        age = page.locator(f'[data-bay="{BAY}"] .when time[data-age]').first
        age.filter(has_text=re.compile("^[0-9]+ s ago")).wait_for()
        before = age.inner_text()
        expect(age).not_to_have_text(before)
        assert _seconds(age.inner_text()) > _seconds(before)


def _seconds(text: str) -> int:
    return int(text.removesuffix(" s ago"))


def test_ages_are_right_where_the_readers_clock_is_wrong(open_page):
    with open_page("about:blank".removeprefix("about:blank") or "/") as page:
        page.clock.install(time="2031-01-01T00:00:00Z")
        page.goto(page.url)
        ready(page)
        page.clock.run_for(1_500)
        text = page.locator('[data-station="dundee-broughty-ferry"] .heard').inner_text()

        assert text == "14 min ago"


def test_d2_every_change_is_on_an_open_page(open_page, house):
    with open_page("/stations/dundee-greenmarket") as page:
        ready(page)
        for number in range(20):
            told = "charging" if number % 2 else "squatter"
            bay = house.change_bay(BAY, told)
            page.wait_for_selector(f'[data-bay="{BAY}"][data-version="{bay.version}"]')


def test_every_status_on_the_list_has_an_age(open_page):
    with open_page("/") as page:
        ready(page)
        texts = page.locator("[data-bay] time[data-age]").all_inner_texts()

        assert len(texts) == 36
        assert all(" ago" in text or text == "now" for text in texts)
