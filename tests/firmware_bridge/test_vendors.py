"""Vendors' payloads, as their documentation shows them, and bytes that are none."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_bridge.vendors import SENSOR_VENDORS, sensor_vendor
from firmware_bridge.vendors.sensor import BadOption, Reading, UnreadablePayload

GOLDEN = Path(__file__).parents[1] / "golden" / "vendors"

TOPICS = {
    "zigbee2mqtt": "zigbee2mqtt/gm-1",
    "esphome": "node/binary_sensor/bay/state",
    "tasmota": "tele/bay/SENSOR",
    "chirpstack": "application/1/device/2/event/up",
    "thethingsstack": "v3/app@tenant/devices/dev/up",
    "plain": "sensors/gm-1",
}

WORDS = st.sampled_from(
    [
        "occupancy",
        "occupied",
        "battery",
        "battery_pct",
        "confidence",
        "at",
        "time",
        "last_seen",
        "object",
        "data",
        "uplink_message",
        "decoded_payload",
        "frm_payload",
        "received_at",
        "Switch1",
        "Action",
        "state",
        "batteryLevel",
    ]
)

JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=12,
)


def golden_cases():
    for path in sorted(GOLDEN.glob("*.json")):
        for model in json.loads(path.read_text()):
            for number, message in enumerate(model["messages"]):
                name = f"{path.stem}: {model['model']} {number}"
                yield pytest.param(path.stem, model, message, id=name)


def payload_of(message):
    return (
        message["text"].encode() if "text" in message else json.dumps(message["payload"]).encode()
    )


def reading_of(written):
    at = written.get("observed_at")
    return Reading(**(written | ({"observed_at": datetime.fromisoformat(at)} if at else {})))


def a_decoder(vendor, **options):
    return sensor_vendor(vendor).decoder(TOPICS[vendor], options)


@pytest.mark.parametrize(("vendor", "model", "message"), list(golden_cases()))
def test_a_documented_payload_is_read_as_documented(vendor, model, message):
    decoder = sensor_vendor(vendor).decoder(model["topic"], model["options"])

    assert message["topic"] in decoder.topics
    expected = reading_of(message["reading"])
    read = decoder.read(message["topic"], payload_of(message))
    assert read.battery_ratio == pytest.approx(expected.battery_ratio)
    assert read == Reading(
        expected.is_occupied,
        expected.confidence,
        read.battery_ratio,
        expected.is_online,
        expected.observed_at,
    )


def test_every_vendor_has_golden_payloads():
    assert {path.stem for path in GOLDEN.glob("*.json")} == {v.name for v in SENSOR_VENDORS}
    assert set(TOPICS) == {vendor.name for vendor in SENSOR_VENDORS}


def test_an_unknown_vendor_is_none():
    assert sensor_vendor("parkeye") is None


def read_all(payload):
    """Read a payload by every vendor on each of its topics; only UnreadablePayload may come."""
    for vendor in SENSOR_VENDORS:
        decoder = vendor.decoder(TOPICS[vendor.name], {})
        for topic in decoder.topics:
            try:
                reading = decoder.read(topic, payload)
            except UnreadablePayload:
                continue
            assert 0 <= reading.confidence <= 1
            assert reading.battery_ratio is None or 0 <= reading.battery_ratio <= 1
            assert reading.observed_at is None or reading.observed_at.tzinfo is not None


@given(st.binary(max_size=200))
def test_bytes_that_are_no_payload_are_unreadable_and_nothing_else(payload):
    read_all(payload)


@given(st.dictionaries(WORDS, JSON, max_size=6))
@settings(max_examples=200)
def test_json_of_any_shape_is_read_or_unreadable(data):
    read_all(json.dumps(data).encode())


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'{"occupied": 1e309}',
        b'{"occupied": true, "occupied',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"occupied": "' + b"x" * 100_000 + b'"}',
        b'{"occupied": true, "battery_pct": ' + b"9" * 5_000 + b"}",
        b'{"occupied": true, "confidence": 1.01}',
        b'{"occupied": true, "at": "yesterday"}',
        b'{"occupied": true, "at": "2026-11-22T12:00:00"}',
        b'{"occupied": true, "at": 1e300}',
        b'{"occupied": true, "at": []}',
        b'{"occupied": 1}',
        b'{"occupied": "true"}',
        b'{"battery_pct": 5}',
    ],
)
def test_a_broken_plain_payload_is_unreadable(payload):
    with pytest.raises(UnreadablePayload):
        a_decoder("plain").read("sensors/gm-1", payload)


@pytest.mark.parametrize(
    ("vendor", "topic", "payload"),
    [
        ("zigbee2mqtt", "zigbee2mqtt/gm-1/availability", b"maybe"),
        ("zigbee2mqtt", "zigbee2mqtt/gm-1/availability", b'{"state": 1}'),
        ("esphome", "node/binary_sensor/bay/state", b"nan"),
        ("esphome", "node/binary_sensor/bay/state", b""),
        ("esphome", "node/binary_sensor/bay/state", b"maybe"),
        ("esphome", "node/status", b"x" * 1_000),
        ("tasmota", "tele/bay/LWT", b"\xff"),
        ("chirpstack", "application/1/device/2/event/up", b'{"data": "not base64!"}'),
        ("chirpstack", "application/1/device/2/event/up", b'{"data": 7}'),
        ("chirpstack", "application/1/device/2/event/status", b'{"batteryLevel": "full"}'),
        ("thethingsstack", "v3/app@tenant/devices/dev/up", b'{"join_accept": {}}'),
    ],
)
def test_a_broken_payload_says_what_is_wrong(vendor, topic, payload):
    with pytest.raises(UnreadablePayload, match=r"\w"):
        a_decoder(vendor).read(topic, payload)


@pytest.mark.parametrize(
    ("vendor", "topic"),
    [
        ("esphome", "node/bay"),
        ("esphome", "node/binary_sensor/bay/status"),
        ("tasmota", "stat/bay/SENSOR"),
        ("tasmota", "tele/bay/STATE"),
        ("tasmota", "tele/SENSOR"),
        ("chirpstack", "application/1/device"),
        ("chirpstack", "app/1/device/2/event/up"),
        ("thethingsstack", "v3/app@tenant/devices/dev/down"),
        ("thethingsstack", "v3/app@tenant/dev/up"),
    ],
)
def test_a_topic_of_another_family_is_refused_with_what_is_expected(vendor, topic):
    with pytest.raises(BadOption) as caught:
        sensor_vendor(vendor).decoder(topic, {})

    assert caught.value.option == ""
    assert "/" in caught.value.expected


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("occupied_when", "occupied"),
        ("occupied_when", "a b == 1"),
        ("occupied_when", "a < high"),
        ("occupied_when", "a = 1"),
        ("occupied_when", "a =="),
        ("occupied_when", 7),
        ("occupied_when", "a[x] == 1"),
        ("battery", "a b"),
        ("battery", 3),
        ("confidence", "[0]"),
        ("observed_at", ""),
        ("battery_full", "full"),
        ("battery_full", True),
        ("battery_empty", 100),
    ],
)
def test_a_wrong_option_is_named_with_what_is_expected(option, value):
    with pytest.raises(BadOption) as caught:
        a_decoder("plain", **{option: value})

    assert caught.value.option in {option, "battery_full"}
    assert caught.value.expected


@pytest.mark.parametrize(
    ("condition", "data", "is_occupied"),
    [
        ("a == true", {"a": True}, True),
        ("a == 1", {"a": 1.0}, True),
        ("a != 1", {"a": 2}, True),
        ("a == Taken", {"a": "TAKEN"}, True),
        ('a == "1"', {"a": "1"}, True),
        ("a.b-c[1] >= 5", {"a": {"b-c": [0, 5]}}, True),
        ("a > 5", {"a": 5}, False),
        ("a & 0x80 != 0", {"a": 0x81}, True),
        ("a & 6 == 2", {"a": 11}, True),
        ("a[1] == 1", {"a": [1]}, None),
        ("a.b == 1", {"a": 1}, None),
        ("a == true", {"a": None}, None),
    ],
)
def test_a_condition_means_what_it_says(condition, data, is_occupied):
    decoder = sensor_vendor("zigbee2mqtt").decoder("z/1", {"occupied_when": condition})

    assert decoder.read("z/1", json.dumps(data).encode()).is_occupied is is_occupied


@pytest.mark.parametrize(
    ("condition", "value"), [("a == true", 1), ("a == 1", True), ("a == ON", 1), ("a < 5", "4")]
)
def test_a_value_of_another_type_is_unreadable_rather_than_guessed(condition, value):
    decoder = a_decoder("plain", occupied_when=condition)

    with pytest.raises(UnreadablePayload, match="a is"):
        decoder.read("sensors/gm-1", json.dumps({"a": value}).encode())
