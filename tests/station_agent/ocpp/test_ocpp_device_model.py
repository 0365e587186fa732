"""What answers teach of variables, monitors, messages and logs; and how long requests are split."""

import pytest

from contracts import commands
from contracts.events import CommandOutcome, InventoryKind, InventoryReported, JobProgressed
from contracts.plan import Registration
from station_agent.ocpp import v16, v201
from station_agent.ocpp.connections import Connections
from station_agent.ocpp.gateway import Gateway
from station_agent.ocpp.outcome import Context
from station_agent.ocpp.rpc import Answered
from station_agent.ocpp.v201.variables import key_of, place_of
from station_agent.ocpp.versions import Outbound
from tests.station_agent.ocpp.fakes import NOW, FakeClock, FakeOutbox, a_view

PLACE = {
    "component": {"name": "EVSE", "evse": {"id": 1}},
    "variable": {"name": "AvailabilityState"},
}
DELTA = PLACE | {"type": "Delta", "severity": 8, "value": 1}
MESSAGE = {"id": 3, "priority": "InFront", "message": {"format": "UTF8", "content": "Closed"}}


def learnt(action, asked, answer, version=v201.VERSION):
    assert version.schemas.response(action).fits(answer)
    return list(version.learn(Outbound(action, asked), answer, "CP-1", NOW))


def the_one(facts):
    (fact,) = facts
    return fact


@pytest.mark.parametrize(
    "place",
    [
        {"component": {"name": "EVSE"}, "variable": {"name": "Power"}},
        {
            "component": {"name": "Connector", "instance": "a", "evse": {"id": 1}},
            "variable": {"name": "State", "instance": "b"},
        },
        {
            "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 2}},
            "variable": {"name": "Available"},
        },
    ],
)
def test_a_variables_key_leads_back_to_it(place):
    assert place_of(key_of(place["component"], place["variable"])) == place


@pytest.mark.parametrize("key", ["", "HeartbeatInterval", "a/b/c", "/b", "a@x/b"])
def test_what_is_no_key_is_said_to_be_none(key):
    with pytest.raises(ValueError, match="no variable"):
        place_of(key)


def test_values_read_are_known_and_those_not_read_are_not():
    results = [
        PLACE | {"attributeStatus": "Accepted", "attributeValue": "Available"},
        PLACE | {"attributeStatus": "UnknownVariable"},
    ]
    fact = the_one(learnt("GetVariables", {}, {"getVariableResult": results}))

    assert [entry.key for entry in fact.entries] == ["EVSE@1/AvailabilityState"]
    assert fact.entries[0].body == PLACE | {"variableAttribute": [{"value": "Available"}]}
    assert learnt("GetVariables", {}, {"getVariableResult": results[1:]}) == []


def test_a_password_a_charger_tells_is_not_kept():
    place = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    row = place | {"attributeStatus": "Accepted", "attributeValue": "secret"}
    fact = the_one(learnt("GetVariables", {}, {"getVariableResult": [row]}))

    assert "secret" not in str(fact)


def test_an_authorization_key_a_charger_tells_is_not_kept():
    row = {"key": "AuthorizationKey", "readonly": False, "value": "secret"}
    fact = the_one(learnt("GetConfiguration", {}, {"configurationKey": [row]}, v16.VERSION))

    assert fact.entries[0].body == {"key": "AuthorizationKey", "readonly": False}


@pytest.mark.parametrize(
    ("key", "status", "is_known"),
    [
        ("HeartbeatInterval", "Accepted", True),
        ("HeartbeatInterval", "RebootRequired", True),
        ("HeartbeatInterval", "Rejected", False),
        ("AuthorizationKey", "Accepted", False),
    ],
)
def test_a_configuration_key_the_charger_took_has_our_value(key, status, is_known):
    asked = {"key": key, "value": "60"}
    facts = learnt("ChangeConfiguration", asked, {"status": status}, v16.VERSION)

    bodies = [entry.body for fact in facts for entry in fact.entries]
    assert bodies == ([asked] if is_known else [])


def test_monitors_the_charger_took_are_known_by_the_numbers_it_gave():
    results = [
        DELTA | {"status": "Accepted", "id": 7},
        DELTA | {"status": "Rejected"},
    ]
    for result in results:
        del result["value"]
    answer = {"setMonitoringResult": results}
    fact = the_one(learnt("SetVariableMonitoring", {"setMonitoringData": [DELTA] * 2}, answer))

    assert fact.inventory is InventoryKind.MONITOR
    assert [(one.key, one.body) for one in fact.entries] == [("7", DELTA | {"id": 7})]


