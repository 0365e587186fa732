"""Payloads that miss their schema in the ways real chargers do are read as far as they go."""

import pytest

from station_agent.ocpp import v16, v201
from station_agent.ocpp.mending import mend

METER_16 = v16.VERSION.schemas.request("MeterValues").definition
EVENT_201 = v201.VERSION.schemas.request("TransactionEvent").definition


def meter_value(**changes) -> dict:
    sample = {"value": "1", "unit": "Wh"} | changes
    return {"timestamp": "2026-11-22T12:00:00Z", "sampledValue": [sample]}


def test_quirk_33_an_object_where_an_array_belongs_is_an_array_of_one():
    mended = mend({"connectorId": 1, "meterValue": meter_value()}, METER_16)

    assert mended.payload == {"connectorId": 1, "meterValue": [meter_value()]}
    assert mended.notes == ["meterValue: no array"]


@pytest.mark.parametrize(
    ("given_value", "read"),
    [("12", 12), (" 12 ", 12), (12.0, 12), (12.6, 13), ("12,4", 12), ("1e1", 10)],
)
def test_quirk_33_numbers_are_read_from_text_and_rounded_where_integers_belong(given_value, read):
    mended = mend({"connectorId": given_value}, METER_16)

    assert mended.payload == {"connectorId": read}


@pytest.mark.parametrize(
    "value", ["", "one", True, None, [], {}, float("inf"), float("nan"), "nan", "1e999"]
)
def test_what_is_no_number_is_left_out(value):
    assert mend({"connectorId": value}, METER_16).payload == {}


@pytest.mark.parametrize(
    ("unit", "read"),
    [("Hz", "Hz"), ("wh", "Wh"), (" Wh ", "Wh"), ("", ""), (5, "5")],
)
def test_quirk_34_unknown_words_stay_as_they_are_and_known_ones_are_recognised(unit, read):
    mended = mend({"connectorId": 1, "meterValue": [meter_value(unit=unit)]}, METER_16)

    assert mended.payload["meterValue"][0]["sampledValue"][0]["unit"] == read


def test_one_bad_sample_does_not_take_the_others_with_it():
    values = [meter_value(), "broken", None, meter_value(value="2")]

    mended = mend({"connectorId": 1, "meterValue": values}, METER_16)

    assert mended.payload["meterValue"] == [values[0], values[3]]


def test_unknown_fields_are_dropped_and_missing_ones_named():
    mended = mend({"connectorId": 1, "bogus": 2}, METER_16)

    assert mended.payload == {"connectorId": 1}
    assert mended.notes == ["bogus: no such field", "meterValue: missing"]


def test_references_are_followed_in_201():
    event = {
        "eventType": "started",
        "seqNo": "3",
        "offline": "true",
        "transactionInfo": {"transactionId": 17, "chargingState": "charging"},
        "evse": {"id": "1"},
    }

    mended = mend(event, EVENT_201)

    assert mended.payload == {
        "eventType": "Started",
        "seqNo": 3,
        "offline": True,
        "transactionInfo": {"transactionId": "17", "chargingState": "Charging"},
        "evse": {"id": 1},
    }


def test_notes_are_bounded():
    payload = {f"field{number}": 1 for number in range(1000)}

    assert len(mend(payload, METER_16).notes) == 8
