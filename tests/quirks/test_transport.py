"""QUIRKS 1-11: how chargers dial, frame their messages and pair answers."""

import asyncio
import json
from dataclasses import replace

import pytest
from websockets.exceptions import InvalidStatus

from simulator.journal import Kind
from tests.support.stack import TOKEN
from tests.support.waiting import eventually_async

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("quirks")]


async def charger(post):
    return (await post.get(f"/chargers/{post.charger_id}"))["charger"]


@pytest.mark.parametrize("quirk", ["no_subprotocol", "empty_subprotocol"])
async def test_q01_who_offers_no_subprotocol_is_served_as_16(post_with, quirk):
    async with post_with(quirk) as post:
        await post.booted()
        await post.charge()

        assert (await charger(post))["ocpp_version"] == "1.6"
        assert post.refusals() == []


async def test_q01_who_offers_none_and_speaks_201_is_served_as_201(post_with):
    async with post_with("no_subprotocol", version="2.0.1") as post:
        await post.booted()
        await post.charge()

        assert (await charger(post))["ocpp_version"] == "2.0.1"
        assert post.refusals() == []


@pytest.mark.parametrize(
    "quirk", ["no_connection_header", "odd_handshake_key", "deep_path", "slash_at_the_end"]
)
async def test_q02_an_upgrade_that_is_not_by_the_book_is_granted(post_with, quirk):
    async with post_with(quirk) as post:
        await post.booted()
        await post.charge()

        assert post.dialer.refusals == 0


async def test_q03_an_id_in_lower_case_is_the_charger_we_know(post_with):
    async with post_with("lower_case_id") as post:
        await post.booted()
        await post.charge()

        assert post.dialer.refusals == 0


async def test_q04_the_newest_socket_wins_and_the_dead_ones_close_harms_nobody(post_with):
    async with post_with() as post:
        await post.booted()
        session = await post.begin(TOKEN)
        post.dialer.vanish(for_s=1)
        await post.until(lambda: len(post.tape.of(Kind.CONNECTED)) > 1, "back")
        post.dialer.bury()
        answered = await post.ask("GetConfiguration")
        post.charger.unplug(1)
        ended = await post.ended(session["session_id"])

        assert answered["state"] == "accepted"
        assert len(post.tape.of(Kind.CONNECTED)) == 2
        assert (await charger(post))["is_connected"]
        assert ended["flags"] == []
        assert len(await post.sessions()) == 1


async def test_q05_who_never_answers_pings_stays(post_with):
    async with post_with("no_pongs") as post:
        await post.booted()
        await post.until(lambda: post.dialer.pings > 1, "a second ping")
        await post.charge()

        assert post.charger.line.connections == 1


async def test_q05_who_wants_pings_gets_them_in_time(post_with):
    async with post_with("wants_pings") as post:
        await post.booted()
        # of this connection: who hung up meanwhile counts anew
        await post.until(lambda: post.dialer.pings > 2, "a third ping")


async def test_q06_who_takes_six_minutes_to_dial_again_goes_on_where_it_was(post_with):
    async with post_with("slow_redial") as post:
        await post.booted()
        session = await post.begin(TOKEN)
        post.dialer.hang_up()

        async def offline():
            return "charger_offline" in await post.alerts()

        await post.until(offline, "an alert")
        held = await post.session(session["session_id"])
        await eventually_async(lambda: post.charger.line.connections > 1, 40, "back")
        await post.booted()
        post.charger.unplug(1)
        ended = await post.ended(session["session_id"])

        assert held["ended_at"] is None
        assert ended["flags"] == []
        assert len(await post.sessions()) == 1
        away = post.tape.of(Kind.CONNECTED)[1].at - post.tape.of(Kind.DISCONNECTED)[0].at
        assert away.total_seconds() >= 360


async def test_q06_who_was_refused_for_a_minute_is_let_in_once_its_key_is_right(house):
    post = house.post()
    for _ in range(6):
        with pytest.raises(InvalidStatus):
            await house.dial(post.charger_id, key="wrong")
    async with post:
        await post.booted()

        assert post.dialer.refusals == 0


@pytest.mark.parametrize(
    ("quirk", "version"), [("says_201", "1.6"), ("says_16", "2.0.1"), ("says_201", "2.1")]
)
async def test_q07_who_speaks_another_version_than_agreed_is_understood(post_with, quirk, version):
    async with post_with(quirk, version=version) as post:
        await post.booted()
        await post.charge()
        reset = await post.command("reset_charger", reset="soft")

        agreed = "2.0.1" if version == "2.1" else version

        async def known():
            # it was reset: with each connection it has to be found out anew
            return (await charger(post))["ocpp_version"] == agreed

        await post.until(known, "its version")
        assert reset["state"] == "accepted"
        assert post.refusals() == []
        assert await post.quarantined() == []


