"""OCPP 2.0.1, block B: provisioning; test cases of part 6."""

from base64 import b64encode
from functools import partial

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake

from tests.certification.post import Refused
from tests.support.ports import LOOPBACK
from tests.support.stack import TOKEN

pytestmark = pytest.mark.real

BOOT = {
    "reason": "PowerUp",
    "chargingStation": {"vendorName": "Baywatt Labs", "model": "Virtual 1"},
}
OFFLINE = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "OfflineThreshold"}}
REMOTE = {"component": {"name": "AuthCtrlr"}, "variable": {"name": "AuthorizeRemoteStart"}}
STATE = {
    "component": {"name": "EVSE", "evse": {"id": 1}},
    "variable": {"name": "AvailabilityState"},
}
PROFILE = {
    "configurationSlot": 1,
    "connectionData": {
        "messageTimeout": 30,
        "ocppCsmsUrl": "wss://csms.example/ocpp",
        "ocppInterface": "Wired0",
        "ocppTransport": "JSON",
        "ocppVersion": "OCPP20",
        "securityProfile": 2,
    },
}


def a_limit(name, action):
    variable = {"name": name, "instance": action}
    return {"component": {"name": "DeviceDataCtrlr"}, "variable": variable}


async def boot(post):
    return await post.call("BootNotification", BOOT)


def states():
    status = {
        "timestamp": "2026-11-28T12:00:00Z",
        "connectorStatus": "Available",
        "evseId": 1,
        "connectorId": 1,
    }
    event = {
        "eventId": 1,
        "timestamp": "2026-11-28T12:00:00Z",
        "trigger": "Delta",
        "actualValue": "Available",
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "Connector", "evse": {"id": 1, "connectorId": 1}},
        "variable": {"name": "AvailabilityState"},
    }
    report = {"generatedAt": "2026-11-28T12:00:00Z", "seqNo": 0, "eventData": [event]}
    return (("StatusNotification", status), ("NotifyEvent", report))


async def tell_states(post):
    for action, payload in states():
        assert await post.call(action, payload) == {}


async def registered(post, registration, status):
    """Have the operator say how the charger is answered, and boot until it is answered so."""
    await post.put(f"/chargers/{post.charger_id}/registration", {"registration": registration})

    async def answered():
        answer = await boot(post)
        return answer["status"] == status and answer

    return await post.until(answered, f"boot answered {status}")


async def value_of(post, key):
    """Return the value of a variable as the cloud shows it."""
    held = await post.inventory("variable")
    return held[key]["variableAttribute"][0]["value"]


async def reported(post, request_id):
    async def is_over():
        jobs = [one for one in await post.jobs("report") if one["request_id"] == request_id]
        return jobs and jobs[0]["is_over"] and jobs[0]

    return await post.until(is_over, f"the end of report {request_id}")


def told(post):
    """Return what the charger's reports named."""
    return {
        (
            row["component"]["name"],
            row["component"].get("evse", {}).get("id", 0),
            row["variable"]["name"],
            row["variable"].get("instance", ""),
        )
        for part in post.sent("NotifyReport")
        for row in part["reportData"]
    }


async def shown(post):
    return {
        (
            body["component"]["name"],
            body["component"].get("evse", {}).get("id", 0),
            body["variable"]["name"],
            body["variable"].get("instance", ""),
        )
        for body in (await post.inventory("variable")).values()
    }


async def charging(post):
    post.charger.plug_in(1, post.car())
    await post.command("start_session", evse_id=1, token=TOKEN)
    (session,) = await post.until(post.sessions, "the session")
    return session


async def ended(post):
    async def is_over():
        return [one for one in await post.sessions() if one["ended_at"]]

    (session,) = await post.until(is_over, "the session's end")
    return session


def boots(post):
    return post.sent("BootNotification")


# --- boot ----------------------------------------------------------------------------------------


async def test_TC_B_01_CSMS_cold_boot_is_accepted(post_of):
    async with post_of() as post:
        await post.booted()
        answer = await boot(post)

        assert answer["status"] == "Accepted"
        assert answer["interval"] > 0
        await tell_states(post)
        charger = (await post.get(f"/chargers/{post.charger_id}"))["charger"]
        assert (charger["vendor"], charger["model"]) == ("Baywatt Labs", "Virtual 1")


