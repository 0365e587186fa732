"""A charger's device model: what it has, watches, shows, knows of customers and uploads."""

import pytest

from simulator.chargers.logs import upload_over_http
from tests.simulator.builders import SCHEMAS, a_car, a_charger, a_world
from tests.simulator.fakes import FakeCsms

EVSE = {"component": {"name": "EVSE", "evse": {"id": 1}}}
STATE = {"variable": {"name": "AvailabilityState"}}
POWER = {"variable": {"name": "Power"}}
TEXT = {"format": "UTF8", "content": "Closed"}


def at(version="2.0.1", **more):
    world, _ = a_world()
    charger = a_charger(world, version, evses=2, **more)
    csms = FakeCsms(SCHEMAS[version])
    csms.connect(charger.line)
    world.run_for(1)
    return world, charger, csms


def told(csms, action):
    return [payload for _, name, payload in csms.calls if name == action]


def asked(world, csms, action, payload):
    answer = csms.ask(action, payload)[2]
    world.run_for(1)
    return answer


def watched(world, csms, place, kind="Delta", value=1):
    one = place | {"type": kind, "value": value, "severity": 8}
    (result,) = asked(world, csms, "SetVariableMonitoring", {"setMonitoringData": [one]})[
        "setMonitoringResult"
    ]
    return result


@pytest.mark.parametrize(
    ("base", "some", "other"),
    [
        ("ConfigurationInventory", "OfflineThreshold", "AvailabilityState"),
        ("SummaryInventory", "AvailabilityState", "OfflineThreshold"),
    ],
)
def test_a_base_report_leaves_things_out(base, some, other):
    world, _, csms = at()
    asked(world, csms, "GetBaseReport", {"requestId": 1, "reportBase": base})
    names = {
        row["variable"]["name"] for one in told(csms, "NotifyReport") for row in one["reportData"]
    }

    assert some in names
    assert other not in names
    assert told(csms, "NotifyReport")[-1]["tbc"] is False


@pytest.mark.parametrize(
    ("criterion", "places"),
    [("Problem", {2}), ("Available", {1, 2}), ("Active", set()), ("Enabled", {1, 2})],
)
def test_a_report_by_criterion_asks_each_component(criterion, places):
    world, charger, csms = at()
    charger.break_down(2, "GroundFailure")
    wanted = {"component": {"name": "EVSE"}, **STATE}
    payload = {"requestId": 1, "componentCriteria": [criterion], "componentVariable": [wanted]}
    answer = asked(world, csms, "GetReport", payload)
    rows = [row for one in told(csms, "NotifyReport") for row in one["reportData"]]

    assert {row["component"]["evse"]["id"] for row in rows} == places
    assert answer["status"] == ("Accepted" if places else "EmptyResultSet")


def test_a_value_that_is_no_value_of_its_variable_is_rejected():
    world, _, csms = at()
    place = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}
    statuses = [
        asked(world, csms, "SetVariables", {"setVariableData": [place | {"attributeValue": one}]})[
            "setVariableResult"
        ][0]["attributeStatus"]
        for one in ("90", "soon")
    ]
    (read,) = asked(world, csms, "GetVariables", {"getVariableData": [place]})["getVariableResult"]

    assert statuses == ["Accepted", "Rejected"]
    assert read["attributeValue"] == "90"


@pytest.mark.parametrize(
    ("place", "status"),
    [
        (EVSE | STATE, "Accepted"),
        (EVSE | {"variable": {"name": "Colour"}}, "UnknownVariable"),
        ({"component": {"name": "Door"}} | STATE, "UnknownComponent"),
        (
            {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "Identity"}},
            "UnsupportedMonitorType",
        ),
    ],
)
def test_what_can_be_watched_is_watched(place, status):
    world, _, csms = at()

    assert watched(world, csms, place)["status"] == status


def test_the_same_monitor_twice_is_a_duplicate_and_another_number_unknown():
    world, _, csms = at()
    first, second = (watched(world, csms, EVSE | STATE) for _ in range(2))
    other = EVSE | STATE | {"id": 99, "type": "Delta", "value": 1, "severity": 8}
    (third,) = asked(world, csms, "SetVariableMonitoring", {"setMonitoringData": [other]})[
        "setMonitoringResult"
    ]

    assert (first["status"], second["status"]) == ("Accepted", "Duplicate")
    assert third["status"] == "Rejected"


