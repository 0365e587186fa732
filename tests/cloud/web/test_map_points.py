"""The map's few figures of each station are those of the list, on every database."""

from datetime import timedelta
from itertools import product

import pytest
from sqlalchemy import insert

from cloud.adapters.sql import tables
from cloud.adapters.sql.engine import open_engine
from cloud.adapters.sql.unit_of_work import work_opener
from cloud.domain.policy import Policy
from cloud.services.availability import AvailabilityService, StationQuery
from tests.cloud.api.fakes import StillClock

STATUSES = ["AVAILABLE", "CHARGING", "BLOCKED", "OUTOFORDER", "INOPERATIVE", "UNKNOWN"]
STANDARDS = ["IEC_62196_T2", "IEC_62196_T2_COMBO", "CHADEMO"]
POWERS_W = [7_000, 22_000, 50_000]


@pytest.fixture
def availability(database_url):
    """Twelve stations: heard, silent, never heard; with several bays and plugs, and one with none."""
    clock, policy, engine = StillClock(), Policy(), open_engine(database_url, timeout_s=60)
    now = clock.now()
    heard = [now - timedelta(seconds=3), now - policy.stale_after, None]
    with engine.begin() as connection:
        for number in range(12):
            fill(connection, number, heard[number % 3], now)
    yield AvailabilityService(work_opener(engine), clock, policy)
    engine.dispose()


def fill(connection, number: int, heard_at, now) -> None:
    station = f"s-{number:02}"
    connection.execute(
        insert(tables.stations),
        {
            "id": station,
            "name": f"Station {number % 5}",
            "city": "Perth" if number % 2 else "100%_Dundee",
            "latitude": 56 + number / 10,
            "longitude": -3 - number / 10,
            "created_at": now,
        },
    )
    if heard_at is not None:
        row = {"station_id": station, "heard_at": heard_at}
        connection.execute(insert(tables.station_links), row)
    connection.execute(insert(tables.chargers), {"id": station, "station_id": station})
    for evse in range(1, number % 5 + 1):
        power_w = POWERS_W[(number + evse) % 3]
        place = {"charger_id": station, "evse_id": evse}
        connection.execute(
            insert(tables.bays),
            place
            | {
                "id": f"{station}-{evse}",
                "station_id": station,
                "name": str(evse),
                "max_power_w": power_w,
                "status": STATUSES[(number * 5 + evse) % len(STATUSES)],
                "situation": "free",
            },
        )
        for plug in range(1, number % 2 + 2):
            standard = STANDARDS[(number + evse + plug) % 3]
            connection.execute(
                insert(tables.connectors), place | {"connector_id": plug, "standard": standard}
            )


FILTERS = [
    StationQuery(standard=standard, min_power_w=power_w, free_now=free_now, text=text, limit=500)
    for standard, power_w, free_now, text in product(
        [None, "CHADEMO", "NACS"], [None, 22_000, 50_001], [False, True], ["", "PERTH", "%_d", "4"]
    )
]


def test_d3_the_map_has_the_stations_and_the_counts_of_the_list(availability):
    shown = 0
    for query in FILTERS:
        listed = availability.stations_near(query).stations
        points = availability.points(query)
        shown += len(points)

        assert [
            (one.station_id, one.name, one.bays_total, one.bays_available, one.statuses)
            for one in points
        ] == [
            (one.station_id, one.name, one.bays_total, one.bays_available, one.statuses)
            for one in listed
        ], query
    assert shown > 50


def test_nothing_stale_is_free_on_the_map(availability):
    points = {one.station_id: one for one in availability.points(StationQuery())}

    assert points["s-01"].statuses == {"UNKNOWN": 1}
    assert points["s-02"].statuses == {"UNKNOWN": 2}
    assert any(points[f"s-{number:02}"].bays_available for number in (0, 3, 6, 9))
