"""OCPP 2.0.1, block G: availability; test cases of part 6."""

from datetime import UTC, datetime

import pytest

from simulator.chargers.spec import Behaviour
from tests.certification.sessions import ended, state_of
from tests.support.stack import TOKEN

pytestmark = pytest.mark.real

BOTH_WAYS = pytest.mark.parametrize("by_event", [False, True], ids=["by status", "by event"])
"""Chargers tell states by StatusNotification, or by NotifyEvent alone (G01.FR.08)."""


def telling(by_event):
    return Behaviour(
        heartbeat_s=3_600, sample_s=3_600, reboot_s=0.5, tells_states_by_event=by_event
    )


async def changed(post, *, is_available, **place):
    """Have the cloud change what is in service; return the command and the call."""
    command = await post.command("change_availability", is_available=is_available, **place)
    return command, await post.asked("ChangeAvailability")


async def known(post, **wanted):
    """Wait until the cloud shows each EVSE's connector so: `evse_1="unavailable"`."""

    async def shown():
        detail = await post.get(f"/chargers/{post.charger_id}")
        found = {f"evse_{one['evse_id']}": one["state"] for one in detail["connectors"]}
        return all(found[evse] == state for evse, state in wanted.items())

    await post.until(shown, f"known as {wanted}")
    if post.charger.behaviour.tells_states_by_event:
        assert post.sent("StatusNotification") == []


async def charging(post):
    await post.booted()
    post.charger.plug_in(1, post.car())
    post.charger.present(1, TOKEN)
    await state_of(post, "charging")


async def finish(post):
    post.charger.present(1, TOKEN)
    await ended(post)
    post.charger.unplug(1)


async def test_a_connector_says_that_it_is_taken_and_free_again(post_of):
    async with post_of() as post:
        await post.booted()
        post.charger.plug_in(1, post.car())
        await known(post, evse_1="plugged", evse_2="free")
        post.charger.unplug(1)

        await known(post, evse_1="free", evse_2="free")


@BOTH_WAYS
async def test_TC_G_03_CSMS_an_evse_is_taken_out_of_service(post_of, by_event):
    async with post_of(behaviour=telling(by_event)) as post:
        await post.booted()
        command, asked = await changed(post, evse_id=1, is_available=False)

        assert asked == {"operationalStatus": "Inoperative", "evse": {"id": 1}}
        assert command["state"] == "accepted"
        await known(post, evse_1="unavailable", evse_2="free")


@BOTH_WAYS
async def test_TC_G_04_CSMS_an_evse_is_put_back_into_service(post_of, by_event):
    async with post_of(behaviour=telling(by_event)) as post:
        await post.booted()
        await changed(post, evse_id=1, is_available=False)
        await known(post, evse_1="unavailable")
        command, asked = await changed(post, evse_id=1, is_available=True)

        assert asked == {"operationalStatus": "Operative", "evse": {"id": 1}}
        assert command["state"] == "accepted"
        await known(post, evse_1="free")


@BOTH_WAYS
async def test_TC_G_05_CSMS_a_charger_is_taken_out_of_service(post_of, by_event):
    async with post_of(behaviour=telling(by_event)) as post:
        await post.booted()
        command, asked = await changed(post, evse_id=0, is_available=False)

        assert asked == {"operationalStatus": "Inoperative"}
        assert command["state"] == "accepted"
        await known(post, evse_1="unavailable", evse_2="unavailable")


@BOTH_WAYS
async def test_TC_G_06_CSMS_a_charger_is_put_back_into_service(post_of, by_event):
    async with post_of(behaviour=telling(by_event)) as post:
        await post.booted()
        await changed(post, evse_id=0, is_available=False)
        await known(post, evse_1="unavailable")
        command, asked = await changed(post, evse_id=0, is_available=True)

        assert asked == {"operationalStatus": "Operative"}
        assert command["state"] == "accepted"
        await known(post, evse_1="free", evse_2="free")


