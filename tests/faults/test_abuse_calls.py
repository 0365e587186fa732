"""P05, P06, P07, P09: calls and answers out of turn, over a real socket to a running agent."""

import asyncio
import json
from random import Random

import pytest

from contracts.events import CommandOutcome, OddityObserved, SessionStarted
from contracts.plan import Registration
from station_agent.ocpp.dialects import OCPP_201
from station_agent.ocpp.rpc import Answered, Rpc
from tests.faults.abused import Abused, latencies_s, p99
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.real

BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
BOOT_2 = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
START = {
    "connectorId": 1,
    "idTag": "04A2B3C4D5E680",
    "meterStart": 0,
    "timestamp": "2026-11-28T06:00:00Z",
}
ECHO = "DataTransfer"


async def test_p05_calls_sent_without_waiting_are_answered_in_their_order(abused: Abused):
    async with abused.charger("ocpp1.6") as charger:
        for number in range(50):
            action, payload = (("Heartbeat", {}), ("Authorize", {"idTag": "X"}))[number % 2]
            await charger.send([2, f"{number}", action, payload])

        assert [(await charger.receive())[1] for _ in range(50)] == [f"{n}" for n in range(50)]


async def test_p05_answers_to_nothing_we_asked_are_ignored(abused: Abused):
    async with abused.charger("ocpp2.0.1") as charger:
        for frame in ([3, "x", {}], [4, "x", "GenericError", "", {}], [3], [4, "x"], [3, None, 5]):
            assert await charger.say(frame) == []


async def test_p05_an_id_given_twice_has_one_effect_if_it_is_the_same_call(abused: Abused):
    async with abused.charger("ocpp1.6") as charger:
        first = await charger.call("StartTransaction", START)
        again = await charger.call("StartTransaction", START)
        other = await charger.call("StartTransaction", START | {"connectorId": 2})

        assert first == again
        assert other[2]["transactionId"] != first[2]["transactionId"]
        await eventually_async(
            lambda: len(abused.facts(SessionStarted, charger.charger_id)) == 2, what="two sessions"
        )


async def test_p05_no_answer_is_given_to_another_call_whatever_comes_between(abused: Abused):
    async def answer(charger, count: int) -> None:
        for _ in range(count):
            while (frame := await charger.receive())[0] != 2:
                pass
            for noise in range(20):
                await charger.send([3, f"{noise}", {"status": "Accepted", "data": "wrong"}])
                await charger.send([2, f"call {noise}", "Heartbeat", {}])
            answer = {"status": "Accepted", "data": frame[3]["data"]}
            await charger.send([3, frame[1], answer])
            await charger.send([3, frame[1], {"status": "Accepted", "data": "twice"}])

    async with abused.charger("ocpp2.0.1") as charger:
        await charger.call("Heartbeat", {})
        answering = asyncio.create_task(answer(charger, 8))
        asked = {
            abused.ask(charger.charger_id, ECHO, {"vendorId": "v", "data": word}, 120): word
            for word in "abcdefgh"
        }
        answers = {one: await abused.answer_to(one) for one in asked}
        await answering

    assert {one: told.answer.get("data") for one, told in answers.items()} == asked


@pytest.mark.parametrize(
    "count", [20_000, pytest.param(1_000_000, marks=pytest.mark.faults)], ids=["few", "million"]
)
def test_p05_of_many_answers_none_goes_to_the_wrong_call(count):
    """As fast as the framing goes: what is late, doubled or made up answers nothing."""
    rpc, random = Rpc(OCPP_201), Random(5)
    misrouted = 0
    for number in range(count):
        rpc.call(f"{number}", "ClearCache", {})
        is_given_up = random.random() < 0.1
        if is_given_up:
            rpc.give_up()
        named = number if random.random() < 0.5 else random.randrange(count)
        answer = rpc.receive(f'[3,"{named}",{{"to":{named}}}]')
        is_ours = isinstance(answer, Answered)
        misrouted += is_ours != (named == number and not is_given_up)
        misrouted += is_ours and answer.payload != {"to": number}
        rpc.give_up()

    assert misrouted == 0


async def test_p06_a_call_never_answered_times_out_and_the_next_one_is_made(abused: Abused):
    async with abused.charger("ocpp2.0.1") as charger:
        await charger.call("Heartbeat", {})
        silent = [abused.ask(charger.charger_id, "ClearCache", {}, 10) for _ in range(3)]
        late = [await charger.receive() for _ in range(1)]
        outcomes = [(await abused.answer_to(one)).outcome for one in silent]
        last = abused.ask(charger.charger_id, "ClearCache", {}, 10)
        late += [await charger.receive() for _ in range(3)]
        for frame in late[:-1]:
            await charger.send([3, frame[1], {"status": "Rejected"}])
        await charger.send([3, late[-1][1], {"status": "Accepted"}])

        assert outcomes == [CommandOutcome.TIMED_OUT] * 3
        assert (await abused.answer_to(last)).outcome is CommandOutcome.ACCEPTED