async def test_q07_another_version_on_the_next_connection_is_another_version(house):
    async with house.post() as old:
        await old.booted()
        await old.charge()
    async with house.post(version="2.0.1", charger_id=old.charger_id) as post:
        await post.booted()
        await post.charge()

        async def known():
            return (await charger(post))["ocpp_version"] == "2.0.1"

        await post.until(known, "the other version")
        assert len(await post.sessions()) == 2
        assert post.refusals() == []


@pytest.mark.parametrize(
    "quirk",
    [
        "binary_frames",
        "empty_frames",
        "null_payload",
        "one_message_id",
        "empty_message_id",
        "number_message_ids",
    ],
)
async def test_q08_odd_frames_are_read(post_with, quirk):
    async with post_with(quirk) as post:
        await post.booted()
        session = await post.charge()
        await post.call("Heartbeat", {})

        assert session["energy_wh"] == post.true_wh()
        assert post.refusals() == []
        assert len(await post.sessions()) == 1


async def test_q08_who_numbers_its_messages_is_heard_once_and_answers_us(post_with):
    async with post_with("number_message_ids", "misses_start_answer", "same_message_id") as post:
        await post.booted()
        session = await post.charge()
        asked = await post.ask("GetLocalListVersion")

        assert session["energy_wh"] == post.true_wh()
        assert (asked["state"], asked["answer"]) == ("accepted", {"listVersion": 0})
        assert len(await post.sessions()) == 1
        assert post.refusals() == []
        assert "number_for_message_id" in await post.oddities()


async def test_q08_a_transaction_message_without_an_id_is_kept_aside(house):
    post = house.post()
    async with house.dial(post.charger_id) as socket:
        stop = {"transactionId": 1, "meterStop": 5, "timestamp": "2026-01-05T08:00:00Z"}
        await socket.send(json.dumps([2, None, "StopTransaction", stop]))
        answer = json.loads(await socket.recv())

        async def kept():
            return await post.quarantined()

        (kept_aside,) = await post.until(kept, "kept")
        assert answer[:3] == [4, "-1", "FormationViolation"]
        assert kept_aside["action"] == "StopTransaction"


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_q09_a_call_said_again_at_once_has_one_effect(post_with, version):
    async with post_with("says_all_twice", version=version) as post:
        await post.booted()
        session = await post.charge()

        assert session["energy_wh"] == post.true_wh()
        assert session["flags"] == []
        assert len(await post.sessions()) == 1
        assert post.refusals() == []


async def test_q09_a_message_id_said_again_gets_the_remembered_answer(house):
    async with house.dial(house.post().charger_id) as socket:
        start = {
            "connectorId": 1,
            "idTag": TOKEN,
            "meterStart": 5,
            "timestamp": "2026-11-28T08:00:00Z",
        }
        for _ in range(3):
            await socket.send(json.dumps([2, "same", "StartTransaction", start]))
        answers = [json.loads(await socket.recv()) for _ in range(3)]

        assert answers[0][:2] == [3, "same"]
        assert answers[1:] == answers[:1] * 2


async def test_q10_an_answer_that_comes_too_late_is_ignored(post_with):
    async with post_with("late_answers") as post:
        await post.booted()
        line = post.charger.line
        line.manners = replace(line.manners, answers_after_s=150)
        late = await post.ask("GetConfiguration")
        line.manners = replace(line.manners, answers_after_s=0)
        timely = await post.ask("GetLocalListVersion")

        assert late["state"] == "timed_out"
        assert timely["state"] == "accepted"
        assert "listVersion" in timely["answer"]
        assert post.charger.line.connections == 1


async def test_q10_answers_to_what_nobody_asked_are_ignored(post_with):
    async with post_with("answers_unasked") as post:
        await post.booted()
        await post.charge()
        asked = await post.ask("GetLocalListVersion")

        assert asked["answer"] == {"listVersion": 0}
        assert post.charger.line.connections == 1


async def test_q11_calls_of_both_sides_do_not_wait_for_each_other(post_with):
    async with post_with("asks_first") as post:
        await post.booted()
        asked, answered = await asyncio.gather(
            post.ask("GetLocalListVersion"), post.call("Authorize", {"idTag": TOKEN})
        )

        assert asked["state"] == "accepted"
        assert answered["idTagInfo"]["status"] == "Accepted"
