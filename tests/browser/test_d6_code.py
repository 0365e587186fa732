"""D6: six digits, typed or pasted; how many tries are left; a new code after half a minute."""

import re

from playwright.sync_api import expect

from tests.browser.conftest import ready
from tests.cloud.web.booking_fakes import CODE

PATH = "/reservations/r2"


def paste(page, text: str) -> None:
    """Put text into the field as a paste does."""
    page.locator("#code").evaluate(
        "(field, text) => { field.focus(); document.execCommand('insertText', false, text); }", text
    )


def test_d6_a_pasted_code_confirms_by_itself_also_with_spaces(open_page, house):
    with open_page("/", role="driver") as page:
        page.goto(house.url + PATH)
        paste(page, f" {CODE[:3]} {CODE[3:]} ")
        expect(page.get_by_role("heading", level=1)).to_have_text("Pay, and it is yours")


def test_d6_a_wrong_code_is_told_with_the_tries_left_and_can_be_typed_again(open_page, house):
    with open_page("/", role="driver", may_complain_of="422") as page:
        page.goto(house.url + PATH)
        ready(page)
        paste(page, "000000")
        page.get_by_text("This code is wrong. 4 tries left.").wait_for()
        assert page.input_value("#code") == ""
        assert page.evaluate("document.activeElement.id") == "code"
        page.keyboard.type("111111")
        page.get_by_text("3 tries left.").wait_for()
        page.keyboard.type(CODE)
        expect(page.get_by_role("heading", level=1)).to_have_text("Pay, and it is yours")


def test_d6_after_the_fifth_wrong_code_the_bay_is_free_again(open_page, house):
    house.parts.otps.tries_left = 1
    with open_page("/", role="driver", may_complain_of="4") as page:
        page.goto(house.url + PATH)
        ready(page)
        paste(page, "000000")
        expect(page.get_by_role("heading", level=1)).to_have_text("Not booked")

        assert page.locator("#code").count() == 0


def test_d6_a_new_code_can_be_asked_for_after_half_a_minute(open_page, house):
    house.parts.reservations.change_to("r2", created_at=house.parts.clock.now())
    with open_page("/", role="driver") as page:
        page.clock.install()
        page.goto(house.url + PATH)
        button = page.locator("[data-after]")
        expect(button).to_be_disabled()
        expect(button).to_have_text(re.compile("^Send a new code in 0:"))
        page.clock.run_for(31_000)
        expect(button).to_be_enabled()
        before = button.get_attribute("data-after")
        button.click()
        page.get_by_text("A new code is on its way to d***@baywatt.example.").wait_for()
        expect(page.locator("[data-after]")).not_to_have_attribute("data-after", before)


def test_what_a_form_answers_is_not_overwritten_by_what_the_stream_tells(open_page, house):
    house.parts.payments.save(None, "card_declined")
    with open_page("/", role="driver", may_complain_of="402") as page:
        page.goto(f"{house.url}/reservations/r3")
        ready(page)
        page.route("**/payment", lambda route: (tell(house), route.continue_()))
        page.get_by_role("button", name="Pay and book").click()
        page.get_by_text("Your bay is still kept").wait_for()
        page.wait_for_function("() => document.querySelector('#reservation').dataset.version > 1")

        expect(page.get_by_text("Your bay is still kept")).to_be_visible()


def tell(house) -> None:
    """Let something happen while the form is on its way."""
    house.change_reservation("r3", energy_wh=20_000)