async def test_TC_B_02_CSMS_a_charger_waits_until_it_is_let_in(post_of):
    async with post_of() as post:
        await post.booted()
        answer = await registered(post, "pending", "Pending")
        read = await post.ask("GetVariables", {"getVariableData": [OFFLINE]})
        await registered(post, "accepted", "Accepted")

        assert 0 < answer["interval"] <= 30
        assert read["state"] == "accepted"
        await tell_states(post)


@pytest.mark.parametrize("registration", ["pending", "rejected"])
async def test_TC_B_30_CSMS_who_was_not_let_in_is_refused_what_it_says(post_of, registration):
    async with post_of() as post:
        await post.booted()
        await registered(post, registration, registration.capitalize())
        for action, payload in states():
            with pytest.raises(Refused) as refused:
                await post.call(action, payload)
            assert refused.value.code == "SecurityError"
        await registered(post, "accepted", "Accepted")


async def test_TC_B_31_CSMS_who_waits_is_asked_to_boot_again(post_of):
    async with post_of() as post:
        await post.booted()
        await registered(post, "pending", "Pending")
        before = len(boots(post))
        await post.put(f"/chargers/{post.charger_id}/registration", {"registration": "accepted"})

        async def let_in():
            await post.command("trigger_message", message="BootNotification")
            asked = await post.asked("TriggerMessage")
            assert asked == {"requestedMessage": "BootNotification"}
            return not await _is_refused(post)

        await post.until(let_in, "let in")
        assert boots(post)[before]["reason"] == "Triggered"
        await tell_states(post)


async def _is_refused(post):
    try:
        await tell_states(post)
    except Refused:
        return True
    return False


async def test_TC_B_58_CSMS_the_version_is_settled_by_the_subprotocol(post_of):
    post = post_of()
    key = post.station.charger_keys[post.charger_id]
    address = f"ws://{LOOPBACK}:{post.stack.agents[post.station.station_id].env['AGENT_OCPP_PORT']}"
    login = b64encode(f"{post.charger_id}:{key}".encode()).decode()
    dial = partial(
        connect,
        f"{address}/ocpp/{post.charger_id}",
        additional_headers={"Authorization": f"Basic {login}"},
    )
    with pytest.raises(InvalidHandshake):
        await dial(subprotocols=["ocpp0.1"])
    async with dial(subprotocols=["ocpp0.1", "ocpp2.0.1"]) as socket:
        assert socket.subprotocol == "ocpp2.0.1"
        assert socket.response.headers["Sec-WebSocket-Protocol"] == "ocpp2.0.1"


# --- variables -----------------------------------------------------------------------------------


