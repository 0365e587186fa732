"""OCPP 2.0.1, block B: provisioning; test cases of part 6."""

import pytest

pytestmark = pytest.mark.real

HEARTBEAT = {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}}


async def test_TC_B_01_CSMS_cold_boot_is_accepted(post_of):
    async with post_of() as post:
        await post.booted()
        answer = await post.call(
            "BootNotification",
            {
                "reason": "PowerUp",
                "chargingStation": {"vendorName": "Baywatt Labs", "model": "Virtual 1"},
            },
        )

        assert answer["status"] == "Accepted"
        assert answer["interval"] > 0


async def test_TC_B_06_CSMS_one_variable_is_read(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.ask("GetVariables", {"getVariableData": [HEARTBEAT]})

        assert await post.asked("GetVariables") == {"getVariableData": [HEARTBEAT]}
        assert command["state"] == "accepted"
        assert command["answer"]["getVariableResult"][0]["attributeStatus"] == "Accepted"


async def test_TC_B_12_CSMS_a_full_report_is_taken_part_by_part(post_of):
    async with post_of() as post:
        await post.booted()
        asked = {"requestId": 7, "reportBase": "FullInventory"}
        await post.ask("GetBaseReport", asked)

        assert await post.asked("GetBaseReport") == asked

        async def whole():
            reports = [one for one in await post.jobs("report") if one["request_id"] == 7]
            return reports and reports[0]["is_over"]

        await post.until(whole, "the report's end")
        parts = post.sent("NotifyReport")
        told = {
            (row["component"]["name"], row["variable"]["name"])
            for part in parts
            for row in part["reportData"]
        }
        held = await post.inventory("variable")
        assert len(parts) > 1
        assert {
            (body["component"]["name"], body["variable"]["name"]) for body in held.values()
        } == told
