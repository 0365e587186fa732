"""A part's process: what it says is believed, and one that ends or hangs is started again (FAULTS L13)."""

import asyncio
import sys
from contextlib import asynccontextmanager

import pytest

from station_agent.parts import Part
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.real

WORKER = """
import os, socket, sys, time
channel = socket.socket(fileno=int(sys.argv[4]))
for word in (
    b'{"kind":"serves","charger_ids":["C-1","C-2"],"is_last":false}',
    b'{"kind":"serves","charger_ids":["C-3"],"is_first":false,"is_last":false}',
    b'{"kind":"serves","charger_ids":["P-1"],"is_first":false,"is_planned":true}',
):
    channel.send(word)
channel.send(b'{"kind":"ready"}')
open(sys.argv[0], "a").write(f"{os.getpid()} {os.environ.get('AGENT_METRICS_PORT', '')}\\n")
"""
HANGS = "time.sleep(600)"
LIVES = """
for turn in range(10_000):
    if turn == 15:
        open(sys.argv[0], "a").write("lived\\n")
    channel.send(b'{"kind":"alive"}')
    time.sleep(0.05)
"""
ENDS = "time.sleep(0.2); os._exit(7)"


@asynccontextmanager
async def running(folder, then, silent_s):
    """Run a part whose process does what `then` says; yields it and how to read its starts."""
    log = folder / "starts"
    script = (WORKER + then).replace("sys.argv[0]", repr(str(log)))
    part = Part(3, 9_103, [sys.executable, "-c", script], silent_s)
    task = asyncio.create_task(part.run(asyncio.Event()))
    try:
        yield part, lambda: log.read_text().split("\n")[:-1] if log.exists() else []
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_a_part_serves_whom_it_says_and_has_a_metrics_port_of_its_own(tmp_path):
    async with running(tmp_path, LIVES, silent_s=60) as (part, starts):
        await eventually_async(lambda: part.channel)
        assert part.charger_ids == {"C-1", "C-2", "C-3"}
        assert part.planned_ids == {"P-1"}
        await eventually_async(lambda: "lived" in starts())

        assert starts()[0].endswith(" 9103")
        assert len(starts()) == 2
    assert part.channel is None


async def test_l13_a_part_that_hangs_is_ended_by_force_and_started_again(tmp_path):
    async with running(tmp_path, HANGS, silent_s=0.3) as (part, starts):
        await eventually_async(lambda: len(starts()) >= 2)

        assert part.charger_ids == {"C-1", "C-2", "C-3"}


async def test_a_part_that_ends_is_started_again(tmp_path):
    async with running(tmp_path, ENDS, silent_s=60) as (_, starts):
        await eventually_async(lambda: len(starts()) >= 2)
