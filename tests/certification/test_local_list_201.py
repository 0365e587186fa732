"""OCPP 2.0.1, block D: the local authorization list; test cases of part 6."""

import pytest

from simulator.chargers.spec import Behaviour
from tests.certification.tokens import a_token

pytestmark = pytest.mark.real


async def send(post, version, *entries, is_whole):
    """Have a list sent; return the command and what the charger was asked."""
    command = await post.command(
        "send_local_list", version=version, is_whole=is_whole, entries=list(entries)
    )
    return command, await post.asked("SendLocalList")


async def version_known(post, version):
    async def so():
        held = await post.inventory("local_list")
        return [one["version"] for one in held.values()] == [version]

    await post.until(so, f"list {version}")


async def version_asked(post):
    command = await post.command("get_local_list_version")
    assert await post.asked("GetLocalListVersion") == {}
    assert command["state"] == "accepted"
    return command["answer"]["versionNumber"]


async def test_TC_D_01_CSMS_a_whole_list_is_sent(post_of):
    async with post_of() as post:
        await post.booted()
        await version_asked(post)
        command, asked = await send(post, 1, {"token": "04A2B3C4"}, is_whole=True)

        assert command["state"] == "accepted"
        assert asked["updateType"] == "Full"
        assert asked["versionNumber"] > 0
        assert asked["localAuthorizationList"] == [
            {
                "idToken": {"idToken": "04A2B3C4", "type": "ISO14443"},
                "idTokenInfo": {"status": "Accepted"},
            }
        ]
        assert post.charger.local_list == {"04a2b3c4": True}
        await version_known(post, 1)


async def test_TC_D_01_CSMS_a_list_too_long_for_one_message_is_sent_in_parts(post_of):
    behaviour = Behaviour(heartbeat_s=3_600, sample_s=3_600, list_items=2)
    async with post_of(behaviour=behaviour) as post:
        await post.booted()
        entries = [{"token": f"04A2B3C{one}"} for one in range(5)]
        command, first = await send(post, 1, *entries, is_whole=True)

        others = [await post.asked("SendLocalList") for _ in range(2)]
        assert command["state"] == "accepted"
        assert first["updateType"] == "Full"
        assert [one["updateType"] for one in others] == ["Differential"] * 2
        assert len(post.charger.local_list) == 5
        await version_known(post, 3)


async def test_TC_D_02_CSMS_differences_are_sent(post_of):
    async with post_of() as post:
        await post.booted()
        await send(post, 1, {"token": "04A2B3C4"}, is_whole=True)
        held = await version_asked(post)
        command, asked = await send(
            post, 2, {"token": "04A2B3C5", "is_valid": False}, is_whole=False
        )

        assert command["state"] == "accepted"
        assert asked["updateType"] == "Differential"
        assert asked["versionNumber"] > held
        assert len(asked["localAuthorizationList"]) == 1
        assert post.charger.local_list == {"04a2b3c4": True, "04a2b3c5": False}
        await version_known(post, 2)


async def test_TC_D_03_CSMS_tokens_are_removed(post_of):
    async with post_of() as post:
        await post.booted()
        await send(post, 1, {"token": "04A2B3C4"}, {"token": "04A2B3C5"}, is_whole=True)
        command, asked = await send(post, 2, {"token": "04A2B3C4", "is_gone": True}, is_whole=False)

        assert command["state"] == "accepted"
        assert asked["updateType"] == "Differential"
        assert asked["versionNumber"] == 2
        assert all("idTokenInfo" not in one for one in asked["localAuthorizationList"])
        assert post.charger.local_list == {"04a2b3c5": True}


async def test_TC_D_04_CSMS_an_empty_list_is_sent(post_of):
    async with post_of() as post:
        await post.booted()
        await send(post, 1, {"token": "04A2B3C4"}, is_whole=True)
        command, asked = await send(post, 2, is_whole=True)

        assert command["state"] == "accepted"
        assert asked["updateType"] == "Full"
        assert "localAuthorizationList" not in asked
        assert post.charger.local_list == {}


async def test_TC_D_08_CSMS_the_version_is_asked_for(post_of):
    async with post_of() as post:
        await post.booted()
        post.charger.local_list_version = 7

        assert await version_asked(post) == 7
        await version_known(post, 7)


async def test_TC_D_09_CSMS_there_is_no_list(post_of):
    async with post_of() as post:
        await post.booted()

        assert await version_asked(post) == 0
        await version_known(post, 0)


async def test_the_cloud_keeps_a_chargers_list_in_step_with_its_tokens(post_of):
    async with post_of() as post:
        await post.booted()
        first = await a_token(post)
        await post.put(f"/chargers/{post.charger_id}/local-list", {"is_kept": True})

        def has(token):
            return lambda: post.charger.local_list.get(token.casefold())

        await post.until(has(first), "the first list")
        whole = await post.asked("SendLocalList")
        second = await a_token(post)
        await post.until(has(second), "the second token")
        more = await post.asked("SendLocalList")
        post.charger.local_list.clear()
        post.charger.local_list_version = 1_000
        await version_asked(post)
        await post.until(has(first), "the list sent anew")

        assert whole["updateType"] == "Full"
        assert more["updateType"] == "Differential"
        assert more["versionNumber"] > whole["versionNumber"]
        shown = await post.get(f"/chargers/{post.charger_id}/local-list")
        assert shown["is_kept"]
