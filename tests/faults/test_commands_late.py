"""P13, N03: commands to chargers that are away, and parts that die meanwhile: once, never late, never lost."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random, SystemRandom

import pytest

from tests.support.chaos import ChaosProxy, Way
from tests.support.ocpp import Charger
from tests.support.stack import Kind, Stack
from tests.support.waiting import eventually_async

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("commands-late")]

SEED = SystemRandom().randrange(10_000)
BOOT = {"chargePointVendor": "Baywatt Labs", "chargePointModel": "Virtual 1"}
WITHIN_S = 60
NUMBERS = count(1)


class Site:
    """A station of two chargers, at the embedded cloud of all these tests."""

    def __init__(self, stack: Stack, name: str) -> None:
        self.stack = stack
        self.station = stack.add_station(name, chargers=2)

    def start_agent(self, **more):
        agent = self.stack.start_agent(self.station, AGENT_BEAT_INTERVAL_S="3", **more)
        self.stack.wait_until_known(self.station)
        return agent

    def charger(self, charger_id: str | None = None) -> Charger:
        charger = self.stack.charger(self.station, charger_id)
        charger.answers = dict.fromkeys(
            ("Reset", "UnlockConnector"), lambda _: {"status": "Accepted"}
        )
        return charger

    async def post(self, path, body):
        return await asyncio.to_thread(self.stack.post, path, body)

    async def state(self, command) -> str:
        found = await asyncio.to_thread(self.stack.get, f"/commands/{command['command_id']}")
        return found["state"]

    async def until_state(self, command, *states: str) -> str:
        async def reached():
            state = await self.state(command)
            return state if state in states else None

        return await eventually_async(reached, WITHIN_S, f"{command['command_id']} {states}")

    async def until_known(self, charger_id: str, *, is_connected: bool) -> None:
        async def shown():
            found = await asyncio.to_thread(self.stack.get, f"/chargers/{charger_id}")
            return found["charger"]["is_connected"] is is_connected

        await eventually_async(shown, WITHIN_S, f"{charger_id} connected: {is_connected}")


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    made = Stack(tmp_path_factory.mktemp("late"), Kind.EMBEDDED, "").start()
    yield made
    made.stop()


@pytest.fixture
def site(stack):
    made = Site(stack, f"late-{next(NUMBERS)}")
    yield made
    stack.agents[made.station.station_id].stop()


async def booted(charger: Charger) -> None:
    assert (await charger.call("BootNotification", BOOT))["status"] == "Accepted"


async def test_p13_queued_commands_survive_every_process_and_are_carried_out_once(site):
    """Killed in the middle: the cloud with commands queued, the agent and both again as they go out."""
    random = Random(SEED)
    agent = site.start_agent()
    charger_id = site.station.charger_ids[0]
    path = f"/chargers/{charger_id}/calls"
    body = {"action": "ClearCache", "when_away": "queue", "keep_s": 3_600}
    commands = [await site.post(path, body) for _ in range(12)]
    assert {one["state"] for one in commands} == {"queued"}
    site.stack.kill_cloud()
    await asyncio.to_thread(site.stack.start_cloud)

    heard: list[str] = []
    for part in ("agent", "cloud", "none"):
        async with site.charger(charger_id) as charger:
            charger.answers["ClearCache"] = lambda _: {"status": "Accepted"}
            await booted(charger)
            most = random.randint(1, 4) if part != "none" else 0
            if part == "none":
                for command in commands:
                    await site.until_state(command, "accepted", "timed_out")
            else:
                going_on = partial(has_heard, site, charger, commands, most)
                await eventually_async(going_on, WITHIN_S, "some calls")
                if part == "agent":
                    agent.kill()
                    site.stack.restart_agent(site.station)
                else:
                    site.stack.kill_cloud()
                    await asyncio.to_thread(site.stack.start_cloud)
            heard += [action for action, _ in charger.asked]
    states = Counter([await site.state(one) for one in commands])

    assert set(states) <= {"accepted", "timed_out"}, f"seed {SEED}: {states}"
    assert states["timed_out"] <= 2, f"seed {SEED}: {states}"
    assert len(heard) <= len(commands), f"seed {SEED}: {len(heard)} calls"
    assert len(heard) >= states["accepted"], f"seed {SEED}: {len(heard)} calls"


async def test_p13_a_command_the_agent_first_sees_after_its_deadline_is_never_carried_out(site):
    agent = site.start_agent()
    async with site.charger() as charger:
        await booted(charger)
        await site.until_known(charger.charger_id, is_connected=True)
        agent.freeze()
        over_at = datetime.now(UTC) + timedelta(seconds=3)
        asking = asyncio.create_task(reset(site, charger.charger_id, 1))
        await eventually_async(lambda: datetime.now(UTC) > over_at, WITHIN_S, "its deadline past")
        agent.thaw()
        await asking
        command = await newest(site, charger.charger_id)
        assert await site.until_state(command, "expired") == "expired"
        follow_up = await reset(site, charger.charger_id, 10)

        assert follow_up["state"] == "accepted"
        assert [action for action, _ in charger.asked] == ["Reset"]


async def test_n03_what_an_agent_could_not_hear_in_time_is_never_carried_out(site):
    async with ChaosProxy(site.stack.broker_port) as proxy:
        await asyncio.to_thread(site.start_agent, broker_port=proxy.port)
        async with site.charger() as charger:
            await booted(charger)
            await site.until_known(charger.charger_id, is_connected=True)
            proxy.half_open(Way.DOWN)
            await reset(site, charger.charger_id, 1)
            command = await newest(site, charger.charger_id)
            await site.until_state(command, "expired")
            proxy.mend()
            follow_up = await reset(site, charger.charger_id, 20)

            assert follow_up["state"] == "accepted"
            assert await site.state(command) == "expired"
            assert [action for action, _ in charger.asked] == ["Reset"]


async def test_p13_a_queued_command_whose_charger_comes_too_late_is_never_sent(site):
    site.start_agent()
    charger_id = site.station.charger_ids[0]
    body = {"action": "Reset", "payload": {"type": "Hard"}, "when_away": "queue", "keep_s": 2}
    command = await site.post(f"/chargers/{charger_id}/calls", body)
    await site.until_state(command, "expired")
    async with site.charger(charger_id) as charger:
        await booted(charger)
        await site.until_known(charger_id, is_connected=True)
        follow_up = await reset(site, charger_id, 10)

        assert follow_up["state"] == "accepted"
        assert [payload["type"] for _, payload in charger.asked] == ["Soft"]


async def test_a_fleet_command_goes_on_where_a_killed_cloud_left_it(site):
    site.start_agent()
    ids = site.station.charger_ids
    async with site.charger(ids[0]) as first, site.charger(ids[1]) as second:
        for charger in (first, second):
            await booted(charger)
            await site.until_known(charger.charger_id, is_connected=True)
        body = {
            "selector": {"station_ids": [site.station.station_id]},
            "request": {"kind": "reset_charger"},
            "waves": {"shares": [0.5, 1], "settle_s": 1},
        }
        fleet = await site.post("/fleet-commands", body)
        path = f"/fleet-commands/{fleet['fleet_command_id']}"
        await eventually_async(lambda: first.asked or second.asked, WITHIN_S, "the first wave")
        site.stack.kill_cloud()
        await asyncio.to_thread(site.stack.start_cloud)

        async def done():
            found = await asyncio.to_thread(site.stack.get, path)
            return found if found["status"] == "done" else None

        view = await eventually_async(done, WITHIN_S, "both waves")
        assert view["progress"]["accepted"] == 2
        assert [one.asked for one in (first, second)] == [[("Reset", {"type": "Soft"})]] * 2


async def has_heard(site: Site, charger: Charger, commands, most: int) -> bool:
    """Whether so many calls came, or no more will."""
    if len(charger.asked) >= most:
        return True
    return {await site.state(one) for one in commands} <= {"accepted", "timed_out"}


async def reset(site: Site, charger_id: str, timeout_s: int):
    """Ask for a reset; an answer that does not come in time is no error here."""

    def ask():
        path = f"/chargers/{charger_id}/commands?timeout_s={timeout_s}"
        return site.stack.api.post(path, json={"kind": "reset_charger"}).json()

    return await asyncio.to_thread(ask)


async def newest(site: Site, charger_id: str):
    found = await asyncio.to_thread(site.stack.get, f"/chargers/{charger_id}/commands", limit=1)
    return found["commands"][0]
