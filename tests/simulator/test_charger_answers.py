"""Every call of a central system gets the answer its schema asks for."""

import pytest

from simulator.chargers import schemas, v16_answers, v21, v201_answers
from simulator.chargers.evse import State
from simulator.journal import Kind
from tests.simulator.builders import MONDAY, SCHEMAS, a_car, a_charger, a_world
from tests.simulator.fakes import FakeCsms
from tests.simulator.schema_examples import examples

ANSWERS = {"v16": v16_answers.ANSWERS, "v201": v201_answers.ANSWERS, "v21": v21.ANSWERS}
FROM_CHARGERS = {
    "v16": {
        "Authorize",
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    },
    "v201": {
        "Authorize",
        "BootNotification",
        "ClearedChargingLimit",
        "FirmwareStatusNotification",
        "Get15118EVCertificate",
        "GetCertificateStatus",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "NotifyChargingLimit",
        "NotifyCustomerInformation",
        "NotifyDisplayMessages",
        "NotifyEVChargingNeeds",
        "NotifyEVChargingSchedule",
        "NotifyEvent",
        "NotifyMonitoringReport",
        "NotifyReport",
        "PublishFirmwareStatusNotification",
        "ReportChargingProfiles",
        "ReservationStatusUpdate",
        "SecurityEventNotification",
        "SignCertificate",
        "StatusNotification",
        "TransactionEvent",
    },
}
FROM_CHARGERS["v21"] = FROM_CHARGERS["v201"] | {
    "BatterySwap",
    "ClosePeriodicEventStream",
    "GetCertificateChainStatus",
    "NotifyDERAlarm",
    "NotifyDERStartStop",
    "NotifyPeriodicEventStream",
    "NotifyPriorityCharging",
    "NotifySettlement",
    "NotifyWebPaymentStarted",
    "OpenPeriodicEventStream",
    "PullDynamicScheduleUpdate",
    "ReportDERControl",
    "VatNumberValidation",
}
EVERY = [(schema, action) for schema, answers in ANSWERS.items() for action in sorted(answers)]


def _charger_at(version):
    world, journal = a_world()
    charger = a_charger(world, version, evses=2)
    csms = FakeCsms(SCHEMAS[version])
    csms.connect(charger.line)
    return world, journal, charger, csms


@pytest.mark.parametrize("schema", list(ANSWERS))
def test_every_action_comes_from_one_side_or_is_answered(schema):
    answered = set(ANSWERS[schema])

    assert answered | FROM_CHARGERS[schema] == schemas.actions(schema)
    assert answered & FROM_CHARGERS[schema] == set()


@pytest.mark.parametrize(("schema", "action"), EVERY)
@pytest.mark.parametrize("is_charging", [False, True])
def test_whatever_is_asked_by_its_schema_is_answered_by_its_schema(schema, action, is_charging):
    version = {"v16": "1.6", "v201": "2.0.1", "v21": "2.1"}[schema]
    for payload in examples(schema, action):
        assert schemas.fault_in(schema, action, payload) == ""
        world, _, charger, csms = _charger_at(version)
        if is_charging:
            charger.plug_in(1, a_car())
            charger.present(1, "A")
        frame = csms.ask(action, payload)
        world.run_for(1)

        assert frame[0] == 3, frame
        assert schemas.fault_in_answer(schema, action, frame[2]) == ""


@pytest.mark.parametrize(
    ("version", "code"), [("1.6", "FormationViolation"), ("2.0.1", "FormatViolation")]
)
def test_what_does_not_fit_the_schema_is_refused(version, code):
    _, _, _, csms = _charger_at(version)

    assert csms.ask("ReserveNow", {"nonsense": True})[:3] == [4, "ask-1", code]


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
def test_unknown_actions_are_not_implemented(version):
    _, _, _, csms = _charger_at(version)

    assert csms.ask("MakeCoffee", {})[2] == "NotImplemented"


def test_a_session_is_started_and_stopped_from_afar_in_1_6():
    world, journal, charger, csms = _charger_at("1.6")
    charger.plug_in(1, a_car())
    started = csms.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "APP-1"})
    world.run_for(60)
    stopped = csms.ask("RemoteStopTransaction", {"transactionId": 1})
    unknown = csms.ask("RemoteStopTransaction", {"transactionId": 99})
    world.run_for(1)

    assert (started[2], stopped[2]) == ({"status": "Accepted"}, {"status": "Accepted"})
    assert unknown[2] == {"status": "Rejected"}
    assert csms.told("StopTransaction")[0]["reason"] == "Remote"
    assert len(journal.of(Kind.SESSION_ENDED)) == 1


