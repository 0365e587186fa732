"""Stand-ins for what the agent's parts need of each other, and a clock that stands still."""

import asyncio
from datetime import UTC, datetime, timedelta

from station_agent.ports import CommandResult, Kept, OutboxUnavailable

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class ManualClock:
    """Moves when told to; what waits for it looks again every few milliseconds."""

    def __init__(self, now=NOON):
        self._now = now
        self._at = 1_000.0
        self.real_wait_s = 0.001

    def now(self):
        return self._now

    def monotonic(self):
        return self._at

    def advance(self, delay_s):
        self._now += timedelta(seconds=delay_s)
        self._at += delay_s

    def step_wall(self, delay_s):
        """Move the wall's time only, as NTP does."""
        self._now += timedelta(seconds=delay_s)

    async def sleep(self, delay_s):
        due_at = self._at + delay_s
        await until(lambda: self._at >= due_at, within_s=60)

    def real_s(self, delay_s):
        return min(delay_s, self.real_wait_s)


class FakeMemory:
    """An outbox without a disk: Recorder and what is kept."""

    def __init__(self, kept=None):
        self.facts = []
        self.records = []
        self.is_refusing = False
        self._kept = dict(kept or {})
        self.sessions = {}

    async def record(self, facts, notes=()):
        await asyncio.sleep(0)
        if self.is_refusing:
            raise OutboxUnavailable("no room")
        self.facts += facts
        self.records.append((list(facts), list(notes)))
        for note in notes:
            if not isinstance(note, Kept):
                continue
            if note.body is None:
                self._kept.pop((note.kind, note.key), None)
            else:
                self._kept[note.kind, note.key] = note.body

    def kept(self, kind):
        return {key: body for (of, key), body in self._kept.items() if of == kind}

    def open_on(self, charger_id, evse_id):
        return self.sessions.get((charger_id, evse_id))

    def open_of(self, token):
        return [one for one in self.sessions.values() if one.token == token]


class FakeGateway:
    """Chargers that answer as told, when told."""

    def __init__(self, result=None):
        self.result = result
        self.executed = []
        self.connected = {}
        self.gate = asyncio.Event()
        self.gate.set()

    async def execute(self, request, timeout_s):
        self.executed.append((request, timeout_s))
        await self.gate.wait()
        return self.result or CommandResult("accepted")

    def silent_chargers(self):
        return []

    def connected_at(self, charger_id):
        return self.connected.get(charger_id)


async def until(condition, within_s=60.0):
    """Let the loop turn until `condition()`; fails after a while."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within_s
    while not condition():
        assert loop.time() < deadline, "it did not come true"
        await asyncio.sleep(0.001)  # the loop must turn, and nobody tells when it is so
