"""Finding stations, and not being told again what one has."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from cloud.adapters.sql import tables
from tests.cloud.api.house import V1, House, add_charger, station_row

STATIONS = f"{V1}/stations"


def names(answer):
    return [station["station_id"] for station in answer.json()["stations"]]


@pytest.fixture
def three(house: House):
    house.put(
        tables.stations,
        station_row(house, "aberdeen", latitude=57.15, longitude=-2.09, city="Aberdeen"),
        station_row(house, "broughty", latitude=56.47, longitude=-2.87, city="Dundee"),
        station_row(house, "cupar", latitude=56.32, longitude=-3.01, city="Cupar"),
    )
    return house.client()


def test_without_a_point_stations_come_by_name(three):
    assert names(three.get(STATIONS)) == ["aberdeen", "broughty", "cupar"]


def test_with_a_point_the_nearest_comes_first(three):
    answer = three.get(STATIONS, params={"lat": 56.33, "lon": -3.0})

    assert names(answer) == ["cupar", "broughty", "aberdeen"]
    distances = [station["distance_m"] for station in answer.json()["stations"]]
    assert distances == sorted(distances)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"lat": 56.33, "lon": -3.0, "radius_m": 5_000}, ["cupar"]),
        ({"q": "dund"}, ["broughty"]),
        ({"q": "%"}, []),
        ({"free_now": "true"}, []),
        ({"limit": 2}, ["aberdeen", "broughty"]),
    ],
)
def test_filters_narrow_what_is_found(three, query, found):
    assert names(three.get(STATIONS, params=query)) == found


def test_pages_follow_each_other_without_gap_or_repetition(three):
    found, cursor = [], None
    for _ in range(3):
        params = {"limit": 1} | ({"cursor": cursor} if cursor else {})
        page = three.get(STATIONS, params=params)
        found += names(page)
        cursor = page.json()["next_cursor"]

    assert found == ["aberdeen", "broughty", "cupar"]
    assert cursor is None


@pytest.mark.parametrize("path", [STATIONS, f"{STATIONS}/greenmarket"])
def test_who_has_it_already_is_not_told_again(house: House, path):
    add_charger(house)
    client = house.client()
    first = client.get(path)
    house.clock.pass_by(timedelta(seconds=1))

    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["etag"] == first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", [STATIONS, f"{STATIONS}/greenmarket"])
def test_silence_is_a_change_too(house: House, path):
    add_charger(house)
    with house.engine.begin() as connection:
        connection.execute(
            update(tables.bays).values(
                status="AVAILABLE", situation="free", changed_version=1, is_occupied=False
            )
        )
    client = house.client()
    first = client.get(path)
    house.clock.pass_by(timedelta(seconds=91))

    again = client.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert again.status_code == 200
    assert '"AVAILABLE"' not in again.text