def test_a_session_started_from_afar_waits_for_the_cable_in_2_0_1():
    world, _, charger, csms = _charger_at("2.0.1")
    token = {"idToken": "APP-1", "type": "Central"}
    asked = {"evseId": 1, "remoteStartId": 77, "idToken": token}
    answer = csms.ask("RequestStartTransaction", asked)
    world.run_for(5)
    waiting = charger.evses[1].state
    charger.plug_in(1, a_car())
    world.run_for(5)

    assert answer[2] == {"status": "Accepted"}
    assert waiting is State.PREPARING
    assert csms.told("TransactionEvent")[0]["eventType"] == "Started"


def test_nobody_plugging_in_ends_the_wait():
    world, _, charger, csms = _charger_at("1.6")
    csms.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "APP-1"})
    world.run_for(61)

    assert charger.evses[1].state is State.FREE


def test_the_meter_interval_is_set_in_each_version_own_words():
    for version, action, payload in [
        ("1.6", "ChangeConfiguration", {"key": "MeterValueSampleInterval", "value": "5"}),
        (
            "2.0.1",
            "SetVariables",
            {
                "setVariableData": [
                    {
                        "component": {"name": "SampledDataCtrlr"},
                        "variable": {"name": "TxUpdatedInterval"},
                        "attributeValue": "5",
                    }
                ]
            },
        ),
    ]:
        world, journal, charger, csms = _charger_at(version)
        csms.ask(action, payload)
        charger.plug_in(1, a_car())
        charger.present(1, "A")
        world.run_for(51)

        assert len(journal.of(Kind.METER)) == 10


