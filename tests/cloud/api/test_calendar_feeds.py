"""Secret addresses of calendars: made once, read by whoever knows them, closed at once (S20)."""

import hashlib
from datetime import timedelta

import pytest
from icalendar import Calendar

from cloud.adapters.sql import tables
from cloud.services.calendar_feeds import MOST_FEEDS
from tests.cloud.api.house import HOST, V1, House, add_charger, reservation_row

FEEDS = f"{V1}/me/calendars"


@pytest.fixture
def booked(house: House) -> House:
    add_charger(house)
    house.put(tables.reservations, reservation_row(house))
    return house


def made(house: House, name: str = "driver") -> str:
    """Return the address of a new feed."""
    return house.client(name).post(FEEDS).json()["url"].removeprefix(HOST)


def summaries(answer) -> list[str]:
    return [str(one["UID"]) for one in Calendar.from_ical(answer.content).walk("VEVENT")]


def test_who_knows_the_address_reads_the_drivers_reservations(booked):
    answer = booked.client().get(made(booked))

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert summaries(answer) == ["reservation-1@testserver"]


def test_nobody_elses_reservations_are_in_it(booked):
    assert summaries(booked.client().get(made(booked, "stranger"))) == []


def test_what_has_not_changed_is_not_sent_again(booked):
    path, client = made(booked), booked.client()
    first = client.get(path)
    etag = first.headers["ETag"]
    again = client.get(path, headers={"If-None-Match": etag})
    weak = client.get(path, headers={"If-None-Match": f'"other", W/{etag}'})
    with booked.engine.begin() as connection:
        connection.execute(
            tables.reservations.update().values(status="canceled", changed_version=7)
        )
    changed = client.get(path, headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == etag
    assert weak.status_code == 304
    assert changed.status_code == 200
    (event,) = Calendar.from_ical(changed.content).walk("VEVENT")
    assert (event["STATUS"], event["SEQUENCE"]) == ("CANCELLED", 7)


def test_what_is_long_over_is_left_out(booked):
    booked.clock.pass_by(timedelta(days=91))

    assert summaries(booked.client().get(made(booked))) == []


def test_s20_a_feed_that_was_revoked_is_gone_at_once(booked):
    path, client = made(booked), booked.client("driver")
    (feed,) = client.get(FEEDS).json()["feeds"]
    before = booked.client().get(path).status_code
    revoked = client.delete(f"{FEEDS}/{feed['feed_id']}").status_code
    after = booked.client().get(path)

    assert (before, revoked, after.status_code) == (200, 204, 404)
    assert client.delete(f"{FEEDS}/{feed['feed_id']}").status_code == 404
    assert client.get(FEEDS).json() == {"feeds": []}


def test_s20_a_feed_of_an_account_that_was_closed_is_gone_at_once(booked):
    path = made(booked)
    with booked.engine.begin() as connection:
        connection.execute(tables.users.update().values(is_active=False))

    assert booked.client().get(path).status_code == 404


def test_s20_an_address_has_128_bits_and_is_kept_nowhere(booked):
    paths = {made(booked) for _ in range(5)}
    secrets = [path.rpartition("/")[2].removesuffix(".ics") for path in paths]
    with booked.engine.connect() as connection:
        rows = connection.execute(tables.calendar_feeds.select()).all()

    assert len(set(secrets)) == 5
    assert {len(secret) for secret in secrets} == {22}
    assert {row.secret_hash for row in rows} == {
        hashlib.sha256(one.encode()).hexdigest() for one in secrets
    }
    assert not any(secret in str(row) for secret in secrets for row in rows)


@pytest.mark.parametrize(
    "guess", ["A" * 22, "x", "A" * 65, "..", "%2e%2e", "%00", "' OR 1=1", "feed-1"]
)
def test_s20_a_guess_is_answered_like_any_other(booked, guess):
    answer = booked.client().get(f"{V1}/calendars/{guess}.ics")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_there_are_only_so_many_feeds(house):
    client = house.client("driver")
    statuses = [client.post(FEEDS).status_code for _ in range(MOST_FEEDS + 1)]

    assert statuses == [201] * MOST_FEEDS + [422]
