"""What holds for every page: its headers, no inline code, friendly errors, an app's files."""

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from cloud.settings import Settings
from cloud.web.site import content_policy
from tests.cloud.web.fakes import PASSWORD, FakeFeed, app_of
from tests.cloud.web.reading import Page

PATHS = [
    ("driver", "/", 200),
    ("driver", "/stations/dundee-greenmarket", 200),
    ("driver", "/sessions", 200),
    ("driver", "/sessions/5f0d8a6be5b94c1e9d8a4b6b2f0c7a11", 200),
    ("driver", "/sessions/0b6f5b1d2c3e4f5a8b7c6d5e4f3a2b1c", 200),
    ("driver", "/stations/dundee-greenmarket/reserve", 200),
    ("driver", "/stations/none/reserve", 404),
    ("driver", "/reservations", 200),
    ("driver", "/reservations/r1", 200),
    ("driver", "/reservations/r2", 200),
    ("driver", "/reservations/none", 404),
    ("driver", "/receipts", 200),
    ("driver", "/inbox", 200),
    ("driver", "/inbox/settings", 200),
    ("driver", "/login", 200),
    ("driver", "/mailbox", 200),
    ("driver", "/offline", 200),
    ("maintenance", "/maintenance", 200),
    ("maintenance", "/maintenance?show=resolved", 200),
    ("maintenance", "/maintenance/chargers/DUNDEE-GREEN-01", 200),
    ("maintenance", "/maintenance/chargers/none", 404),
    ("driver", "/maintenance", 403),
    ("driver", "/stations/none", 404),
    ("driver", "/no/such/page", 404),
]


@pytest.mark.parametrize(("role", "path", "status"), PATHS)
def test_every_page_has_its_headers_and_nothing_inline(signed_in, role, path, status):
    answer = signed_in(role).get(path)
    page = Page(answer.text)

    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == content_policy()
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert all(one.get("src", "").startswith("/static/") for one, _ in page.tags("script"))
    assert page.tags("style") == []
    assert page.having("style") == []
    assert not [name for _, one, _ in page.elements for name in one if name.startswith("on")]
    assert [one["lang"] for one, _ in page.tags("html")] == ["en"]
    assert page.tags("h1")
    assert page.tags("title")[0][1].endswith("Baywatt")


def test_a_fault_of_ours_is_a_page_too(client, parts, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(parts.availability, "stations_near", broken)
    with capture_logs() as logged:
        answer = client.get("/")

    assert [one["event"] for one in logged] == ["page.failed"]
    assert answer.status_code == 500
    assert "We blew a fuse" in answer.text


def test_tiles_are_allowed_where_a_tile_server_is_set():
    policy = content_policy("https://{s}.tiles.example/{z}/{x}/{y}.png")

    assert "img-src 'self' data: https://*.tiles.example;" in policy


def test_navigation_is_by_role(signed_in, client):
    def tabs() -> set[str]:
        page = Page(client.get("/").text)
        return {one["href"] for one, _ in page.tags("a")} & {
            "/reservations",
            "/sessions",
            "/maintenance",
        }

    assert tabs() == set()
    signed_in("driver")
    assert tabs() == {"/reservations", "/sessions"}
    signed_in("owner")
    assert tabs() == {"/reservations", "/sessions", "/maintenance"}


def test_x4_the_app_can_be_installed_and_keeps_only_the_offline_page(client):
    manifest = client.get("/manifest.webmanifest").json()
    worker = client.get("/sw.js").text
    icons = [client.get(icon["src"]) for icon in manifest["icons"]]

    assert manifest["start_url"] == "/"
    assert all(icon.headers["content-type"] == "image/svg+xml" for icon in icons)
    assert '"/offline"' in worker
    assert "__KEPT__" not in worker
    assert "/api/" not in worker
    assert client.get("/favicon.ico").status_code == 200


def test_the_offline_page_says_nothing_of_who_was_signed_in(signed_in):
    assert "Isla Grant" not in signed_in("driver").get("/offline").text


def test_a_chosen_language_is_remembered(client):
    assert client.get("/?lang=de").cookies["lang"] == "de"
    assert 'lang="de"' in client.get("/login").text
    assert client.get("/?lang=xx").cookies.get("lang") is None


def test_there_is_no_mailbox_where_it_was_not_asked_for(parts):
    settings = Settings(public_url="http://testserver", _env_file=None)
    with TestClient(app_of(parts, settings, FakeFeed())) as client:
        text = client.get("/").text

        assert client.get("/mailbox").status_code == 404
        assert "/mailbox" not in text


def test_by_https_cookies_are_bound_to_the_host_and_browsers_told_to_stay(parts):
    settings = Settings(public_url="https://testserver", _env_file=None)
    with TestClient(app_of(parts, settings, FakeFeed()), base_url="https://testserver") as client:
        form = {"email": "driver@baywatt.example", "password": PASSWORD}
        answer = client.post("/login", data=form, follow_redirects=False)

        assert answer.headers["set-cookie"].startswith("__Host-baywatt=")
        assert "secure" in answer.headers["set-cookie"].lower()
        assert "max-age" in client.get("/").headers["strict-transport-security"]
