"""D4: a bay is reserved in at most four taps; the hold counts down by the server's clock."""

import re
from datetime import timedelta

from playwright.sync_api import expect

from cloud.domain.windows import Window
from tests.browser.conftest import a_page, ready
from tests.cloud.web.booking_fakes import CODE
from tests.cloud.web.fakes import PASSWORD

STATION = "/stations/dundee-greenmarket"
BAY = "dundee-greenmarket-1"


def test_d4_four_taps_and_a_pasted_code_make_a_booking(open_page, house):
    with open_page(STATION, role="driver") as page:
        page.goto(house.url + STATION)
        page.locator(f'[data-bay="{BAY}"]').get_by_role("link", name="Reserve").click()
        page.locator("#hold").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Confirm with your code")
        page.locator("#code").press_sequentially(CODE)
        page.get_by_role("button", name="Pay and book").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("Booked")

        assert page.url.endswith("/reservations/held-9")
        assert house.parts.reservations.kept["held-9"].state == "booked"


def test_d4_each_choice_shows_its_times_and_its_price_at_once(open_page, house):
    with open_page(f"{STATION}/reserve?bay={BAY}", role="driver") as page:
        page.goto(f"{house.url}{STATION}/reserve?bay={BAY}")
        page.locator("#minutes-120").check()
        page.wait_for_url("**minutes=120**")
        page.fill("#kwh", "40")
        page.get_by_text("40.00 kWh").wait_for()
        expect(page.locator(".price .sum").last).to_have_text("\xa311.00")

        assert page.evaluate("document.activeElement.id") == "kwh"
        page.reload()
        assert page.input_value("#kwh") == "40"
        assert page.locator("#minutes-120").is_checked()


def test_d4_another_day_is_chosen_by_its_date(open_page, house):
    day = (house.parts.clock.now() + timedelta(days=20)).date()
    with open_page(f"{STATION}/reserve", role="driver") as page:
        page.goto(f"{house.url}{STATION}/reserve?bay={BAY}")
        page.fill("#on", str(day))
        page.wait_for_selector(f"#day-{day}:checked")
        page.locator(".days .chip").first.click()
        page.wait_for_function(f"() => !document.getElementById('day-{day}')")

        assert page.locator(".days :checked").count() == 1


def test_d4_the_countdown_runs_by_the_servers_clock_and_at_its_end_the_page_says_so(
    open_page, house
):
    with open_page("/", role="driver", may_complain_of="") as page:
        page.clock.install(time="2031-01-01T00:00:00Z")
        page.goto(f"{house.url}/reservations/r2")
        shown = page.locator("[data-countdown]")
        assert re.fullmatch(r"10:00|9:\d\d", shown.inner_text())
        before = shown.inner_text()
        page.clock.run_for(2_000)
        assert shown.inner_text() != before


def test_d4_a_hold_that_expires_frees_the_page_within_a_second(open_page, house):
    now = house.parts.clock.now()
    house.parts.reservations.change_to("r2", held_until=now + timedelta(seconds=3))
    with open_page("/", role="driver") as page:
        page.goto(f"{house.url}/reservations/r2")
        ready(page)
        expect(page.get_by_role("heading", level=1)).to_have_text("The time is over")
        house.change_reservation("r2", state="rejected", reason="hold_expired")
        expect(page.get_by_role("heading", level=1)).to_have_text("Not booked")


def test_d4_what_happens_to_a_reservation_is_on_its_page_at_once(open_page, house):
    with open_page("/", role="driver") as page:
        page.goto(f"{house.url}/reservations/r1")
        ready(page)
        steps = [
            ("arrived", "You are here"),
            ("charging", "Your car is charging"),
            ("finished", "Charging has finished"),
            ("fulfilled", "Done, thank you"),
        ]
        for state, said in steps:
            house.change_reservation("r1", state=state)
            expect(page.get_by_role("heading", level=1)).to_have_text(said)

        assert page.locator("#refused").is_hidden()


def test_the_fee_of_an_overstay_grows_on_the_page(open_page, house):
    since = house.parts.clock.now() - timedelta(minutes=2, seconds=58)
    house.parts.reservations.change_to("r5", overstay_since=since)
    with open_page("/", role="driver") as page:
        page.goto(f"{house.url}/reservations/r5")
        expect(page.locator("[data-overstay]")).to_have_text("\xa30.80")


def test_canceling_needs_no_reload_and_says_what_comes_back(open_page, house):
    with open_page("/", role="driver") as page:
        page.goto(f"{house.url}/reservations/r1")
        ready(page)
        page.get_by_text("Cancel", exact=True).click()
        expect(page.get_by_text("If you cancel now you pay nothing")).to_be_visible()
        page.get_by_role("button", name="Cancel this booking").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Canceled")


def test_d4_the_whole_way_can_be_walked_by_keyboard(open_page, house):
    with open_page("/", role="driver") as page:
        page.goto(f"{house.url}{STATION}/reserve?bay={BAY}")
        page.focus("#minutes-60")
        page.keyboard.press("ArrowRight")
        page.wait_for_selector("#minutes-90:checked")
        page.wait_for_url("**minutes=90**")
        assert page.evaluate("document.activeElement.id") == "minutes-90"
        page.focus("#hold")
        page.keyboard.press("Enter")
        page.wait_for_selector("#code:focus")
        page.keyboard.type(CODE)
        page.get_by_role("button", name="Pay and book").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", level=1)).to_contain_text("Booked")


def test_x3_booking_works_without_scripts(browser, house):
    with a_page(browser, house.url, java_script_enabled=False) as page:
        page.goto(house.url + STATION)
        page.locator(f'[data-bay="{BAY}"]').get_by_role("link", name="Reserve").click()
        page.locator("#minutes-90").check()
        page.get_by_role("button", name="Show price and times").click()
        assert "minutes=90" in page.url
        page.get_by_role("link", name="Sign in to reserve").click()
        page.fill("#email", "driver@baywatt.example")
        page.fill("#password", PASSWORD)
        page.locator("main").get_by_role("button", name="Sign in").click()
        assert page.locator("#minutes-90").is_checked()
        page.locator("#hold").click()
        page.fill("#code", CODE)
        page.get_by_role("button", name="Confirm", exact=True).click()
        page.get_by_role("button", name="Pay and book").click()

        assert page.get_by_role("heading", level=1).inner_text().startswith("Booked")


def test_a_time_somebody_took_meanwhile_is_not_offered_any_more(open_page, house):
    with open_page("/", role="driver") as page:
        page.goto(f"{house.url}{STATION}/reserve?bay={BAY}")
        first = page.locator(".times input").first.get_attribute("value")
        now = house.parts.clock.now()
        house.parts.taken = [(BAY, Window(now, now + timedelta(hours=3)))]
        page.locator("#minutes-30").check()
        page.wait_for_url("**minutes=30**")

        assert page.locator(".times input").first.get_attribute("value") != first