async def test_p07_a_flood_is_slowed_down_told_and_felt_by_nobody_else(abused: Abused):
    noise = {"noise": "x" * 2_000}

    async def flood() -> None:
        for number in range(40_000):  # more than any buffer on the way takes
            await flooding.send([2, f"{number}", "MakeNoise", noise])

    async def drain() -> None:
        while True:
            await flooding.receive()

    async with abused.charger("ocpp1.6") as other, abused.charger("ocpp1.6") as flooding:
        await latencies_s(other)
        tasks = [asyncio.create_task(one()) for one in (flood, drain)]
        told = await eventually_async(
            lambda: abused.facts(OddityObserved, flooding.charger_id), what="the flood told"
        )
        # a heartbeat after the other: each is answered, or this fails
        await latencies_s(other)
        is_held_back = not tasks[0].done()
        why = tasks[0].exception() if tasks[0].done() else None
        for one in tasks:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        flooding.socket.transport.abort()

    assert [one.oddity for one in told] == ["flooding"]
    assert is_held_back, why


@pytest.mark.faults
async def test_p07_who_stands_beside_a_flood_is_answered_as_quickly_as_without(abused: Abused):
    async with abused.charger("ocpp1.6") as other, abused.charger("ocpp1.6") as flooding:
        await latencies_s(other)
        alone = p99(await latencies_s(other))

        async def flood() -> None:
            for number in range(40_000):
                await flooding.send([2, f"{number}", "MakeNoise", {"noise": "x" * 2_000}])

        noise = asyncio.create_task(flood())
        await eventually_async(
            lambda: abused.facts(OddityObserved, flooding.charger_id), what="the flood told"
        )
        beside = p99(await latencies_s(other))
        noise.cancel()
        await asyncio.gather(noise, return_exceptions=True)
        flooding.socket.transport.abort()

    assert beside < max(2 * alone, 0.05), f"{beside} s beside a flood, {alone} s without"


async def test_p09_a_storm_of_boots_is_answered_one_by_one_and_told_one_by_one(abused: Abused):
    async with abused.charger("ocpp1.6") as other, abused.charger("ocpp1.6") as charger:
        for number in range(200):
            await charger.send(json.dumps([2, f"{number}", "BootNotification", BOOT]))
        replies = [await charger.receive() for _ in range(200)]

        assert [one[1] for one in replies] == [f"{number}" for number in range(200)]
        assert {one[2]["status"] for one in replies} == {"Accepted"}
        assert (await other.call("Heartbeat", {}))[0] == 3


@pytest.mark.parametrize("registration", [Registration.PENDING, Registration.REJECTED])
@pytest.mark.parametrize("version", ["ocpp2.0.1", "ocpp2.1"])
async def test_p09_who_is_not_let_in_may_say_nothing_but_that_it_booted(
    abused: Abused, version, registration
):
    """What it owes is the exception: a transaction is kept whoever tells it (QUIRKS, the rule)."""

    async def booted(word: str) -> bool:
        reply = await charger.call("BootNotification", BOOT_2)
        return reply[2]["status"] == word

    async with abused.charger(version) as charger:
        abused.register(charger.charger_id, registration)
        await eventually_async(lambda: booted(registration.value.title()), what="the new plan")
        for action, payload in (
            ("Heartbeat", {}),
            ("Authorize", {"idToken": {"idToken": "A", "type": "Central"}}),
            ("StatusNotification", {"evseId": 1}),
            ("NotifyReport", {"requestId": 1, "seqNo": 0}),
        ):
            reply = await charger.call(action, payload)
            assert (reply[0], reply[2]) == (4, "SecurityError"), action
        assert (await charger.call("TransactionEvent", {}))[0] == 3
    async with abused.charger(version, charger_id=charger.charger_id) as charger:
        again = await charger.call("Heartbeat", {})
        assert (again[0], again[2]) == (4, "SecurityError")
        abused.register(charger.charger_id, Registration.ACCEPTED)
        await eventually_async(lambda: booted("Accepted"), what="the plan that lets it in")

        assert (await charger.call("Heartbeat", {}))[0] == 3
