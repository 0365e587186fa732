"""Searches and calendars over HTTP: what may be asked, and what may not."""

import pytest

from cloud.adapters.sql import tables
from tests.cloud.api.house import V1, House, add_charger, reservation_row

SEARCH = f"{V1}/search"
HERE = {"lat": 56.45, "lon": -2.97}
WINDOW = {"starts_at": "2026-03-01T14:00:00Z", "ends_at": "2026-03-01T15:00:00Z"}


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
def anybody(station: House):
    return station.client()


def test_anybody_finds_what_is_free_for_a_need(anybody):
    answer = anybody.get(SEARCH, params=HERE | WINDOW | {"energy_wh": 11_000})

    found = answer.json()
    [station] = found["stations"]
    assert answer.status_code == 200
    assert (found["order"], found["as_of"]) == ("cost", "2026-03-01T12:00:00Z")
    assert (station["station_id"], station["distance_m"]) == ("greenmarket", 0)
    assert station["best"]["starts_at"] == "2026-03-01T14:00:00Z"
    assert (station["charging_s"], station["is_exact"]) == (1_800, True)


def test_what_is_booked_is_found_later(station, anybody):
    station.put(tables.reservations, reservation_row(station))
    window = {"starts_at": "2026-03-01T15:00:00Z", "duration_s": 3_600}

    [found] = anybody.get(SEARCH, params=HERE | window).json()["stations"]
    assert found["best"]["expected_wait_s"] == 3_600
    assert anybody.get(SEARCH, params=HERE | window | {"exact": True}).json()["stations"] == []


def test_a_place_may_be_named(anybody):
    found = anybody.get(SEARCH, params={"q": "Green", "order": "nearest"} | WINDOW).json()

    assert [one["name"] for one in found["stations"]] == ["Greenmarket"]
    assert (found["latitude"], found["longitude"]) == (56.45, -2.97)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"lat": 56},
        {"lat": 91, "lon": 0},
        {"lat": "nan", "lon": 0},
        HERE | {"radius_m": 0},
        HERE | {"starts_at": "2026-03-01T14:00:00"},
        HERE | {"starts_at": "2026-03-01T11:00:00Z"},
        HERE | {"ends_at": "2026-03-01T15:00:00Z"},
        HERE | WINDOW | {"duration_s": 3_600},
        HERE | {"starts_at": WINDOW["ends_at"], "ends_at": WINDOW["starts_at"]},
        HERE | {"duration_s": 86_401},
        HERE | {"energy_wh": 0},
        HERE | {"order": "cheapest"},
        HERE | {"limit": 51},
        HERE | {"max_price_minor": -1},
    ],
)
def test_a_question_that_is_none_is_a_problem(anybody, query):
    answer = anybody.get(SEARCH, params=query)

    assert answer.status_code == 422
    assert answer.json()["code"] in {"wrong_fields", "not_valid"}


def test_calendars_are_public(station, anybody):
    station.put(tables.reservations, reservation_row(station))
    query = {"from": "2026-03-01T14:00:00Z", "to": "2026-03-01T17:00:00Z"}
    of_station = anybody.get(f"{V1}/stations/greenmarket/calendar", params=query)
    of_bay = anybody.get(f"{V1}/bays/greenmarket-1/calendar", params=query)

    runs = of_station.json()["runs"]
    assert [(one["starts_at"][11:16], one["slot"], one["bays_free"]) for one in runs] == [
        ("14:00", "free", 1),
        ("15:00", "taken", 0),
        ("16:00", "free", 1),
    ]
    assert of_bay.json()["runs"] == runs
    assert of_bay.json()["bays"][0]["standards"] == ["IEC_62196_T2"]
    assert station.users["driver"].user_id not in of_station.text


def test_a_calendar_filters_by_plug(anybody):
    path = f"{V1}/stations/greenmarket/calendar"

    assert anybody.get(path, params={"standard": "CHADEMO"}).json()["bays"] == []
    assert len(anybody.get(path, params={"min_power_w": 22_000}).json()["bays"]) == 1


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"from": "2026-03-01T14:00:00Z", "to": "2026-03-01T14:00:00Z"}, 422),
        ({"to": "2026-06-01T00:00:00Z"}, 422),
        ({"from": "yesterday"}, 422),
        ({"from": "9999-12-31T23:59:59Z"}, 422),
    ],
)
def test_a_range_that_is_none_is_a_problem(anybody, query, status):
    for path in ("stations/greenmarket", "bays/greenmarket-1"):
        assert anybody.get(f"{V1}/{path}/calendar", params=query).status_code == status


def test_what_is_not_there_has_no_calendar(anybody):
    for path in ("stations/nowhere", "bays/nowhere-1"):
        assert anybody.get(f"{V1}/{path}/calendar").status_code == 404