async def test_TC_B_06_CSMS_one_variable_is_read(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.command("read_variables", names=["OCPPCommCtrlr/OfflineThreshold"])

        assert await post.asked("GetVariables") == {"getVariableData": [OFFLINE]}
        assert command["state"] == "accepted"
        assert await value_of(post, "OCPPCommCtrlr/OfflineThreshold") == "60"


async def test_TC_B_07_CSMS_several_variables_are_read(post_of):
    async with post_of() as post:
        await post.booted()
        await post.command(
            "read_variables",
            names=["OCPPCommCtrlr/OfflineThreshold", "AuthCtrlr/AuthorizeRemoteStart"],
        )

        assert await post.asked("GetVariables") == {"getVariableData": [OFFLINE, REMOTE]}
        assert await value_of(post, "OCPPCommCtrlr/OfflineThreshold") == "60"
        assert await value_of(post, "AuthCtrlr/AuthorizeRemoteStart") == "false"


async def test_TC_B_08_CSMS_no_more_variables_are_read_at_once_than_the_charger_takes(post_of):
    async with post_of() as post:
        await post.booted()
        wanted = [
            a_limit("ItemsPerMessage", "GetReport"),
            a_limit("ItemsPerMessage", "GetVariables"),
            a_limit("BytesPerMessage", "GetReport"),
            a_limit("BytesPerMessage", "GetVariables"),
            REMOTE,
        ]
        command = await post.ask("GetVariables", {"getVariableData": wanted})

        limit = a_limit("ItemsPerMessage", "GetVariables")
        assert await post.asked("GetVariables") == {"getVariableData": [limit]}
        assert await post.asked("GetVariables") == {"getVariableData": wanted[:4]}
        assert await post.asked("GetVariables") == {"getVariableData": wanted[4:]}
        assert len(command["answer"]["getVariableResult"]) == 5
        assert await value_of(post, "DeviceDataCtrlr/ItemsPerMessage[GetVariables]") == "4"


async def test_TC_B_09_CSMS_one_variable_is_set(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.command(
            "write_variable", name="OCPPCommCtrlr/OfflineThreshold", value="123"
        )

        asked = {"setVariableData": [OFFLINE | {"attributeValue": "123"}]}
        assert await post.asked("SetVariables") == asked
        assert command["state"] == "accepted"
        assert await value_of(post, "OCPPCommCtrlr/OfflineThreshold") == "123"


async def test_TC_B_10_CSMS_several_variables_are_set(post_of):
    async with post_of() as post:
        await post.booted()
        asked = {
            "setVariableData": [
                OFFLINE | {"attributeValue": "123"},
                REMOTE | {"attributeValue": "false"},
            ]
        }
        await post.ask("SetVariables", asked)

        assert await post.asked("SetVariables") == asked
        assert await value_of(post, "OCPPCommCtrlr/OfflineThreshold") == "123"
        assert await value_of(post, "AuthCtrlr/AuthorizeRemoteStart") == "false"


async def base_reported(post, base, some):
    """Have a base report told, and check that the cloud shows what it named, and `some` of it."""
    await post.booted()
    await post.command("read_variables", names=["SecurityCtrlr/Identity"])
    asked = {"requestId": 7, "reportBase": base}
    await post.ask("GetBaseReport", asked)

    assert await post.asked("GetBaseReport") == asked
    assert (await reported(post, 7))["detail"]["reportBase"] == base
    assert some in told(post)
    kept = set() if base == "FullInventory" else {("SecurityCtrlr", 0, "Identity", "")}
    assert await shown(post) == told(post) | kept


async def test_TC_B_12_CSMS_what_can_be_configured_is_reported(post_of):
    async with post_of() as post:
        variable = ("OCPPCommCtrlr", 0, "OfflineThreshold", "")
        await base_reported(post, "ConfigurationInventory", variable)


async def test_TC_B_13_CSMS_all_there_is_is_reported(post_of):
    async with post_of() as post:
        variable = ("DeviceDataCtrlr", 0, "ItemsPerMessage", "GetVariables")
        await base_reported(post, "FullInventory", variable)


async def test_TC_B_14_CSMS_a_summary_is_reported(post_of):
    async with post_of() as post:
        await base_reported(post, "SummaryInventory", ("EVSE", 1, "AvailabilityState", ""))


async def test_B07_FR_08_a_full_report_ends_what_the_charger_does_not_have_any_more(post_of):
    async with post_of() as post:
        await post.booted()
        gone = {"component": {"name": "Old"}, "variable": {"name": "Thing"}}
        report = {"requestId": 1, "seqNo": 0, "generatedAt": "2026-11-28T12:00:00Z"}
        row = gone | {"variableAttribute": [{"value": "1"}]}
        await post.call("NotifyReport", report | {"reportData": [row]})
        await post.command("read_variables")
        asked = await post.asked("GetBaseReport")

        assert asked["reportBase"] == "FullInventory"
        assert asked["requestId"] >= 0
        await reported(post, asked["requestId"])
        assert len(post.sent("NotifyReport")) > 2
        held = await post.inventory("variable")
        assert "Old/Thing" not in held
        assert held["EVSE@1/AvailabilityState"]["variableCharacteristics"]["supportsMonitoring"]


async def test_TC_B_18_CSMS_a_report_is_asked_for_by_criterion_and_variable(post_of):
    async with post_of() as post:
        await post.booted()
        problem = {"requestId": 1, "componentCriteria": ["Problem"], "componentVariable": [STATE]}
        available = problem | {"requestId": 2, "componentCriteria": ["Available"]}
        nothing = await post.ask("GetReport", problem)
        something = await post.ask("GetReport", available)

        assert await post.asked("GetReport") == problem
        assert await post.asked("GetReport") == available
        assert nothing["answer"]["status"] == "EmptyResultSet"
        assert something["answer"]["status"] == "Accepted"
        await reported(post, 2)
        assert await value_of(post, "EVSE@1/AvailabilityState") == "Available"


# --- reset ---------------------------------------------------------------------------------------


async def test_TC_B_20_CSMS_an_idle_charger_is_reset(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.command("reset_charger", reset="soft")

        assert await post.asked("Reset") == {"type": "OnIdle"}
        assert command["answer"]["status"] == "Accepted"
        await post.until(lambda: len(boots(post)) == 2, "the next boot")
        await post.booted()
        assert boots(post)[1]["reason"] == "RemoteReset"


async def test_TC_B_21_CSMS_a_charging_charger_is_reset_once_it_is_idle(post_of):
    async with post_of() as post:
        await post.booted()
        await charging(post)
        command = await post.command("reset_charger", reset="soft")

        assert await post.asked("Reset") == {"type": "OnIdle"}
        assert command["answer"]["status"] == "Scheduled"
        assert command["state"] == "accepted"
        post.charger.unplug(1)
        await ended(post)
        await post.until(lambda: len(boots(post)) == 2, "the next boot")
        assert boots(post)[1]["reason"] == "ScheduledReset"


async def test_TC_B_22_CSMS_a_charging_charger_is_reset_at_once(post_of):
    async with post_of() as post:
        await post.booted()
        await charging(post)
        await post.command("reset_charger", reset="hard")

        assert await post.asked("Reset") == {"type": "Immediate"}
        assert (await ended(post))["end_reason"] == "ImmediateReset"
        await post.until(lambda: len(boots(post)) == 2, "the next boot")
        assert boots(post)[1]["reason"] == "RemoteReset"


async def test_TC_B_25_CSMS_an_idle_evse_is_reset(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.command("reset_charger", reset="soft", evse_id=1)

        assert await post.asked("Reset") == {"type": "OnIdle", "evseId": 1}
        assert command["answer"]["status"] == "Accepted"
        assert len(boots(post)) == 1


async def test_TC_B_26_CSMS_a_charging_evse_is_reset_once_it_is_idle(post_of):
    async with post_of() as post:
        await post.booted()
        await charging(post)
        command = await post.command("reset_charger", reset="soft", evse_id=1)

        assert await post.asked("Reset") == {"type": "OnIdle", "evseId": 1}
        assert command["answer"]["status"] == "Scheduled"
        post.charger.unplug(1)
        await ended(post)


async def test_TC_B_27_CSMS_a_charging_evse_is_reset_at_once(post_of):
    async with post_of() as post:
        await post.booted()
        await charging(post)
        command = await post.command("reset_charger", reset="hard", evse_id=1)

        assert await post.asked("Reset") == {"type": "Immediate", "evseId": 1}
        assert command["answer"]["status"] == "Accepted"
        assert (await ended(post))["end_reason"] == "ImmediateReset"
        assert len(boots(post)) == 1


# --- network profiles ----------------------------------------------------------------------------


async def test_TC_B_42_CSMS_a_network_profile_is_set(post_of):
    async with post_of() as post:
        await post.booted()
        post.answers("SetNetworkProfile", {"status": "Accepted"})
        command = await post.ask("SetNetworkProfile", PROFILE)

        assert await post.asked("SetNetworkProfile") == PROFILE
        assert command["state"] == "accepted"


async def test_TC_B_44_CSMS_a_network_profile_the_charger_failed_to_set_is_not_taken_for_set(
    post_of,
):
    async with post_of() as post:
        await post.booted()
        post.answers("SetNetworkProfile", {"status": "Failed"})
        command = await post.ask("SetNetworkProfile", PROFILE)

        assert await post.asked("SetNetworkProfile") == PROFILE
        assert command["state"] == "rejected"
        assert command["answer"]["status"] == "Failed"
