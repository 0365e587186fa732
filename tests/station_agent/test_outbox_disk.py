"""L10: a disk that is full or failing. Telemetry goes first, transactions never, and it recovers."""

import asyncio
import sqlite3

import msgspec
import pytest

from contracts.events import (
    Event,
    FactDropped,
    MeterSampled,
    OddityObserved,
    SessionEnded,
    SessionStarted,
)
from station_agent.outbox import Limits, Outbox
from station_agent.outbox.file import OutboxFile
from station_agent.ports import OutboxUnavailable
from tests.station_agent.fakes import NOON, ManualClock

EVENT = msgspec.json.Decoder(Event)


def samples(count, session_id="s1"):
    return [
        MeterSampled(
            charger_id="C1",
            evse_id=1,
            session_id=session_id,
            energy_wh=number,
            power_w=7_200.0,
            observed_at=NOON,
        )
        for number in range(count)
    ]


def a_start(name):
    return SessionStarted(
        session_id=name,
        charger_id="C1",
        evse_id=1,
        connector_id=1,
        transaction_id=name,
        observed_at=NOON,
    )


def an_end(name):
    return SessionEnded(
        session_id=name, charger_id="C1", evse_id=1, transaction_id=name, observed_at=NOON
    )


async def all_facts(outbox):
    facts = []
    while batch := await outbox.read(len(facts)):
        facts += [EVENT.decode(body) for body in batch]
    return facts


async def fill(outbox, name, rounds=10_000):
    """Record sessions until the disk refuses; return those that were recorded."""
    recorded = []
    for number in range(rounds):
        session = f"{name}-{number}"
        try:
            await outbox.record([a_start(session), *samples(40, session), an_end(session)])
        except OutboxUnavailable:
            return recorded
        recorded.append(session)
    return recorded


async def fill_with_starts(outbox):
    """Record what may never be dropped until the disk refuses."""
    starts = [a_start("s")] * 40
    while True:
        try:
            await outbox.record(starts)
        except OutboxUnavailable:
            return


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agent.db"


async def test_above_its_bound_the_outbox_drops_the_oldest_telemetry(path):
    outbox = Outbox(path, ManualClock(), Limits(max_bytes=600_000))
    recorded = await fill(outbox, "a", rounds=200)
    facts = await all_facts(outbox)
    dropped = [index for index, fact in enumerate(facts) if isinstance(fact, FactDropped)]

    assert len(recorded) == 200
    assert len(facts) == outbox.head_seq == 200 * 42
    assert len(dropped) == outbox.dropped_facts > 1_000
    started = [fact.session_id for fact in facts if isinstance(fact, SessionStarted)]
    ended = [fact.session_id for fact in facts if isinstance(fact, SessionEnded)]
    assert started == ended == recorded
    newest = [fact for fact in facts[-42:] if isinstance(fact, MeterSampled)]
    assert len(newest) == 40
    await outbox.close()
    assert path.stat().st_size < 1_100_000


async def test_of_every_session_the_first_and_last_register_stay(path):
    outbox = Outbox(path, ManualClock(), Limits(max_bytes=600_000))
    recorded = await fill(outbox, "a", rounds=200)
    kept = {name: [] for name in recorded}
    for fact in await all_facts(outbox):
        if isinstance(fact, MeterSampled):
            kept[fact.session_id].append(fact.energy_wh)

    assert all((registers[0], registers[-1]) == (0, 39) for registers in kept.values())
    await outbox.close()


async def test_a_full_disk_costs_telemetry_before_it_refuses_anything(path):
    outbox = Outbox(path, ManualClock(), Limits(max_pages=150))
    recorded = await fill(outbox, "a")
    facts = await all_facts(outbox)

    assert outbox.dropped_facts > 1_000
    assert outbox.is_disk_short
    kinds = [type(fact) for fact in facts]
    assert kinds.count(SessionStarted) == kinds.count(SessionEnded) == len(recorded)
    assert len(facts) == outbox.head_seq == len(recorded) * 42
    await outbox.close()


