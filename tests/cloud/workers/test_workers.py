"""Loops that outlive what goes wrong, a bounded inbox, and poison that holds nothing up."""

import threading
from datetime import timedelta

import pytest

from cloud.adapters.sql import tables
from cloud.services.deadlines import DeadlineService
from cloud.services.facts import HANDLERS
from cloud.services.ports import DatabaseAway
from cloud.services.telemetry import TelemetryAway
from cloud.workers.clock import ClockWorker
from cloud.workers.courier import TelemetryForwarder
from cloud.workers.ingest import Inbox, IngestWorker
from cloud.workers.loop import Loop
from contracts import events, topics
from contracts.batch import MAX_BATCH_BYTES, Ack, decode_ack
from contracts.wire import encode
from tests.cloud.builders import CHARGER, NOON, STATION
from tests.cloud.services.rig import a_rig, connected, said
from tests.support.waiting import eventually


@pytest.fixture
def rig(databases):
    made = a_rig(databases.sqlite())
    yield made
    made.engine.dispose()


@pytest.fixture
def worker(rig):
    return IngestWorker(rig.ingest, rig.publisher, rig.broker, rig.clock, Inbox())


def arrive(worker, rig, *facts):
    payload = encode(rig.agent.batch(*facts))
    worker.receive(topics.events(STATION), payload)


def acks(rig) -> list[int]:
    said_ = [payload for topic, payload, _ in rig.broker.published if topic == topics.acks(STATION)]
    return [one.committed_seq for one in map(decode_ack, said_) if isinstance(one, Ack)]


def test_what_arrives_is_applied_in_groups_and_acknowledged_after_the_commit(worker, rig):
    for _ in range(40):
        arrive(worker, rig, connected())
    worker.step()
    first = acks(rig)
    worker.step()

    assert first == [32]
    assert acks(rig) == [32, 40]
    assert rig.row(tables.station_links, station_id=STATION).committed_seq == 40


def test_while_the_database_is_away_the_group_is_kept_and_nothing_acknowledged(
    worker, rig, monkeypatch
):
    kind = type(rig.ingest)
    apply_all = kind.apply_all
    monkeypatch.setattr(kind, "apply_all", _away)
    arrive(worker, rig, connected())
    for _ in range(3):
        with pytest.raises(DatabaseAway):
            worker.step()
    assert acks(rig) == []
    monkeypatch.setattr(kind, "apply_all", apply_all)
    worker.step()

    assert acks(rig) == [1]


def _away(*args, **more):
    raise DatabaseAway("gone")


def test_poison_is_quarantined_after_three_tries_and_the_rest_flows(worker, rig, monkeypatch):
    """FAULTS F18."""
    tries = []

    def broken(board, fact, stamp):
        tries.append(fact)
        raise KeyError("a bug")

    monkeypatch.setitem(HANDLERS, events.ChargerBooted, broken)
    booted = events.ChargerBooted(charger_id=CHARGER, vendor="V", model="M", observed_at=NOON)
    arrive(worker, rig, connected(), booted, said("free"))
    arrive(worker, rig, said("charging"))
    worker.step()

    assert acks(rig)[-1] == 4
    assert rig.row(tables.connectors, charger_id=CHARGER, evse_id=1).state == "charging"
    assert len(rig.rows(tables.quarantine)) == 1
    assert len(tries) >= 3
    assert rig.open_alerts() == ["quarantine/greenmarket"]


@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("baywatt/1/Not A Slug/events", b"{}"),
        ("somebody/else", b"{}"),
        (topics.events(STATION), b"x" * (4 * MAX_BATCH_BYTES + 1)),
    ],
)
def test_foreign_topics_and_giants_are_not_even_queued(worker, topic, payload):
    worker.receive(topic, payload)

    assert worker.inbox.take(0) == []


def test_rubbish_is_refused_and_kept(worker, rig):
    worker.receive(topics.events(STATION), b"\xff\x00")
    worker.step()

    assert acks(rig) == []
    assert len(rig.rows(tables.quarantine)) == 1


