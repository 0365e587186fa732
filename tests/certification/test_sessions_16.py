"""OCPP 1.6, Core: authorization, sessions and meters; cases of the certification list."""

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest

from simulator.chargers.spec import Behaviour
from simulator.journal import Kind
from tests.certification.sessions import begun, ended, samples, signed_readings, state_of
from tests.certification.tokens import known_by_plan
from tests.support.stack import TOKEN

pytestmark = pytest.mark.real

EVERY_S = 0.2


def behaving(**more):
    usual = {"heartbeat_s": 3_600, "sample_s": 3_600, "reboot_s": 0.5, "step_s": 0.1}
    return Behaviour(**usual | more)


@pytest.fixture
def post_16(post_of):
    """A maker of posts that speak 1.6."""

    def made(**more):
        return partial(post_of, "1.6")(behaviour=behaving(**more))

    return made


def a_tag():
    return uuid4().hex[:14].upper()


def answers(post, action):
    return [one.body for one in post.tape.of(Kind.ACKNOWLEDGED, action)]


def statuses(post, connector_id=1):
    """Return what the charger told of a connector, oldest first."""
    told = post.sent("StatusNotification")
    return [one["status"] for one in told if one["connectorId"] == connector_id]


async def shown(post, state, evse_id=1):
    """Wait until the cloud shows a connector so."""

    async def is_so():
        detail = await post.get(f"/chargers/{post.charger_id}")
        return any(
            one["evse_id"] == evse_id and one["state"] == state for one in detail["connectors"]
        )

    await post.until(is_so, f"connector {evse_id} {state}")


async def charging(post, tag=TOKEN):
    post.charger.plug_in(1, post.car())
    post.charger.present(1, tag)
    return await state_of(post, "charging")


# --- regular sessions -----------------------------------------------------------------------------


async def test_TC_001_CSMS_a_charge_point_boots_and_tells_its_states(post_16):
    async with post_16() as post:
        await post.booted()

        (answer,) = answers(post, "BootNotification")
        assert answer["status"] == "Accepted"
        assert answer["interval"] > 0
        assert abs(datetime.fromisoformat(answer["currentTime"]) - datetime.now(UTC)) < timedelta(
            minutes=1
        )
        assert statuses(post, 0)[0] == statuses(post, 1)[0] == "Available"
        await shown(post, "free")


async def test_TC_003_CSMS_the_cable_may_come_before_the_tag(post_16):
    async with post_16() as post:
        await post.booted()
        post.charger.plug_in(1, post.car())
        await shown(post, "preparing")
        post.charger.present(1, TOKEN)
        await state_of(post, "charging")

        (asked,) = answers(post, "Authorize")
        (start,) = answers(post, "StartTransaction")
        assert asked["idTagInfo"]["status"] == start["idTagInfo"]["status"] == "Accepted"
        assert start["transactionId"] > 0
        await shown(post, "charging")
        post.charger.present(1, TOKEN)
        over = await ended(post)
        (stop,) = post.sent("StopTransaction")
        assert stop["transactionId"] == start["transactionId"]
        assert over["end_reason"] == "Local"
        post.charger.unplug(1)
        await shown(post, "free")
        assert statuses(post)[-4:] == ["Preparing", "Charging", "Finishing", "Available"]


async def test_TC_004_1_CSMS_the_tag_may_come_before_the_cable(post_16):
    async with post_16() as post:
        await post.booted()
        post.charger.present(1, TOKEN)
        await shown(post, "preparing")
        post.charger.plug_in(1, post.car())

        await state_of(post, "charging")
        (start,) = answers(post, "StartTransaction")
        assert start["idTagInfo"]["status"] == "Accepted"
        assert statuses(post)[-2:] == ["Preparing", "Charging"]


async def test_TC_004_2_CSMS_a_tag_without_a_cable_in_time_begins_nothing(post_16):
    async with post_16(connection_timeout_s=0.5) as post:
        await post.booted()
        post.charger.present(1, TOKEN)

        async def reported():
            told = await post.facts("connector_state_reported")
            return [one["state"] for one in told if one["evse_id"] == 1][:2] == [
                "free",
                "preparing",
            ]

        await post.until(reported, "it prepared, and is free again")
        await shown(post, "free")

        assert statuses(post)[-2:] == ["Preparing", "Available"]
        assert post.sent("StartTransaction") == []
        assert await post.sessions() == []


