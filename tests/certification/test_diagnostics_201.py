"""OCPP 2.0.1, block N: diagnostics; test cases of part 6."""

import pytest

from tests.certification.tokens import a_token

pytestmark = pytest.mark.real

STATION = {"component": {"name": "ChargingStation"}}
EVSE = {"component": {"name": "EVSE", "evse": {"id": 1}}}
STATE = {"variable": {"name": "AvailabilityState"}}
POWER = {"variable": {"name": "Power"}}
TOKEN = {"idToken": "04A1B2C3", "type": "ISO14443"}
HASHES = {
    "hashAlgorithm": "SHA256",
    "issuerNameHash": "aa",
    "issuerKeyHash": "bb",
    "serialNumber": "cafe01",
}
AT = "2026-11-28T12:00:00Z"


def a_monitor(place, kind="Delta", value=1.0, severity=8):
    return place | {"type": kind, "value": value, "severity": severity}


def an_event(place, **changes):
    event = place | {
        "eventId": 1,
        "timestamp": AT,
        "trigger": "Periodic",
        "actualValue": "11.5",
        "eventNotificationType": "CustomMonitor",
    }
    return {"generatedAt": AT, "seqNo": 0, "eventData": [event | changes]}


async def over(post, job, request_id):
    """Wait for a job's end and return it."""

    async def found():
        jobs = [one for one in await post.jobs(job) if one["request_id"] == request_id]
        return jobs and jobs[0]["is_over"] and jobs[0]

    return await post.until(found, f"the end of {job} {request_id}")


async def set_up(post, *monitors):
    command = await post.ask("SetVariableMonitoring", {"setMonitoringData": list(monitors)})
    assert command["state"] == "accepted"


async def monitors_of(post):
    """Return the monitors the cloud shows: where and of which kind."""
    held = await post.inventory("monitor")
    return sorted(
        (one["component"]["name"], one["variable"]["name"], one["type"]) for one in held.values()
    )


async def asked_for_reports(post, empty, found):
    """Have two monitoring reports fetched, the first of which finds nothing; end with the second."""
    first = await post.ask("GetMonitoringReport", {"requestId": 1} | empty)
    second = await post.ask("GetMonitoringReport", {"requestId": 2} | found)

    assert await post.asked("GetMonitoringReport") == {"requestId": 1} | empty
    assert await post.asked("GetMonitoringReport") == {"requestId": 2} | found
    assert first["answer"]["status"] == "EmptyResultSet"
    assert second["answer"]["status"] == "Accepted"
    assert not (await over(post, "monitoring_report", 2))["has_failed"]


async def test_TC_N_01_CSMS_monitors_are_reported_by_criterion(post_of):
    async with post_of() as post:
        await post.booted()
        await set_up(post, a_monitor(EVSE | POWER, "UpperThreshold", 20_000.0))
        await asked_for_reports(
            post,
            {"monitoringCriteria": ["DeltaMonitoring"]},
            {"monitoringCriteria": ["ThresholdMonitoring"]},
        )

        assert await monitors_of(post) == [("EVSE", "Power", "UpperThreshold")]


async def test_TC_N_02_CSMS_monitors_are_reported_by_component_and_variable(post_of):
    async with post_of() as post:
        await post.booted()
        await set_up(post, a_monitor(EVSE | STATE))
        await asked_for_reports(
            post,
            {"componentVariable": [STATION | POWER]},
            {"componentVariable": [EVSE | STATE]},
        )

        assert await monitors_of(post) == [("EVSE", "AvailabilityState", "Delta")]


async def test_TC_N_03_CSMS_monitors_are_reported_by_criterion_and_component(post_of):
    async with post_of() as post:
        await post.booted()
        await set_up(post, a_monitor(STATION | POWER, "UpperThreshold", 40_000.0))
        await asked_for_reports(
            post,
            {"monitoringCriteria": ["DeltaMonitoring"], "componentVariable": [EVSE | STATE]},
            {
                "monitoringCriteria": ["ThresholdMonitoring"],
                "componentVariable": [STATION | POWER],
            },
        )

        assert await monitors_of(post) == [("ChargingStation", "Power", "UpperThreshold")]


