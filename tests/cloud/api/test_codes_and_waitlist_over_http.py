"""One-time codes and the waitlist over HTTP: from the mail to the confirmed hold."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from cloud.adapters.sql import tables
from tests.cloud.api.house import V1, House, add_charger

HOLD = {
    "station_id": "greenmarket",
    "bay_id": "greenmarket-1",
    "starts_at": "2026-03-02T08:00:00Z",
    "ends_at": "2026-03-02T09:00:00Z",
}
WAIT = {key: HOLD[key] for key in ("station_id", "starts_at", "ends_at")}


@pytest.fixture
def driver(house: House):
    add_charger(house)
    return house.client("driver")


@pytest.fixture
def stranger(driver, house: House):
    return house.client("stranger")


@pytest.fixture
def held(driver):
    answer = driver.post(f"{V1}/reservations", json=HOLD)
    assert answer.status_code == 201
    return f"{V1}/reservations/{answer.json()['reservation_id']}"


def newest_code(house):
    with house.engine.connect() as connection:
        query = select(tables.messages.c.body).where(tables.messages.c.subject.contains("code"))
        bodies = connection.execute(query.order_by(tables.messages.c.created_at)).scalars().all()
    return re.search(r"\b\d{6}\b", bodies[-1]).group()


def confirm(client, held, code, **more):
    return client.post(f"{held}/confirmation", json={"code": code}, **more)


def other(code):
    return f"{(int(code) + 1) % 1_000_000:06d}"


def test_the_code_of_the_mail_confirms_the_hold(house, driver, held):
    answer = confirm(driver, held, newest_code(house))

    assert answer.status_code == 200
    assert (answer.json()["is_confirmed"], answer.json()["status"]) == (True, "PENDING")
    assert driver.get(held).json()["is_confirmed"]


def test_a_code_is_not_good_twice_but_the_same_request_is_answered_the_same(house, driver, held):
    code, key = newest_code(house), {"Idempotency-Key": "confirm-my-bay"}
    first = confirm(driver, held, code, headers=key)
    again = confirm(driver, held, code, headers=key)
    reused = confirm(driver, held, code)

    assert (again.status_code, again.content) == (200, first.content)
    assert (reused.status_code, reused.json()["code"]) == (409, "code_locked")


def test_a_wrong_code_says_how_often_one_may_try(house, driver, held):
    code = newest_code(house)
    answers = [confirm(driver, held, other(code)) for _ in range(5)]

    problems = [
        (one.status_code, one.json()["code"], one.json().get("tries_left")) for one in answers
    ]
    assert problems == [
        (422, "wrong_code", 4),
        (422, "wrong_code", 3),
        (422, "wrong_code", 2),
        (422, "wrong_code", 1),
        (409, "code_locked", None),
    ]
    assert confirm(driver, held, code).json()["code"] == "code_locked"
    after = driver.get(held).json()
    assert (after["status"], after["reason"]) == ("REJECTED", "code_locked")


def test_a_code_is_no_use_to_anybody_else(house, held, stranger):
    assert confirm(stranger, held, newest_code(house)).status_code == 404


@pytest.mark.parametrize(
    "code",
    ["", "12345", "1234567", "12345a", "\uff11\uff12\uff13\uff14\uff15\uff16", " 123456", 123456],
)
def test_what_is_no_code_is_not_tried(house, driver, held, code):
    assert confirm(driver, held, code).status_code == 422
    with house.engine.connect() as connection:
        assert connection.execute(select(tables.otps.c.tries)).scalar_one() == 0


def test_a_new_code_can_be_asked_for_after_a_while(house, driver, held):
    early = driver.post(f"{held}/code")
    house.clock.pass_by(timedelta(seconds=30))
    sent = driver.post(f"{held}/code")

    assert (early.status_code, early.json()["code"]) == (429, "too_many_attempts")
    assert early.headers["Retry-After"] == "30"
    assert sent.status_code == 202
    assert sent.json()["recipient"] == "d***@example.org"
    assert newest_code(house) not in sent.text
    assert confirm(driver, held, newest_code(house)).status_code == 200


def test_who_comes_second_waits_is_offered_and_takes_it(house, driver, stranger, held):
    joined = stranger.post(f"{V1}/waitlist", json=WAIT)
    path = joined.headers["Location"]
    assert (joined.status_code, joined.json()["state"]) == (201, "waiting")
    assert stranger.post(f"{path}/accept").json()["code"] == "offer_over"

    driver.post(f"{held}/cancel", json={})
    entry = stranger.get(path).json()
    assert entry["state"] == "offered"
    assert entry["offer"]["options"][0]["bay_id"] == "greenmarket-1"
    taken = stranger.post(f"{path}/accept")
    assert (taken.status_code, taken.json()["status"]) == (201, "PENDING")
    assert stranger.get(path).json()["state"] == "taken"


def test_the_waitlist_is_left_as_it_was_joined(stranger, held):
    path = stranger.post(f"{V1}/waitlist", json=WAIT).headers["Location"]

    assert stranger.delete(path).json()["state"] == "left"
    entries = stranger.get(f"{V1}/waitlist").json()["entries"]
    assert [one["state"] for one in entries] == ["left"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"station_id": "nowhere"}, "not_found"),
        ({"bay_id": "other-1"}, "not_valid"),
        ({"ends_at": "2026-03-02T08:10:00Z"}, "not_bookable"),
        ({"starts_at": "2026-02-01T08:00:00Z"}, "not_bookable"),
        ({"starts_at": "soon"}, "wrong_fields"),
        ({"user_id": "u-1"}, "wrong_fields"),
    ],
)
def test_only_what_can_be_had_is_waited_for(stranger, change, code):
    assert stranger.post(f"{V1}/waitlist", json=WAIT | change).json()["code"] == code
