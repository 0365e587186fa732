"""OCPP 2.0.1, block K: smart charging; test cases of part 6."""

import datetime as dt

import pytest

from simulator.chargers.limits import Limit
from simulator.chargers.line import Refusal
from simulator.journal import Kind
from tests.certification.sessions import begun, ended
from tests.certification.tokens import a_token

pytestmark = pytest.mark.real

NEEDS = {
    "requestedEnergyTransfer": "AC_three_phase",
    "acChargingParameters": {
        "energyAmount": 20_000,
        "evMinCurrent": 6,
        "evMaxCurrent": 16,
        "evMaxVoltage": 400,
    },
}


def now():
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


def a_profile(**changes):
    """Return an absolute default profile of an hour, in words of no version."""
    at = now()
    fields = {
        "profile_id": 11,
        "stack_level": 1,
        "purpose": "default",
        "profile_kind": "absolute",
        "valid_from": at.isoformat(),
        "valid_until": (at + dt.timedelta(hours=1)).isoformat(),
        "starts_at": at.isoformat(),
        "duration_s": 3_600,
        "periods": [{"start_s": 0, "limit": 6_000, "phases": 3}],
    }
    return {name: value for name, value in (fields | changes).items() if value is not None}


def relative(**changes):
    dates = dict.fromkeys(("valid_from", "valid_until", "starts_at", "duration_s"))
    return a_profile(profile_kind="relative", **(dates | changes))


async def set_profile(post, evse_id=1, **changes):
    """Have a profile set, and return the command and what the charger was asked."""
    command = await post.command(
        "set_charging_profile", evse_id=evse_id, profile=a_profile(**changes)
    )
    return command, await post.asked("SetChargingProfile")


async def held(post):
    return await post.inventory("charging_profile")


async def holds(post, *ids):
    """Wait until the cloud knows the charger to have just these profiles."""

    async def so():
        return set(await held(post)) == {str(one) for one in ids}

    await post.until(so, f"profiles {ids}")


async def charging(post):
    """Begin a session, and return its transaction's id once the cloud shows it."""
    token = await a_token(post)
    post.charger.plug_in(1, post.car())
    post.charger.present(1, token)
    await begun(post)
    return post.charger.evses[1].session.transaction_id


# --- K01: profiles are set ----------------------------------------------------------------------


async def test_TC_K_01_CSMS_a_default_profile_of_one_evse(post_of):
    async with post_of() as post:
        await post.booted()
        command, asked = await set_profile(post)

        profile = asked["chargingProfile"]
        (schedule,) = profile["chargingSchedule"]
        assert command["state"] == "accepted"
        assert asked["evseId"] == 1
        assert profile["stackLevel"] == 1
        assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
        assert profile["chargingProfileKind"] == "Absolute"
        assert profile["validFrom"] == schedule["startSchedule"]
        assert profile["validTo"] > profile["validFrom"]
        assert schedule["chargingRateUnit"] == "W"
        assert schedule["duration"] == 3_600
        assert schedule["chargingSchedulePeriod"] == [
            {"startPeriod": 0, "limit": 6_000, "numberPhases": 3}
        ]
        await holds(post, 11)
        assert (await held(post))["11"]["evse_id"] == 1


