"""The tables of each version are whole: actions, enumerations, commands."""

from datetime import timedelta
from itertools import product

import pytest
from ocpp.v16.enums import ChargePointStatus
from ocpp.v21.enums import Action as Action21
from ocpp.v201.enums import Action as Action201
from ocpp.v201.enums import ChargingStateEnumType, ConnectorStatusEnumType

from contracts import commands
from contracts.commands import LogKind, MessagePriority, MessageState, ResetKind
from contracts.events import ChargingState, ConnectorState
from station_agent.ocpp import v16, v201
from station_agent.ocpp.handshake import VERSIONS
from station_agent.ocpp.outcome import Answers
from station_agent.ocpp.v16.status_notification import STATE as STATE_16
from station_agent.ocpp.v201.status_notification import STATE as STATE_201
from station_agent.ocpp.v201.transaction_event import STATE as CHARGING_201
from station_agent.ocpp.versions import CommandContext, Untranslatable
from tests.station_agent.ocpp.fakes import NOW, FakeOutbox

# Who sends what, by hand from the specifications: what the charging station initiates.
INBOUND_16 = {
    "Authorize",
    "BootNotification",
    "DataTransfer",
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
}
INBOUND_201 = {
    "Authorize",
    "BootNotification",
    "ClearedChargingLimit",
    "DataTransfer",
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
}
ADDED_BY_21 = {
    "BatterySwap",
    "ClosePeriodicEventStream",
    "GetCertificateChainStatus",
    "NotifyDERAlarm",
    "NotifyDERStartStop",
    "NotifyPeriodicEventStream",
    "NotifyPriorityCharging",
    "NotifySettlement",
    "OpenPeriodicEventStream",
    "PullDynamicScheduleUpdate",
    "ReportDERControl",
    "VatNumberValidation",
}
INBOUND = {
    "ocpp1.6": INBOUND_16,
    "ocpp2.0.1": INBOUND_201,
    "ocpp2.1": INBOUND_201 | ADDED_BY_21,
}
COMMANDS = [
    commands.StartSession(charger_id="CP-1", evse_id=1, token="04A1"),
    commands.StartSession(charger_id="CP-1", evse_id=0, token="04A1"),
    commands.StopSession(charger_id="CP-1", session_id="s", transaction_id="17"),
    commands.ResetCharger(charger_id="CP-1"),
    commands.ResetCharger(charger_id="CP-1", reset=ResetKind.HARD),
    commands.UnlockConnector(charger_id="CP-1", evse_id=2),
    commands.ChangeAvailability(charger_id="CP-1", evse_id=0, is_available=False),
    commands.ChangeAvailability(charger_id="CP-1", evse_id=2, is_available=True),
    commands.TriggerMessage(charger_id="CP-1", message="Heartbeat"),
    commands.TriggerMessage(charger_id="CP-1", message="StatusNotification", evse_id=1),
    commands.ReserveEvse(
        charger_id="CP-1",
        evse_id=1,
        reservation_number=5,
        token="04A1",
        until_at=NOW + timedelta(hours=1),
    ),
    commands.CancelReservation(charger_id="CP-1", reservation_number=5),
    commands.SetMeterInterval(charger_id="CP-1", interval_s=60),
    commands.SetChargerKey(charger_id="CP-1", salt="ab" * 16, key="cd" * 20),
    commands.DeliverCertificate(charger_id="CP-1", chain="PEM"),
    commands.DeliverCertificate(charger_id="CP-1", chain="PEM", purpose="V2GCertificate"),
    commands.TriggerMessage(charger_id="CP-1", message="LogStatusNotification"),
    commands.ClearCache(charger_id="CP-1"),
    commands.UpdateFirmware(charger_id="CP-1", location="ftp://x/fw", retrieve_at=NOW),
    commands.UpdateFirmware(
        charger_id="CP-1",
        location="ftp://x/fw",
        retrieve_at=NOW,
        install_at=NOW + timedelta(hours=1),
        signing_certificate="PEM",
        signature="c2ln",
    ),
    commands.ReadVariables(charger_id="CP-1"),
    commands.ReadVariables(charger_id="CP-1", names=["OCPPCommCtrlr/HeartbeatInterval"]),
    commands.WriteVariable(charger_id="CP-1", name="EVSE@1/Power", value="1"),
    *(
        commands.FetchLog(
            charger_id="CP-1", log=log, location="ftp://x/y", request_id=7, since_at=at, until_at=at
        )
        for log in LogKind
        for at in (None, NOW)
    ),
    commands.CallCharger(charger_id="CP-1", action="ClearCache"),
    commands.SetChargingProfile(
        charger_id="CP-1",
        evse_id=0,
        profile=commands.ChargingProfile(
            profile_id=1,
            purpose=commands.ProfilePurpose.CHARGER,
            profile_kind=commands.ProfileKind.RELATIVE,
            periods=[commands.LimitPeriod(start_s=0, limit=11_000)],
        ),
    ),
    commands.ClearChargingProfile(charger_id="CP-1", profile_id=1),
    commands.GetCompositeSchedule(charger_id="CP-1", evse_id=1, duration_s=300),
    commands.SendLocalList(
        charger_id="CP-1", version=2, is_whole=True, entries=[commands.ListedToken(token="04A1")]
    ),
    commands.GetLocalListVersion(charger_id="CP-1"),
]
ONLY_OF_2 = [
    commands.ResetCharger(charger_id="CP-1", evse_id=2),
    commands.ShowMessage(charger_id="CP-1", text="Closed"),
    commands.ShowMessage(
        charger_id="CP-1",
        text="Closed",
        language="en",
        message_id=3,
        priority=MessagePriority.IN_FRONT,
        state=MessageState.IDLE,
        starts_at=NOW,
        ends_at=NOW,
        transaction_id="17",
    ),
    commands.ClearMessage(charger_id="CP-1", message_id=3),
    commands.TellCost(charger_id="CP-1", transaction_id="17", total="1.50"),
]
"""What 1.6 has no call for."""


