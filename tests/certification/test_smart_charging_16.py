"""OCPP 1.6, smart charging (section 3.13): the profile's messages, by the sections of edition 2."""

import pytest

from simulator.chargers.spec import Behaviour
from tests.certification.sessions import begun, ended
from tests.certification.tokens import a_token

pytestmark = pytest.mark.real


def a_profile(**changes):
    fields = {
        "profile_id": 11,
        "stack_level": 1,
        "purpose": "default",
        "profile_kind": "relative",
        "periods": [{"start_s": 0, "limit": 6_000}],
    }
    return fields | changes


async def set_profile(post, evse_id=1, **changes):
    command = await post.command(
        "set_charging_profile", evse_id=evse_id, profile=a_profile(**changes)
    )
    return command, await post.asked("SetChargingProfile")


async def holds(post, *ids):
    async def so():
        return set(await post.inventory("charging_profile")) == {str(one) for one in ids}

    await post.until(so, f"profiles {ids}")


async def charging(post):
    token = await a_token(post)
    post.charger.plug_in(1, post.car())
    post.charger.present(1, token)
    await begun(post)
    return await post.until(lambda: post.charger.evses[1].session.transaction_id, "its number")


async def test_TC_056_CSMS_a_default_profile_limits_a_session(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        command, asked = await set_profile(post)

        profile = asked["csChargingProfiles"]
        assert command["state"] == "accepted"
        assert asked["connectorId"] == 1
        assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
        assert profile["chargingProfileKind"] == "Relative"
        assert profile["chargingSchedule"]["chargingSchedulePeriod"] == [
            {"startPeriod": 0, "limit": 6_000}
        ]
        await holds(post, 11)
        await charging(post)
        assert post.charger.evses[1].read(post.world.now()).power_w <= 6_000


async def test_16_5_16_1_a_profile_of_the_whole_charger(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        command, asked = await set_profile(post, 0, purpose="charger")

        assert command["state"] == "accepted"
        assert asked["connectorId"] == 0
        assert asked["csChargingProfiles"]["chargingProfilePurpose"] == "ChargePointMaxProfile"


async def test_TC_057_CSMS_a_sessions_profile_names_its_transaction_and_ends_with_it(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        number = await charging(post)
        command, asked = await set_profile(post, purpose="session")

        assert command["state"] == "accepted"
        assert asked["csChargingProfiles"]["transactionId"] == int(number)
        await holds(post, 11)
        post.charger.unplug(1)
        await ended(post)
        await holds(post)


async def test_16_5_16_2_a_sessions_profile_without_a_session_is_refused(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        command, _ = await set_profile(post, purpose="session")

        assert command["state"] == "rejected"
        await holds(post)


async def test_16_3_13_2_a_profile_takes_the_place_of_one_at_the_same_place(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        await set_profile(post)
        await set_profile(post, profile_id=12)
        await holds(post, 12)
        await set_profile(post, profile_id=13, stack_level=2)

        await holds(post, 12, 13)


async def test_TC_059_CSMS_a_remote_start_brings_its_profile(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        token = await a_token(post)
        post.charger.plug_in(1, post.car())
        command = await post.command(
            "start_session", evse_id=1, token=token, profile=a_profile(purpose="session")
        )

        asked = await post.asked("RemoteStartTransaction")
        assert command["state"] == "accepted"
        assert asked["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"
        assert "transactionId" not in asked["chargingProfile"]
        await begun(post)
        assert post.charger.evses[1].read(post.world.now()).power_w <= 6_000


@pytest.mark.parametrize("criteria", [{"profile_id": 11}, {"evse_id": 1, "purpose": "default"}, {}])
async def test_TC_067_CSMS_profiles_are_cleared(post_of, criteria):
    async with post_of("1.6") as post:
        await post.booted()
        await set_profile(post)
        await holds(post, 11)
        command = await post.command("clear_charging_profile", **criteria)

        assert command["state"] == "accepted"
        await holds(post)


async def test_16_5_5_what_is_not_there_cannot_be_cleared(post_of):
    async with post_of("1.6") as post:
        await post.booted()
        command = await post.command("clear_charging_profile", profile_id=99)

        assert command["state"] == "rejected"
        assert command["answer"]["status"] == "Unknown"


@pytest.mark.parametrize(("evse_id", "unit"), [(1, "w"), (1, "a"), (0, "w")])
async def test_TC_066_CSMS_a_composite_schedule(post_of, evse_id, unit):
    async with post_of("1.6") as post:
        await post.booted()
        await set_profile(
            post, evse_id, purpose="default", periods=[{"start_s": 0, "limit": 6_900}]
        )
        command = await post.command(
            "get_composite_schedule", evse_id=evse_id, duration_s=300, unit=unit
        )

        asked = await post.asked("GetCompositeSchedule")
        assert asked == {"connectorId": evse_id, "duration": 300, "chargingRateUnit": unit.upper()}
        (period,) = command["answer"]["chargingSchedule"]["chargingSchedulePeriod"]
        assert period["limit"] == (6_900 if unit == "w" else 10)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_charger_that_takes_the_lowest_stack_level_alone_says_no_to_others(
    post_of, version
):
    behaviour = Behaviour(heartbeat_s=3_600, sample_s=3_600, most_stack_level=0)
    async with post_of(version, behaviour=behaviour) as post:
        await post.booted()
        high, _ = await set_profile(post, stack_level=1)
        low, _ = await set_profile(post, stack_level=0)

        assert (high["state"], low["state"]) == ("rejected", "accepted")
        await holds(post, 11)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_a_charger_that_takes_watts_alone_says_no_to_amperes(post_of, version):
    behaviour = Behaviour(heartbeat_s=3_600, sample_s=3_600, rate_units="W")
    async with post_of(version, behaviour=behaviour) as post:
        await post.booted()
        amperes, _ = await set_profile(post, unit="a", periods=[{"start_s": 0, "limit": 16}])
        watts, _ = await set_profile(post)

        assert (amperes["state"], watts["state"]) == ("rejected", "accepted")
