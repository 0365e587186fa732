"""Records numbered facts and prints each number once it is on disk, until killed: python FILE DB."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from contracts.clock import SystemClock
from contracts.events import MeterSampled
from station_agent.outbox import Outbox
from station_agent.ports import AnswerKept


async def record(outbox: Outbox, caller: int) -> None:
    number = 0
    while True:
        number += 1
        fact = MeterSampled(
            charger_id=f"C{caller}", evse_id=1, energy_wh=number, observed_at=datetime.now(UTC)
        )
        answer = AnswerKept(f"C{caller}", f"m{number}", b"\x01", b"[]")
        await outbox.record([fact], [answer])
        # One line, one write: what the parent reads was durable before.
        sys.stdout.write(f"{caller} {number}\n")
        sys.stdout.flush()


async def main() -> None:
    outbox = Outbox(Path(sys.argv[1]), SystemClock())
    await asyncio.gather(*(record(outbox, caller) for caller in range(8)))


asyncio.run(main())
