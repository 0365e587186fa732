"""Tariffs over HTTP: made once, changed in versions, refused by field, worked through by example."""

import json

import pytest

from cloud.api.tariffs import ExampleBody, TariffBody
from tests.cloud.api.house import V1, House, station_row
from tests.cloud.api.test_administration import tables

EXAMPLE = TariffBody.model_config["json_schema_extra"]["example"] | {"name": "Day and night"}
"""What the documentation shows: two prices by the time of day, parking, and a reservation fee."""
USED = ExampleBody.model_config["json_schema_extra"]["example"]


@pytest.fixture
def owner(house: House):
    house.put(tables.stations, station_row(house, timezone="Europe/London"))
    return house.client("owner")


def make(client, **more) -> dict:
    made = client.post(f"{V1}/tariffs", json=EXAMPLE | more)
    assert made.status_code == 201, made.text
    return made.json()


def test_the_tariff_the_documentation_shows_can_be_made_and_assigned(house, owner):
    made = make(owner)

    answer = owner.put(f"{V1}/stations/greenmarket/tariff", json={"key": made["key"]})

    assert answer.status_code == 200
    shown = house.client().get(f"{V1}/stations/greenmarket/tariff").json()
    assert (shown["tariff_id"], shown["name"]) == (made["tariff_id"], "Day and night")
    assert shown["body"] == made["body"]
    assert shown["example"]["sentence"].startswith("30 kWh, 45 min + 20 min parked = ")
    assert owner.get(f"{V1}/tariffs/{made['key']}").json()["stations"] == ["greenmarket"]
    assert owner.get(f"{V1}/tariffs").json()["tariffs"][0]["stations"] == ["greenmarket"]
    station = house.client().get(f"{V1}/stations/greenmarket").json()["station"]
    assert station["price"]["tariff_id"] == made["tariff_id"]


def test_a_change_is_a_new_version(owner):
    made = make(owner)
    body = {name: EXAMPLE[name] for name in ("name", "tax_included", "elements")}

    changed = owner.put(f"{V1}/tariffs/{made['key']}", json=body | {"name": "Later"}).json()

    assert (changed["version"], changed["name"]) == (2, "Later")
    assert "min_price" not in changed["body"]
    assert changed["tariff_id"] != made["tariff_id"]


def test_the_same_request_twice_makes_one_tariff(owner):
    headers = {"Idempotency-Key": "tariff-of-today"}

    answers = [owner.post(f"{V1}/tariffs", json=EXAMPLE, headers=headers) for _ in range(2)]

    assert answers[0].content == answers[1].content
    assert answers[0].headers["Location"] == f"/api/v1/tariffs/{answers[0].json()['key']}"
    assert len(owner.get(f"{V1}/tariffs").json()["tariffs"]) == 1
    other = owner.post(f"{V1}/tariffs", json=EXAMPLE | {"name": "Another"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"tax_included": "PERHAPS"}, "tax_included must be one of YES, NO, N/A."),
        ({"elements": []}, "elements must be a list with something in it."),
        ({"elements": "none"}, "elements must be a list with something in it."),
        (
            {"elements": [{"price_components": [{"type": "ENERGY", "price": 0.12345}]}]},
            "elements[0].price_components[0].price has more than 4 decimals.",
        ),
        (
            {"elements": [{"price_components": [{"type": "ENERGY"}], "restrictions": {}}]},
            "elements[0].price_components[0].price is missing.",
        ),
        ({"max_price": {"after_taxes": 5}}, "max_price.before_taxes is missing."),
    ],
)
def test_a_tariff_that_cannot_be_is_refused_by_its_field(owner, body, said):
    for answer in (
        owner.post(f"{V1}/tariffs", json=EXAMPLE | body),
        owner.post(f"{V1}/tariffs/example", json=USED | body),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, "not_valid")
        assert answer.json()["detail"] == said


RAW = [
    '{"price_components": [{"type": "ENERGY", "price": NaN}]}',
    '{"price_components": [{"type": "ENERGY", "price": 1e999}]}',
    '{"price_components": [{"type": "ENERGY", "price": 1, "\\ud800": 1}]}',
    "[" * 500 + "]" * 500,
    '{"price_components": [{"type": "ENERGY", "price": ' + "9" * 4000 + "}]}",
]


@pytest.mark.parametrize("element", RAW, ids=range(len(RAW)))
def test_s24_what_json_can_hardly_carry_is_refused(owner, element):
    body = json.dumps(EXAMPLE | {"elements": ["HERE"]}).replace('"HERE"', element)

    answer = owner.post(f"{V1}/tariffs", content=body, headers={"Content-Type": "application/json"})

    assert 400 <= answer.status_code < 500
    assert answer.json()["code"]


def test_s24_a_tariff_as_large_as_a_body_may_be_is_worked_through_at_once(owner):
    element = {
        "price_components": [{"type": "ENERGY", "price": "0.5"}],
        "restrictions": {"start_time": "10:00", "end_time": "10:15", "max_kwh": "1"},
    }
    body = USED | {"elements": [element] * 100, "charging_s": 172_800, "parked_s": 172_800}

    assert owner.post(f"{V1}/tariffs/example", json=body).status_code == 200
    body = USED | {"elements": [element] * 101}
    assert owner.post(f"{V1}/tariffs/example", json=body).status_code == 422


def test_an_example_is_worked_by_the_engine_that_bills(house):
    driver = house.client("driver")

    answer = driver.post(f"{V1}/tariffs/example", json=USED | {"is_reserved": True}).json()

    assert answer["sentence"] == "30 kWh, 45 min + 20 min parked, reserved = 19.50 GBP"
    assert [(one["kind"], one["total_minor"]) for one in answer["lines"]] == [
        ("RESERVATION", 100),
        ("ENERGY", 1650),
        ("PARKING_TIME", 200),
    ]
    assert answer["net_minor"] + answer["tax_minor"] == answer["total_minor"] == 1950
    assert [type(value) for value in answer["lines"][1].values()].count(float) == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"starts_at": "1200-03-01T12:00:00Z"},
        {"starts_at": "2026-03-01T12:00:00"},
        {"timezone": "Europe/Atlantis"},
        {"timezone": "../../etc/passwd"},
        {"energy_wh": -1},
        {"energy_wh": 10**9},
        {"charging_s": 10**9},
        {"parked_s": "long"},
        {"currency": "pounds"},
        {"colour": "red"},
    ],
)
def test_a_charge_that_cannot_be_is_no_example(house, wrong):
    answer = house.client("driver").post(f"{V1}/tariffs/example", json=USED | wrong)

    assert answer.status_code == 422


def test_owners_set_no_prices_for_others(house, owner):
    made = make(owner)

    assert make(house.client("admin"))["owner_id"] is None
    for_other = {"owner_id": house.users["rival"].user_id}
    assert owner.post(f"{V1}/tariffs", json=EXAMPLE | for_other).status_code == 403
    rival = house.client("rival")
    assert rival.get(f"{V1}/tariffs").json() == {"tariffs": []}
    assert rival.get(f"{V1}/tariffs/{made['key']}").status_code == 404


def test_a_station_without_a_tariff_has_its_price(house, owner):
    house.put(tables.stations, station_row(house, "riverside", price_per_kwh_minor=55))

    shown = house.client().get(f"{V1}/stations/riverside/tariff").json()

    assert (shown["tariff_id"], shown["name"]) == ("kwh:GBP:55", "")
    assert shown["example"]["total_minor"] == 1650
    assert house.client().get(f"{V1}/stations/nowhere/tariff").status_code == 404
