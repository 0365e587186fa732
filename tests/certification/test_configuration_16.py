"""OCPP 1.6: configuration, diagnostics, logs and vendors' messages.

Ids are of the compliance testing tool's list for central systems; where none is known to us, the
section of the specification stands in the name.
"""

import pytest

pytestmark = pytest.mark.real


async def over(post, request_id):
    async def found():
        jobs = [one for one in await post.jobs("log") if one["request_id"] == request_id]
        return jobs and jobs[0]["is_over"] and jobs[0]

    return await post.until(found, "the end of the upload")


async def test_TC_019_1_CSMS_all_configuration_keys_are_read(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        command = await post.command("read_variables")

        assert await post.asked("GetConfiguration") == {}
        held = await post.inventory("variable")
        assert set(held) == {one["key"] for one in command["answer"]["configurationKey"]}
        assert held["NumberOfConnectors"]["readonly"] is True


async def test_TC_019_2_CSMS_one_configuration_key_is_read(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        await post.command("read_variables", names=["SupportedFeatureProfiles"])

        assert await post.asked("GetConfiguration") == {"key": ["SupportedFeatureProfiles"]}
        held = await post.inventory("variable")
        assert "Core" in held["SupportedFeatureProfiles"]["value"]


async def test_16_9_1_7_no_more_keys_are_read_at_once_than_the_charger_takes(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        limit = {"key": "GetConfigurationMaxKeys", "readonly": True, "value": "2"}
        keys = ["HeartbeatInterval", "ConnectionTimeOut", "NumberOfConnectors"]
        usual = post.charger.answers["GetConfiguration"]

        def answer(payload):
            is_limit = payload["key"] == ["GetConfigurationMaxKeys"]
            return {"configurationKey": [limit]} if is_limit else usual(post.charger, payload)

        post.answers("GetConfiguration", answer)
        command = await post.command("read_variables", names=keys)

        assert await post.asked("GetConfiguration") == {"key": ["GetConfigurationMaxKeys"]}
        assert await post.asked("GetConfiguration") == {"key": keys[:2]}
        assert await post.asked("GetConfiguration") == {"key": keys[2:]}
        assert [one["key"] for one in command["answer"]["configurationKey"]] == keys


async def test_TC_021_CSMS_a_configuration_key_is_changed(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        await post.command("read_variables", names=["MeterValueSampleInterval"])
        command = await post.command("write_variable", name="MeterValueSampleInterval", value="60")

        asked = {"key": "MeterValueSampleInterval", "value": "60"}
        assert await post.asked("ChangeConfiguration") == asked
        assert command["state"] == "accepted"
        held = await post.inventory("variable")
        assert held["MeterValueSampleInterval"] == asked | {"readonly": False}


async def not_set(post, key, value, status):
    await post.booted()
    command = await post.command("write_variable", name=key, value=value)

    assert await post.asked("ChangeConfiguration") == {"key": key, "value": value}
    assert command["state"] == "rejected"
    assert command["answer"]["status"] == status
    assert key not in await post.inventory("variable")


async def test_TC_040_1_CSMS_a_key_the_charger_does_not_have_is_not_taken_for_set(post_of):
    async with post_of("1.6") as post:
        await not_set(post, "UnheardOf", "1", "NotSupported")


async def test_TC_040_2_CSMS_a_value_the_charger_rejects_is_not_taken_for_set(post_of):
    async with post_of("1.6") as post:
        await not_set(post, "MeterValueSampleInterval", "-1", "Rejected")


async def test_TC_045_1_CSMS_diagnostics_are_uploaded_to_us(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        made = await post.post(f"/chargers/{post.charger_id}/log-files", {"log": "diagnostics"})
        asked = await post.asked("GetDiagnostics")

        assert "/uploads/" in asked["location"]
        assert (await over(post, 0))["status"] == "Uploaded"
        content = await post.download(f"/log-files/{made['log']['log_id']}/content")
        assert post.charger_id.encode() in content
        told = [one["status"] for one in post.sent("DiagnosticsStatusNotification")]
        assert told == ["Uploading", "Uploaded"]


async def test_TC_045_2_CSMS_diagnostics_that_could_not_be_uploaded_are_a_job_that_failed(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        post.charger.device.upload = lambda *told: told[3](False)
        await post.post(f"/chargers/{post.charger_id}/log-files", {"log": "diagnostics"})

        job = await over(post, 0)
        assert (job["status"], job["has_failed"]) == ("UploadFailed", True)


async def test_TC_079_CSMS_a_security_log_is_uploaded_to_us(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        made = await post.post(f"/chargers/{post.charger_id}/log-files", {"log": "security"})
        asked = await post.asked("GetLog")

        assert asked["logType"] == "SecurityLog"
        assert asked["requestId"] == made["log"]["log_id"]
        assert (await over(post, asked["requestId"]))["status"] == "Uploaded"
        told = [one["status"] for one in post.sent("LogStatusNotification")]
        assert told == ["Uploading", "Uploaded"]


async def test_TC_064_CSMS_a_vendors_message_is_kept_and_said_to_be_unknown(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        sent = {"vendorId": "org.example", "messageId": "greet", "data": "hello"}
        answer = await post.call("DataTransfer", sent)

        assert answer["status"] in {"UnknownVendorId", "UnknownMessageId", "Rejected"}
        (fact,) = await post.until(lambda: post.facts("data_transferred"), "the message")
        assert (fact["vendor_id"], fact["data"]) == ("org.example", "hello")


async def test_16_5_6_a_vendors_message_goes_to_the_charger_too(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        sent = {"vendorId": "org.example", "messageId": "greet", "data": "hello"}
        command = await post.ask("DataTransfer", sent)

        assert await post.asked("DataTransfer") == sent
        assert command["state"] == "rejected"
        assert command["answer"]["status"] == "UnknownVendorId"


@pytest.mark.parametrize("registration", ["pending", "rejected"])
async def test_16_4_2_a_charger_waits_until_it_is_let_in(post_of, registration):
    async with post_of("1.6") as post:
        await post.booted()

        async def booted_as(registration):
            await post.put(
                f"/chargers/{post.charger_id}/registration", {"registration": registration}
            )

            async def answered():
                sent = {"chargePointVendor": "Baywatt Labs", "chargePointModel": "Virtual 1"}
                answer = await post.call("BootNotification", sent)
                return answer["status"] == registration.capitalize() and answer

            return await post.until(answered, registration)

        held = await booted_as(registration)
        let_in = await booted_as("accepted")

        assert 0 < held["interval"] <= 30
        assert let_in["interval"] > 0
