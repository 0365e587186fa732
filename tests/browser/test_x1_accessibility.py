"""X1: axe-core finds nothing against WCAG 2.2 A and AA, on any page, in either theme, wide or narrow."""

from contextlib import ExitStack
from functools import cache
from itertools import product

import pytest

from tests.browser.conftest import ROOT, a_page
from tests.cloud.web.fakes import FakeParts, House

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

PAGES = [
    ("", "/"),
    ("", "/?q=nowhere"),
    ("", "/stations/dundee-greenmarket"),
    ("", "/stations/dundee-ice-arena"),
    ("", "/stations/dundee-broughty-ferry"),
    ("", "/login"),
    ("", "/no/such/page"),
    ("", "/offline"),
    ("", "/mailbox"),
    ("driver", "/sessions"),
    ("driver", "/sessions?period=this_year&state=ended"),
    ("driver", "/sessions?from=2026-05-02&to=2026-05-01"),
    ("driver", "/sessions?station_id=nowhere"),
    ("driver", "/sessions/5f0d8a6be5b94c1e9d8a4b6b2f0c7a11"),
    ("driver", "/sessions/0b6f5b1d2c3e4f5a8b7c6d5e4f3a2b1c"),
    ("", "/stations/dundee-greenmarket/reserve"),
    ("driver", "/stations/dundee-greenmarket/reserve?bay=dundee-greenmarket-1"),
    ("driver", "/reservations"),
    *(("driver", f"/reservations/r{number}") for number in (1, 2, 3, 4, 5, 6, 8, 9)),
    ("driver", "/receipts"),
    ("driver", "/inbox"),
    ("driver", "/inbox/settings"),
    ("driver", "/maintenance"),
    ("maintenance", "/maintenance"),
    ("maintenance", "/maintenance?show=resolved"),
    ("maintenance", "/maintenance/chargers/DUNDEE-GREEN-01"),
    ("maintenance", "/maintenance/fleet"),
    ("maintenance", "/maintenance/fleet/f1"),
    ("maintenance", "/maintenance/fleet/f2"),
]


@pytest.fixture(scope="module")
def looked_at():
    """One house for all pages that are only looked at."""
    made = House(FakeParts.dundee(), show_mailbox=True)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def tab_of(browser, looked_at):
    """One tab for each role, since nothing is changed in it."""
    with ExitStack() as open_tabs:

        def opened(role):
            how = {"role": role, "bypass_csp": True, "may_complain_of": "status of 4"}
            return open_tabs.enter_context(a_page(browser, looked_at.url, **how))

        yield cache(opened)


@pytest.mark.parametrize(("role", "path"), PAGES)
def test_x1_no_violation(looked_at, tab_of, role, path):
    page = tab_of(role)
    page.goto(looked_at.url + path)
    page.add_script_tag(path=AXE)
    for theme, width in product(["light", "dark"], [320, 1280]):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 800})

        assert violations(page) == [], (theme, width)
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def violations(page) -> list[tuple[str, list[str], str]]:
    """Return what axe finds, everything unfolded."""
    found = page.evaluate(
        """tags => {
            document.querySelectorAll("details").forEach(one => { one.open = true; });
            const runOnly = { type: "tag", values: tags };
            return axe.run(document, { runOnly, resultTypes: ["violations"] });
        }""",
        TAGS,
    )
    return [
        (
            one["id"],
            [node["html"] for node in one["nodes"]][:3],
            one["nodes"][0]["failureSummary"],
        )
        for one in found["violations"]
    ]


def test_x1_the_theme_can_be_switched_and_is_kept(open_page):
    with open_page("/") as page:
        paper = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(paper)
        page.click("#theme")
        dark = page.evaluate(paper)
        page.reload()

        assert light != dark
        assert page.evaluate(paper) == dark
        assert page.evaluate("localStorage.getItem('theme')") == "dark"


def test_x1_the_first_stop_of_the_keyboard_skips_to_the_content(open_page):
    with open_page("/stations/dundee-greenmarket") as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "main"


def test_x1_the_whole_list_can_be_walked_by_keyboard(open_page):
    with open_page("/") as page:
        page.focus("#q")
        seen = []
        for _ in range(14):
            page.keyboard.press("Tab")
            seen.append(page.evaluate("document.activeElement.textContent.trim()"))

        assert {"Near me", "Greenmarket Car Park", "Broughty Ferry Queen Street"} <= set(seen)


def test_motion_stops_for_who_does_not_want_it(open_page):
    with open_page("/stations/dundee-greenmarket") as page:
        moving = page.evaluate("document.getAnimations().length")

        assert moving == 0