def a_command_context() -> CommandContext:
    return CommandContext("CP-1", FakeOutbox())


@pytest.mark.parametrize("subprotocol", sorted(VERSIONS))
def test_every_inbound_action_is_served_or_listed_with_a_reason_never_both(subprotocol):
    version = VERSIONS[subprotocol]
    served, listed = set(version.routes), set(version.not_handled)

    assert served | listed == INBOUND[subprotocol]
    assert not served & listed
    assert all(version.not_handled.values())


@pytest.mark.parametrize(("subprotocol", "enum"), [("ocpp2.0.1", Action201), ("ocpp2.1", Action21)])
def test_the_actions_of_the_package_are_all_known_in_one_direction(subprotocol, enum):
    known = VERSIONS[subprotocol].schemas.actions

    assert known <= {action.value for action in enum}


@pytest.mark.parametrize("subprotocol", sorted(VERSIONS))
def test_only_transaction_messages_have_a_last_resort_and_they_are_read_leniently(subprotocol):
    routes = VERSIONS[subprotocol].routes
    with_last_resort = {action for action, route in routes.items() if route.last_resort}

    expected = {"MeterValues", "TransactionEvent"}
    if subprotocol == "ocpp1.6":
        expected = {"MeterValues", "StartTransaction", "StopTransaction"}
    assert with_last_resort == expected
    assert all(routes[action].is_lenient for action in with_last_resort)


@pytest.mark.parametrize("subprotocol", sorted(VERSIONS))
def test_what_begins_or_ends_a_session_keeps_its_answers_and_what_tells_the_time_forgets(
    subprotocol,
):
    routes = VERSIONS[subprotocol].routes

    kept = {action for action, route in routes.items() if route.answers is Answers.KEPT}
    assert kept <= {"StartTransaction", "StopTransaction", "TransactionEvent"}
    assert kept
    assert routes["Heartbeat"].answers is Answers.FORGOTTEN
    assert routes["BootNotification"].answers is Answers.FORGOTTEN


def test_every_status_of_16_has_a_state():
    assert set(STATE_16) == set(ChargePointStatus)
    assert set(STATE_16.values()) == set(ConnectorState) - {ConnectorState.PLUGGED}


def test_every_status_of_201_has_a_state():
    assert set(STATE_201) == set(ConnectorStatusEnumType)
    assert set(CHARGING_201) == set(ChargingStateEnumType)
    assert set(CHARGING_201.values()) == set(ChargingState)


@pytest.mark.parametrize(
    ("subprotocol", "request_"), list(product(sorted(VERSIONS), COMMANDS)), ids=str
)
def test_every_command_becomes_a_call_that_fits_its_schema(subprotocol, request_):
    version = VERSIONS[subprotocol]

    outbound = version.translate(request_, a_command_context())

    assert version.schemas.request(outbound.action).fits(outbound.payload)
    assert outbound.action not in version.inbound()


