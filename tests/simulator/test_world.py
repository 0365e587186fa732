"""The world is one queue of happenings under one clock."""

import asyncio
from datetime import timedelta

import pytest

from contracts.clock import FastClock, SystemClock
from simulator.clock import VirtualClock
from simulator.journal import MemoryJournal
from simulator.world import World
from tests.simulator.builders import MONDAY, a_world


def test_happenings_come_in_the_order_of_their_instants_then_of_scheduling():
    world, _ = a_world()
    seen = []
    world.after(20, lambda: seen.append("late"))
    world.after(10, lambda: seen.append("first of two"))
    world.after(10, lambda: seen.append("second of two"))
    world.run_for(30)

    assert seen == ["first of two", "second of two", "late"]
    assert world.now() == MONDAY + timedelta(seconds=30)


def test_a_happening_sees_its_own_instant():
    world, _ = a_world()
    seen = []
    world.after(7, lambda: seen.append(world.now()))
    world.run_for(100)

    assert seen == [MONDAY + timedelta(seconds=7)]


def test_what_is_cancelled_does_not_happen():
    world, _ = a_world()
    seen = []
    world.after(1, lambda: seen.append(1)).cancel()
    world.run_for(5)

    assert seen == []


def test_something_repeated_stops_when_cancelled():
    world, _ = a_world()
    seen = []
    repeating = world.every(10, lambda: seen.append(world.now()), first_after_s=3)
    world.run_for(24)
    repeating.cancel()
    world.run_for(100)

    assert seen == [MONDAY + timedelta(seconds=s) for s in (3, 13, 23)]


def test_streams_of_chance_do_not_shift_each_other():
    first, _ = a_world(seed=5)
    second, _ = a_world(seed=5)
    second.random("a").random()

    assert first.random("b").random() == second.random("b").random()
    assert first.random("a").random() != first.random("b").random()


def test_only_a_virtual_clock_can_be_run_ahead():
    world = World(SystemClock(), 1, MemoryJournal())

    with pytest.raises(TypeError, match="virtual"):
        world.run_for(1)


async def test_a_live_world_lets_things_happen_as_their_time_comes():
    clock = FastClock(1_000, MONDAY)
    world = World(clock, 1, MemoryJournal())
    seen = []
    began = world.now()
    world.after(40, lambda: seen.append("later"))
    world.after(10, lambda: world.after(5, lambda: seen.append("sooner")))
    await world.run(began + timedelta(seconds=60))

    assert seen == ["sooner", "later"]
    assert world.now() >= began + timedelta(seconds=60)


async def test_an_error_in_a_happening_ends_the_run():
    world = World(FastClock(1_000, MONDAY), 1, MemoryJournal())

    def fail():
        raise RuntimeError("broken world")

    world.after(1, fail)

    with pytest.raises(RuntimeError, match="broken world"):
        await world.run()


async def test_something_scheduled_from_outside_happens_though_the_world_slept():
    world = World(FastClock(1_000, MONDAY), 1, MemoryJournal())
    running = asyncio.create_task(world.run())
    await asyncio.sleep(0)
    world.after(5, world.stop)

    await asyncio.wait_for(running, timeout=60)


async def test_sleepers_of_a_virtual_clock_wake_in_order_and_at_their_instant():
    clock = VirtualClock(MONDAY)
    seen = []

    async def sleeper(name, delay_s):
        await clock.sleep(delay_s)
        seen.append((name, clock.now()))
        await clock.sleep(delay_s)
        seen.append((name, clock.now()))

    tasks = [asyncio.create_task(sleeper(*one)) for one in (("slow", 10), ("quick", 4))]
    await clock.run_for(30)
    await asyncio.gather(*tasks)

    at = [(name, (when - MONDAY).total_seconds()) for name, when in seen]
    assert at == [("quick", 4), ("quick", 8), ("slow", 10), ("slow", 20)]


def test_virtual_time_never_goes_back():
    clock = VirtualClock(MONDAY)
    clock.advance_to(MONDAY + timedelta(seconds=9))
    clock.advance_to(MONDAY)

    assert clock.now() == MONDAY + timedelta(seconds=9)
    assert clock.monotonic() == 9
