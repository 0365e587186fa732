"""OCPP 2.0.1, block F: remote control; test cases of part 6."""

from functools import partial

import pytest

from simulator.chargers.evse import State
from simulator.chargers.spec import Behaviour, Point
from simulator.journal import Kind
from tests.certification.sessions import begun, ended, events, state_of
from tests.support.stack import TOKEN

pytestmark = pytest.mark.real

ID_TOKEN = {"idToken": TOKEN, "type": "ISO14443"}


def starting_at(*points, **more):
    return Behaviour(
        heartbeat_s=3_600, sample_s=3_600, reboot_s=0.5, starts_at=frozenset(points), **more
    )


async def started_afar(post, evse_id=1):
    """Have the cloud start a session; return the call as the charger heard it."""
    command = await post.command("start_session", evse_id=evse_id, token=TOKEN)
    assert command["state"] == "accepted"
    asked = await post.asked("RequestStartTransaction")
    assert asked["idToken"] == ID_TOKEN
    assert asked["evseId"] == evse_id
    assert isinstance(asked["remoteStartId"], int)
    return asked


async def event(post, trigger):
    """Wait for an event of this trigger that was answered; return it."""
    acknowledged = partial(post.tape.of, Kind.ACKNOWLEDGED, "TransactionEvent")

    def answered():
        found = [
            one
            for one in post.tape.of(Kind.SENT, "TransactionEvent")
            if one.body["triggerReason"] == trigger
        ]
        known = {one.message_id for one in acknowledged()}
        return found[-1].body if found and found[-1].message_id in known else None

    return await post.until(answered, f"{trigger} answered")


async def triggered(post, message, evse_id=None, **place):
    """Have the cloud ask for a message; return what it asked for."""
    before = len(post.sent(message))
    more = {} if evse_id is None else {"evse_id": evse_id}
    command = await post.command("trigger_message", message=message, **more)
    assert command["state"] == "accepted"
    assert await post.asked("TriggerMessage") == {"requestedMessage": message, **place}
    answered = partial(post.tape.of, Kind.ACKNOWLEDGED, message)
    await post.until(lambda: len(answered()) > before, f"{message} answered")
    return post.sent(message)[before:]


async def test_TC_F_01_CSMS_a_session_begins_from_afar_once_the_cable_is_in(post_of):
    async with post_of(behaviour=starting_at(Point.EV_CONNECTED)) as post:
        await post.booted()
        post.charger.plug_in(1, post.car())
        await begun(post)
        asked = await started_afar(post)
        told = await event(post, "RemoteStart")

        assert told["eventType"] == "Updated"
        assert told["transactionInfo"]["remoteStartId"] == asked["remoteStartId"]
        await state_of(post, "charging")


async def remotely_first(post_of, *, asks):
    behaviour = starting_at(Point.AUTHORIZED, asks_for_remote_start=asks)
    async with post_of(behaviour=behaviour) as post:
        await post.booted()
        asked = await started_afar(post)
        told = await event(post, "RemoteStart")
        post.charger.plug_in(1, post.car())
        session = await state_of(post, "charging")

        assert told["eventType"] == "Started"
        assert told["transactionInfo"]["remoteStartId"] == asked["remoteStartId"]
        assert session["is_live"]
        return [one.body["idTokenInfo"] for one in post.tape.of(Kind.ACKNOWLEDGED, "Authorize")]


async def test_TC_F_02_CSMS_a_session_begins_from_afar_before_the_cable_and_is_asked_for(post_of):
    assert [one["status"] for one in await remotely_first(post_of, asks=True)] == ["Accepted"]


async def test_TC_F_03_CSMS_a_session_begins_from_afar_before_the_cable_without_asking(post_of):
    assert await remotely_first(post_of, asks=False) == []


async def test_TC_F_04_CSMS_a_session_begun_from_afar_ends_when_no_cable_comes(post_of):
    behaviour = starting_at(
        Point.AUTHORIZED, connection_timeout_s=0.3, stops_at=frozenset({Point.PARKING_BAY})
    )
    async with post_of(behaviour=behaviour) as post:
        await post.booted()
        asked = await started_afar(post)
        begin = await event(post, "RemoteStart")
        told = await event(post, "EVConnectTimeout")

        assert begin["eventType"] == "Started"
        assert begin["transactionInfo"]["remoteStartId"] == asked["remoteStartId"]
        assert told["eventType"] == "Updated"
        transaction_id = begin["transactionInfo"]["transactionId"]
        assert told["transactionInfo"]["transactionId"] == transaction_id
        assert (await begun(post))["is_live"]
        post.charger.leave(1)
        session = await ended(post)
        assert [one["eventType"] for one in events(post)] == ["Started", "Updated", "Ended"]
        assert not session["is_live"]
        assert session["energy_wh"] == 0


