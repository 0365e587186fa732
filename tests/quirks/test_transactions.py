"""QUIRKS 22-32: how transactions begin and end, twice, late or not at all."""

from datetime import timedelta

import pytest

from simulator.chargers.spec import stamp
from tests.support.stack import TOKEN

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("quirks")]


@pytest.mark.parametrize(
    "quirk",
    ["transaction_zero", "transaction_minus_one", "no_transaction_id", "transaction_id_hole"],
)
async def test_q22_a_transaction_without_a_usable_id_is_the_one_that_is_open(post_with, quirk):
    async with post_with(quirk) as post:
        await post.booted()
        session = await post.charge()

        assert session["energy_wh"] == post.true_wh() > 0
        assert len(await post.sessions()) == 1
        assert post.refusals() == []
        assert await post.quarantined() == []


async def test_q23_a_start_said_again_is_one_session(post_with):
    async with post_with("misses_start_answer") as post:
        await post.booted()
        session = await post.charge()

        assert session["energy_wh"] == post.true_wh()
        assert len(post.sent("StartTransaction")) > 1
        assert len(await post.sessions()) == 1


async def test_q24_a_session_nobody_stopped_ends_where_the_next_begins(post_with):
    async with post_with("loses_stop") as post:
        await post.booted()
        first = await post.begin(TOKEN)
        post.charger.unplug(1)
        second = await post.begin(TOKEN)
        ended = await post.ended(first["session_id"])

        assert ended["end_reason"].lower() == "superseded"
        assert (await post.session(second["session_id"]))["ended_at"] is None
        assert "session_superseded" in await post.oddities()


async def test_q25_a_stop_of_what_nobody_started_is_answered_and_kept(post_with):
    async with post_with("unknown_stop") as post:
        await post.booted()
        await post.begin(TOKEN)
        post.charger.unplug(1)
        await post.delivered()

        async def kept():
            return [one for one in await post.sessions() if "start_missing" in one["flags"]]

        await post.until(kept, "kept")
        assert "stop_without_start" in await post.oddities()
        assert post.refusals() == []


async def test_q26_of_two_stops_the_first_counts(post_with):
    async with post_with("stops_twice") as post:
        await post.booted()
        session = await post.charge()

        async def flagged():
            return "second_stop" in await post.oddities()

        await post.until(flagged, "flagged")
        assert (await post.session(session["session_id"]))["energy_wh"] == post.true_wh()
        assert len(await post.sessions()) == 1
        assert post.refusals() == []


async def test_q27_a_stop_whose_start_was_lost_is_kept(post_with):
    async with post_with("loses_start") as post:
        await post.booted()
        assert post.charger.plug_in(1, post.car())
        post.charger.present(1, TOKEN)
        await post.until(lambda: post.charger.evses[1].session, "charging")
        post.charger.unplug(1)
        await post.delivered()

        async def kept():
            return [one for one in await post.sessions() if one["ended_at"]]

        (session,) = await post.until(kept, "kept")
        assert "start_missing" in session["flags"]
        assert post.refusals() == []


async def test_q27_what_comes_days_late_keeps_its_time_and_leaves_the_live_session(post_with):
    async with post_with() as post:
        await post.booted()
        live = await post.begin(TOKEN)
        began = post.charger.now() - timedelta(days=3)
        start = {"connectorId": 1, "idTag": TOKEN, "meterStart": 100, "timestamp": stamp(began)}
        number = (await post.call("StartTransaction", start))["transactionId"]
        ended = stamp(began + timedelta(hours=1))
        await post.call(
            "StopTransaction", {"transactionId": number, "meterStop": 5_100, "timestamp": ended}
        )

        async def kept():
            found = [one for one in await post.sessions() if one["ended_at"]]
            return [(one["energy_wh"], one["duration_s"]) for one in found] == [(5_000, 3_600)]

        await post.until(kept, "the late session")
        assert (await post.session(live["session_id"]))["ended_at"] is None
        post.charger.unplug(1)
        assert (await post.ended(live["session_id"]))["energy_wh"] == post.true_wh()


