"""What OCPP 2.1 adds, from a charger to the API: kept where it says something, refused where it cannot be."""

from datetime import UTC, datetime

import pytest

from tests.certification.post import Refused
from tests.support.raw_ocpp import RawCharger

pytestmark = pytest.mark.real

CURVE = {
    "priority": 0,
    "yUnit": "PctMaxVar",
    "curveData": [{"x": 90, "y": 44}, {"x": 110, "y": -44}],
}


def now():
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def a_curve(control_id):
    return {
        "isDefault": False,
        "controlId": control_id,
        "controlType": "VoltVar",
        "curve": CURVE,
    }


async def test_grid_controls_are_set_listed_and_cleared_by_their_ids(post_of):
    async with post_of("2.1") as post:
        await post.booted()
        for control_id in ("c-1", "c-2"):
            command = await post.ask("SetDERControl", a_curve(control_id))
            assert command["state"] == "accepted"
        assert command["answer"]["supersededIds"] == ["c-1"]
        await post.ask("GetDERControl", {"requestId": 9, "controlType": "VoltVar"})

        async def reported():
            found = [one for one in await post.jobs("grid_controls") if one["request_id"] == 9]
            return found and found[0]["is_over"]

        await post.until(reported, "the report's end")
        held = await post.inventory("grid_control")
        assert {key: body["isSuperseded"] for key, body in held.items()} == {
            "c-1": True,
            "c-2": False,
        }
        assert held["c-2"]["curve"] == CURVE
        await post.ask("ClearDERControl", {"isDefault": False, "controlId": "c-1"})

        async def one_is_left():
            return set(await post.inventory("grid_control")) == {"c-2"}

        await post.until(one_is_left, "the control gone")


async def test_what_a_charger_tells_of_the_grid_is_kept(post_of):
    async with post_of("2.1") as post:
        await post.booted()
        alarm = {
            "controlType": "FreqDroop",
            "gridEventFault": "UnderFrequency",
            "timestamp": now(),
            "extraInfo": "49.2 Hz",
        }
        start = {"controlId": "c-2", "started": True, "timestamp": now(), "supersededIds": ["c-1"]}
        assert await post.call("NotifyDERAlarm", alarm) == {}
        assert await post.call("NotifyDERStartStop", start) == {}
        hurry = {"transactionId": "t-1", "activated": True}
        assert await post.call("NotifyPriorityCharging", hurry) == {}

        async def told():
            facts = await post.facts("grid_notice_reported")
            return facts if len(facts) == 3 else None

        by_notice = {one["notice"]: one for one in await post.until(told, "three notices")}
        assert by_notice["alarm"]["fault"] == "UnderFrequency"
        assert by_notice["started"]["superseded"] == ["c-1"]
        assert by_notice["priority_started"]["transaction_id"] == "t-1"


async def test_a_settlement_at_the_charger_is_kept_and_is_no_entry_of_ours(post_of):
    async with post_of("2.1") as post:
        await post.booted()
        paid = {
            "pspRef": "psp-1",
            "status": "Settled",
            "settlementAmount": 12.5,
            "settlementTime": now(),
            "transactionId": "t-1",
        }
        assert await post.call("NotifySettlement", paid) == {}

        (fact,) = await post.until(lambda: post.facts("settlement_reported"), "the settlement")
        assert (fact["payment_ref"], fact["amount"]) == ("psp-1", "12.5")


async def test_a_stream_is_opened_sampled_and_closed(post_of, house):
    post = post_of("2.1")
    charger_id = post.charger_id
    agent = house.stack.agents[post.station.station_id]
    key = post.station.charger_keys[charger_id]
    async with RawCharger(int(agent.env["AGENT_OCPP_PORT"]), charger_id, key, "ocpp2.1") as charger:
        boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
        await charger.call("BootNotification", boot)
        stream = {"id": 3, "variableMonitoringId": 12, "params": {"interval": 5}}
        reply = await charger.call("OpenPeriodicEventStream", {"constantStreamData": stream})
        assert reply[2]["status"] == "Accepted"
        values = {"id": 3, "pending": 0, "basetime": now(), "data": [{"t": 0, "v": "21.5"}]}
        assert await charger.say([6, "stream", "NotifyPeriodicEventStream", values]) == []

        (fact,) = await post.until(lambda: post.facts("stream_sampled"), "the values")
        assert [one["value"] for one in fact["values"]] == ["21.5"]
        assert await post.inventory("event_stream") == {"3": stream}
        assert (await charger.call("ClosePeriodicEventStream", {"id": 3}))[2] == {}

        async def closed():
            return await post.inventory("event_stream") == {}

        await post.until(closed, "the stream gone")


@pytest.mark.parametrize(
    ("action", "payload", "answer"),
    [
        ("PullDynamicScheduleUpdate", {"chargingProfileId": 1}, "Rejected"),
        ("VatNumberValidation", {"vatNumber": "GB123456789"}, "Rejected"),
    ],
)
async def test_what_nobody_here_can_say_is_answered_with_no(post_of, action, payload, answer):
    async with post_of("2.1") as post:
        await post.booted()

        assert (await post.call(action, payload))["status"] == answer


async def test_a_battery_swap_is_refused_as_not_supported(post_of):
    swap = {
        "batteryData": [{"evseId": 1, "serialNumber": "b-1", "soC": 80, "soH": 99}],
        "eventType": "BatteryIn",
        "idToken": {"idToken": "A", "type": "Central"},
        "requestId": 1,
    }
    async with post_of("2.1") as post:
        await post.booted()
        with pytest.raises(Refused) as refused:
            await post.call("BatterySwap", swap)

        assert refused.value.code == "NotSupported"