def test_a_full_inbox_drops_the_newest_by_count_and_by_size(rig):
    by_count, by_size = Inbox(most=2), Inbox(most_bytes=500)
    one = rig.agent.incoming(rig.agent.batch(connected()))

    assert [by_count.put(one) for _ in range(4)] == [True, True, False, False]
    taken = [by_size.put(one) for _ in range(10)]
    assert taken == sorted(taken, reverse=True)
    assert 0 < sum(taken) < 10
    assert len(by_size.take(0)) == sum(taken)
    assert by_size.put(one)


def test_a_loop_outlives_everything_and_stops_when_told():
    outcomes = iter([DatabaseAway("gone"), KeyError("a bug"), True, False])
    done, seen = threading.Event(), []

    def step():
        outcome = next(outcomes, None)
        seen.append(outcome)
        if isinstance(outcome, Exception):
            raise outcome
        if outcome is None:
            done.set()
        return bool(outcome)

    loop = Loop("test", step, 0.01)
    loop.start()
    assert done.wait(10)
    loop.stop()

    assert loop.join(5)
    assert len(seen) >= 5


def test_a_loop_rests_as_long_as_it_is_told_after_each_step():
    rests, done, steps = iter([0.01, 0.01]), threading.Event(), []

    def rest_s():
        rest = next(rests, None)
        if rest is None:
            done.set()
        return rest or 5.0

    def step():
        steps.append(1)
        return False

    loop = Loop("test", step, rest_s)
    loop.start()
    assert done.wait(10)
    loop.stop()

    assert loop.join(5)
    assert len(steps) == 3


@pytest.mark.parametrize(
    ("due_in_s", "rest_s"), [(None, 1.0), (0.4, 0.4), (3_600, 1.0), (0, 0.1), (-60, 0.1)]
)
def test_the_clock_rests_until_something_is_due(rig, deadlines, due_in_s, rest_s):
    if due_in_s is not None:
        due_at = rig.clock.now() + timedelta(seconds=due_in_s)
        rig.insert(tables.deadlines, {"kind": "reservation", "subject": "r-1", "due_at": due_at})

    assert ClockWorker(deadlines, Sweeps(KeyError())).rest_s(1.0) == rest_s


class Sweeps:
    """See SweepService; one part always fails."""

    def __init__(self, error):
        self.error = error
        self.done = []

    def say_everything(self):
        self.done.append("everything")

    def publish_unpublished(self):
        raise self.error

    def publish_plans(self):
        self.done.append("plans")
        return 0

    def advance_fleet(self):
        return 0

    def tend_commands(self):
        return 0

    def refresh_availability(self):
        return 0

    def forget(self):
        self.done.append("forget")
        return 1


@pytest.fixture
def deadlines(rig):
    return DeadlineService(
        rig.open_work, rig.clock, rig.settling, rig.publisher, NOON - timedelta(hours=1)
    )


def test_each_part_of_the_clock_has_its_turn_when_another_fails(deadlines):
    bugged, away = Sweeps(KeyError("a bug")), Sweeps(DatabaseAway("gone"))

    assert ClockWorker(deadlines, bugged).step() is False
    with pytest.raises(DatabaseAway):
        ClockWorker(deadlines, away).step()
    assert bugged.done == away.done == ["plans", "forget"]


def test_after_a_new_connection_everything_is_said_once(deadlines):
    sweeps = Sweeps(KeyError("a bug"))
    clock = ClockWorker(deadlines, sweeps)
    clock.broker_connected()
    clock.step()
    clock.step()

    assert sweeps.done.count("everything") == 1


class Away:
    """See TelemetryService."""

    def __init__(self):
        self.is_away = True

    def forward(self):
        if self.is_away:
            raise TelemetryAway("gone")
        return 3


def test_telemetry_that_is_away_waits_without_an_error():
    service = Away()
    forwarder = TelemetryForwarder(service)
    away = forwarder.step()
    service.is_away = False

    assert (away, forwarder.step()) == (False, True)


def test_an_inbox_wakes_who_waits_for_it(rig):
    inbox, got = Inbox(), []
    waiting = threading.Thread(target=lambda: got.extend(inbox.take(5)))
    waiting.start()
    inbox.put(rig.agent.incoming(rig.agent.batch(connected())))
    eventually(lambda: got)
    waiting.join()

    assert len(got) == 1
