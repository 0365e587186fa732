"""OCPP 1.6, local authorization list (sections 5.10 and 5.15), by the sections of edition 2."""

import pytest

from simulator.chargers.spec import Behaviour

pytestmark = pytest.mark.real


async def send(post, version, *entries, is_whole):
    command = await post.command(
        "send_local_list", version=version, is_whole=is_whole, entries=list(entries)
    )
    return command, await post.asked("SendLocalList")


async def version_known(post, version):
    async def so():
        held = await post.inventory("local_list")
        return [one["version"] for one in held.values()] == [version]

    await post.until(so, f"list {version}")


async def test_TC_042_1_CSMS_a_charger_without_lists_says_so(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        post.answers("GetLocalListVersion", {"listVersion": -1})
        command = await post.command("get_local_list_version")

        assert command["answer"] == {"listVersion": -1}
        await version_known(post, -1)


@pytest.mark.parametrize("version", [0, 7])
async def test_TC_042_2_CSMS_the_version_is_asked_for(post_of, version):
    async with post_of("1.6") as post:
        await post.booted()
        post.charger.local_list_version = version
        command = await post.command("get_local_list_version")

        assert command["answer"] == {"listVersion": version}
        await version_known(post, version)


async def test_TC_043_4_CSMS_a_whole_list_names_what_each_token_may(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        command, asked = await send(post, 1, {"token": "04A2B3C4"}, is_whole=True)

        assert command["state"] == "accepted"
        assert asked["updateType"] == "Full"
        assert all("idTagInfo" in one for one in asked["localAuthorizationList"])
        await version_known(post, 1)


async def test_TC_043_5_CSMS_a_whole_list_then_differences(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        whole, first = await send(post, 1, {"token": "04A2B3C4"}, is_whole=True)
        more, second = await send(
            post, 2, {"token": "04A2B3C5"}, {"token": "04A2B3C4", "is_gone": True}, is_whole=False
        )

        assert (whole["state"], more["state"]) == ("accepted", "accepted")
        assert first == {
            "listVersion": 1,
            "updateType": "Full",
            "localAuthorizationList": [{"idTag": "04A2B3C4", "idTagInfo": {"status": "Accepted"}}],
        }
        assert second["updateType"] == "Differential"
        assert second["localAuthorizationList"][1] == {"idTag": "04A2B3C4"}
        assert post.charger.local_list == {"04a2b3c5": True}
        await version_known(post, 2)


async def test_16_5_15_an_empty_list_is_sent(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        await send(post, 1, {"token": "04A2B3C4"}, is_whole=True)
        command, asked = await send(post, 2, is_whole=True)

        assert command["state"] == "accepted"
        assert asked == {"listVersion": 2, "updateType": "Full"}
        assert post.charger.local_list == {}


async def test_TC_043_1_CSMS_a_charger_without_lists_takes_none(post_of):
    await is_not_taken(post_of, "NotSupported")


async def test_TC_043_3_CSMS_a_list_that_fails_is_not_known_to_be_there(post_of):
    await is_not_taken(post_of, "Failed")


async def test_16_5_15_a_list_of_another_version_is_not_known_to_be_there(post_of):
    await is_not_taken(post_of, "VersionMismatch")


async def is_not_taken(post_of, status):
    async with post_of("1.6") as post:
        await post.booted()
        post.answers("SendLocalList", {"status": status})
        command, _ = await send(post, 1, {"token": "04A2B3C4"}, is_whole=True)

        assert command["state"] == "rejected"
        assert command["answer"] == {"status": status}
        assert await post.inventory("local_list") == {}


async def test_16_9_2_3_a_list_too_long_for_one_message_is_sent_in_parts(post_of):
    behaviour = Behaviour(heartbeat_s=3_600, sample_s=3_600, list_items=2)
    async with post_of("1.6", behaviour=behaviour) as post:
        await post.booted()
        entries = [{"token": f"04A2B3C{one}"} for one in range(5)]
        command, _ = await send(post, 1, *entries, is_whole=True)

        assert command["state"] == "accepted"
        assert len(post.charger.local_list) == 5
        await version_known(post, 3)
