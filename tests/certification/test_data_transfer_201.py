"""OCPP 2.0.1, block P: vendors' own messages; test cases of part 6."""

import pytest

pytestmark = pytest.mark.real

AT = "2026-11-28T12:00:00Z"
CUSTOM = {"vendorId": "org.example", "colour": "green"}


async def test_TC_P_02_CSMS_a_vendors_message_is_kept_and_said_to_be_unknown(post_of):
    async with post_of() as post:
        await post.booted()
        sent = {"vendorId": "org.example", "messageId": "greet", "data": {"hello": "world"}}
        answer = await post.call("DataTransfer", sent)

        assert answer["status"] in {"UnknownVendorId", "UnknownMessageId", "Rejected"}
        (fact,) = await post.until(lambda: post.facts("data_transferred"), "the message")
        assert fact["vendor_id"] == "org.example"
        assert fact["message_id"] == "greet"
        assert fact["data"] == {"hello": "world"}


async def test_TC_P_03_CSMS_custom_data_disturbs_nothing(post_of):
    async with post_of() as post:
        await post.booted()
        status = {
            "timestamp": AT,
            "connectorStatus": "Occupied",
            "evseId": 1,
            "connectorId": 1,
            "customData": CUSTOM,
        }
        event = {
            "eventType": "Started",
            "timestamp": AT,
            "triggerReason": "CablePluggedIn",
            "seqNo": 0,
            "transactionInfo": {
                "transactionId": f"custom-{post.charger_id}",
                "chargingState": "EVConnected",
                "customData": CUSTOM,
            },
            "evse": {"id": 1, "connectorId": 1},
            "customData": CUSTOM,
        }

        assert await post.call("StatusNotification", status) == {}
        assert isinstance(await post.call("TransactionEvent", event), dict)
        (session,) = await post.until(post.sessions, "the session")
        assert session["charger_id"] == post.charger_id


async def test_a_vendors_message_goes_to_the_charger_too(post_of):
    async with post_of() as post:
        await post.booted()
        sent = {"vendorId": "Baywatt Labs", "messageId": "greet", "data": "hello"}
        command = await post.ask("DataTransfer", sent)

        assert await post.asked("DataTransfer") == sent
        assert command["state"] == "accepted"