async def test_TC_005_1_CSMS_a_session_ends_as_the_car_is_unplugged(post_16):
    async with post_16() as post:
        await post.booted()
        await charging(post)
        post.charger.unplug(1)

        assert (await ended(post))["end_reason"] == "EVDisconnected"
        assert post.sent("StopTransaction")[0]["reason"] == "EVDisconnected"
        await shown(post, "free")


async def test_TC_007_CSMS_a_tag_of_the_cache_is_confirmed_at_the_start(post_16):
    async with post_16() as post:
        await post.booted()
        post.charger.cards.asks_first = False
        post.charger.cards.note(TOKEN, is_accepted=True)
        await charging(post)

        assert post.sent("Authorize") == []
        assert answers(post, "StartTransaction")[0]["idTagInfo"]["status"] == "Accepted"


async def test_a_tag_runs_no_more_transactions_than_it_may_and_all_are_kept(post_16):
    async with post_16() as post:
        await post.booted()
        tag = a_tag()
        await post.post_token(tag, max_sessions=1)
        await known_by_plan(post, tag, {"idTag": tag})
        await charging(post, tag)
        post.charger.plug_in(2, post.car())
        post.charger.present(2, tag)
        session = await ended(post, 2)
        told = [one["idTagInfo"]["status"] for one in answers(post, "StartTransaction")]

        assert told == ["Accepted", "ConcurrentTx"]
        assert "not_authorized" in session["flags"]
        assert (await begun(post, 1))["state"] != "ended"


async def test_TC_061_CSMS_the_cache_is_cleared(post_16):
    async with post_16() as post:
        await post.booted()
        post.charger.cards.note("SOMEBODY", is_accepted=True)
        command = await post.command("clear_cache")

        assert await post.asked("ClearCache") == {}
        assert (command["state"], command["answer"]) == ("accepted", {"status": "Accepted"})
        assert post.charger.cards.known("SOMEBODY") is None


# --- tags that may not charge ---------------------------------------------------------------------


async def is_refused(post_16, *words, **kept):
    async with post_16() as post:
        await post.booted()
        tag = a_tag()
        if kept:
            await post.post_token(tag, **kept)
        answer = await post.call("Authorize", {"idTag": tag})

        assert answer["idTagInfo"]["status"] in words
        start = {
            "connectorId": 1,
            "idTag": tag,
            "meterStart": 100,
            "timestamp": datetime.now(UTC).isoformat(),
        }
        answer = await post.call("StartTransaction", start)
        assert answer["idTagInfo"]["status"] in words
        await begun(post)
        (fact,) = await post.facts("session_started")
        assert fact["is_authorized"] is False


async def test_TC_023_1_CSMS_an_unknown_tag_is_invalid(post_16):
    await is_refused(post_16, "Invalid")


async def test_TC_023_2_CSMS_an_expired_tag_is_told_so(post_16):
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    await is_refused(post_16, "Expired", "Invalid", valid_until=past)


async def test_TC_023_3_CSMS_a_blocked_tag_is_told_so(post_16):
    await is_refused(post_16, "Blocked", "Invalid", is_valid=False)


async def test_TC_024_CSMS_a_lock_that_fails_begins_nothing_and_is_known(post_16):
    async with post_16() as post:
        await post.booted()
        post.charger.plug_in(1, post.car())
        post.charger.break_down(1, "ConnectorLockFailure")
        await shown(post, "faulted")

        told = post.sent("StatusNotification")[-1]
        assert (told["status"], told["errorCode"]) == ("Faulted", "ConnectorLockFailure")
        assert await post.sessions() == []


async def test_16_5_11_a_tag_of_the_same_parent_ends_the_session(post_16):
    async with post_16() as post:
        await post.booted()
        group, first, second = a_tag(), a_tag(), a_tag()
        for tag in (first, second):
            await post.post_token(tag, parent_token=group)
        await charging(post, first)
        info = answers(post, "StartTransaction")[0]["idTagInfo"]
        assert (info["status"], info["parentIdTag"]) == ("Accepted", group)
        post.charger.present(1, second)

        assert (await ended(post))["end_reason"] == "Local"
        assert answers(post, "Authorize")[-1]["idTagInfo"]["parentIdTag"] == group
        assert post.sent("StopTransaction")[0]["idTag"] == second


# --- without power, without a connection ----------------------------------------------------------