def test_monitors_that_are_not_there_are_gone_and_rejected_ones_stay():
    results = [
        {"id": 1, "status": "Accepted"},
        {"id": 2, "status": "NotFound"},
        {"id": 3, "status": "Rejected"},
    ]
    answer = {"clearMonitoringResult": results}
    fact = the_one(learnt("ClearVariableMonitoring", {"id": [1, 2, 3]}, answer))

    assert fact.gone == ["1", "2"]
    assert learnt("ClearVariableMonitoring", {}, {"clearMonitoringResult": results[2:]}) == []


@pytest.mark.parametrize(("base", "ends_ours"), [("All", False), ("HardWiredOnly", True)])
def test_a_monitoring_base_is_known_and_may_end_our_monitors(base, ends_ours):
    facts = learnt("SetMonitoringBase", {"monitoringBase": base}, {"status": "Accepted"})

    assert facts[0].entries[0].key == "MonitoringCtrlr/ActiveMonitoringBase"
    assert [fact.is_whole for fact in facts[1:]] == ([True] if ends_ours else [])
    assert learnt("SetMonitoringBase", {"monitoringBase": base}, {"status": "Rejected"}) == []


def test_a_monitoring_level_is_known_once_the_charger_took_it():
    fact = the_one(learnt("SetMonitoringLevel", {"severity": 4}, {"status": "Accepted"}))

    assert fact.entries[0].body["variableAttribute"] == [{"value": "4"}]
    assert learnt("SetMonitoringLevel", {"severity": 4}, {"status": "Rejected"}) == []


@pytest.mark.parametrize(
    ("filters", "is_told"), [({}, True), ({"monitoringCriteria": ["DeltaMonitoring"]}, False)]
)
def test_only_an_empty_report_of_all_monitors_says_there_are_none(filters, is_told):
    asked = {"requestId": 1} | filters
    facts = learnt("GetMonitoringReport", asked, {"status": "EmptyResultSet"})

    assert [(fact.is_whole, fact.entries) for fact in facts] == ([(True, [])] if is_told else [])


def test_a_message_the_charger_took_is_known_and_one_it_cleared_is_gone():
    taken = the_one(learnt("SetDisplayMessage", {"message": MESSAGE}, {"status": "Accepted"}))
    cleared = the_one(learnt("ClearDisplayMessage", {"id": 3}, {"status": "Unknown"}))

    assert [(one.key, one.body) for one in taken.entries] == [("3", MESSAGE)]
    assert cleared.gone == ["3"]
    assert learnt("SetDisplayMessage", {"message": MESSAGE}, {"status": "Rejected"}) == []


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ({}, [(True, [])]),
        ({"id": [3]}, [(False, ["3"])]),
        ({"state": "Idle"}, []),
        ({"id": [3], "priority": "InFront"}, []),
    ],
)
def test_messages_not_found_are_gone_as_far_as_that_can_be_said(filters, told):
    facts = learnt("GetDisplayMessages", {"requestId": 1} | filters, {"status": "Unknown"})

    assert [(fact.is_whole, fact.gone) for fact in facts] == told


@pytest.mark.parametrize(
    ("action", "asked"),
    [
        ("GetBaseReport", {"requestId": 1, "reportBase": "FullInventory"}),
        ("GetReport", {"requestId": 1}),
        ("GetMonitoringReport", {"requestId": 1}),
        ("GetDisplayMessages", {"requestId": 1}),
        ("CustomerInformation", {"requestId": 1, "report": True, "clear": False}),
    ],
)
def test_a_report_is_a_job_once_the_charger_agreed(action, asked):
    step = the_one(learnt(action, asked, {"status": "Accepted"}))

    assert isinstance(step, JobProgressed)
    assert (step.request_id, step.status, step.is_over) == (1, "Accepted", False)


def test_of_customers_data_only_what_was_asked_for_is_kept_not_who():
    asked = {"requestId": 1, "report": True, "clear": True, "customerIdentifier": "N. N."}
    step = the_one(learnt("CustomerInformation", asked, {"status": "Accepted"}))

    assert step.detail == {"report": True, "clear": True}


@pytest.mark.parametrize(
    ("status", "is_over"), [("Accepted", False), ("AcceptedCanceled", False), ("Rejected", True)]
)
@pytest.mark.parametrize("version", [v16.VERSION, v201.VERSION], ids=["1.6", "2.0.1"])
def test_a_log_is_a_job_that_may_fail_at_once(version, status, is_over):
    asked = {"requestId": 9, "logType": "SecurityLog", "log": {"remoteLocation": "http://x/secret"}}
    answer = {"status": status, "filename": "log.txt"}
    step = the_one(learnt("GetLog", asked, answer, version))

    assert (step.request_id, step.is_over, step.has_failed) == (9, is_over, is_over)
    assert step.detail == {"log": "SecurityLog", "file_name": "log.txt"}