async def test_TC_N_60_CSMS_monitors_are_reported_by_criterion_and_several_components(post_of):
    async with post_of() as post:
        await post.booted()
        await set_up(post, a_monitor(STATION | STATE), a_monitor(EVSE | STATE))
        places = [STATION | STATE, EVSE | STATE]
        await asked_for_reports(
            post,
            {"monitoringCriteria": ["ThresholdMonitoring"], "componentVariable": places},
            {"monitoringCriteria": ["DeltaMonitoring"], "componentVariable": places},
        )

        assert await monitors_of(post) == [
            ("ChargingStation", "AvailabilityState", "Delta"),
            ("EVSE", "AvailabilityState", "Delta"),
        ]


async def test_TC_N_47_CSMS_all_monitors_are_reported(post_of):
    async with post_of() as post:
        await post.booted()
        await set_up(post, a_monitor(STATION | STATE), a_monitor(EVSE | STATE))
        await post.ask("GetMonitoringReport", {"requestId": 3})

        assert await post.asked("GetMonitoringReport") == {"requestId": 3}
        await over(post, "monitoring_report", 3)
        assert len(await post.inventory("monitor")) == 2


@pytest.mark.parametrize("base", ["All", "FactoryDefault", "HardWiredOnly"])
async def test_TC_N_05_CSMS_each_monitoring_base_can_be_set(post_of, base):
    async with post_of() as post:
        await post.booted()
        await set_up(post, a_monitor(EVSE | STATE))
        command = await post.ask("SetMonitoringBase", {"monitoringBase": base})

        assert await post.asked("SetMonitoringBase") == {"monitoringBase": base}
        assert command["state"] == "accepted"
        held = await post.inventory("variable")
        attribute = held["MonitoringCtrlr/ActiveMonitoringBase"]["variableAttribute"][0]
        assert attribute["value"] == base
        assert len(await post.inventory("monitor")) == (1 if base == "All" else 0)


async def test_TC_N_08_CSMS_one_monitor_is_set(post_of):
    async with post_of() as post:
        await post.booted()
        monitor = a_monitor(EVSE | STATE)
        await set_up(post, monitor)

        assert await post.asked("SetVariableMonitoring") == {"setMonitoringData": [monitor]}
        assert await post.inventory("monitor") == {"1": monitor | {"id": 1}}


async def test_TC_N_09_CSMS_monitors_of_several_components_are_set(post_of):
    async with post_of() as post:
        await post.booted()
        monitors = [a_monitor(EVSE | STATE), a_monitor(STATION | STATE)]
        await set_up(post, *monitors)

        assert await post.asked("SetVariableMonitoring") == {"setMonitoringData": monitors}
        assert set(await post.inventory("monitor")) == {"1", "2"}