@BOTH_WAYS
async def test_TC_G_07_CSMS_a_connector_is_taken_out_of_service(post_of, by_event):
    async with post_of(behaviour=telling(by_event)) as post:
        await post.booted()
        command, asked = await changed(post, evse_id=1, connector_id=1, is_available=False)

        assert asked == {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 1}}
        assert command["state"] == "accepted"
        await known(post, evse_1="unavailable", evse_2="free")


@BOTH_WAYS
async def test_TC_G_08_CSMS_a_connector_is_put_back_into_service(post_of, by_event):
    async with post_of(behaviour=telling(by_event)) as post:
        await post.booted()
        await changed(post, evse_id=1, connector_id=1, is_available=False)
        await known(post, evse_1="unavailable")
        command, asked = await changed(post, evse_id=1, connector_id=1, is_available=True)

        assert asked == {"operationalStatus": "Operative", "evse": {"id": 1, "connectorId": 1}}
        assert command["state"] == "accepted"
        await known(post, evse_1="free")


@BOTH_WAYS
async def test_TC_G_11_CSMS_an_evse_in_use_goes_out_of_service_once_it_is_free(post_of, by_event):
    async with post_of(behaviour=telling(by_event)) as post:
        await charging(post)
        command, asked = await changed(post, evse_id=1, is_available=False)

        assert asked == {"operationalStatus": "Inoperative", "evse": {"id": 1}}
        assert (command["state"], command["answer"]["status"]) == ("accepted", "Scheduled")
        await state_of(post, "charging")
        await finish(post)
        await known(post, evse_1="unavailable", evse_2="free")


@BOTH_WAYS
async def test_TC_G_14_CSMS_a_charger_in_use_goes_out_of_service_where_it_is_free(
    post_of, by_event
):
    async with post_of(behaviour=telling(by_event)) as post:
        await charging(post)
        command, asked = await changed(post, evse_id=0, is_available=False)

        assert asked == {"operationalStatus": "Inoperative"}
        assert (command["state"], command["answer"]["status"]) == ("accepted", "Scheduled")
        await known(post, evse_2="unavailable")
        await state_of(post, "charging")
        await finish(post)
        await known(post, evse_1="unavailable", evse_2="unavailable")


@BOTH_WAYS
async def test_TC_G_17_CSMS_a_connector_in_use_goes_out_of_service_once_it_is_free(
    post_of, by_event
):
    async with post_of(behaviour=telling(by_event)) as post:
        await charging(post)
        command, asked = await changed(post, evse_id=1, connector_id=1, is_available=False)

        assert asked == {"operationalStatus": "Inoperative", "evse": {"id": 1, "connectorId": 1}}
        assert (command["state"], command["answer"]["status"]) == ("accepted", "Scheduled")
        await finish(post)
        await known(post, evse_1="unavailable", evse_2="free")


async def test_TC_G_20_CSMS_a_lock_that_fails_is_answered_and_told_to_staff(post_of):
    async with post_of() as post:
        await post.booted()
        assert await post.call("NotifyEvent", lock_problem("true")) == {}

        async def is_told():
            alerts = (await post.get("/alerts", status="active"))["alerts"]
            return [one for one in alerts if one["charger_id"] == post.charger_id]

        (alert,) = await post.until(is_told, "an alert")
        assert "ConnectorPlugRetentionLock" in alert["key"] + alert["title"] + alert["detail"]


def lock_problem(value):
    place = {"name": "ConnectorPlugRetentionLock", "evse": {"id": 1, "connectorId": 1}}
    return an_event(place, "Problem", value)


def an_event(component, variable, value):
    now = datetime.now(UTC).isoformat()
    event = {
        "eventId": 1,
        "timestamp": now,
        "trigger": "Delta",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": component,
        "variable": {"name": variable},
    }
    return {"generatedAt": now, "seqNo": 0, "tbc": False, "eventData": [event]}
