"""Charges over HTTP: filtered, summed up and exported, for whose they are."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.api.problems import MEDIA_TYPE
from tests.cloud.api.house import V1, House, add_charger

SESSIONS = f"{V1}/sessions"


def charge_row(house: House, session_id: str, started_at: datetime, **more):
    return {
        "id": session_id,
        "station_id": "greenmarket",
        "charger_id": "GREEN-1",
        "user_id": house.users["driver"].user_id,
        "state": "ended",
        "started_at": started_at,
        "ended_at": started_at + timedelta(hours=1),
        "energy_wh": 16_000,
        "export_wh": 0,
        "currency": "GBP",
        "price_per_kwh_minor": 50,
        "cost_minor": 800,
    } | more


@pytest.fixture
def charged(house: House) -> House:
    add_charger(house)
    house.put(
        tables.sessions,
        charge_row(house, "june", datetime(2026, 6, 30, 12, tzinfo=UTC)),
        charge_row(house, "july", datetime(2026, 7, 1, 12, tzinfo=UTC), export_wh=8_000),
        charge_row(house, "live", datetime(2026, 7, 2, tzinfo=UTC), state="idle", ended_at=None),
    )
    return house


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["live", "july", "june"]),
        ("from=2026-07-01", ["live", "july"]),
        ("to=2026-06-30", ["june"]),
        ("from=2026-07-01&to=2026-07-01", ["july"]),
        ("state=idle", ["live"]),
        ("live=false&from=2026-07-01", ["july"]),
        ("station_id=riverside", []),
    ],
)
def test_d12_one_filter_for_the_list_the_totals_and_the_table(charged, query, expected):
    driver = charged.client("driver")
    listed = driver.get(f"{SESSIONS}?{query}").json()["sessions"]
    totals = driver.get(f"{SESSIONS}/totals?{query}").json()
    table = csv.DictReader(io.StringIO(driver.get(f"{SESSIONS}.csv?{query}").text))

    assert [one["session_id"] for one in listed] == expected
    assert [row["session_id"] for row in table] == expected
    assert totals["sessions"] == len(expected)
    assert totals["co2"]["saved_g"] == sum(one["co2_saved_g"] for one in listed)


def test_totals_tell_the_method_and_each_factor(charged):
    totals = charged.client("driver").get(f"{SESSIONS}/totals").json()
    co2 = totals["co2"]

    assert totals["amounts"] == [{"currency": "GBP", "amount_minor": 2_400}]
    assert (totals["energy_wh"], totals["export_wh"], co2["driven_wh"]) == (48_000, 8_000, 40_000)
    assert co2["saved_g"] == 40 * co2["combustion_g_per_km"] * 1000 // co2["car_wh_per_km"] - (
        40 * co2["grid_g_per_kwh"]
    )
    for name in ("driven_wh", "car_wh_per_km", "combustion_g_per_km", "grid_g_per_kwh"):
        assert name in co2["formula"]


@pytest.mark.parametrize(
    "query",
    [
        "from=2026-07-02&to=2026-07-01",
        "from=yesterday",
        "from=2026-02-30",
        "from=1782864000",
        "to=0001-01-01",
        "period=this_month&to=2026-07-01",
        "period=for_ever",
        "state=broken",
        "station_id=No%20such!",
    ],
)
def test_a_filter_that_cannot_be_meant_is_a_problem(house, query):
    driver = house.client("driver")

    for form in ("", "/totals", ".csv", ".pdf"):
        answer = driver.get(f"{SESSIONS}{form}?{query}")
        assert answer.status_code == 422, form
        assert answer.headers["Content-Type"] == MEDIA_TYPE
        assert answer.json()["code"] in {"wrong_fields", "not_valid"}


@pytest.mark.parametrize(("name", "count"), [("stranger", 0), ("rival", 0), ("owner", 3)])
def test_s11_totals_and_tables_are_of_what_is_the_viewers_to_see(charged, name, count):
    client = charged.client(name)
    table = client.get(f"{SESSIONS}.csv").text

    assert client.get(f"{SESSIONS}/totals").json()["sessions"] == count
    assert len(list(csv.DictReader(io.StringIO(table)))) == count


def test_a_statement_is_a_paper_of_its_reader(charged):
    answer = charged.client("driver").get(f"{SESSIONS}.pdf?lang=de&from=2026-07-01")

    assert answer.headers["Content-Type"] == "application/pdf"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.content.startswith(b"%PDF-")
    assert charged.client("driver").get(f"{SESSIONS}.pdf?lang=xx").status_code == 422


def test_a_charge_tells_what_it_saved(charged):
    detail = charged.client("driver").get(f"{SESSIONS}/july").json()

    assert detail["co2"]["driven_wh"] == 8_000
    assert detail["co2"]["saved_g"] == detail["session"]["co2_saved_g"] == 5_000