@pytest.mark.parametrize(
    ("subprotocol", "request_"), list(product(sorted(VERSIONS), ONLY_OF_2)), ids=str
)
def test_what_only_2_has_a_call_for_is_not_sent_by_16(subprotocol, request_):
    version = VERSIONS[subprotocol]
    if subprotocol == "ocpp1.6":
        with pytest.raises(Untranslatable):
            version.translate(request_, a_command_context())
        return
    outbound = version.translate(request_, a_command_context())

    assert version.schemas.request(outbound.action).fits(outbound.payload)


def test_a_variable_needs_a_name_of_the_inventory():
    request = commands.WriteVariable(charger_id="CP-1", name="HeartbeatInterval", value="1")

    with pytest.raises(Untranslatable, match="no variable"):
        v201.VERSION.translate(request, a_command_context())


def test_every_kind_of_command_is_translated_by_every_version():
    kinds = set(commands.Request.__args__)

    assert {type(request) for request in (*COMMANDS, *ONLY_OF_2)} == kinds
    assert all(set(version.commands) == kinds for version in VERSIONS.values())


@pytest.mark.parametrize(
    ("request_", "action", "payload"),
    [
        (COMMANDS[0], "RemoteStartTransaction", {"idTag": "04A1", "connectorId": 1}),
        (COMMANDS[1], "RemoteStartTransaction", {"idTag": "04A1"}),
        (COMMANDS[2], "RemoteStopTransaction", {"transactionId": 17}),
        (COMMANDS[3], "Reset", {"type": "Soft"}),
        (COMMANDS[5], "UnlockConnector", {"connectorId": 2}),
        (COMMANDS[6], "ChangeAvailability", {"connectorId": 0, "type": "Inoperative"}),
        (
            COMMANDS[12],
            "ChangeConfiguration",
            {"key": "MeterValueSampleInterval", "value": "60"},
        ),
        (
            COMMANDS[13],
            "ChangeConfiguration",
            {"key": "AuthorizationKey", "value": "cd" * 20},
        ),
        (COMMANDS[15], "CertificateSigned", {"certificateChain": "PEM"}),
        (
            COMMANDS[16],
            "ExtendedTriggerMessage",
            {"requestedMessage": "LogStatusNotification"},
        ),
    ],
    ids=str,
)
def test_commands_of_16_are_spelled_its_way(request_, action, payload):
    outbound = v16.VERSION.translate(request_, a_command_context())

    assert (outbound.action, outbound.payload) == (action, payload)


@pytest.mark.parametrize(
    ("request_", "action", "payload"),
    [
        (
            COMMANDS[0],
            "RequestStartTransaction",
            {"idToken": {"idToken": "04A1", "type": "Central"}, "remoteStartId": 1, "evseId": 1},
        ),
        (COMMANDS[2], "RequestStopTransaction", {"transactionId": "17"}),
        (COMMANDS[3], "Reset", {"type": "OnIdle"}),
        (COMMANDS[4], "Reset", {"type": "Immediate"}),
        (COMMANDS[5], "UnlockConnector", {"evseId": 2, "connectorId": 1}),
        (COMMANDS[6], "ChangeAvailability", {"operationalStatus": "Inoperative"}),
        (
            COMMANDS[9],
            "TriggerMessage",
            {"requestedMessage": "StatusNotification", "evse": {"id": 1, "connectorId": 1}},
        ),
        (COMMANDS[14], "CertificateSigned", {"certificateChain": "PEM"}),
        (
            COMMANDS[15],
            "CertificateSigned",
            {"certificateChain": "PEM", "certificateType": "V2GCertificate"},
        ),
    ],
    ids=str,
)
def test_commands_of_201_are_spelled_its_way(request_, action, payload):
    outbound = v201.VERSION.translate(request_, a_command_context())

    assert (outbound.action, outbound.payload) == (action, payload)


@pytest.mark.parametrize(
    "request_",
    [
        commands.CallCharger(charger_id="CP-1", action="MakeCoffee"),
        commands.CallCharger(charger_id="CP-1", action="Reset", payload={"type": "Gently"}),
        commands.CallCharger(charger_id="CP-1", action="../Reset"),
        commands.CallCharger(charger_id="CP-1", action="BootNotification"),
        commands.StopSession(charger_id="CP-1", session_id="s", transaction_id="not a number"),
        commands.StartSession(charger_id="CP-1", evse_id=1, token="x" * 21),
        commands.TriggerMessage(charger_id="CP-1", message="Nonsense"),
    ],
    ids=str,
)
def test_what_16_has_no_call_for_is_not_sent(request_):
    with pytest.raises(Untranslatable):
        v16.VERSION.translate(request_, a_command_context())
