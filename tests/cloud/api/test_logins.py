"""Logging in and out, over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from cloud.adapters.sql import tables
from tests.cloud.api.house import PASSWORD, V1, House, a_house

SAME_ORIGIN = {"Sec-Fetch-Site": "same-origin"}


def login(client, email="driver@example.org", password=PASSWORD, headers=SAME_ORIGIN):
    return client.post(
        f"{V1}/auth/login", json={"email": email, "password": password}, headers=headers
    )


def test_a_browser_session_lives_in_a_cookie_scripts_cannot_read(house: House):
    client = house.client()

    answer = login(client)

    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 200
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert client.get(f"{V1}/me").json()["email"] == "driver@example.org"


def test_over_https_the_cookie_is_bound_to_the_host(database_file):
    with a_house(database_file, public_url="https://baywatt.example") as house:
        answer = login(house.client())

    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-baywatt=")
    assert "Secure" in cookie
    assert "Domain" not in cookie


def test_a_login_never_takes_up_a_secret_that_was_brought_along(house: House):
    client = house.client()
    client.cookies.set("baywatt", "bwt_chosen-by-somebody-else")

    answer = login(client)

    assert answer.status_code == 200
    assert "chosen-by-somebody-else" not in answer.headers["set-cookie"]


def test_only_the_hash_of_a_secret_is_kept(house: House):
    secret = house.token("driver")

    with house.engine.connect() as connection:
        rows = connection.execute(select(tables.credentials)).all()
    assert secret not in repr(rows)
    assert all(len(row.secret_hash) == 64 for row in rows)


def test_a_bearer_token_carries_256_random_bits(house: House):
    answer = house.client().post(
        f"{V1}/auth/tokens", json={"email": "driver@example.org", "password": PASSWORD}
    )

    assert answer.status_code == 201
    assert len(answer.json()["token"].removeprefix("bwt_")) == 43
    assert answer.headers["cache-control"] == "no-store"


def test_unknown_user_wrong_password_and_inactive_account_get_the_same_answer(house: House):
    admin = house.client("admin")
    admin.patch(f"{V1}/users/{house.users['stranger'].user_id}", json={"is_active": False})
    client = house.client()

    answers = [
        login(client, "nobody@example.org"),
        login(client, "driver@example.org", "wrong horse battery"),
        login(client, "stranger@example.org"),
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert all("set-cookie" not in answer.headers for answer in answers)


def test_an_unknown_user_costs_a_password_check_like_a_known_one(house: House, monkeypatch):
    checked = []
    passwords = house.services.credentials.passwords
    real = passwords.is_right

    def is_right(_self, password, kept):
        checked.append(kept)
        return real(password, kept)

    monkeypatch.setattr(type(passwords), "is_right", is_right)

    login(house.client(), "nobody@example.org")

    assert checked == [None]


def test_the_eleventh_attempt_at_an_account_must_wait_right_or_wrong(house: House):
    client = house.client()
    for _ in range(10):
        assert login(client, password="wrong horse battery").status_code == 401

    refused = login(client)

    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    assert refused.json()["code"] == "too_many_attempts"


@pytest.mark.parametrize("email", ["driver@example.org", "nobody@example.org"])
def test_throttling_does_not_tell_who_exists(house: House, email):
    client = house.client()

    statuses = [login(client, email, "wrong horse battery").status_code for _ in range(12)]

    assert statuses == [401] * 10 + [429] * 2


def test_fifty_guesses_at_once_are_counted_one_by_one(house: House):
    client = house.client()
    with ThreadPoolExecutor(20) as pool:
        guesses = range(50)
        answers = list(pool.map(lambda n: login(client, password=f"wrong horse {n}"), guesses))

    statuses = [answer.status_code for answer in answers]
    assert set(statuses) <= {401, 429, 503}
    assert statuses.count(401) + statuses.count(503) <= 10


@pytest.mark.parametrize("leave", ["/auth/logout", "/auth/tokens/current"])
def test_after_logging_out_the_secret_is_of_no_use(house: House, leave):
    client = house.client("driver")
    assert client.get(f"{V1}/me").status_code == 200

    method = "DELETE" if "tokens" in leave else "POST"
    assert client.request(method, f"{V1}{leave}").status_code == 204

    assert client.get(f"{V1}/me").status_code == 401


def test_a_login_ends_when_it_said_it_would(house: House):
    body = {"email": "driver@example.org", "password": PASSWORD, "ttl_s": 60}
    token = house.client().post(f"{V1}/auth/tokens", json=body).json()["token"]
    client = house.client()
    client.headers["Authorization"] = f"Bearer {token}"
    assert client.get(f"{V1}/me").status_code == 200

    house.clock.pass_by(timedelta(seconds=60))

    assert client.get(f"{V1}/me").status_code == 401


@pytest.mark.parametrize("change", [{"password": "a new horse battery"}, {"is_active": False}])
def test_a_new_password_or_a_withdrawn_account_logs_out_everywhere(house: House, change):
    driver = house.client("driver")

    house.client("admin").patch(f"{V1}/users/{house.users['driver'].user_id}", json=change)

    assert driver.get(f"{V1}/me").status_code == 401


def test_a_changed_role_holds_from_the_next_request(house: House):
    driver = house.client("driver")
    user_id = house.users["driver"].user_id

    house.client("admin").patch(f"{V1}/users/{user_id}", json={"role": "admin"})

    assert driver.get(f"{V1}/users").status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic abc", "Bearer bwt_nonsense", "bwt_x", "Bearer \xe9"]
)
def test_a_wrong_header_is_not_passed_over_for_the_cookie(house: House, header):
    client = house.client()
    login(client)

    answer = client.get(f"{V1}/me", headers={"Authorization": header.encode("latin-1")})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/auth/logout"), ("POST", "/users"), ("PATCH", "/users/x"), ("DELETE", "/tokens/x")],
)
def test_a_browsers_cookie_is_of_no_use_to_other_sites_pages(house: House, method, path, headers):
    client = house.client()
    login(client, "admin@example.org")

    answer = client.request(method, f"{V1}{path}", json={}, headers=headers)

    assert answer.status_code == 403
    assert answer.json()["code"] == "cross_site"
    assert client.get(f"{V1}/me").status_code == 200


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
def test_nobody_is_logged_in_from_another_sites_page(house: House, headers):
    answer = login(house.client(), headers=headers)

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin"}, {"Origin": "http://testserver"}]
)
def test_our_own_pages_may_use_the_cookie(house: House, headers):
    client = house.client()
    login(client)

    assert client.post(f"{V1}/auth/logout", headers=headers).status_code == 204


def test_an_account_that_is_withdrawn_during_its_login_gets_none(house: House, monkeypatch):
    passwords = house.services.credentials.passwords
    real = passwords.is_right

    def is_right(_self, password, kept):
        answer = real(password, kept)
        with house.engine.begin() as connection:
            connection.execute(update(tables.users).values(is_active=False))
        return answer

    monkeypatch.setattr(type(passwords), "is_right", is_right)

    assert login(house.client()).status_code == 401