def test_diagnostics_are_a_job_once_a_file_is_named():
    asked = {"location": "http://x/secret"}
    step = the_one(learnt("GetDiagnostics", asked, {"fileName": "d.zip"}, v16.VERSION))

    assert (step.request_id, step.detail["file_name"]) == (0, "d.zip")
    assert learnt("GetDiagnostics", asked, {}, v16.VERSION) == []


@pytest.mark.parametrize(
    ("action", "asked", "payload"),
    [
        ("GetBaseReport", {"reportBase": "FullInventory"}, {"seqNo": 0}),
        ("GetMonitoringReport", {}, {"seqNo": 0}),
        ("GetDisplayMessages", {}, {}),
    ],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_a_report_is_whole_if_all_was_asked_for_on_this_connection(
    action, asked, payload, is_known
):
    told_by = {
        "GetBaseReport": "NotifyReport",
        "GetMonitoringReport": "NotifyMonitoringReport",
        "GetDisplayMessages": "NotifyDisplayMessages",
    }
    view = a_view(FakeOutbox())
    if is_known:
        view.talk.note(action, {"requestId": 4} | asked)
    route = v201.VERSION.routes[told_by[action]]
    outcome = route.handle(route.decode({"requestId": 4} | payload), Context(view, NOW))

    assert isinstance(outcome.facts[0], InventoryReported)
    assert outcome.facts[0].is_whole is is_known


@pytest.mark.parametrize("version", [v16.VERSION, v201.VERSION], ids=["1.6", "2.0.1"])
@pytest.mark.parametrize("registration", list(Registration))
def test_a_boot_is_answered_as_the_plan_says(version, registration):
    outbox = FakeOutbox()
    view = a_view(outbox, registration=lambda: registration)
    route = version.routes["BootNotification"]
    payload = {
        "chargingStation": {"model": "m", "vendorName": "v"},
        "reason": "PowerUp",
        "chargePointVendor": "v",
        "chargePointModel": "m",
    }
    reply = route.handle(route.decode(payload), Context(view, NOW)).reply

    assert reply["status"] == registration.value.capitalize()
    assert reply["interval"] == (300 if registration is Registration.ACCEPTED else 30)


class Limited:
    """A charger that says how many items it takes at once, and counts those it gets."""

    version = v201.VERSION

    def __init__(self, limit: str | None) -> None:
        self.charger = a_view(FakeOutbox())
        self.limit = limit
        self.sizes: list[int] = []

    async def call(self, action, payload, *_):
        rows = payload.get("getVariableData") or payload.get("setVariableData") or payload["id"]
        if action == "GetVariables" and rows[0]["variable"]["name"] == "ItemsPerMessage":
            result = {"attributeStatus": "Accepted", "attributeValue": self.limit}
            if self.limit is None:
                result = {"attributeStatus": "UnknownVariable"}
            return Answered({"getVariableResult": [rows[0] | result]})
        self.sizes.append(len(rows))
        if action == "ClearVariableMonitoring":
            results = [{"id": one, "status": "NotFound"} for one in rows]
            return Answered({"clearMonitoringResult": results})
        return Answered(
            {"getVariableResult": [PLACE | {"attributeStatus": "Accepted"}] * len(rows)}
        )


async def ask(charger: Limited, action: str, payload):
    connections = Connections(FakeClock(), 60)
    connections.put(charger)
    gateway = Gateway(connections, FakeOutbox(), FakeOutbox(), FakeClock())
    request = commands.CallCharger(charger_id="CP-1", action=action, payload=payload)
    return await gateway.execute(request, 5)


@pytest.mark.parametrize(
    ("limit", "count", "sizes"),
    [
        ("4", 5, [4, 1]),
        ("4", 2, [2]),
        ("0", 3, [1, 1, 1]),
        ("many", 3, [3]),
        (None, 3, [3]),
    ],
)
async def test_no_more_items_are_asked_for_at_once_than_the_charger_takes(limit, count, sizes):
    charger = Limited(limit)
    result = await ask(charger, "GetVariables", {"getVariableData": [PLACE] * count})

    assert charger.sizes == sizes
    assert result.outcome is CommandOutcome.ACCEPTED
    assert len(result.answer["getVariableResult"]) == count


async def test_answers_of_the_parts_are_one_answer():
    charger = Limited("2")
    result = await ask(charger, "ClearVariableMonitoring", {"id": [1, 2, 3]})

    assert charger.sizes == [2, 1]
    assert [one["id"] for one in result.answer["clearMonitoringResult"]] == [1, 2, 3]
    assert result.outcome is CommandOutcome.REJECTED
