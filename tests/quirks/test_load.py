"""QUIRKS 38: storms, floods, words nobody knows, and limits that are not minded."""

import asyncio
import json
from contextlib import AsyncExitStack

import pytest

from tests.support.stack import TOKEN

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("quirks")]

STORM = 12


def profile(stack_level=0, unit="W", limit=11_000.0):
    return {
        "connectorId": 1,
        "csChargingProfiles": {
            "chargingProfileId": 1,
            "stackLevel": stack_level,
            "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute",
            "chargingSchedule": {
                "chargingRateUnit": unit,
                "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit}],
            },
        },
    }


async def test_q38_a_storm_of_first_boots_costs_nobody_an_answer(post_with):
    async with AsyncExitStack() as open_posts:
        posts = await asyncio.gather(
            *(open_posts.enter_async_context(post_with()) for _ in range(STORM))
        )
        await asyncio.gather(*(post.booted() for post in posts))
        sessions = await asyncio.gather(*(post.charge() for post in posts))

        assert [post.refusals() for post in posts] == [[]] * STORM
        assert [one["flags"] for one in sessions] == [[]] * STORM


async def test_q38_a_flood_of_nonsense_is_refused_one_by_one_and_others_are_served(house):
    async with house.post() as other, house.dial(house.post().charger_id) as socket:
        await other.booted()
        for number in range(300):
            await socket.send(json.dumps([2, f"f{number}", "Heartbeat", {"no": "such field"}]))
        answers = [json.loads(await socket.recv()) for _ in range(300)]
        session = await other.charge()

        assert {one[0] for one in answers} == {4}
        assert [one[1] for one in answers] == [f"f{number}" for number in range(300)]
        assert session["flags"] == []


async def test_q38_an_error_code_nobody_knows_does_not_cost_the_fault(post_with):
    async with post_with("unknown_error") as post:
        await post.booted()
        post.charger.break_down(1, "GroundFailure")

        async def told():
            return [
                one for one in await post.facts("connector_state_reported") if one.get("error_code")
            ]

        (fact,) = await post.until(told, "the fault")
        assert (fact["state"], fact["error_code"]) == ("faulted", "Error")
        assert post.refusals() == []


async def test_q38_finishing_with_an_error_code_is_no_fault(post_with):
    async with post_with("finishing_with_error") as post:
        await post.booted()
        session = await post.begin(TOKEN)
        post.charger.present(1, TOKEN)
        await post.ended(session["session_id"])

        await post.caught_up()
        assert await post.no_alert()
        assert post.refusals() == []


async def test_q38_a_status_told_five_times_is_one_change(post_with):
    async with post_with("repeats_status") as post:
        await post.booted()
        session = await post.charge()

        charging = await post.facts("charging_state_changed")
        assert len([one for one in charging if one["state"] == "charging"]) == 1
        assert session["flags"] == []


async def test_q38_a_profile_that_is_taken_and_not_minded_is_seen(post_with):
    async with post_with("ignores_profiles") as post:
        await post.booted()
        await post.begin(TOKEN)
        asked = await post.ask("SetChargingProfile", profile(limit=1_000.0))
        assert asked["state"] == "accepted"

        async def seen():
            assert post.charger.sample_now(1)
            await post.delivered()
            return "profile_ignored" in await post.oddities()

        await post.until(seen, "that it is not minded")
        assert post.charger.evses[1].power_w > 1_000


@pytest.mark.parametrize(
    ("quirk", "taken", "refused"),
    [
        ("stack_level_zero", profile(0), profile(3)),
        ("watts_only", profile(unit="W"), profile(unit="A")),
    ],
)
async def test_q38_who_takes_some_profiles_only_is_told_so(post_with, quirk, taken, refused):
    async with post_with(quirk) as post:
        await post.booted()
        states = [(await post.ask("SetChargingProfile", one))["state"] for one in (refused, taken)]
        await post.charge()

        assert states == ["rejected", "accepted"]


async def test_q38_who_knows_neither_triggers_nor_profiles_charges(post_with):
    async with post_with("no_remote_trigger") as post:
        await post.booted()
        trigger = await post.ask("TriggerMessage", {"requestedMessage": "Heartbeat"})
        limit = await post.ask("SetChargingProfile", profile())
        session = await post.charge()

        assert (trigger["state"], limit["state"]) == ("failed", "rejected")
        assert trigger["answer"]["code"] == "NotImplemented"
        assert session["flags"] == []


@pytest.mark.parametrize("quirk", ["whole_is_faulted", "whole_is_free"])
async def test_q38_the_whole_chargers_status_does_not_mask_its_connectors(post_with, quirk):
    async with post_with(quirk) as post:
        await post.booted()
        session = await post.begin(TOKEN)

        async def charging():
            return (await post.session(session["session_id"]))["state"] == "charging"

        await post.until(charging, "charging")
        detail = await post.get(f"/chargers/{post.charger_id}")
        states = {one["evse_id"]: one["state"] for one in detail["connectors"]}
        assert states[1] == "charging"
        assert states[2] == "free"
