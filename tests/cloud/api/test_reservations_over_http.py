"""Reservations over HTTP: problems with fields and alternatives, keys, lists, and live."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select

from cloud.adapters.sql import tables
from cloud.domain.terms import Terms
from contracts import topics
from tests.cloud.api.house import V1, House, add_charger, reservation_row
from tests.cloud.api.listening import listening

PATH = f"{V1}/reservations"
ONE = f"{PATH}/reservation-1"
HOLD = {
    "station_id": "greenmarket",
    "bay_id": "greenmarket-1",
    "starts_at": "2026-03-02T08:00:00Z",
    "ends_at": "2026-03-02T09:00:00Z",
}
SERIES = {
    "station_id": "greenmarket",
    "weekdays": [0, 2],
    "begins": "08:00",
    "duration_s": 3_600,
    "first_day": "2026-03-02",
    "count": 3,
}


@pytest.fixture
def station(house: House) -> House:
    add_charger(house)
    house.put(
        tables.connectors,
        {
            "charger_id": "GREEN-1",
            "evse_id": 1,
            "connector_id": 1,
            "standard": "IEC_62196_T2",
            "power_type": "AC_3_PHASE",
            "max_power_w": 22_000,
        },
    )
    return house


@pytest.fixture
def driver(station: House):
    return station.client("driver")


@pytest.fixture
def stranger(station: House):
    return station.client("stranger")


def book(house: House, **values) -> None:
    house.put(tables.reservations, reservation_row(house, **values))


def pass_on(house: House) -> None:
    """Do what the broker does: bring changes to the hub."""
    for topic, payload, _ in house.broker.published:
        if topic == topics.changes("greenmarket"):
            house.hub.feed(payload)
    house.broker.published.clear()


def test_a_hold_says_until_when_by_the_servers_clock(driver):
    answer = driver.post(PATH, json=HOLD)

    held = answer.json()
    assert answer.status_code == 201
    assert (held["status"], held["state"]) == ("PENDING", "held")
    assert (held["server_now"], held["held_until"]) == (
        "2026-03-01T12:00:00Z",
        "2026-03-01T12:10:00Z",
    )
    assert held["quote"]["total_minor"] >= 0
    assert driver.get(f"{PATH}/{held['reservation_id']}").json() == held


def test_a_code_is_on_its_way_to_who_holds(station, driver):
    driver.post(PATH, json=HOLD)

    with station.engine.connect() as connection:
        mail = connection.execute(select(tables.messages)).one()
    assert mail.recipient == "driver@example.org"


def test_who_comes_second_gets_a_conflict_with_alternatives(driver, stranger):
    driver.post(PATH, json=HOLD)

    answer = stranger.post(PATH, json=HOLD)

    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (409, "bay_already_booked")
    assert len(problem["alternatives"]) >= 3
    assert problem["alternatives"][0]["bay_id"] == "greenmarket-1"
    costs = [one["cost"] for one in problem["alternatives"]]
    assert costs == sorted(costs)


def test_every_alternative_can_be_had(driver, stranger):
    driver.post(PATH, json=HOLD)
    options = stranger.post(PATH, json=HOLD).json()["alternatives"]

    place = ("station_id", "bay_id", "starts_at", "ends_at")
    answer = stranger.post(PATH, json={name: options[0][name] for name in place})

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"starts_at": "2026-03-02T08:07:00Z"}, "body.starts_at"),
        ({"starts_at": "2026-02-28T08:00:00Z"}, "body.starts_at"),
        ({"ends_at": "2026-03-02T08:00:00Z"}, "body.ends_at"),
        ({"ends_at": "2026-03-03T08:00:00Z"}, "body.ends_at"),
        ({"bay_id": "elsewhere-1"}, "body.bay_id"),
        ({"standard": "CHADEMO"}, "body.standard"),
        ({"min_power_w": 50_000}, "body.min_power_w"),
        ({"starts_at": "2026-03-02T08:00:00"}, "body.starts_at"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, "body.starts_at"),
        ({"ends_at": "9999-12-31T23:45:00+01:00"}, "body.ends_at"),
        ({"energy_wh": 0}, "body.energy_wh"),
        ({"min_power_w": -1}, "body.min_power_w"),
        ({"price": 1}, "body.price"),
        ({"station_id": "NO"}, "body.station_id"),
    ],
)
def test_wrong_input_is_named_by_its_field(driver, change, field):
    answer = driver.post(PATH, json=HOLD | change)

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"count": None}, "body"),
        ({"weekdays": []}, "body.weekdays"),
        ({"weekdays": [7]}, "body.weekdays.0"),
        ({"begins": "08:07"}, "body.begins"),
        ({"duration_s": 60}, "body.duration_s"),
        ({"first_day": "0001-01-01"}, "body.first_day"),
        ({"count": 61}, "body.count"),
    ],
)
def test_wrong_series_are_named_by_their_field(driver, change, field):
    answer = driver.post(f"{PATH}/series", json=SERIES | change)

    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [field]


def test_a_series_is_many_holds(driver):
    answer = driver.post(f"{PATH}/series", json=SERIES)

    made = answer.json()
    assert answer.status_code == 201
    assert [one["starts_at"][:10] for one in made["reservations"]] == [
        "2026-03-02",
        "2026-03-04",
        "2026-03-09",
    ]
    assert made["skipped"] == []
    assert len(driver.get(PATH).json()["reservations"]) == 3


def test_the_same_key_holds_once_and_another_request_is_refused(driver):
    headers = {"Idempotency-Key": "hold-12345"}

    first = driver.post(PATH, json=HOLD, headers=headers)
    again = driver.post(PATH, json=HOLD, headers=headers)
    other = driver.post(PATH, json=HOLD | {"energy_wh": 1}, headers=headers)

    assert first.content == again.content
    assert (again.status_code, other.status_code) == (201, 422)
    assert len(driver.get(PATH).json()["reservations"]) == 1


def test_too_many_is_a_conflict(station, driver):
    with station.open_work() as work:
        work.terms.put("greenmarket", Terms(max_live_per_driver=1), station.clock.now())
        work.commit()
    driver.post(PATH, json=HOLD)
    later = {"starts_at": "2026-03-02T10:00:00Z", "ends_at": "2026-03-02T11:00:00Z"}

    answer = driver.post(PATH, json=HOLD | later)

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_reservations")


def test_a_station_that_is_not_there_is_not_found(driver):
    answer = driver.post(PATH, json=HOLD | {"station_id": "nowhere"})

    assert answer.status_code == 404


def test_changes_and_cancellations_are_answered_with_the_reservation(station, driver):
    book(station)

    longer = driver.patch(ONE, json={"ends_at": "2026-03-01T16:30:00Z"})
    nothing = driver.patch(ONE, json={})
    canceled = driver.post(f"{ONE}/cancel", json={"note": "ill"})
    again = driver.post(f"{ONE}/cancel", json={})
    late = driver.patch(ONE, json={"ends_at": "2026-03-01T17:00:00Z"})

    assert longer.json()["ends_at"] == "2026-03-01T16:30:00Z"
    assert nothing.status_code == 422
    assert (canceled.json()["status"], canceled.json()["is_live"]) == ("CANCELED", False)
    assert [again.status_code, late.status_code] == [409, 409]
    assert again.json()["code"] == "illegal_transition"


def test_owners_read_who_did_what(station, driver):
    book(station)
    driver.post(f"{ONE}/cancel", json={"note": "ill"})

    log = station.client("owner").get(f"{ONE}/log").json()["entries"]

    assert [(line["what"], line["actor"], line["note"]) for line in log] == [
        ("canceled_by_driver", station.users["driver"].user_id, "ill")
    ]


def test_a_driver_says_that_they_are_there(station, driver):
    book(station)

    early = driver.post(f"{ONE}/check-in")
    station.clock.pass_by(timedelta(hours=3))
    here = driver.post(f"{ONE}/check-in")

    assert (early.status_code, early.json()["code"]) == (409, "illegal_transition")
    assert (here.json()["state"], here.json()["status"]) == ("arrived", "RESERVED")


def test_lists_go_on_and_can_be_narrowed(station, driver):
    for number in (1, 2, 3):
        starts_at = station.clock.now() + timedelta(hours=5 * number)
        times = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
        book(station, reservation_id=f"reservation-{number}", number=number, **times)

    def ids(answer):
        return [one["reservation_id"] for one in answer.json()["reservations"]]

    first = driver.get(PATH, params={"limit": 2})
    rest = driver.get(PATH, params={"limit": 2, "cursor": first.json()["next_cursor"]})
    wrong = driver.get(PATH, params={"cursor": "x"})

    assert ids(first) == ["reservation-3", "reservation-2"]
    assert ids(rest) == ["reservation-1"]
    assert wrong.status_code == 422
    assert ids(driver.get(PATH, params={"live": "false"})) == []
    assert ids(station.client("owner").get(PATH, params={"mine": "true"})) == []
    assert len(ids(station.client("maintenance").get(PATH))) == 3


async def test_a_reservation_is_followed_until_it_is_over(station: House):
    station.hub.start()
    book(station)
    client = station.client("driver")
    headers = {"Authorization": f"Bearer {station.token('driver')}"}

    async with listening(station.app, f"{ONE}/events", headers) as viewer:
        snapshot = await viewer.event()
        await asyncio.to_thread(client.patch, ONE, json={"ends_at": "2026-03-01T16:30:00Z"})
        pass_on(station)
        changed = await viewer.event()
        await asyncio.to_thread(client.post, f"{ONE}/cancel", json={})
        pass_on(station)
        over = await viewer.event()
        await viewer.end()

    assert snapshot.name == changed.name == over.name == "reservation"
    assert snapshot.data["server_now"] == "2026-03-01T12:00:00Z"
    assert changed.data["ends_at"] == "2026-03-01T16:30:00Z"
    assert (over.data["is_live"], over.data["status"]) == (False, "CANCELED")


async def test_who_has_seen_the_end_is_told_not_to_come_again(station: House):
    station.hub.start()
    book(station, status="canceled", is_live=False)
    headers = {"Authorization": f"Bearer {station.token('driver')}"}

    async with listening(station.app, f"{ONE}/events", headers) as viewer:
        last = await viewer.event()
        await viewer.end()
    headers["Last-Event-ID"] = last.id
    async with listening(station.app, f"{ONE}/events", headers) as viewer:
        assert await viewer.begun() == 204


async def test_others_do_not_watch(station: House):
    station.hub.start()
    book(station)
    headers = {"Authorization": f"Bearer {station.token('stranger')}"}

    async with listening(station.app, f"{ONE}/events", headers) as viewer:
        assert await viewer.begun() == 404