def test_configuration_is_told_as_it_is():
    _, _, _, csms = _charger_at("1.6")
    refused = csms.ask("ChangeConfiguration", {"key": "NumberOfConnectors", "value": "9"})
    unknown = csms.ask("ChangeConfiguration", {"key": "Colour", "value": "red"})
    wrong = csms.ask("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "soon"})
    told = csms.ask("GetConfiguration", {"key": ["NumberOfConnectors", "Colour"]})

    assert [one[2]["status"] for one in (refused, unknown, wrong)] == [
        "Rejected",
        "NotSupported",
        "Rejected",
    ]
    assert told[2]["configurationKey"] == [
        {"key": "NumberOfConnectors", "readonly": True, "value": "2"}
    ]
    assert told[2]["unknownKey"] == ["Colour"]


def test_variables_say_which_part_of_their_name_is_unknown():
    _, _, _, csms = _charger_at("2.0.1")
    rows = [("OCPPCommCtrlr", "HeartbeatInterval"), ("OCPPCommCtrlr", "Nope"), ("Nope", "Nope")]
    asked = [{"component": {"name": one}, "variable": {"name": two}} for one, two in rows]
    told = csms.ask("GetVariables", {"getVariableData": asked})[2]["getVariableResult"]

    assert [row["attributeStatus"] for row in told] == [
        "Accepted",
        "UnknownVariable",
        "UnknownComponent",
    ]
    assert told[0]["attributeValue"] == "300"


def test_a_full_report_comes_in_parts_of_which_only_the_last_says_so():
    world, _, _, csms = _charger_at("2.0.1")
    csms.ask("GetBaseReport", {"requestId": 5, "reportBase": "FullInventory"})
    world.run_for(1)

    parts = csms.told("NotifyReport")
    assert [part["seqNo"] for part in parts] == list(range(len(parts)))
    assert [part["tbc"] for part in parts] == [True] * (len(parts) - 1) + [False]


@pytest.mark.parametrize(
    ("version", "payload", "reason"),
    [("1.6", {"type": "Hard"}, "HardReset"), ("2.0.1", {"type": "Immediate"}, "ImmediateReset")],
)
def test_a_reset_ends_sessions_and_boots_again(version, payload, reason):
    world, _, charger, csms = _charger_at(version)
    charger.plug_in(1, a_car())
    charger.present(1, "A")
    world.run_for(60)
    csms.ask("Reset", payload)
    world.run_for(60)

    if version == "1.6":
        assert csms.told("StopTransaction")[0]["reason"] == reason
    else:
        assert csms.told("TransactionEvent")[-1]["transactionInfo"]["stoppedReason"] == reason
        assert csms.told("BootNotification")[-1]["reason"] == "RemoteReset"
    assert len(csms.told("BootNotification")) == 2


def test_a_reset_when_idle_waits_for_the_session():
    world, _, charger, csms = _charger_at("2.0.1")
    charger.plug_in(1, a_car())
    charger.present(1, "A")
    answer = csms.ask("Reset", {"type": "OnIdle"})
    world.run_for(60)
    boots_before = len(csms.told("BootNotification"))
    charger.unplug(1)
    world.run_for(30)

    assert answer[2] == {"status": "Scheduled"}
    assert (boots_before, len(csms.told("BootNotification"))) == (1, 2)


def test_taking_an_evse_out_of_service_waits_for_its_session():
    world, _, charger, csms = _charger_at("1.6")
    charger.plug_in(1, a_car())
    charger.present(1, "A")
    busy = csms.ask("ChangeAvailability", {"connectorId": 1, "type": "Inoperative"})
    idle = csms.ask("ChangeAvailability", {"connectorId": 2, "type": "Inoperative"})
    world.run_for(1)
    during = charger.evses[1].state
    charger.unplug(1)

    assert (busy[2]["status"], idle[2]["status"]) == ("Scheduled", "Accepted")
    assert during is State.CHARGING
    assert charger.evses[1].state is State.UNAVAILABLE
    assert charger.evses[2].state is State.UNAVAILABLE


def _reservation(number, token):
    until = MONDAY.replace(hour=9).isoformat()
    return {"connectorId": 1, "expiryDate": until, "idTag": token, "reservationId": number}


def test_a_reserved_evse_serves_its_token_alone_and_names_the_reservation():
    world, _, charger, csms = _charger_at("1.6")
    csms.ask("ReserveNow", _reservation(7, "MINE"))
    world.run_for(1)
    state = charger.evses[1].state
    charger.plug_in(1, a_car())
    verdicts = []
    charger.present(1, "OTHER", verdicts.append)
    charger.present(1, "mine", verdicts.append)
    world.run_for(1)

    assert state is State.RESERVED
    assert verdicts == [False, True]
    assert csms.told("StartTransaction")[0]["reservationId"] == 7


def test_reservations_end_by_themselves_or_when_cancelled():
    world, _, charger, csms = _charger_at("1.6")
    csms.ask("ReserveNow", _reservation(7, "MINE"))
    cancelled = csms.ask("CancelReservation", {"reservationId": 7})[2]
    again = csms.ask("CancelReservation", {"reservationId": 7})[2]
    csms.ask("ReserveNow", _reservation(8, "MINE"))
    world.run_for(3_700)

    assert (cancelled["status"], again["status"]) == ("Accepted", "Rejected")
    assert charger.evses[1].state is State.FREE


@pytest.mark.parametrize(
    ("state", "word"), [("fault", "Faulted"), ("car", "Occupied"), ("off", "Unavailable")]
)
def test_what_cannot_be_reserved_says_why(state, word):
    _, _, charger, csms = _charger_at("1.6")
    if state == "fault":
        charger.break_down(1, "GroundFailure")
    elif state == "car":
        charger.plug_in(1, a_car())
    else:
        charger.set_available(1, is_available=False)

    assert csms.ask("ReserveNow", _reservation(7, "MINE"))[2]["status"] == word


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
@pytest.mark.parametrize("message", ["BootNotification", "Heartbeat", "StatusNotification"])
def test_a_triggered_message_comes(version, message):
    world, _, _, csms = _charger_at(version)
    before = len(csms.told(message))
    answer = csms.ask("TriggerMessage", {"requestedMessage": message})
    world.run_for(1)

    assert answer[2] == {"status": "Accepted"}
    assert len(csms.told(message)) > before


def test_a_local_list_decides_while_nobody_can_be_asked():
    _, journal, charger, csms = _charger_at("1.6")
    entries = [
        {"idTag": "GOOD", "idTagInfo": {"status": "Accepted"}},
        {"idTag": "BAD", "idTagInfo": {"status": "Blocked"}},
    ]
    csms.ask(
        "SendLocalList",
        {"listVersion": 3, "updateType": "Full", "localAuthorizationList": entries},
    )
    version = csms.ask("GetLocalListVersion", {})[2]
    old = csms.ask("SendLocalList", {"listVersion": 2, "updateType": "Differential"})[2]
    charger.line.closed()
    charger.plug_in(1, a_car())
    verdicts = []
    charger.present(1, "bad", verdicts.append)
    charger.present(1, "good", verdicts.append)

    assert (version, old) == ({"listVersion": 3}, {"status": "VersionMismatch"})
    assert verdicts == [False, True]
    assert len(journal.of(Kind.SESSION_BEGUN)) == 1


def test_unlocking_ends_the_session_unless_the_lock_is_broken():
    world, _, charger, csms = _charger_at("1.6")
    charger.plug_in(1, a_car())
    charger.present(1, "A")
    unlocked = csms.ask("UnlockConnector", {"connectorId": 1})[2]
    world.run_for(1)
    charger.break_down(2, "ConnectorLockFailure")
    stuck = csms.ask("UnlockConnector", {"connectorId": 2})[2]
    nowhere = csms.ask("UnlockConnector", {"connectorId": 9})[2]

    assert csms.told("StopTransaction")[0]["reason"] == "UnlockCommand"
    assert [one["status"] for one in (unlocked, stuck, nowhere)] == [
        "Unlocked",
        "UnlockFailed",
        "NotSupported",
    ]