async def test_TC_K_02_CSMS_a_sessions_profile_without_a_session_is_refused(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.command(
            "set_charging_profile",
            evse_id=1,
            profile=relative(purpose="session", periods=[{"start_s": 0, "limit": 7_000}]),
        )

        asked = await post.asked("SetChargingProfile")
        profile = asked["chargingProfile"]
        assert command["state"] == "rejected"
        assert asked["evseId"] == 1
        assert profile["chargingProfilePurpose"] == "TxProfile"
        assert profile["chargingProfileKind"] == "Relative"
        assert "startSchedule" not in profile["chargingSchedule"][0]
        assert await held(post) == {}


async def test_TC_K_03_CSMS_a_profile_of_the_whole_charger(post_of):
    async with post_of() as post:
        await post.booted()
        command, asked = await set_profile(
            post, 0, purpose="charger", periods=[{"start_s": 0, "limit": 8_000}]
        )

        profile = asked["chargingProfile"]
        assert command["state"] == "accepted"
        assert asked["evseId"] == 0
        assert profile["chargingProfilePurpose"] == "ChargingStationMaxProfile"
        assert {"validFrom", "validTo"} <= profile.keys()
        assert profile["chargingSchedule"][0]["startSchedule"]
        assert (await held(post))["11"]["purpose"] == "ChargingStationMaxProfile"


async def test_TC_K_04_CSMS_a_profile_of_the_same_id_takes_the_place(post_of):
    async with post_of() as post:
        await post.booted()
        _, first = await set_profile(post, periods=[{"start_s": 0, "limit": 8_000}])
        _, second = await set_profile(post, periods=[{"start_s": 0, "limit": 6_000}])

        assert first["chargingProfile"]["id"] == second["chargingProfile"]["id"]
        await holds(post, 11)
        (schedule,) = (await held(post))["11"]["profile"]["chargingSchedule"]
        assert schedule["chargingSchedulePeriod"][0]["limit"] == 6_000


async def test_TC_K_10_CSMS_a_default_profile_of_all_evses(post_of):
    async with post_of() as post:
        await post.booted()
        command, asked = await set_profile(post, 0)

        assert command["state"] == "accepted"
        assert asked["evseId"] == 0
        assert asked["chargingProfile"]["chargingProfilePurpose"] == "TxDefaultProfile"
        assert (await held(post))["11"]["evse_id"] == 0


async def test_TC_K_15_CSMS_a_charger_that_has_no_profiles_says_so(post_of):
    async with post_of() as post:
        await post.booted()
        post.answers("SetChargingProfile", Refusal("NotSupported", "no smart charging"))
        command, _ = await set_profile(post)

        assert command["state"] == "failed"
        assert command["answer"]["code"] == "NotSupported"
        assert await held(post) == {}


@pytest.mark.parametrize(("recurrency", "word"), [("daily", "Daily"), ("weekly", "Weekly")])
async def test_TC_K_19_CSMS_a_profile_may_recur(post_of, recurrency, word):
    async with post_of() as post:
        await post.booted()
        command, asked = await set_profile(post, profile_kind="recurring", recurrency=recurrency)

        assert command["state"] == "accepted"
        assert asked["chargingProfile"]["chargingProfileKind"] == "Recurring"
        assert asked["chargingProfile"]["recurrencyKind"] == word
        assert asked["chargingProfile"]["chargingProfilePurpose"] == "TxDefaultProfile"


async def test_TC_K_60_CSMS_a_sessions_profile_names_its_transaction(post_of):
    async with post_of() as post:
        await post.booted()
        transaction_id = await charging(post)
        command = await post.command(
            "set_charging_profile", evse_id=1, profile=relative(purpose="session")
        )

        asked = await post.asked("SetChargingProfile")
        assert command["state"] == "accepted"
        assert asked["evseId"] == 1
        assert asked["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"
        assert asked["chargingProfile"]["transactionId"] == transaction_id
        await holds(post, 11)
        post.charger.unplug(1)
        await ended(post)
        await holds(post)


async def test_TC_K_70_CSMS_a_default_profile_and_one_of_the_charger_during_a_session(post_of):
    async with post_of() as post:
        await post.booted()
        await charging(post)
        first, default = await set_profile(post, profile_id=11)
        second, most = await set_profile(post, 0, profile_id=12, purpose="charger")

        assert (first["state"], second["state"]) == ("accepted", "accepted")
        profile = default["chargingProfile"]
        assert profile["chargingProfilePurpose"] == "TxDefaultProfile"
        assert profile["chargingProfileKind"] == "Absolute"
        assert profile["chargingSchedule"][0]["startSchedule"]
        assert most["evseId"] == 0
        assert most["chargingProfile"]["chargingProfilePurpose"] == "ChargingStationMaxProfile"
        assert most["chargingProfile"]["id"] != profile["id"]
        await holds(post, 11, 12)


async def test_profiles_of_several_stack_levels_are_kept_side_by_side(post_of):
    async with post_of() as post:
        await post.booted()
        _, low = await set_profile(post, profile_id=11, stack_level=0)
        _, high = await set_profile(post, profile_id=12, stack_level=1)

        assert low["chargingProfile"]["id"] != high["chargingProfile"]["id"]
        assert low["chargingProfile"]["stackLevel"] != high["chargingProfile"]["stackLevel"]
        await holds(post, 11, 12)


# --- K05: with a remote start --------------------------------------------------------------------


async def test_TC_K_37_CSMS_a_remote_start_brings_its_profile(post_of):
    async with post_of() as post:
        await post.booted()
        token = await a_token(post)
        post.charger.plug_in(1, post.car())
        command = await post.command(
            "start_session", evse_id=1, token=token, profile=relative(purpose="session")
        )

        asked = await post.asked("RequestStartTransaction")
        assert command["state"] == "accepted"
        assert asked["evseId"] == 1
        assert asked["idToken"]["idToken"].casefold() == token.casefold()
        assert asked["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"
        assert asked["chargingProfile"]["chargingProfileKind"] == "Relative"
        assert "transactionId" not in asked["chargingProfile"]
        await begun(post)
        (event, *_) = post.sent("TransactionEvent")
        assert event["transactionInfo"]["remoteStartId"] == asked["remoteStartId"]


# --- K10: profiles are cleared ---------------------------------------------------------------------


async def test_TC_K_05_CSMS_a_profile_is_cleared_by_its_id(post_of):
    async with post_of() as post:
        await post.booted()
        await set_profile(post, 0, purpose="charger")
        await post.ask("GetChargingProfiles", {"requestId": 5, "chargingProfile": {}})
        command = await post.command("clear_charging_profile", profile_id=11)

        assert await post.asked("ClearChargingProfile") == {"chargingProfileId": 11}
        assert command["state"] == "accepted"
        await holds(post)


async def test_TC_K_06_CSMS_a_profile_is_cleared_by_its_place(post_of):
    async with post_of() as post:
        await post.booted()
        await set_profile(post)
        await set_profile(post, profile_id=12, stack_level=2)
        command = await post.command(
            "clear_charging_profile", evse_id=1, purpose="default", stack_level=1
        )

        assert await post.asked("ClearChargingProfile") == {
            "chargingProfileCriteria": {
                "evseId": 1,
                "chargingProfilePurpose": "TxDefaultProfile",
                "stackLevel": 1,
            }
        }
        assert command["state"] == "accepted"
        await holds(post, 12)


async def test_TC_K_08_CSMS_what_is_not_there_cannot_be_cleared(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.command(
            "clear_charging_profile", evse_id=1, purpose="default", stack_level=1
        )

        asked = await post.asked("ClearChargingProfile")
        assert asked["chargingProfileCriteria"]["stackLevel"] == 1
        assert command["state"] == "rejected"
        assert command["answer"]["status"] == "Unknown"


# --- K09: profiles are told ------------------------------------------------------------------------


async def reported(post, request_id, **asked):
    """Have the charger report profiles, and wait for the report's end; return what it was asked."""
    command = await post.ask("GetChargingProfiles", {"requestId": request_id} | asked)
    assert command["state"] == "accepted"

    async def is_over():
        found = [
            one for one in await post.jobs("charging_profiles") if one["request_id"] == request_id
        ]
        return found and found[0]["is_over"]

    await post.until(is_over, "the report's end")
    return await post.asked("GetChargingProfiles")


async def is_reported_as_asked(post_of, asked):
    """Some of the profiles are asked for and told; the others stay known."""
    async with post_of() as post:
        await post.booted()
        await set_profile(post, profile_id=11, evse_id=0)
        await set_profile(post, profile_id=12, evse_id=1)
        told = await reported(post, 9, **asked)

        ids = [
            one["id"]
            for part in post.sent("ReportChargingProfiles")
            for one in part["chargingProfile"]
        ]
        assert told == {"requestId": 9} | asked
        assert ids == [11 if asked["evseId"] == 0 else 12]
        await holds(post, 11, 12)


async def test_TC_K_29_CSMS_profiles_of_the_charger_itself_are_told(post_of):
    await is_reported_as_asked(
        post_of, {"evseId": 0, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}
    )


async def test_TC_K_30_CSMS_profiles_of_one_evse_are_told(post_of):
    await is_reported_as_asked(
        post_of, {"evseId": 1, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}
    )


async def test_TC_K_33_CSMS_profiles_of_a_stack_level_are_told(post_of):
    await is_reported_as_asked(post_of, {"evseId": 1, "chargingProfile": {"stackLevel": 1}})


async def test_TC_K_34_CSMS_profiles_of_a_source_are_told(post_of):
    await is_reported_as_asked(
        post_of, {"evseId": 1, "chargingProfile": {"chargingLimitSource": ["CSO"]}}
    )


async def test_TC_K_35_CSMS_profiles_of_a_purpose_are_told(post_of):
    await is_reported_as_asked(
        post_of, {"evseId": 1, "chargingProfile": {"chargingProfilePurpose": "TxDefaultProfile"}}
    )


async def test_TC_K_36_CSMS_profiles_of_a_purpose_and_a_stack_level_are_told(post_of):
    wanted = {"chargingProfilePurpose": "TxDefaultProfile", "stackLevel": 1}
    await is_reported_as_asked(post_of, {"evseId": 1, "chargingProfile": wanted})


async def test_TC_K_31_CSMS_profiles_of_all_evses_are_told_evse_by_evse(post_of):
    async with post_of() as post:
        await post.booted()
        await set_profile(post, profile_id=11, evse_id=1)
        await set_profile(post, profile_id=12, evse_id=2)
        await set_profile(post, profile_id=13, evse_id=0, purpose="charger")
        wanted = {"chargingProfilePurpose": "TxDefaultProfile"}
        told = await reported(post, 9, chargingProfile=wanted)

        parts = post.sent("ReportChargingProfiles")
        assert told == {"requestId": 9, "chargingProfile": wanted}
        assert [one["evseId"] for one in parts] == [1, 2]
        assert [one["tbc"] for one in parts] == [True, False]
        await holds(post, 11, 12, 13)


async def test_a_profile_that_a_report_of_all_does_not_tell_is_gone(post_of):
    async with post_of() as post:
        await post.booted()
        await set_profile(post, profile_id=11, evse_id=0)
        await set_profile(post, profile_id=12, evse_id=1)
        post.charger.limits.clear(profile_id=11)
        await reported(post, 9, chargingProfile={})

        await holds(post, 12)


async def test_TC_K_32_CSMS_one_profile_is_told_by_its_id(post_of):
    async with post_of() as post:
        await post.booted()
        await set_profile(post, profile_id=11)
        await set_profile(post, profile_id=12, stack_level=2)
        told = await reported(post, 9, chargingProfile={"chargingProfileId": [12]})

        (part,) = post.sent("ReportChargingProfiles")
        assert told == {"requestId": 9, "chargingProfile": {"chargingProfileId": [12]}}
        assert [one["id"] for one in part["chargingProfile"]] == [12]


async def test_TC_K_52_CSMS_limits_of_others_are_told_among_the_profiles(post_of):
    async with post_of() as post:
        await post.booted()
        theirs = {
            "id": 40,
            "stackLevel": 0,
            "chargingProfilePurpose": "ChargingStationExternalConstraints",
            "chargingProfileKind": "Relative",
            "chargingSchedule": [
                {
                    "id": 1,
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 10}],
                }
            ],
        }
        purpose = theirs["chargingProfilePurpose"]
        post.charger.limits.put(Limit(40, 0, purpose, 0, 6_900, "EMS", theirs))
        await reported(post, 9, chargingProfile={"chargingProfilePurpose": purpose})

        known = (await held(post))["40"]
        assert known["source"] == "EMS"
        assert known["purpose"] == purpose


# --- K08: what all profiles come to -------------------------------------------------------------------


@pytest.mark.parametrize("unit", ["w", "a"])
async def test_TC_K_43_CSMS_the_composite_schedule_of_an_evse(post_of, unit):
    async with post_of() as post:
        await post.booted()
        await set_profile(post, periods=[{"start_s": 0, "limit": 6_900}])
        command = await post.command("get_composite_schedule", evse_id=1, duration_s=300, unit=unit)

        asked = await post.asked("GetCompositeSchedule")
        assert asked == {"evseId": 1, "duration": 300, "chargingRateUnit": unit.upper()}
        assert command["state"] == "accepted"
        (period,) = command["answer"]["schedule"]["chargingSchedulePeriod"]
        assert period["limit"] == (6_900 if unit == "w" else 10)


async def test_TC_K_44_CSMS_the_composite_schedule_of_the_charger(post_of):
    async with post_of() as post:
        await post.booted()
        command = await post.command("get_composite_schedule", evse_id=0, duration_s=300, unit="w")

        asked = await post.asked("GetCompositeSchedule")
        assert asked == {"evseId": 0, "duration": 300, "chargingRateUnit": "W"}
        assert command["state"] == "accepted"
        assert command["answer"]["schedule"]["evseId"] == 0


# --- K11-K14: limits of others ---------------------------------------------------------------------


def a_schedule(limit=10, unit="A"):
    periods = [{"startPeriod": 0, "limit": limit}]
    return {"id": 1, "chargingRateUnit": unit, "chargingSchedulePeriod": periods}


async def limited(post, *keys):
    async def so():
        return set(await post.inventory("charging_limit")) == set(keys)

    await post.until(so, f"limits {keys}")


async def test_TC_K_48_CSMS_a_limit_of_somebody_else_is_known(post_of):
    async with post_of() as post:
        await post.booted()
        limit = {
            "chargingLimit": {"chargingLimitSource": "EMS"},
            "chargingSchedule": [a_schedule()],
        }

        assert await post.call("NotifyChargingLimit", limit) == {}
        await limited(post, "EMS@0")
        known = (await post.inventory("charging_limit"))["EMS@0"]
        assert known["schedules"] == [a_schedule()]


async def test_TC_K_50_CSMS_a_limit_of_somebody_else_is_gone(post_of):
    async with post_of() as post:
        await post.booted()
        await post.call("NotifyChargingLimit", {"chargingLimit": {"chargingLimitSource": "EMS"}})
        await limited(post, "EMS@0")

        assert await post.call("ClearedChargingLimit", {"chargingLimitSource": "EMS"}) == {}
        await limited(post)


async def test_TC_K_51_CSMS_a_limit_is_gone_in_the_middle_of_a_session(post_of):
    async with post_of() as post:
        await post.booted()
        await charging(post)

        assert await post.call("ClearedChargingLimit", {"chargingLimitSource": "EMS"}) == {}
        assert await rate_changed(post) == {}


# --- K15-K17: cars that say what they need ----------------------------------------------------------------


async def rate_changed(post, trigger="ChargingRateChanged"):
    """Tell that the car draws another power, or draws at all; return the answer."""
    session = post.charger.evses[1].session
    payload = {
        "eventType": "Updated",
        "timestamp": now().isoformat(),
        "triggerReason": trigger,
        "seqNo": session.seq_no,
        "transactionInfo": {"transactionId": session.transaction_id, "chargingState": "Charging"},
        "evse": {"id": 1, "connectorId": 1},
    }
    session.seq_no += 1
    return await post.call("TransactionEvent", payload)


async def offered(post, transaction_id):
    """Wait for the profile the cloud finds for the car; return its schedule."""
    asked = await post.asked("SetChargingProfile")
    assert asked["evseId"] == 1
    assert asked["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"
    assert asked["chargingProfile"]["transactionId"] == transaction_id
    return asked["chargingProfile"]["chargingSchedule"][0]


async def needs(post, **more):
    payload = {"evseId": 1, "maxScheduleTuples": 3, "chargingNeeds": NEEDS} | more
    return (await post.call("NotifyEVChargingNeeds", payload))["status"]


async def means_to_draw(post, schedule):
    """Tell what the car means to draw, counted from the schedule's own start."""
    base = schedule.get("startSchedule", now().isoformat())
    told = {name: value for name, value in schedule.items() if name != "startSchedule"}
    payload = {"evseId": 1, "timeBase": base, "chargingSchedule": told}
    return (await post.call("NotifyEVChargingSchedule", payload))["status"]


async def smart_session(post):
    """Bring a session as far as the reusable state ISO15118SmartCharging."""
    transaction_id = await charging(post)
    assert await needs(post) == "Accepted"
    schedule = await offered(post, transaction_id)
    assert await means_to_draw(post, schedule) == "Accepted"
    assert await rate_changed(post, "ChargingStateChanged") == {}
    return transaction_id, schedule


async def test_TC_K_53_CSMS_a_car_is_offered_what_it_needs(post_of):
    async with post_of() as post:
        await post.booted()
        _, schedule = await smart_session(post)

        (period,) = schedule["chargingSchedulePeriod"]
        assert schedule["chargingRateUnit"] == "W"
        assert 0 < period["limit"] <= 16 * 230 * 3

        async def known():
            return "1" in await post.inventory("car_schedule")

        await post.until(known, "the car's schedule")
        # whatever the cloud had asked for before this would have been heard before it
        await post.command("trigger_message", message="Heartbeat")
        await post.asked("TriggerMessage")
        assert len(post.tape.of(Kind.ASKED, "SetChargingProfile")) == 1


async def test_TC_K_55_CSMS_a_car_that_wants_more_than_offered_is_offered_anew(post_of):
    async with post_of() as post:
        await post.booted()
        transaction_id = await charging(post)
        assert await needs(post) == "Accepted"
        first = await offered(post, transaction_id)
        too_much = first | {"chargingSchedulePeriod": [{"startPeriod": 0, "limit": 100_000}]}

        assert await means_to_draw(post, too_much) == "Rejected"
        second = await offered(post, transaction_id)
        assert await means_to_draw(post, second) == "Accepted"
        assert await rate_changed(post) == {}


async def test_TC_K_57_CSMS_a_car_may_want_something_else_later(post_of):
    async with post_of() as post:
        await post.booted()
        transaction_id, _ = await smart_session(post)
        leaves_at = (now() + dt.timedelta(hours=2)).isoformat()

        assert await needs(post, chargingNeeds=NEEDS | {"departureTime": leaves_at}) == "Accepted"
        assert await rate_changed(post) == {}
        schedule = await offered(post, transaction_id)
        assert 7_000 < schedule["duration"] <= 7_200
        assert await means_to_draw(post, schedule) == "Accepted"


async def test_TC_K_58_CSMS_staff_may_offer_less_later(post_of):
    async with post_of() as post:
        await post.booted()
        transaction_id, _ = await smart_session(post)
        await post.command("set_charging_profile", evse_id=1, profile=relative(purpose="session"))
        schedule = await offered(post, transaction_id)

        assert schedule["chargingSchedulePeriod"][0]["limit"] == 6_000
        assert await means_to_draw(post, schedule) == "Accepted"
        assert await rate_changed(post) == {}


async def test_TC_K_59_CSMS_a_car_answers_a_new_offer_with_new_needs(post_of):
    async with post_of() as post:
        await post.booted()
        transaction_id, _ = await smart_session(post)
        await post.command("set_charging_profile", evse_id=1, profile=relative(purpose="session"))
        await offered(post, transaction_id)

        assert await needs(post) == "Accepted"
        schedule = await offered(post, transaction_id)
        assert await means_to_draw(post, schedule) == "Accepted"
        assert await rate_changed(post) == {}
