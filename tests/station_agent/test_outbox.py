"""The outbox: what `record` returned from is there, numbered without gaps, until acknowledged."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.events import (
    BayOccupancyChanged,
    ConnectorState,
    ConnectorStateReported,
    Event,
    MeterSampled,
    SessionStarted,
)
from station_agent.outbox import Limits, Outbox
from station_agent.outbox.file import OutboxFile
from station_agent.outbox.memory import (
    ANSWERS_PER_CHARGER,
    ENDED_KEPT,
    OPEN_KEPT,
    SESSIONS_PER_CHARGER,
)
from station_agent.ports import AnswerKept, Kept, OutboxUnavailable, SessionKept, SessionRecord
from tests.station_agent.fakes import NOON, ManualClock

EVENT = msgspec.json.Decoder(Event)


def a_sample(number, session_id="s1"):
    return MeterSampled(
        charger_id="C1", evse_id=1, session_id=session_id, energy_wh=number, observed_at=NOON
    )


def a_session(name="s1", **kwargs):
    defaults = {
        "session_id": name,
        "charger_id": "C1",
        "evse_id": 1,
        "connector_id": 1,
        "transaction_id": "7",
        "start_key": f"key-{name}",
        "token": "T",
        "meter_start_wh": 100,
        "started_at": NOON,
    }
    return SessionRecord(**(defaults | kwargs))


def numbers(bodies):
    return [EVENT.decode(body).energy_wh for body in bodies]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "agent.db"


@pytest.fixture
async def outbox(path, clock):
    made = Outbox(path, clock)
    yield made
    await made.close()


@pytest.fixture
def writes(monkeypatch):
    """What goes to disk in one commit each."""
    seen = []
    store = OutboxFile.store
    monkeypatch.setattr(
        OutboxFile, "store", lambda self, group: seen.append(group) or store(self, group)
    )
    return seen


async def reopened(outbox, path, clock):
    await outbox.close()
    return Outbox(path, clock)


async def test_facts_are_numbered_from_one_and_read_in_order(outbox):
    await outbox.record([a_sample(1), a_sample(2)])
    await outbox.record([a_sample(3)])

    assert (outbox.head_seq, outbox.acked_seq, outbox.depth) == (3, 0, 3)
    assert numbers(outbox.read_recent(0)) == [1, 2, 3]
    assert numbers(outbox.read_recent(2)) == [3]
    assert numbers(await outbox.read(1)) == [2, 3]
    assert outbox.read_recent(3) == await outbox.read(3) == []


async def test_what_was_recorded_is_there_after_a_restart(outbox, path, clock):
    await outbox.record([a_sample(1), a_sample(2)])
    epoch = outbox.epoch
    again = await reopened(outbox, path, clock)

    assert (again.epoch, again.head_seq) == (epoch, 2)
    assert again.read_recent(0) is None
    assert numbers(await again.read(0)) == [1, 2]
    await again.record([a_sample(3)])
    assert numbers(await again.read(0)) == [1, 2, 3]
    await again.close()


async def test_many_records_share_few_writes_and_keep_each_callers_order(outbox, writes):

    async def caller(name):
        for number in range(20):
            await outbox.record([a_sample(number, session_id=name)])

    await asyncio.gather(*(caller(str(name)) for name in range(50)))
    facts = [EVENT.decode(body) for body in await outbox.read(0)]
    facts += [EVENT.decode(body) for body in await outbox.read(len(facts))]

    assert len(facts) == outbox.head_seq == 1_000
    assert len(writes) < 200
    for name in range(50):
        own = [fact.energy_wh for fact in facts if fact.session_id == str(name)]
        assert own == list(range(20))


async def test_a_caller_who_gives_up_takes_nobody_with_it(outbox):
    hasty = asyncio.create_task(outbox.record([a_sample(1)]))
    patient = asyncio.create_task(outbox.record([a_sample(2)]))
    await asyncio.sleep(0)
    hasty.cancel()
    await patient

    assert numbers(outbox.read_recent(0)) == [1, 2]


async def test_batches_are_bounded_in_number_and_size(outbox):
    big = "x" * 1_900
    for _ in range(5):
        facts = [
            ConnectorStateReported(
                charger_id="C1",
                evse_id=1,
                connector_id=1,
                state=ConnectorState.FREE,
                info=big,
                observed_at=NOON,
            )
            for _ in range(200)
        ]
        await outbox.record(facts)
    batch = outbox.read_recent(0)

    assert sum(map(len, batch)) <= 256 * 1024
    assert batch == await outbox.read(0)
    await outbox.record([a_sample(number) for number in range(800)])
    assert len(outbox.read_recent(1_000)) == len(await outbox.read(1_000)) == 500


async def test_old_facts_leave_memory_and_are_read_from_disk(outbox):
    for start in range(0, 6_000, 500):
        await outbox.record([a_sample(number) for number in range(start, start + 500)])

    assert outbox.read_recent(0) is None
    assert numbers(await outbox.read(100))[:3] == [100, 101, 102]
    assert numbers(outbox.read_recent(5_990)) == list(range(5_990, 6_000))


async def test_delivered_facts_are_deleted_with_a_later_write(outbox, path, clock):
    await outbox.record([a_sample(number) for number in range(300)])
    outbox.forget_delivered(299)

    assert outbox.depth == 1
    await outbox.record([a_sample(300)])
    await outbox.close()
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT COUNT(*), MIN(first_seq) FROM facts").fetchone() == (2, 1)
        assert db.execute("SELECT acked_seq FROM progress").fetchone() == (299,)


async def test_the_number_goes_on_when_all_is_delivered_and_gone(outbox, path, clock):
    await outbox.record([a_sample(1), a_sample(2)])
    outbox.forget_delivered(2)
    again = await reopened(outbox, path, clock)
    await again.record([a_sample(3)])

    assert (again.head_seq, again.acked_seq) == (3, 2)
    await again.close()


async def test_an_acknowledgement_never_goes_back_or_beyond_the_head(outbox):
    await outbox.record([a_sample(1), a_sample(2)])
    outbox.forget_delivered(2)
    outbox.forget_delivered(1)
    outbox.forget_delivered(99)

    assert (outbox.acked_seq, outbox.depth) == (2, 0)
    assert outbox.read_recent(0) is None


async def test_a_session_is_found_by_start_transaction_and_place(outbox, path, clock):
    await outbox.record([], [SessionKept(a_session())])
    for memory in (outbox, await reopened(outbox, path, clock)):
        assert memory.by_start_key("C1", "key-s1") == a_session()
        assert memory.by_transaction("C1", "7") == a_session()
        assert memory.open_on("C1", 1) == a_session()
        assert memory.by_transaction("C2", "7") is None
        assert memory.open_on("C1", 2) is None
    await memory.close()


async def test_of_several_sessions_the_newest_is_meant(outbox):
    older = a_session("old", started_at=NOON - timedelta(hours=1))
    await outbox.record([], [SessionKept(a_session("new")), SessionKept(older)])

    assert outbox.by_transaction("C1", "7").session_id == "new"
    assert outbox.open_on("C1", 1).session_id == "new"
    await outbox.record([], [SessionKept(a_session("new", ended_at=NOON))])
    assert outbox.open_on("C1", 1) == older
    assert outbox.by_transaction("C1", "7").session_id == "new"


async def test_what_a_token_runs_is_the_newest_on_each_evse_however_it_is_written(outbox):
    sessions = [
        a_session("old", token="AB", started_at=NOON - timedelta(hours=1)),
        a_session("new", token="ab "),
        a_session("there", token="Ab", evse_id=2),
        a_session("over", token="AB", evse_id=3, ended_at=NOON),
        a_session("other", token="AC", evse_id=4),
        a_session("nobody's", token=None, evse_id=5),
    ]
    await outbox.record([], [SessionKept(one) for one in sessions])

    assert [one.session_id for one in outbox.open_of("aB")] == ["new", "there"]


async def test_a_session_that_moved_is_found_only_where_it_is(outbox):
    await outbox.record([], [SessionKept(a_session())])
    moved = a_session(evse_id=2, transaction_id="8", start_key="other")
    await outbox.record([], [SessionKept(moved)])

    assert outbox.open_on("C1", 1) is outbox.by_transaction("C1", "7") is None
    assert outbox.by_start_key("C1", "key-s1") is None
    assert outbox.open_on("C1", 2) == outbox.by_start_key("C1", "other") == moved


async def test_a_session_record_is_whole_after_a_restart(outbox, path, clock):
    record = a_session(
        last_seq_no=9,
        missing_seq_nos=frozenset({3, 5}),
        seq_no_gaps=((3, 3), (5, 5)),
        unknown_seq_nos_to=1,
        last_event_at=NOON,
        ended_at=NOON + timedelta(minutes=1),
        token=None,
        meter_start_wh=None,
        is_end_assumed=True,
        meter_stop_wh=5,
    )
    await outbox.record([], [SessionKept(record)])
    again = await reopened(outbox, path, clock)

    assert again.by_transaction("C1", "7") == record
    await again.close()


async def test_old_sessions_are_forgotten_by_our_clock(outbox, path, clock):
    ancient = NOON - timedelta(days=20_000)
    ended = a_session("ended", ended_at=ancient, started_at=ancient)
    running = a_session("running", evse_id=2, started_at=ancient)
    await outbox.record([], [SessionKept(ended), SessionKept(running)])
    clock.advance(ENDED_KEPT.total_seconds() - 1)
    await outbox.forget_outdated()
    assert outbox.by_start_key("C1", "key-ended") == ended
    clock.advance(2)
    await outbox.forget_outdated()
    assert outbox.by_start_key("C1", "key-ended") is None
    assert outbox.open_on("C1", 2) == running
    clock.advance(OPEN_KEPT.total_seconds())
    await outbox.forget_outdated()
    again = await reopened(outbox, path, clock)

    assert again.open_on("C1", 2) is None
    await again.close()


def some_sessions(prefix, count, **kwargs):
    return [
        SessionKept(a_session(f"{prefix}{number}", transaction_id=f"{prefix}{number}", **kwargs))
        for number in range(count)
    ]


def known(outbox, *names):
    return [name for name in names if outbox.by_transaction("C1", name)]


async def test_p07_of_a_chargers_sessions_the_oldest_over_go_before_the_oldest_open(
    outbox, path, clock
):
    await outbox.record([], some_sessions("open", 2))
    clock.advance(1)
    await outbox.record([], some_sessions("stop", SESSIONS_PER_CHARGER, ended_at=NOON))
    clock.advance(1)
    await outbox.record([], some_sessions("elsewhere", 1, charger_id="C2"))
    again = await reopened(outbox, path, clock)

    for memory in (outbox, again):
        assert known(memory, "open0", "open1", "stop1", "stop2") == ["open0", "open1", "stop2"]
        assert memory.by_transaction("C2", "elsewhere0")
    await again.record([], some_sessions("new", SESSIONS_PER_CHARGER - 1))
    assert known(again, "open0", "open1", "stop2", "new0") == ["open1", "new0"]
    await again.close()


async def test_p07_of_a_flood_of_sessions_little_is_kept_and_it_is_told_once(outbox, path, clock):
    for number in range(3):
        stops = some_sessions(f"{number}/", SESSIONS_PER_CHARGER // 2 + 9, ended_at=NOON)
        await outbox.record([], stops)
    told = [EVENT.decode(body) for body in await outbox.read(0)]
    again = await reopened(outbox, path, clock)
    await again.record([], some_sessions("last", 1, charger_id="C2"))
    await again.close()
    with closing(sqlite3.connect(path)) as db:
        (rows,) = db.execute("SELECT COUNT(*) FROM kept WHERE kind = 'session'").fetchone()

    assert [(one.charger_id, one.oddity) for one in told] == [("C1", "too_many_sessions")]
    assert rows == SESSIONS_PER_CHARGER + 1


async def test_a_charger_whose_sessions_are_too_many_again_is_told_again(outbox):
    for number in range(2):
        await outbox.record([], some_sessions(f"{number}/", SESSIONS_PER_CHARGER + 1))
        await outbox.forget_outdated()
        await outbox.record([], some_sessions(f"{number}", 1))
    told = [EVENT.decode(body).oddity for body in outbox.read_recent(0)]

    assert told == ["too_many_sessions", "too_many_sessions"]


async def test_the_same_call_again_has_the_same_answer(outbox, path, clock):
    await outbox.record([], [AnswerKept("C1", "m1", b"\x01", b'[3,"m1",{}]')])
    for memory in (outbox, await reopened(outbox, path, clock)):
        assert memory.answer_to("C1", "m1", b"\x01") == b'[3,"m1",{}]'
        assert memory.answer_to("C1", "m1", b"\x02") is None
        assert memory.answer_to("C2", "m1", b"\x01") is None
    await memory.close()


async def test_of_each_charger_the_last_answers_are_kept(outbox, path, clock):
    for number in range(ANSWERS_PER_CHARGER + 5):
        await outbox.record([], [AnswerKept("C1", f"m{number}", b"", b"[]")])
    await outbox.record([], [AnswerKept("C2", "m0", b"", b"[]")])
    again = await reopened(outbox, path, clock)

    for memory in (outbox, again):
        assert memory.answer_to("C1", "m4", b"") is None
        assert memory.answer_to("C1", "m5", b"") == b"[]"
        assert memory.answer_to("C2", "m0", b"") == b"[]"
    await again.record([], [AnswerKept("C1", "new", b"", b"[]")])
    assert again.answer_to("C1", "m5", b"") is None
    assert again.answer_to("C1", "m6", b"") == b"[]"
    await again.close()


async def test_a_transaction_number_is_given_once_whatever_happens(outbox, path, clock):
    first = [outbox.next_transaction_number() for _ in range(3)]
    await outbox.record([], [SessionKept(a_session())])
    again = await reopened(outbox, path, clock)
    later = [again.next_transaction_number() for _ in range(3)]
    await again.close()

    assert first == list(range(first[0], first[0] + 3))
    assert later[0] == first[-1] + 1
    assert 0 < first[0] < 2**31


async def test_a_number_given_while_the_disk_is_busy_is_written_with_the_next(outbox, path, clock):
    outbox.next_transaction_number()
    writing = asyncio.create_task(outbox.record([a_sample(1)]))
    for _ in range(3):
        await asyncio.sleep(0)
    given = outbox.next_transaction_number()
    await writing
    await outbox.record([a_sample(2)])
    again = await reopened(outbox, path, clock)

    assert again.next_transaction_number() == given + 1
    await again.close()


async def test_a_new_disk_goes_on_behind_the_numbers_of_the_lost_one(tmp_path, clock):
    lost = Outbox(tmp_path / "a.db", clock)
    given = [lost.next_transaction_number() for _ in range(50)]
    await lost.close()
    clock.advance(3_600)
    new = Outbox(tmp_path / "b.db", clock)

    assert new.next_transaction_number() > given[-1]
    assert new.epoch > lost.epoch
    await new.close()


async def test_what_is_kept_can_be_replaced_and_forgotten(outbox, path, clock):
    notes = [Kept("token", "a", b'{"x":1}'), Kept("token", "b", b'{"x":2}')]
    await outbox.record([], notes)
    await outbox.record([], [Kept("token", "a", b'{"x":3}'), Kept("token", "b", None)])
    again = await reopened(outbox, path, clock)

    assert dict(outbox.kept("token")) == dict(again.kept("token")) == {"a": b'{"x":3}'}
    assert again.kept("command") == {}
    await again.close()


async def test_facts_and_notes_of_one_call_are_written_in_one_go(outbox, writes):
    await outbox.record([a_sample(1)], [SessionKept(a_session()), Kept("k", "1", b"{}")])

    assert len(writes) == 1
    assert len(writes[0].facts) == 1
    assert len(msgspec.json.decode(writes[0].kept)) == 2


async def test_the_cloud_can_be_told_again_how_things_stand(outbox, path, clock):
    def occupancy(is_occupied):
        return BayOccupancyChanged(
            bay_id="b1", is_occupied=is_occupied, confidence=1, observed_at=NOON
        )

    await outbox.record([occupancy(False), occupancy(True), a_sample(1)])
    open_one = a_session(reservation_id="r-7")
    await outbox.record([], [SessionKept(open_one), SessionKept(a_session("x", ended_at=NOON))])
    again = await reopened(outbox, path, clock)
    await again.tell_again()
    told = [EVENT.decode(body) for body in await again.read(3)]

    assert told[0] == occupancy(True)
    assert [fact.session_id for fact in told[1:]] == ["s1"]
    assert isinstance(told[1], SessionStarted)
    assert told[1].reservation_id == "r-7"
    await again.close()


async def test_a_new_epoch_numbers_anew_what_was_not_delivered(outbox, path, clock):
    await outbox.record([a_sample(number) for number in range(1, 11)])
    outbox.forget_delivered(4)
    before = outbox.epoch
    await outbox.renew_epoch(6)

    assert outbox.epoch > before
    assert (outbox.head_seq, outbox.acked_seq, outbox.depth) == (4, 0, 4)
    assert numbers(outbox.read_recent(0)) == numbers(await outbox.read(0)) == [7, 8, 9, 10]
    outbox.forget_delivered(1)
    again = await reopened(outbox, path, clock)
    assert (again.epoch, again.head_seq, again.acked_seq) == (outbox.epoch, 4, 1)
    assert numbers(await again.read(1)) == [8, 9, 10]
    await again.close()


async def test_a_new_epoch_is_greater_than_any_the_cloud_knows(outbox):
    await outbox.renew_epoch(0, at_least=outbox.epoch + 10**9)
    known = outbox.epoch
    await outbox.renew_epoch(0)

    assert outbox.epoch > known


async def test_the_head_at_opening_is_kept_until_the_cloud_is_heard(outbox, path, clock):
    await outbox.record([a_sample(1)])
    assert outbox.opened_seq == 0
    await outbox.heard_cloud()
    second = await reopened(outbox, path, clock)
    assert second.opened_seq == 1
    await second.record([a_sample(2)])
    third = await reopened(second, path, clock)
    assert third.opened_seq == 1
    await third.heard_cloud()
    assert third.opened_seq == 2
    await third.close()


async def test_a_closed_outbox_refuses(outbox):
    await outbox.close()

    with pytest.raises(OutboxUnavailable):
        await outbox.record([a_sample(1)])


async def test_closing_waits_for_what_is_being_written(path, clock):
    outbox = Outbox(path, clock)
    recording = asyncio.create_task(outbox.record([a_sample(1)]))
    await asyncio.sleep(0)
    await outbox.close()
    await recording
    again = Outbox(path, clock)

    assert again.head_seq == 1
    await again.close()


async def test_a_second_agent_on_the_same_file_is_refused(outbox, path, clock, monkeypatch):
    monkeypatch.setattr("station_agent.outbox.file.LOCK_WAIT_S", 0.01)
    await outbox.record([a_sample(1)])

    with pytest.raises(OutboxUnavailable):
        Outbox(path, clock)


async def test_a_damaged_file_is_put_aside_and_chargers_are_served(path, clock):
    path.parent.mkdir()
    path.write_bytes(b"this is no database, whatever it was" * 100)
    outbox = Outbox(path, clock)
    await outbox.record([a_sample(1)])

    assert outbox.head_seq == 1
    assert len(list(path.parent.glob("agent.db.damaged-*"))) == 1
    await outbox.close()


async def test_watchers_learn_of_every_write(outbox):
    seen = []
    outbox.watch(lambda: seen.append(outbox.head_seq))
    await outbox.record([a_sample(1)])
    await outbox.record([a_sample(2)])

    assert seen == [1, 2]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("record"), st.integers(0, 4)),
        st.tuples(st.just("deliver"), st.integers(0, 6)),
        st.tuples(st.just("reopen"), st.none()),
        st.tuples(st.just("renew"), st.integers(0, 3)),
    ),
    max_size=30,
)


@pytest.mark.slow
@given(steps=STEPS)
@settings(max_examples=25, deadline=None)
def test_whatever_happens_undelivered_facts_are_all_there_in_order(steps, tmp_path_factory):
    asyncio.run(_walk(steps, tmp_path_factory.mktemp("outbox") / "agent.db"))


async def _walk(steps, path):
    clock = ManualClock()
    outbox, waiting, made, delivered = Outbox(path, clock, Limits()), [], 0, 0
    for action, count in steps:
        if action == "record":
            facts = [a_sample(made + i) for i in range(count)]
            await outbox.record(facts)
            waiting += [made + i for i in range(count)]
            made += count
        elif action == "reopen":
            outbox = await reopened(outbox, path, clock)
        elif action == "deliver":
            fresh = waiting[count:]
            outbox.forget_delivered(outbox.acked_seq + len(waiting) - len(fresh))
            delivered += len(waiting) - len(fresh)
            waiting = fresh
        else:
            fresh = waiting[count:]
            await outbox.renew_epoch(outbox.acked_seq + len(waiting) - len(fresh))
            waiting, delivered = fresh, 0
        assert outbox.acked_seq == delivered
        assert numbers(await outbox.read(outbox.acked_seq)) == waiting
        assert outbox.head_seq == delivered + len(waiting)
    await outbox.close()
