"""QUIRKS 12-17: how chargers boot, and what they say of themselves."""

import pytest

from simulator.journal import Kind
from tests.support.stack import TOKEN

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("quirks")]

CONFIGURED = {"GetConfiguration", "ChangeConfiguration", "SetVariables", "GetBaseReport"}


async def test_q12_who_never_boots_is_served_and_asked_to_once(post_with):
    async with post_with("no_boot") as post:
        await post.booted()
        answered = await post.ask("GetLocalListVersion")
        asked = await post.asked("TriggerMessage")
        await post.charge()

        assert answered["state"] == "accepted"
        assert asked == {"requestedMessage": "BootNotification"}
        assert post.asked_for().count("TriggerMessage") == 1
        assert post.refusals() == []


async def test_q12_who_comes_back_without_a_boot_is_left_in_peace(post_with):
    async with post_with() as post:
        await post.booted()
        post.dialer.hang_up()
        await post.until(lambda: post.charger.line.connections > 1, "back")
        await post.charge()

        assert post.asked_for() == []


async def test_q13_who_does_not_wait_for_boots_answer_is_heard(post_with):
    async with post_with("impatient_boot") as post:
        await post.booted()
        await post.charge()

        assert post.refusals() == []
        assert post.charger.line.connections == 1


async def test_q13_nobody_is_called_before_its_boot_is_answered(post_with):
    async with post_with("reboots_if_asked_early") as post:

        async def asked():
            command = await post.ask("GetLocalListVersion")
            return command if command["state"] != "charger_offline" else None

        command = await post.until(asked, "asked")

        assert command["state"] == "accepted"
        assert post.charger.line.connections == 1


async def test_q14_nobody_is_configured_on_connecting(post_with):
    async with post_with("reboots_if_configured") as post:
        await post.booted()
        await post.charge()

        assert not CONFIGURED & set(post.asked_for())
        assert post.charger.line.connections == 1


async def test_q15_a_boot_loop_is_followed_to_its_end(post_with):
    async with post_with("boot_loop") as post:
        await post.until(lambda: post.charger.line.connections == 6, "the last boot")
        await post.booted()
        await post.charge()

        boots = await post.facts("charger_booted")
        assert len(boots) == len(post.tape.of(Kind.ACKNOWLEDGED, "BootNotification")) == 6
        assert post.refusals() == []


async def test_q16_odd_keys_and_values_are_kept_as_they_are(post_with):
    async with post_with("odd_keys") as post:
        await post.booted()
        asked = await post.ask("GetConfiguration")
        sample_less = {"key": "MeterValueSampleInterval", "value": "60"}
        changed = await post.ask("ChangeConfiguration", sample_less)

        async def held():
            return await post.inventory("variable")

        keys = await post.until(held, "the keys")
        assert asked["state"] == changed["state"] == "accepted"
        assert keys["MeterValuesSampledData"]["value"] == '"Power.Active.Import,Voltage,"'
        assert keys["chargingScheduleAllowedChargingRateUnit"]["value"] == "W"
        assert keys["LightIntensity"]["value"] == "Unknown"
        assert keys["HeartbeatInterval"]["value"]
        assert "SupportedFeatureProfiles" not in keys


@pytest.mark.parametrize("quirk", ["no_connector_count", "one_connector_more"])
async def test_q17_the_station_file_says_which_connectors_there_are(post_with, quirk):
    async with post_with(quirk) as post:
        await post.booted()
        await post.ask("GetConfiguration")
        await post.charge()

        asked = [one.body["payload"] for one in post.tape.of(Kind.ASKED)]
        assert not [one for one in asked if one.get("connectorId") == 7]
        assert post.refusals() == []
        assert await post.quarantined() == []
        assert await post.no_alert()


async def test_q17_a_session_on_a_connector_nobody_knows_is_kept(post_with):
    async with post_with() as post:
        await post.booted()
        at = post.charger.now().isoformat()
        start = {"connectorId": 7, "idTag": TOKEN, "meterStart": 5, "timestamp": at}
        number = (await post.call("StartTransaction", start))["transactionId"]
        await post.call(
            "StopTransaction", {"transactionId": number, "meterStop": 9, "timestamp": at}
        )

        async def kept():
            return [one for one in await post.sessions() if one["ended_at"]]

        (session,) = await post.until(kept, "kept")
        assert session["energy_wh"] == 4
