"""D4, D5, D6: the same with the real cloud behind the pages, and two drivers who want one bay."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import a_page
from tests.cloud.web.fakes import PASSWORD
from tests.support.stack import Kind, Stack
from tests.support.waiting import eventually

STATION = "greenmarket"
DRIVERS = ("isla", "ewan")


@pytest.fixture(scope="module")
def stack(tmp_path_factory) -> Iterator[Stack]:
    made = Stack(tmp_path_factory.mktemp("pages"), Kind.EMBEDDED, "").start()
    made.add_station(STATION)
    for name in DRIVERS:
        email = f"{name}@baywatt.example"
        new = {"email": email, "name": name.title(), "role": "driver", "password": PASSWORD}
        made.post("/users", new)
    yield made
    made.stop()


def choose(page: Page, stack: Stack) -> None:
    """Choose the first bay tomorrow at noon, for an hour."""
    day = (stack.clock.now() + timedelta(days=1)).date()
    query = f"bay={STATION}-01-1&start={day}T12:00:00Z&minutes=60&kwh=20"
    page.goto(f"{origin(stack)}/stations/{STATION}/reserve?{query}")
    page.get_by_text("20.00 kWh").wait_for()


def code_for(stack: Stack, name: str) -> str:
    """Return the newest code that was sent to a driver."""

    def sent() -> str | None:
        mails = stack.get("/mailbox", recipient=f"{name}@baywatt.example")
        found = (re.search(r"\b(\d{6})\b", one["body"]) for one in mails)
        return next((one.group(1) for one in found if one), None)

    return eventually(sent, what="a code in the mailbox")


def origin(stack: Stack) -> str:
    return stack.url.removesuffix("/api/v1")


def test_d5_two_drivers_want_one_bay_and_both_get_one(browser, stack):
    url = origin(stack)
    with (
        a_page(browser, url, role="isla") as first,
        a_page(browser, url, role="ewan", may_complain_of="409") as second,
    ):
        choose(first, stack)
        choose(second, stack)
        first.locator("#hold").click()
        expect(first.get_by_role("timer")).to_contain_text(re.compile(r"^(10:00|9:\d\d)"))
        second.locator("#hold").click()
        expect(second.get_by_role("heading", level=1)).to_have_text("Somebody was faster")
        assert second.locator(".options li").count() >= 3
        second.locator(".options button").first.click()
        expect(second.get_by_role("heading", level=1)).to_have_text("Confirm with your code")

        first.locator("#code").press_sequentially(code_for(stack, "isla"))
        first.get_by_role("button", name="Pay and book").click()
        expect(first.get_by_role("heading", level=1)).to_have_text("Booked")
        expect(first.locator("#bell .count")).to_have_text("1")
        second.get_by_text("Cancel", exact=True).click()
        second.get_by_role("button", name="Cancel this booking").click()
        expect(second.get_by_role("heading", level=1)).to_have_text("Canceled")


def test_d6_a_wrong_code_and_a_declined_card_lose_nothing(browser, stack):
    with a_page(browser, origin(stack), role="ewan", may_complain_of="4") as page:
        choose(page, stack)
        page.locator(".times input").first.check()
        page.wait_for_url("**start=*")
        page.locator("#hold").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Confirm with your code")
        code = code_for(stack, "ewan")
        page.locator("#code").press_sequentially(code[1:] + str((int(code[0]) + 1) % 10))
        page.get_by_text("4 tries left.").wait_for()
        page.locator("#code").press_sequentially(code)
        page.get_by_label("Test card the bank declines").check()
        page.get_by_role("button", name="Pay and book").click()
        page.get_by_text("Your bay is still kept").wait_for()
        page.get_by_label("Test card that works").check()
        page.get_by_role("button", name="Pay and book").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Booked")
        reservation_id = page.url.rsplit("/", 1)[1]

        seen = stack.get(f"/reservations/{reservation_id}")
        assert (seen["status"], seen["is_confirmed"]) == ("RESERVED", True)
        assert seen["authorised_minor"] == seen["quote"]["authorise_minor"]
