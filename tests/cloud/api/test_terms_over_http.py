"""Terms over HTTP: read by all, set by their owner, refused by field, held against bookings."""

from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.api.terms import TermsBody
from cloud.services.booking_ports import Told
from tests.cloud.api.house import V1, House, add_charger
from tests.cloud.builders import a_reservation

PATH = f"{V1}/stations/greenmarket/terms"
EXAMPLE = TermsBody.model_config["json_schema_extra"]["example"]


@pytest.fixture
def owner(house: House):
    add_charger(house)
    return house.client("owner")


def test_a_station_that_set_none_has_the_defaults(house, owner):
    del owner

    shown = house.client().get(PATH).json()

    assert shown["terms"]["grace_s"] == 900
    assert shown["terms"]["is_bookable"] is True


def test_what_the_documentation_shows_can_be_set_and_is_shown(house, owner):
    answer = owner.put(PATH, json=EXAMPLE)

    assert answer.status_code == 200, answer.text
    assert house.client().get(PATH).json()["terms"] == answer.json()["terms"]
    assert answer.json()["terms"]["overstay_per_minute_minor"] == 25


def test_what_was_shown_can_be_sent_back(owner):
    shown = owner.get(PATH).json()["terms"]

    assert owner.put(PATH, json=shown).json()["terms"] == shown


@pytest.mark.parametrize(
    "wrong",
    [
        {"min_s": 1000},
        {"hold_s": 1},
        {"unknown": 1},
        {"unbookable_bays": ["another-station-1"]},
        {"hours": [{"weekday": 8, "opens_min": 0, "closes_min": 60}]},
        {"refunds": [{"before_s": 0, "refund_pct": 300}]},
    ],
)
def test_terms_that_cannot_be_kept_are_refused_and_change_nothing(owner, wrong):
    before = owner.get(PATH).json()["terms"]

    answer = owner.put(PATH, json=wrong)

    assert answer.status_code == 422
    assert owner.get(PATH).json()["terms"] == before


def test_r12_bookings_that_would_lose_their_bay_are_named_or_seen_to(house, owner):
    starts_at = house.clock.now() + timedelta(days=1)
    booked = a_reservation(
        bay_id="greenmarket-1",
        station_id="greenmarket",
        user_id=house.users["driver"].user_id,
        status="booked",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=1),
    )
    with house.open_work() as work:
        work.reservations.claim(booked, Told("held"))
        work.commit()

    refused = owner.put(PATH, json={"unbookable_bays": ["greenmarket-1"]})
    forced = owner.put(f"{PATH}?is_forced=true", json={"unbookable_bays": ["greenmarket-1"]})

    assert refused.status_code == 409
    assert refused.json()["code"] == "bookings_in_the_way"
    assert refused.json()["reservation_ids"] == [booked.id]
    assert forced.status_code == 200, forced.text
    with house.engine.connect() as connection:
        assert connection.execute(tables.reservations.select()).one().trouble == "withdrawn"
