"""Signing in and out."""

import pytest

from cloud.web.login import own_path
from tests.cloud.web.fakes import PASSWORD

FORM = {"email": "driver@baywatt.example", "password": PASSWORD}


def test_who_signs_in_goes_where_they_were_going(client):
    assert (
        client.get("/sessions?after=x").headers["location"] == "/login?next=/sessions%3Fafter%3Dx"
    )
    answer = client.post("/login", data=FORM | {"next": "/sessions?after=x"})

    assert answer.status_code == 303
    assert answer.headers["location"] == "/sessions?after=x"
    assert client.get("/sessions").status_code == 200


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(client):
    cookie = client.post("/login", data=FORM).headers["set-cookie"].lower()

    assert cookie.startswith("baywatt=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        (FORM | {"password": "hunter2!"}, 401, "is wrong"),
        (FORM | {"email": "nobody@elsewhere.example"}, 401, "is wrong"),
        (FORM | {"email": "busy@baywatt.example"}, 429, "Too many attempts"),
        ({}, 401, "is wrong"),
    ],
)
def test_a_refused_login_says_why_and_keeps_the_address(client, form, status, said):
    answer = client.post("/login", data=form)

    assert answer.status_code == status
    assert said in answer.text
    assert form.get("password", "-----") not in answer.text
    assert f'value="{form.get("email", "")}"' in answer.text


def test_who_signs_out_is_signed_out_at_the_server_too(signed_in, parts):
    client = signed_in("driver")
    answer = client.post("/logout")

    assert answer.status_code == 303
    assert parts.secrets == {}
    assert client.get("/sessions").status_code == 303


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "evil",
        "",
        "/\t/evil",
    ],
)
def test_the_way_on_never_leaves_the_house(wanted):
    assert own_path(wanted) in {"", "/"} or not own_path(wanted).startswith(("//", "/\t"))


def test_the_way_on_may_be_any_page_of_ours():
    assert own_path("/stations/a?b=c#d") == "/stations/a?b=c#d"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "none"}, 303),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://testserver"}, 303),
        ({}, 303),
    ],
)
@pytest.mark.parametrize(
    "path", ["/logout", "/maintenance/alerts/a1/acknowledge", "/maintenance/alerts/a1/resolve"]
)
def test_no_other_site_can_make_a_reader_do_anything(signed_in, headers, status, path):
    assert signed_in("maintenance").post(path, headers=headers).status_code == status
