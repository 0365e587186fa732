"""A headless Chromium before the pages; what it complains of in its console fails the test."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.cloud.web.fakes import PASSWORD, FakeParts, House

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium-headless-shell", "chromium")
"""The first there is; the shell is the same without what only a window needs."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

OpenPage = Callable[..., Any]

expect.set_options(timeout=30_000)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Everything here is real, and a file's tests share a browser."""
    item.add_marker(pytest.mark.real)
    item.add_marker(pytest.mark.xdist_group(f"browser-{item.path.stem}"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one file: while the driver runs, no other test of this process has an event loop."""
    with sync_playwright() as driver:
        program = next(filter(None, map(shutil.which, BROWSERS)), None)
        assert program, "Chromium is not installed: python3 tools/setup.py test"
        started = driver.chromium.launch(executable_path=program, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def house() -> Iterator[House]:
    """The pages with six stations in Dundee behind them."""
    made = House(FakeParts.dundee(), show_mailbox=True)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def open_page(browser: Browser, house: House) -> OpenPage:
    """Return what opens a page for the length of a `with`; see a_page."""

    @contextmanager
    def opened(path: str, **how: Any) -> Iterator[Page]:
        with a_page(browser, house.url, **how) as page:
            page.goto(house.url + path)
            yield page

    return opened


@contextmanager
def a_page(
    browser: Browser,
    url: str,
    *,
    role: str = "",
    width: int = 1280,
    theme: str = "light",
    may_complain_of: str = "",
    **context: Any,
) -> Iterator[Page]:
    """Open a tab; at its end the console must be empty but for what the test expects."""
    tab = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme=theme,
        locale=context.pop("locale", "en-GB"),
        reduced_motion="reduce",
        **context,
    )
    page = tab.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    if role:
        _log_in(tab, url, role)
    yield page
    tab.close()
    unexpected = [one for one in complaints if not may_complain_of or may_complain_of not in one]
    assert unexpected == []


def _log_in(tab: BrowserContext, url: str, role: str) -> None:
    """Get the cookie as the page of its own, which has its own tests, would."""
    form = {"email": f"{role}@baywatt.example", "password": PASSWORD}
    answer = tab.request.post(f"{url}/login", form=form, headers={"Origin": url}, max_redirects=0)
    assert answer.status == HTTPStatus.SEE_OTHER, answer.text()


def ready(page: Page) -> Page:
    """Wait until the page is live."""
    page.wait_for_selector('[data-live="live"]')
    return page
