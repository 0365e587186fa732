"""Schema failures become the error code each version asks for; no payload raises."""

from collections import defaultdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from station_agent.ocpp.dialects import Fault
from station_agent.ocpp.handshake import VERSIONS

BOOT_16 = {"chargePointVendor": "V", "chargePointModel": "M"}
STATUS_201 = {
    "timestamp": "2026-11-22T12:00:00Z",
    "connectorStatus": "Available",
    "evseId": 1,
    "connectorId": 1,
}
EVENT_201 = {"generatedAt": "x", "seqNo": 0, "eventData": []}

ALLOWED_16 = {
    "FormationViolation",
    "ProtocolError",
    "OccurenceConstraintViolation",
    "TypeConstraintViolation",
    "PropertyConstraintViolation",
}
ALLOWED_2 = {
    "ProtocolError",
    "OccurrenceConstraintViolation",
    "TypeConstraintViolation",
    "PropertyConstraintViolation",
}
WRONG = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=3)
    | st.lists(st.integers(), max_size=2)
)


@pytest.mark.parametrize(
    ("subprotocol", "action", "payload", "fault", "code"),
    [
        ("ocpp1.6", "BootNotification", {}, Fault.INCOMPLETE, "ProtocolError"),
        (
            "ocpp1.6",
            "BootNotification",
            BOOT_16 | {"chargePointModel": 5},
            Fault.TYPE,
            "TypeConstraintViolation",
        ),
        (
            "ocpp1.6",
            "BootNotification",
            BOOT_16 | {"chargePointModel": "x" * 21},
            Fault.PROPERTY,
            "PropertyConstraintViolation",
        ),
        (
            "ocpp1.6",
            "BootNotification",
            BOOT_16 | {"bogus": 1},
            Fault.MISSHAPEN,
            "FormationViolation",
        ),
        (
            "ocpp1.6",
            "MeterValues",
            {"connectorId": 1, "meterValue": []},
            Fault.OCCURRENCE,
            "OccurenceConstraintViolation",
        ),
        (
            "ocpp2.0.1",
            "StatusNotification",
            {},
            Fault.INCOMPLETE,
            "OccurrenceConstraintViolation",
        ),
        (
            "ocpp2.0.1",
            "StatusNotification",
            STATUS_201 | {"evseId": "1"},
            Fault.TYPE,
            "TypeConstraintViolation",
        ),
        (
            "ocpp2.0.1",
            "StatusNotification",
            STATUS_201 | {"connectorStatus": "Broken"},
            Fault.PROPERTY,
            "PropertyConstraintViolation",
        ),
        (
            "ocpp2.0.1",
            "StatusNotification",
            STATUS_201 | {"bogus": 1},
            Fault.MISSHAPEN,
            "ProtocolError",
        ),
        (
            "ocpp2.0.1",
            "NotifyEvent",
            EVENT_201,
            Fault.OCCURRENCE,
            "OccurrenceConstraintViolation",
        ),
    ],
)
def test_p02_each_kind_of_misfit_has_its_code(subprotocol, action, payload, fault, code):
    version = VERSIONS[subprotocol]

    misfit = version.schemas.request(action).misfit(payload)

    assert misfit.fault is fault
    assert version.dialect.codes[fault] == code


def test_a_long_value_does_not_make_a_long_description():
    payload = BOOT_16 | {"chargePointModel": "x" * 10_000}

    misfit = VERSIONS["ocpp1.6"].schemas.request("BootNotification").misfit(payload)

    assert len(misfit.description) <= 255


@pytest.mark.parametrize("subprotocol", sorted(VERSIONS))
def test_every_schema_of_a_version_compiles(subprotocol):
    schemas = VERSIONS[subprotocol].schemas

    checkers = [schemas.request(one) for one in schemas.actions]
    checkers += [schemas.response(one) for one in schemas.actions]

    assert len(checkers) >= 2 * 38
    assert all(checker.definition["type"] == "object" for checker in checkers)


def _a_wrong_payload(draw, definition):
    """Draw a payload with one field missing, of a wrong type, or too many."""
    properties = definition.get("properties", {})
    payload = {name: draw(WRONG) for name in properties if draw(st.booleans())}
    if draw(st.booleans()):
        payload["bogus"] = 1
    return payload


@pytest.mark.parametrize("subprotocol", sorted(VERSIONS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_p02_a_misfit_of_any_action_has_an_allowed_code(subprotocol, data):
    version = VERSIONS[subprotocol]
    action = data.draw(st.sampled_from(sorted(version.schemas.actions)))
    checker = version.schemas.request(action)
    payload = _a_wrong_payload(data.draw, checker.definition)

    misfit = checker.misfit(payload)

    assert (misfit is None) == checker.fits(payload)
    if misfit is not None:
        allowed = ALLOWED_16 if subprotocol == "ocpp1.6" else ALLOWED_2
        assert version.dialect.codes[misfit.fault] in allowed


def test_every_fault_has_a_code_in_every_version():
    missing = defaultdict(list)
    for version in VERSIONS.values():
        for fault in Fault:
            if fault not in version.dialect.codes:
                missing[version.name].append(fault)

    assert not missing