def test_a_watched_state_is_told_and_one_that_matters_too_little_is_not():
    world, charger, csms = at()
    number = watched(world, csms, EVSE | STATE)["id"]
    charger.plug_in(1, a_car())
    charger.plug_in(2, a_car())
    world.run_for(1)
    asked(world, csms, "SetMonitoringLevel", {"severity": 4})
    charger.unplug(1)
    world.run_for(1)
    (event,) = [one["eventData"][0] for one in told(csms, "NotifyEvent")]

    assert (event["variableMonitoringId"], event["actualValue"]) == (number, "Occupied")


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_a_periodic_monitor_tells_until_it_is_cleared(version):
    world, _, csms = at(version)
    number = watched(world, csms, EVSE | POWER, "Periodic", 10)["id"]
    world.run_for(35)
    answers = [
        asked(world, csms, "ClearVariableMonitoring", {"id": [number]})["clearMonitoringResult"][0]
        for _ in range(2)
    ]
    world.run_for(35)

    assert [
        one["trigger"] for payload in told(csms, "NotifyEvent") for one in payload["eventData"]
    ] == ["Periodic"] * 3
    assert [one["status"] for one in answers] == ["Accepted", "NotFound"]


@pytest.mark.parametrize("version", ["2.0.1", "2.1"])
def test_monitors_are_reported_and_end_with_another_base(version):
    world, _, csms = at(version)
    watched(world, csms, EVSE | POWER, "UpperThreshold", 9)
    payload = {"requestId": 1, "monitoringCriteria": ["ThresholdMonitoring"]}
    found = asked(world, csms, "GetMonitoringReport", payload)
    asked(world, csms, "SetMonitoringBase", {"monitoringBase": "FactoryDefault"})
    gone = asked(world, csms, "GetMonitoringReport", {"requestId": 2})

    assert (found["status"], gone["status"]) == ("Accepted", "EmptyResultSet")
    (report,) = told(csms, "NotifyMonitoringReport")
    assert report["monitor"][0]["variableMonitoring"][0]["value"] == 9


def test_a_message_goes_by_itself_at_its_end():
    world, charger, csms = at()
    message = {"id": 1, "priority": "InFront", "message": TEXT}
    ends = {"endDateTime": "2026-01-05T08:05:00Z"}
    asked(world, csms, "SetDisplayMessage", {"message": message | ends})
    before = dict(charger.device.messages)
    world.run_for(600)

    assert set(before) == {1}
    assert charger.device.messages == {}


def test_a_display_has_room_for_so_many_messages():
    world, _, csms = at()
    statuses = [
        asked(
            world,
            csms,
            "SetDisplayMessage",
            {"message": {"id": number, "priority": "InFront", "message": TEXT}},
        )["status"]
        for number in range(21)
    ]

    assert statuses == ["Accepted"] * 20 + ["Rejected"]


def test_who_charged_is_known_until_it_is_cleared():
    world, charger, csms = at()
    charger.plug_in(1, a_car())
    charger.present(1, "04A1")
    world.run_for(1)
    token = {"idToken": "04A1", "type": "ISO14443"}
    payload = {"requestId": 1, "report": True, "clear": True, "idToken": token}
    first = asked(world, csms, "CustomerInformation", payload)
    asked(world, csms, "CustomerInformation", payload | {"requestId": 2})
    nobody = asked(
        world, csms, "CustomerInformation", {"requestId": 3, "report": True, "clear": False}
    )
    nothing = asked(
        world,
        csms,
        "CustomerInformation",
        {"requestId": 4, "report": False, "clear": False, "idToken": token},
    )
    texts = [one["data"] for one in told(csms, "NotifyCustomerInformation")]

    assert first["status"] == "Accepted"
    assert "last seen" in texts[0]
    assert texts[1:] == [""]
    assert (nobody["status"], nothing["status"]) == ("Invalid", "Rejected")


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
def test_a_second_log_takes_the_place_of_the_first(version):
    world, charger, csms = at(version)
    charger.device.upload = lambda *_: None
    log = {"logType": "DiagnosticsLog", "log": {"remoteLocation": "http://127.0.0.1/x"}}
    first = asked(world, csms, "GetLog", log | {"requestId": 1})
    charger.device.upload = None
    second = asked(world, csms, "GetLog", log | {"requestId": 2})
    steps = [(one["requestId"], one["status"]) for one in told(csms, "LogStatusNotification")]

    assert (first["status"], second["status"]) == ("Accepted", "AcceptedCanceled")
    canceled = [(1, "AcceptedCanceled")] if version == "2.0.1" else []
    assert steps == [(1, "Uploading"), *canceled, (2, "Uploading"), (2, "Uploaded")]


@pytest.mark.parametrize("location", ["ftp://127.0.0.1/x", "http://example.org/x", "nonsense"])
def test_nothing_is_uploaded_beyond_this_machine(location):
    ended = []
    upload_over_http(location, "a.log", b"x", ended.append)

    assert ended == [False]
