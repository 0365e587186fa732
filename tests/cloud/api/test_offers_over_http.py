"""Offers over HTTP: asked for, listed, taken once; and refused with what is free instead."""

from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from tests.cloud.api.house import V1, House, add_charger, reservation_row

ASK = f"{V1}/reservations/reservation-1/alternatives"


@pytest.fixture
def station(house: House) -> House:
    add_charger(house)
    plug = {"charger_id": "GREEN-1", "evse_id": 1, "connector_id": 1}
    house.put(
        tables.connectors,
        plug | {"standard": "IEC_62196_T2", "power_type": "AC_3_PHASE", "max_power_w": 22_000},
    )
    house.put(tables.reservations, reservation_row(house))
    return house


@pytest.fixture
def driver(station: House):
    return station.client("driver")


def accept(client, offer, option=0, key=None):
    headers = {"Idempotency-Key": key} if key else {}
    path = f"{V1}/offers/{offer['offer_id']}/accept"
    return client.post(path, json={"option": option}, headers=headers)


def test_a_driver_asks_sees_and_takes_what_there_is_instead(driver, house):
    asked = driver.post(ASK)
    assert asked.status_code == 201
    offer = asked.json()
    assert offer["state"] == "open"
    assert driver.get(f"{V1}/offers").json()["offers"] == [offer]
    assert driver.get(f"{V1}/offers/{offer['offer_id']}").json() == offer

    taken = accept(driver, offer, key="take-it-once")
    option = offer["options"][0]
    assert taken.status_code == 200, taken.text
    assert taken.json()["starts_at"] == option["starts_at"]
    assert accept(driver, offer, key="take-it-once").json() == taken.json()
    again = accept(driver, offer)
    assert (again.status_code, again.json()["code"]) == (409, "offer_over")


def test_an_option_that_is_none_and_an_offer_whose_time_is_over_are_refused(driver, house):
    offer = driver.post(ASK).json()
    wrong = accept(driver, offer, option=len(offer["options"]))
    assert (wrong.status_code, wrong.json()["code"]) == (422, "not_valid")

    house.clock.pass_by(timedelta(minutes=15))
    late = accept(driver, offer)
    assert (late.status_code, late.json()["code"]) == (409, "offer_over")
    assert driver.get(f"{V1}/offers").json()["offers"] == []


def test_who_is_slower_hears_what_is_free_instead(driver, house):
    offer = driver.post(ASK).json()
    option = offer["options"][0]
    house.put(
        tables.bay_slots,
        {
            "bay_id": option["bay_id"],
            "starts_at": house.clock.now().fromisoformat(option["starts_at"]),
            "reservation_id": "r-2",
        },
    )
    refused = accept(driver, offer)

    assert (refused.status_code, refused.json()["code"]) == (409, "bay_already_booked")
    (fresh,) = driver.get(f"{V1}/offers").json()["offers"]
    assert refused.json()["offer_id"] == fresh["offer_id"] != offer["offer_id"]
    assert refused.json()["alternatives"] == fresh["options"]