async def test_q28_reservation_zero_is_none(post_with):
    async with post_with("zero_reservation") as post:
        await post.booted()
        session = await post.charge()

        assert session["reservation_id"] is None
        assert session["flags"] == []


async def test_q28_a_reservation_of_connector_zero_is_met_on_any_connector(post_with):
    async with post_with() as post:
        await post.booted()
        asked = await post.ask(
            "ReserveNow",
            {
                "connectorId": 0,
                "expiryDate": stamp(post.charger.now() + timedelta(hours=1)),
                "idTag": TOKEN,
                "parentIdTag": "FAMILY",
                "reservationId": 7,
            },
        )
        session = await post.charge()

        assert asked["state"] == "accepted"
        assert session["flags"] == []
        assert post.refusals() == []


async def test_q29_a_sample_after_the_stop_opens_nothing(post_with):
    async with post_with("meter_after_stop") as post:
        await post.booted()
        session = await post.charge()
        await post.caught_up()

        after = await post.session(session["session_id"])
        assert after["ended_at"] == session["ended_at"]
        assert after["energy_wh"] == post.true_wh()
        assert len(await post.sessions()) == 1


@pytest.mark.parametrize("quirk", ["free_before_stop", "never_finishing"])
async def test_q30_the_stop_ends_a_session_whatever_the_status_says(post_with, quirk):
    async with post_with(quirk) as post:
        await post.booted()
        session = await post.charge()

        assert session["energy_wh"] == post.true_wh()
        assert session["flags"] == []
        assert len(await post.sessions()) == 1


async def test_q30_who_never_says_available_again_can_charge_again(post_with):
    async with post_with() as post:
        await post.booted()
        post.adopt("never_free")
        await post.charge()
        await post.charge()

        assert [one["flags"] for one in await post.sessions()] == [[], []]


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_q30_available_while_plugged_does_not_end_a_session(post_with, version):
    async with post_with("free_while_plugged", version=version) as post:
        await post.booted()
        session = await post.charge()

        assert session["energy_wh"] == post.true_wh()
        assert session["flags"] == []


async def test_q30_a_session_that_was_never_stopped_frees_its_bay_after_a_grace(post_with):
    async with post_with("loses_stop") as post:
        await post.booted()
        session = await post.begin(TOKEN)
        post.charger.unplug(1)

        async def left():
            bay = await post.get(f"/stations/{post.station.station_id}")
            found = [one for one in bay["station"]["bays"] if one["bay_id"] == session["bay_id"]]
            return found[0]["status"] != "CHARGING"

        await post.until(left, "the bay to be free of it")


async def test_q31_phantom_plugs_open_no_session_and_no_alert(post_with):
    async with post_with("phantom_plugs") as post:
        await post.booted()
        await post.caught_up()

        assert await post.sessions() == []
        assert await post.no_alert()
        assert post.refusals() == []


async def test_q32_a_remote_start_that_nothing_follows_is_no_session(post_with):
    async with post_with("ignores_remote_start") as post:
        await post.booted()
        assert post.charger.plug_in(1, post.car())
        asked = await post.command("start_session", evse_id=1, token=TOKEN)
        before = await post.sessions()
        post.charger.unplug(1)
        await post.charge()

        assert (asked["state"], before) == ("accepted", [])


async def test_q32_a_remote_start_in_finishing_is_refused_and_told_so(post_with):
    async with post_with("no_start_in_finishing") as post:
        await post.booted()
        session = await post.begin(TOKEN)
        post.charger.present(1, TOKEN)
        await post.ended(session["session_id"])
        refused = await post.command("start_session", evse_id=1, token=TOKEN)
        post.charger.unplug(1)
        assert post.charger.plug_in(1, post.car())
        taken = await post.command("start_session", evse_id=1, token=TOKEN)

        assert (refused["state"], taken["state"]) == ("rejected", "accepted")


async def test_q32_preparing_may_be_a_token_without_a_cable(post_with):
    async with post_with() as post:
        await post.booted()
        post.charger.present(1, TOKEN)
        await post.until(lambda: post.charger.evses[1].awaited_token, "preparing")
        await post.call("Heartbeat", {})

        assert await post.sessions() == []
        assert post.charger.plug_in(1, post.car())
        await post.until(post.sessions, "a session")
