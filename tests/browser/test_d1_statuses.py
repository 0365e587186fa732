"""D1: every bay by colour, shape and text; without news for 90 s it is UNKNOWN, on open pages too."""

from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from cloud.services.station_views import HeardView
from tests.browser.conftest import ready
from tests.cloud.web.fakes import SITUATIONS

BAY = "dundee-greenmarket-1"
PATHS = ["/", "/stations/dundee-greenmarket"]


def look_of(page, bay_id: str) -> tuple[str, str, str]:
    """Return colour, shape and word of a bay as the browser draws it."""
    bay = page.locator(f'[data-bay="{bay_id}"]')
    shape = bay.locator(".shape use").first.get_attribute("href").partition("#")[2]
    colour = bay.locator(".shape").first.evaluate("shape => getComputedStyle(shape).color")
    return colour, shape, bay.locator("[data-word]").inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_each_status_has_a_colour_a_shape_and_a_word_of_its_own(open_page, house, path, theme):
    looks = set()
    with open_page(path, theme=theme) as page:
        ready(page)
        for told in SITUATIONS:
            bay = house.change_bay(BAY, told)
            page.wait_for_selector(f'[data-bay="{BAY}"][data-status="{bay.status}"]')
            looks.add(look_of(page, BAY))

    assert len(looks) == 6
    for part in range(3):
        assert len({look[part] for look in looks}) == 6


def in_a_second(house) -> datetime:
    return house.parts.clock.now() + timedelta(seconds=1)


@pytest.mark.parametrize("path", PATHS)
def test_a_bay_turns_unknown_on_an_open_page_when_its_word_runs_out(open_page, house, path):
    with open_page(path) as page:
        ready(page)
        house.change_bay(BAY, "free")
        page.wait_for_selector(f'[data-bay="{BAY}"][data-status="AVAILABLE"]')
        free = int(page.locator("[data-free]").first.inner_text())
        house.change_bay(BAY, "free", valid_until=in_a_second(house))

        page.wait_for_selector(f'[data-bay="{BAY}"][data-status="UNKNOWN"]')
        expect(page.locator("[data-free]").first).to_have_text(str(free - 1))


def hear(house) -> None:
    """Let the station's agent be heard, as its beats do."""
    now = house.parts.clock.now()
    until = now + timedelta(seconds=90)
    heard = HeardView(station_id="dundee-greenmarket", heard_at=now, valid_until=until)
    house.send("/api/v1/stations/dundee-greenmarket/", "heard", heard)


def test_a_bay_holds_on_while_its_station_is_heard(open_page, house):
    with open_page("/stations/dundee-greenmarket") as page:
        ready(page)
        house.change_bay(BAY, "free")
        page.wait_for_selector(f'[data-bay="{BAY}"][data-status="AVAILABLE"]')
        soon = in_a_second(house)
        house.change_bay(BAY, "free", valid_until=soon)
        hear(house)
        page.wait_for_function(f"() => Date.now() > {int(soon.timestamp() * 1000) + 1200}")

        expect(page.locator(f'[data-bay="{BAY}"]')).to_have_attribute("data-status", "AVAILABLE")


def test_a_word_that_ran_out_holds_again_once_the_station_is_heard(open_page, house):
    with open_page("/stations/dundee-greenmarket") as page:
        ready(page)
        house.change_bay(BAY, "charging", valid_until=house.parts.clock.now())
        page.wait_for_selector(f'[data-bay="{BAY}"][data-status="UNKNOWN"][data-car="0"]')
        hear(house)
        page.wait_for_selector(f'[data-bay="{BAY}"][data-status="CHARGING"][data-flow="1"]')


def test_the_map_says_the_same_as_the_list(open_page, house):
    with open_page("/") as page:
        ready(page)
        pin = page.get_by_role("button", name="Dundee Ice Arena")
        pin.wait_for()
        before = pin.get_attribute("aria-label")
        house.change_bay("dundee-ice-arena-2", "charging")
        page.wait_for_selector('[data-bay="dundee-ice-arena-2"][data-status="CHARGING"]')

        assert before == "2/6 Dundee Ice Arena: Available"
        expect(pin).to_have_attribute("aria-label", "1/6 Dundee Ice Arena: Available")


def test_an_older_word_never_replaces_a_newer_one(open_page, house):
    with open_page("/stations/dundee-greenmarket") as page:
        ready(page)
        old = house.change_bay(BAY, "charging")
        house.change_bay(BAY, "free")
        page.wait_for_selector(f'[data-bay="{BAY}"][data-version="3"]')
        house.send("/api/v1/stations/dundee-greenmarket/", "bay", old)
        house.change_bay("dundee-greenmarket-2", "free")
        page.wait_for_selector('[data-bay="dundee-greenmarket-2"][data-status="AVAILABLE"]')

        assert page.get_attribute(f'[data-bay="{BAY}"]', "data-status") == "AVAILABLE"


@pytest.mark.parametrize("told", list(SITUATIONS))
def test_a_bay_drawn_live_is_drawn_as_the_server_would(open_page, house, told):
    with open_page("/stations/dundee-greenmarket") as page:
        ready(page)
        bay = house.change_bay(BAY, told)
        page.wait_for_selector(f'[data-bay="{BAY}"][data-version="{bay.version}"]')
        live = drawing(page)
        page.reload()

        assert drawing(page) == live


def drawing(page) -> dict[str, str]:
    """Return what the bay's drawing and its words show."""
    return page.locator(f'[data-bay="{BAY}"]').evaluate(
        """bay => ({
            ...Object.fromEntries(["status", "car", "cable", "flow", "version"].map(name => [name, bay.dataset[name]])),
            words: bay.querySelector(".bay-words").innerText.replace(/(\\d+ \\w+ ago|now)/g, "").replace(/\\s+/g, " "),
        })"""
    )