async def test_TC_032_1_CSMS_sessions_a_power_failure_ended_are_told_after_the_boot(post_16):
    async with post_16() as post:
        await post.booted()
        await charging(post)
        post.charger.lose_power(0.3)

        assert (await ended(post))["end_reason"] == "PowerLoss"
        assert [one["status"] for one in answers(post, "BootNotification")] == ["Accepted"] * 2
        await shown(post, "finishing")


async def starts_offline(post, tag):
    post.dialer.cut(0.5)
    await post.until(lambda: not post.charger.line.is_connected, "away")
    post.charger.plug_in(1, post.car())
    post.charger.present(1, tag)
    await post.until(lambda: post.charger.evses[1].session, "a session begins all the same")
    return post.charger.evses[1].session.started_at


def began_at(session):
    return datetime.fromisoformat(session["started_at"])


async def test_TC_037_1_CSMS_a_session_begun_offline_is_told_and_goes_on(post_16):
    async with post_16() as post:
        await post.booted()
        at = await starts_offline(post, TOKEN)

        session = await state_of(post, "charging")
        assert answers(post, "StartTransaction")[0]["idTagInfo"]["status"] == "Accepted"
        assert abs(began_at(session) - at) < timedelta(milliseconds=1)


async def test_TC_037_3_CSMS_a_session_begun_offline_by_a_stranger_is_ended(post_16):
    async with post_16() as post:
        await post.booted()
        await starts_offline(post, a_tag())

        assert (await ended(post))["end_reason"] == "DeAuthorized"
        assert answers(post, "StartTransaction")[0]["idTagInfo"]["status"] == "Invalid"


async def test_TC_039_CSMS_a_session_that_was_offline_altogether_is_known_whole(post_16):
    async with post_16() as post:
        await post.booted()
        at = await starts_offline(post, TOKEN)
        post.charger.present(1, TOKEN)

        over = await ended(post)
        (stop,) = post.sent("StopTransaction")
        (start,) = post.sent("StartTransaction")
        assert stop["transactionId"] == answers(post, "StartTransaction")[0]["transactionId"]
        assert abs(began_at(over) - at) < timedelta(milliseconds=1)
        assert over["energy_wh"] == stop["meterStop"] - start["meterStart"]
        assert over["end_reason"] == "Local"


# --- meters ---------------------------------------------------------------------------------------


def contexts(values):
    return [one["sampledValue"][0]["context"] for one in values]


async def test_16_4_7_a_session_is_sampled_and_its_end_repeats_the_samples(post_16):
    async with post_16(sample_s=EVERY_S, repeats_samples=True) as post:
        await post.booted()
        session = await charging(post)
        await post.until(lambda: len(answers(post, "MeterValues")) >= 3, "three samples")
        number = answers(post, "StartTransaction")[0]["transactionId"]
        assert {one["transactionId"] for one in post.sent("MeterValues")} == {number}
        post.charger.unplug(1)

        await ended(post)
        *before, last = contexts(post.sent("StopTransaction")[0]["transactionData"])
        assert (set(before), last) == ({"Sample.Periodic"}, "Transaction.End")
        assert len(await samples(post, session["session_id"])) >= 3
        assert await post.facts("oddity_observed") == []


async def test_16_4_7_all_meters_are_told_of_by_the_clock(post_16):
    async with post_16() as post:
        await post.booted()
        await charging(post)
        asked = {"key": "ClockAlignedDataInterval", "value": "1"}
        command = await post.ask("ChangeConfiguration", asked)
        assert command["state"] == "accepted"
        await post.until(lambda: len(answers(post, "MeterValues")) >= 3, "one round")

        told = post.sent("MeterValues")[:3]
        assert [one["connectorId"] for one in told] == [1, 2, 0]
        assert ["transactionId" in one for one in told] == [True, False, False]
        assert {contexts(one["meterValue"])[0] for one in told} == {"Sample.Clock"}
        assert await post.facts("oddity_observed") == []


async def test_16_7_44_what_a_meter_signs_is_kept(post_16):
    async with post_16(signs=True) as post:
        await post.booted()
        session = await charging(post)
        post.charger.unplug(1)
        await ended(post)

        (data,) = [
            one["value"]
            for value in post.sent("StopTransaction")[0]["transactionData"]
            for one in value["sampledValue"]
            if one.get("format") == "SignedData"
        ]
        (kept,) = await signed_readings(post, session["session_id"])
        assert (kept["data"], kept["context"]) == (data, "Transaction.End")
