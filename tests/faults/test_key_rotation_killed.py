"""F13: agent or cloud killed at each of the five steps of a change of keys: the charger can always log in.

`make test` kills at two steps; `make faults` twenty times, at each of them; FAULT_POINTS=200 as often as
that. FAULT_SEED repeats a run.
"""

import asyncio
import os
from functools import partial
from random import Random, SystemRandom

import pytest

from contracts.plan import decode_plan
from simulator.journal import Kind
from tests.certification.secure import SecurePost
from tests.support.stack import Kind as StackKind
from tests.support.stack import Stack
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.real

SEED = int(os.environ.get("FAULT_SEED", SystemRandom().randrange(10_000)))
STEPS = ["stored", "announced", "asked", "back", "done"]
WITHIN_S = 60.0


class Change:
    """One charger whose key is changed over and over, and what may be killed meanwhile."""

    def __init__(self, stack: Stack, station, post: SecurePost) -> None:
        self.stack = stack
        self.station = station
        self.post = post
        self.most_keys = 0

    def keys(self) -> set[str]:
        """Return the salts of the keys the agent takes by the plan it has on disk."""
        file = self.stack.folder / self.station.station_id / "data" / "plan.json"
        (credential,) = decode_plan(file.read_bytes()).chargers
        found = {credential.salt, credential.next_salt} - {""}
        self.most_keys = max(self.most_keys, len(found))
        return found

    async def until(self, is_so, what: str) -> None:
        await eventually_async(is_so, WITHIN_S, f"{what} (FAULT_SEED={SEED})")

    async def rotation(self) -> dict:
        return await self.post.rotation()

    async def reach(self, step: str) -> None:
        """Begin a change and go on until a step is reached."""
        tape, before = self.post.tape, self.keys()
        asked, came = (len(tape.of(*one)) for one in (ASKED, CONNECTED))
        await self.post.post(f"/chargers/{self.post.charger_id}/key-rotation")
        conditions = {
            "stored": lambda: True,
            "announced": lambda: self.keys() - before,
            "asked": lambda: len(tape.of(*ASKED)) > asked,
            "back": lambda: len(tape.of(*CONNECTED)) > came,
            "done": self.is_done,
        }
        await self.until(conditions[step], step)

    async def is_done(self) -> bool:
        return (await self.rotation())["status"] == "done"

    async def kill(self, part: str) -> None:
        """Kill a part, and start it again."""
        if part == "agent":
            self.stack.agents[self.station.station_id].kill()
            await asyncio.to_thread(self.stack.restart_agent, self.station)
        else:
            self.stack.kill_cloud()
            await asyncio.to_thread(self.stack.start_cloud)


ASKED = (Kind.ASKED, "SetVariables")
CONNECTED = (Kind.CONNECTED,)


async def campaign(tmp_path, points: int) -> None:
    """Change the key so many times, with a kill each, at one step after another."""
    random = Random(SEED)
    first = random.randrange(len(STEPS))
    stack = Stack(tmp_path, StackKind.EMBEDDED, "")
    try:
        await asyncio.to_thread(stack.start)
        station = stack.add_station("keyed", chargers=1)
        stack.start_agent(station, AGENT_BEAT_INTERVAL_S="3")
        await asyncio.to_thread(stack.wait_until_known, station)
        async with SecurePost(stack, station, station.charger_ids[0]) as post:
            await post.booted()
            change = Change(stack, station, post)
            for number in range(points):
                await change.reach(STEPS[(first + number) % len(STEPS)])
                await change.kill(random.choice(["agent", "cloud"]))
                await change.until(change.is_done, "the new key in force")
                await change.until(lambda: len(change.keys()) == 1, "one key left")
                await change.until(partial(getattr, post.charger.line, "is_up"), "logged in")

            assert change.most_keys <= 2
            assert await post.knock(key=post.key) == 401
            assert (await post.call("Heartbeat", {}))["currentTime"]
    finally:
        await asyncio.to_thread(stack.stop)


async def test_f13_whatever_is_killed_in_a_change_of_keys_the_charger_can_log_in(tmp_path):
    await campaign(tmp_path, 1)


@pytest.mark.faults
async def test_f13_many_kills_in_changes_of_keys_lock_nobody_out(tmp_path):
    await campaign(tmp_path, int(os.environ.get("FAULT_POINTS", "20")))