async def test_TC_F_06_CSMS_a_connector_is_unlocked(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.command("unlock_connector", evse_id=1, connector_id=1)

        assert await post.asked("UnlockConnector") == {"evseId": 1, "connectorId": 1}
        assert command["state"] == "accepted"
        assert command["answer"] == {"status": "Unlocked"}


async def test_TC_F_11_CSMS_one_meter_is_asked_for(post_of):
    async with post_of() as post:
        await post.booted()
        (told,) = await triggered(post, "MeterValues", 1, evse={"id": 1})

        assert told["evseId"] == 1
        assert told["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"


async def test_TC_F_12_CSMS_all_meters_are_asked_for(post_of):
    async with post_of() as post:
        await post.booted()
        await triggered(post, "MeterValues")
        await post.until(
            lambda: {one["evseId"] for one in post.sent("MeterValues")} == set(post.charger.evses),
            "each EVSE's",
        )


async def charging(post, *evse_ids):
    await post.booted()
    for evse_id in evse_ids:
        post.charger.plug_in(evse_id, post.car())
        post.charger.present(evse_id, TOKEN)
    for evse_id in evse_ids:
        await state_of(post, "charging", evse_id)


async def test_TC_F_13_CSMS_one_session_is_asked_for(post_of):
    async with post_of() as post:
        await charging(post, 1)
        *_, told = await triggered(post, "TransactionEvent", 1, evse={"id": 1})

        assert (told["triggerReason"], told["evse"]["id"]) == ("Trigger", 1)
        assert told["transactionInfo"]["chargingState"] == "Charging"
        assert told["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"


async def test_TC_F_14_CSMS_all_sessions_are_asked_for(post_of):
    async with post_of() as post:
        await charging(post, 1, 2)
        await triggered(post, "TransactionEvent")

        def told():
            return {one["evse"]["id"] for one in events(post) if one["triggerReason"] == "Trigger"}

        await post.until(lambda: told() == {1, 2}, "each session's")


async def test_TC_F_15_CSMS_the_state_of_logs_is_asked_for(post_of):
    async with post_of() as post:
        await post.booted()
        (told,) = await triggered(post, "LogStatusNotification")

        assert told == {"status": "Idle"}


async def test_TC_F_18_CSMS_the_state_of_firmware_is_asked_for(post_of):
    async with post_of() as post:
        await post.booted()
        (told,) = await triggered(post, "FirmwareStatusNotification")

        assert told == {"status": "Idle"}


async def test_TC_F_20_CSMS_a_heartbeat_is_asked_for(post_of):
    async with post_of() as post:
        await post.booted()
        assert await triggered(post, "Heartbeat") == [{}]


async def test_TC_F_23_CSMS_a_free_connectors_state_is_asked_for(post_of):
    async with post_of() as post:
        await post.booted()
        told = await triggered(post, "StatusNotification", 1, evse={"id": 1, "connectorId": 1})

        assert [(one["evseId"], one["connectorStatus"]) for one in told] == [(1, "Available")]


async def test_TC_F_24_CSMS_an_occupied_connectors_state_is_asked_for(post_of):
    async with post_of() as post:
        await post.booted()
        post.charger.plug_in(1, post.car())
        assert post.charger.evses[1].state is State.PREPARING
        await post.until(
            lambda: post.sent("StatusNotification")[-1]["connectorStatus"] == "Occupied"
        )
        told = await triggered(post, "StatusNotification", 1, evse={"id": 1, "connectorId": 1})

        assert [(one["evseId"], one["connectorStatus"]) for one in told] == [(1, "Occupied")]

        async def is_known():
            detail = await post.get(f"/chargers/{post.charger_id}")
            return [one["state"] for one in detail["connectors"] if one["evse_id"] == 1] == [
                "plugged"
            ]

        await post.until(is_known, "known as plugged")


async def test_TC_F_27_CSMS_a_message_the_charger_has_not_is_a_refusal(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.command("trigger_message", message="PublishFirmwareStatusNotification")

        assert command["state"] == "rejected"
        assert command["answer"]["status"] == "NotImplemented"
