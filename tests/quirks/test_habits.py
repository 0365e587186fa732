"""Habits of real chargers ("Done when" 4 of OCPP): each is served, and none is an error to the cloud."""

import json

import pytest

from simulator.journal import Kind
from tests.support.stack import TOKEN

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("quirks")]


async def is_no_error(post):
    return await post.quarantined() == [] and await post.no_alert()


async def test_h1_boot_and_statuses_in_one_go(post_with):
    async with post_with("impatient_boot") as post:
        await post.booted()
        session = await post.charge()

        sent = [one.action for one in post.tape.of(Kind.SENT)][:4]
        first_answer = post.tape.of(Kind.ACKNOWLEDGED)[0]
        before = post.tape.entries[: post.tape.entries.index(first_answer)]
        assert sent[0] == "BootNotification"
        assert len([one for one in before if one.kind is Kind.SENT]) > 1
        assert session["flags"] == []
        assert await is_no_error(post)


async def test_h2_two_stops_within_milliseconds(house):
    post = house.post()
    async with house.dial(post.charger_id) as socket:
        at = post.charger.now().isoformat()
        start = {"connectorId": 1, "idTag": TOKEN, "meterStart": 5, "timestamp": at}
        await socket.send(json.dumps([2, "start", "StartTransaction", start]))
        number = json.loads(await socket.recv())[2]["transactionId"]
        stop = {"transactionId": number, "meterStop": 105, "timestamp": at}
        for message_id in ("stop-1", "stop-2"):
            await socket.send(json.dumps([2, message_id, "StopTransaction", stop]))
        answers = [json.loads(await socket.recv()) for _ in range(2)]

        async def over():
            return [one for one in await post.sessions() if one["ended_at"]]

        (session,) = await post.until(over, "the end")
        assert answers == [[3, "stop-1", {}], [3, "stop-2", {}]]
        assert (session["energy_wh"], session["flags"]) == (100, [])
        assert await is_no_error(post)


async def test_h3_a_connection_that_ends_without_a_close(post_with):
    async with post_with() as post:
        await post.booted()
        session = await post.begin(TOKEN)
        post.dialer.hang_up()
        await post.until(lambda: post.charger.line.connections > 1, "back")
        post.charger.unplug(1)
        ended = await post.ended(session["session_id"])

        assert ended["flags"] == []
        assert len(await post.facts("charger_disconnected")) == 1
        assert await is_no_error(post)


async def test_h4_an_action_only_its_vendor_knows(house):
    post = house.post()
    async with house.dial(post.charger_id) as socket:
        await socket.send(json.dumps([2, "v1", "AcmeSelfTest", {"verdict": "fine"}]))
        answer = json.loads(await socket.recv())
        await socket.send(json.dumps([2, "v2", "DataTransfer", {"vendorId": "acme", "data": "x"}]))
        told = json.loads(await socket.recv())

        assert answer[:3] == [4, "v1", "NotImplemented"]
        assert told[:2] == [3, "v2"]
        assert await is_no_error(post)


@pytest.mark.parametrize(
    ("version", "action", "payload", "state"),
    [
        ("1.6", "GetConfiguration", {}, "accepted"),
        ("1.6", "Reset", {"type": "Soft"}, "accepted"),
        ("1.6", "RemoteStartTransaction", {"idTag": TOKEN}, "accepted"),
        (
            "2.0.1",
            "GetVariables",
            {
                "getVariableData": [
                    {
                        "component": {"name": "OCPPCommCtrlr"},
                        "variable": {"name": "HeartbeatInterval"},
                    }
                ]
            },
            "accepted",
        ),
    ],
)
async def test_h5_an_answer_in_another_versions_shape(post_with, version, action, payload, state):
    async with post_with("foreign_answers", version=version) as post:
        await post.booted()
        command = await post.ask(action, payload)
        session = await post.charge()

        assert command["state"] == state
        assert session["flags"] == []
        assert post.charger.line.connections == 1
        assert await is_no_error(post)


@pytest.mark.parametrize(
    ("version", "payload"),
    [("1.6", {"connectorId": 1, "duration": 600}), ("2.0.1", {"evseId": 1, "duration": 600})],
)
async def test_h6_an_empty_schedule_of_31_years(post_with, version, payload):
    async with post_with("absurd_schedule", version=version) as post:
        await post.booted()
        command = await post.ask("GetCompositeSchedule", payload)
        await post.charge()

        assert command["state"] == "accepted"
        assert command["answer"]["status"] == "Accepted"
        assert await is_no_error(post)