async def test_diagnostics_go_after_telemetry(path):
    outbox = Outbox(path, ManualClock(), Limits(max_pages=60))
    oddity = OddityObserved(charger_id="C1", oddity="x", detail="d" * 1_000, observed_at=NOON)
    await outbox.record([oddity] * 100)
    recorded = await fill(outbox, "a")
    kinds = [type(fact) for fact in await all_facts(outbox)]

    assert kinds.count(OddityObserved) < 100
    assert kinds.count(SessionStarted) == len(recorded)
    await outbox.close()


async def test_what_was_refused_leaves_no_gap_and_no_trace(path):
    outbox = Outbox(path, ManualClock(), Limits(max_pages=60))
    recorded = await fill(outbox, "a")
    await fill_with_starts(outbox)
    facts = await all_facts(outbox)

    assert len(facts) == outbox.head_seq
    assert {fact.session_id for fact in facts if isinstance(fact, SessionEnded)} == set(recorded)
    await outbox.close()


async def test_when_the_cloud_has_taken_what_there_was_it_goes_on_without_a_restart(path):
    outbox = Outbox(path, ManualClock(), Limits(max_pages=60))
    await fill(outbox, "a")
    told = []
    outbox.watch(lambda: told.append(outbox.is_disk_short))
    outbox.forget_delivered(outbox.head_seq)
    head = outbox.head_seq
    await outbox.record([a_start("after")])
    await outbox.record([an_end("after")])

    assert outbox.head_seq == head + 2
    assert [EVENT.decode(body).session_id for body in await outbox.read(head)] == ["after"] * 2
    assert told[-1] is False
    await outbox.close()


class Failing:
    """A disk under the outbox that fails when told to, before or after it has written."""

    def __init__(self, monkeypatch):
        self.before = self.after = False
        write = OutboxFile.write

        def failing(file, group):
            if self.before:
                raise self.error()
            write(file, group)
            if self.after:
                raise self.error()

        monkeypatch.setattr(OutboxFile, "write", failing)

    def error(self):
        error = sqlite3.OperationalError("disk I/O error")
        error.sqlite_errorcode = sqlite3.SQLITE_IOERR
        return error


async def test_a_failing_disk_refuses_until_it_is_well_again(path, monkeypatch):
    disk, outbox = Failing(monkeypatch), Outbox(path, ManualClock())
    await outbox.record(samples(1))
    disk.before = True
    for _ in range(3):
        with pytest.raises(OutboxUnavailable):
            await outbox.record(samples(1))
    assert outbox.is_disk_short
    disk.before = False
    await outbox.record([a_start("after")])

    assert [type(fact) for fact in await all_facts(outbox)] == [MeterSampled, SessionStarted]
    assert not outbox.is_disk_short
    await outbox.close()


async def test_a_write_that_failed_at_its_flush_is_not_there_twice(path, monkeypatch):
    disk, outbox = Failing(monkeypatch), Outbox(path, ManualClock())
    disk.after = True
    with pytest.raises(OutboxUnavailable):
        await outbox.record([a_start("s")])
    disk.after = False
    await outbox.record([a_start("s")])

    assert [fact.session_id for fact in await all_facts(outbox)] == ["s"]
    assert outbox.head_seq == 1
    await outbox.close()


async def test_a_bug_is_no_full_disk(path, monkeypatch):
    outbox = Outbox(path, ManualClock())
    monkeypatch.setattr(OutboxFile, "write", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        await outbox.record(samples(1))
    monkeypatch.undo()
    await outbox.close()


async def test_everybody_in_a_refused_group_is_told(path, monkeypatch):
    disk, outbox = Failing(monkeypatch), Outbox(path, ManualClock())
    disk.before = True
    outcomes = await asyncio.gather(
        *(outbox.record(samples(1)) for _ in range(5)), return_exceptions=True
    )

    assert [type(outcome) for outcome in outcomes] == [OutboxUnavailable] * 5
    disk.before = False
    await outbox.close()


async def test_some_disk_is_held_back_for_making_room(path):
    outbox = Outbox(path, ManualClock(), Limits(max_pages=60))
    reserve = path.with_name("agent.db.reserve")
    assert reserve.stat().st_size > 1_000_000
    await fill_with_starts(outbox)

    assert not reserve.exists()
    await outbox.close()