async def test_TC_N_16_CSMS_a_monitoring_level_is_set(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.ask("SetMonitoringLevel", {"severity": 4})

        assert await post.asked("SetMonitoringLevel") == {"severity": 4}
        assert command["state"] == "accepted"
        held = await post.inventory("variable")
        attribute = held["MonitoringCtrlr/ActiveMonitoringLevel"]["variableAttribute"][0]
        assert attribute["value"] == "4"


async def test_TC_N_17_CSMS_a_monitoring_level_the_charger_rejects_is_not_taken_for_set(post_of):
    async with post_of() as post:
        await post.booted()
        post.answers("SetMonitoringLevel", {"status": "Rejected"})
        command = await post.ask("SetMonitoringLevel", {"severity": 4})

        assert command["state"] == "rejected"
        assert "MonitoringCtrlr/ActiveMonitoringLevel" not in await post.inventory("variable")


async def test_TC_N_18_CSMS_no_more_monitors_are_cleared_at_once_than_the_charger_takes(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.ask("ClearVariableMonitoring", {"id": [11, 12, 13, 14]})

        (asked,) = (await post.asked("GetVariables"))["getVariableData"]
        assert asked["component"]["name"] == "MonitoringCtrlr"
        assert asked["variable"] == {
            "name": "ItemsPerMessage",
            "instance": "ClearVariableMonitoring",
        }
        assert await post.asked("ClearVariableMonitoring") == {"id": [11, 12, 13]}
        assert await post.asked("ClearVariableMonitoring") == {"id": [14]}
        assert len(command["answer"]["clearMonitoringResult"]) == 4


async def test_an_event_of_a_monitor_we_set_is_taken(post_of):
    async with post_of() as post:
        await post.booted()
        await set_up(post, a_monitor(EVSE | STATE))
        post.charger.plug_in(1, post.car())
        (fact,) = await post.until(lambda: post.facts("component_event_reported"), "the event")

        assert (fact["component"], fact["variable"]) == ("EVSE", "AvailabilityState")
        assert (fact["value"], fact["trigger"]) == ("Occupied", "Delta")
        (sent,) = post.sent("NotifyEvent")
        assert sent["eventData"][0]["variableMonitoringId"] == 1


async def test_TC_N_24_CSMS_periodic_events_are_taken_again_and_again(post_of):
    async with post_of() as post:
        await post.booted()
        await set_up(post, a_monitor(EVSE | POWER, "Periodic", 0.2))

        async def told():
            facts = await post.facts("component_event_reported")
            return [one for one in facts if one["trigger"] == "Periodic"]

        facts = await post.until(lambda: _at_least(told, 3), "three events")
        assert {(one["component"], one["variable"]) for one in facts} == {("EVSE", "Power")}
        await post.ask("ClearVariableMonitoring", {"id": [1]})
        assert await post.inventory("monitor") == {}


async def _at_least(told, count):
    facts = await told()
    return facts if len(facts) >= count else []


async def test_TC_N_44_CSMS_a_monitor_the_charger_keeps_is_still_shown(post_of):
    async with post_of() as post:
        await post.booted()
        await set_up(post, a_monitor(EVSE | STATE))
        result = {"clearMonitoringResult": [{"id": 1, "status": "Rejected"}]}
        post.answers("ClearVariableMonitoring", result)
        command = await post.ask("ClearVariableMonitoring", {"id": [1]})

        assert command["state"] == "rejected"
        assert set(await post.inventory("monitor")) == {"1"}


async def an_event_is_taken(post_of, **changes):
    """Send an event and return the fact the cloud got of it."""
    async with post_of() as post:
        await post.booted()
        answer = await post.call("NotifyEvent", an_event(EVSE | POWER, **changes))
        assert answer == {}
        (fact,) = await post.until(lambda: post.facts("component_event_reported"), "the event")
        return fact


async def test_TC_N_21_CSMS_an_event_of_a_monitor_its_maker_built_in_is_taken(post_of):
    fact = await an_event_is_taken(
        post_of,
        eventNotificationType="HardWiredMonitor",
        trigger="Delta",
        variableMonitoringId=3,
    )

    assert (fact["component"], fact["variable"], fact["evse_id"]) == ("EVSE", "Power", 1)
    assert (fact["value"], fact["trigger"], fact["monitor_id"]) == ("11.5", "Delta", 3)


async def test_TC_N_48_CSMS_an_event_of_a_variable_nobody_may_read_is_taken(post_of):
    fact = await an_event_is_taken(post_of, actualValue="")

    assert fact["value"] == ""


async def test_TC_N_49_CSMS_an_event_that_a_threshold_is_cleared_is_taken(post_of):
    fact = await an_event_is_taken(post_of, cleared=True, trigger="Alerting")

    assert fact["is_cleared"]


async def test_TC_N_50_CSMS_an_event_triggered_by_time_is_taken(post_of):
    fact = await an_event_is_taken(post_of, trigger="Periodic")

    assert fact["trigger"] == "Periodic"


async def a_log(post, log="diagnostics"):
    """Have a log fetched to our own house; return what was asked for and its upload as it ended."""
    made = await post.post(f"/chargers/{post.charger_id}/log-files", {"log": log})
    asked = await post.asked("GetLog")
    return made, asked


async def uploaded(post, upload_id):
    async def found():
        uploads = (await post.get(f"/chargers/{post.charger_id}/log-files"))["logs"]
        mine = [one for one in uploads if one["log_id"] == upload_id]
        return mine and mine[0]["received_at"] and mine[0]

    return await post.until(found, "the upload")


async def log_uploaded(post, log, log_type):
    """Have a log fetched, and check that it lies in the cloud."""
    await post.booted()
    made, asked = await a_log(post, log)

    assert asked["logType"] == log_type
    job = await over(post, "log", asked["requestId"])
    assert (job["status"], job["has_failed"]) == ("Uploaded", False)
    held = await uploaded(post, made["log"]["log_id"])
    assert held["file_name"] == f"{log_type}-{post.charger_id}.log"
    content = await post.download(f"/log-files/{held['log_id']}/content")
    assert post.charger_id.encode() in content
    told = post.sent("LogStatusNotification")
    assert [one["status"] for one in told] == ["Uploading", "Uploaded"]


async def test_TC_N_25_CSMS_a_diagnostics_log_is_uploaded_to_us(post_of):
    async with post_of() as post:
        await log_uploaded(post, "diagnostics", "DiagnosticsLog")


async def test_TC_N_35_CSMS_a_security_log_is_uploaded_to_us(post_of):
    async with post_of() as post:
        await log_uploaded(post, "security", "SecurityLog")


async def test_TC_N_34_CSMS_a_log_the_charger_does_not_give_is_a_job_that_failed(post_of):
    async with post_of() as post:
        await post.booted()
        post.answers("GetLog", {"status": "Rejected"})
        made, asked = await a_log(post)

        assert made["command"]["state"] == "rejected"
        job = await over(post, "log", asked["requestId"])
        assert (job["status"], job["has_failed"]) == ("Rejected", True)


async def test_TC_N_36_CSMS_a_second_request_takes_the_place_of_the_first(post_of):
    async with post_of() as post:
        await post.booted()
        upload = post.charger.device.upload
        post.charger.device.upload = lambda *_: None
        _, first = await a_log(post)
        await post.until(lambda: post.sent("LogStatusNotification"), "the first under way")
        post.charger.device.upload = upload
        made, second = await a_log(post, "security")

        assert made["command"]["answer"]["status"] == "AcceptedCanceled"
        assert made["command"]["state"] == "accepted"
        given_up = await over(post, "log", first["requestId"])
        assert (given_up["status"], given_up["has_failed"]) == ("AcceptedCanceled", False)
        assert (await over(post, "log", second["requestId"]))["status"] == "Uploaded"


# --- customers -----------------------------------------------------------------------------------


async def asked_of_customer(post, request_id, **asked):
    """Have the charger asked about a customer; return the job as it ended."""
    payload = {"requestId": request_id} | asked
    command = await post.ask("CustomerInformation", payload)
    assert await post.asked("CustomerInformation") == payload
    assert command["answer"]["status"] == "Accepted"
    return await over(post, "customer_information", request_id)


LONG_TEXT = "charged 3 times. " * 60
"""More than one part of a report holds."""


async def data_told(post, *, is_known, is_cleared):
    """Have a charger tell what it knows of a customer, and check what is shown and what is kept."""
    await post.booted()
    customers = post.charger.device.customers
    if is_known:
        customers[TOKEN["idToken"].lower()] = LONG_TEXT
    job = await asked_of_customer(post, 5, report=True, clear=is_cleared, idToken=TOKEN)

    texts = [job["detail"][name] for name in sorted(job["detail"]) if "data" in name]
    assert "".join(texts) == (LONG_TEXT if is_known else "")
    assert bool(customers) is (is_known and not is_cleared)
    # what the charger told of a customer is not kept with all else it told
    assert all("3 times" not in str(one) for one in await post.facts("job_progressed"))


async def test_TC_N_27_CSMS_what_is_known_of_a_customer_is_told(post_of):
    async with post_of() as post:
        await data_told(post, is_known=True, is_cleared=False)


async def test_TC_N_28_CSMS_nothing_is_known_of_a_customer(post_of):
    async with post_of() as post:
        await data_told(post, is_known=False, is_cleared=False)


async def test_TC_N_30_CSMS_what_is_known_of_a_customer_is_told_and_cleared(post_of):
    async with post_of() as post:
        await data_told(post, is_known=True, is_cleared=True)


async def test_TC_N_31_CSMS_nothing_that_is_known_is_cleared(post_of):
    async with post_of() as post:
        await data_told(post, is_known=False, is_cleared=True)


async def test_TC_N_29_CSMS_a_charger_may_decline_to_tell_of_customers(post_of):
    async with post_of() as post:
        await post.booted()
        post.answers("CustomerInformation", {"status": "Rejected"})
        asked = {"requestId": 6, "report": True, "clear": False, "idToken": TOKEN}
        command = await post.ask("CustomerInformation", asked)

        assert await post.asked("CustomerInformation") == asked
        assert command["state"] == "rejected"
        assert await post.jobs("customer_information") == []


async def test_TC_N_32_CSMS_customer_data_is_cleared_without_being_told(post_of):
    async with post_of() as post:
        await post.booted()
        post.charger.device.customers[TOKEN["idToken"].lower()] = "charged 3 times"
        job = await asked_of_customer(post, 7, report=False, clear=True, idToken=TOKEN)

        assert not [name for name in job["detail"] if "data" in name]
        assert post.charger.device.customers == {}


async def customer_named(post, key, **named):
    await post.booted()
    post.charger.device.customers[key] = "charged once"
    job = await asked_of_customer(post, 8, report=True, clear=True, **named)

    assert job["detail"]["data_0"] == "charged once"
    assert post.charger.device.customers == {}


async def test_TC_N_62_CSMS_a_customer_is_named_by_an_identifier(post_of):
    async with post_of() as post:
        name = "OpenChargeAlliance"
        await customer_named(post, name, customerIdentifier=name)


async def test_TC_N_63_CSMS_a_customer_is_named_by_a_certificate(post_of):
    async with post_of() as post:
        await customer_named(post, HASHES["serialNumber"], customerCertificate=HASHES)


async def test_TC_N_46_CSMS_a_cleared_customer_leaves_the_local_list_too(post_of):
    async with post_of() as post:
        await post.booted()
        stays, leaves = await a_token(post), await a_token(post)
        await post.put(f"/chargers/{post.charger_id}/local-list", {"is_kept": True})
        await post.until(lambda: post.charger.local_list.get(leaves.lower()), "the whole list")
        whole = await post.asked("SendLocalList")
        named = {"idToken": leaves, "type": "ISO14443"}
        await asked_of_customer(post, 9, report=True, clear=True, idToken=named)
        await post.remove(f"/tokens/{leaves}")
        change = await post.asked("SendLocalList")

        assert change["updateType"] == "Differential"
        assert change["versionNumber"] > whole["versionNumber"]
        (entry,) = change["localAuthorizationList"]
        assert entry["idToken"]["idToken"] == leaves
        assert "idTokenInfo" not in entry
        assert stays.lower() in post.charger.local_list
        assert leaves.lower() not in post.charger.local_list
