"""X4: offline within 5 s, never a stale status as fresh, and a page for when there is no network."""

from playwright.sync_api import expect

from tests.browser.conftest import a_page, ready


def test_x4_a_lost_connection_is_told_and_mended_by_itself(open_page, house):
    with open_page("/", may_complain_of="ERR_") as page:
        ready(page)
        house.stop()
        page.wait_for_selector("#offline-banner:not([hidden])")
        assert "Connection lost. What you see is as of " in page.inner_text("#offline-banner")
        house.start()
        page.wait_for_selector("#offline-banner", state="hidden")


def test_x4_a_network_that_goes_is_told_at_once(open_page):
    with open_page("/stations/dundee-greenmarket", may_complain_of="ERR_") as page:
        ready(page)
        page.context.set_offline(True)
        page.wait_for_selector("#offline-banner:not([hidden])")
        page.context.set_offline(False)
        page.wait_for_selector('[data-live="live"]')


def test_x4_a_connection_that_dies_without_a_word_is_told_within_5_s(open_page):
    with open_page("/", may_complain_of="ERR_") as page:
        page.clock.install()
        page.goto(f"{page.url}stations/dundee-greenmarket")
        ready(page)
        # the stream stays open and silent, and nobody answers any more
        page.context.route("**/*", lambda _: None)
        page.clock.run_for(5_000)
        page.wait_for_selector("#offline-banner:not([hidden])")


def test_x4_what_was_missed_is_told_after_a_resync(open_page, house):
    with open_page("/stations/dundee-greenmarket", may_complain_of="ERR_") as page:
        ready(page)
        house.stop()
        page.wait_for_selector('[data-live="offline"]')
        house.parts.change_bay("dundee-greenmarket-1", "squatter")
        house.start()
        page.wait_for_selector('[data-bay="dundee-greenmarket-1"][data-status="BLOCKED"]')


def test_x4_without_a_network_the_app_opens_with_its_own_page_and_no_status(browser, house):
    with a_page(browser, house.url, may_complain_of="ERR_") as page:
        page.goto(house.url)
        page.evaluate("navigator.serviceWorker.ready.then(() => true)")
        page.reload()
        page.wait_for_function("() => navigator.serviceWorker.controller !== null")
        house.stop()
        page.goto(f"{house.url}/stations/dundee-greenmarket")

        expect(page.get_by_role("heading", name="You are offline")).to_be_visible()
        assert page.locator("[data-bay]").count() == 0
        house.start()
        page.goto(house.url)
        assert page.locator("[data-station]").count() == 6


def test_x4_the_manifest_makes_an_app(browser, house):
    with a_page(browser, house.url) as page:
        page.goto(house.url)
        line = page.context.new_cdp_session(page)
        answer = line.send("Page.getAppManifest")

        assert answer["errors"] == []
        assert answer["manifest"]["name"] == "Baywatt"
