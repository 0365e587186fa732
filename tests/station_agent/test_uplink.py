"""The uplink with a real outbox, over a wire that loses, doubles and delays, to a cloud that counts."""

import asyncio
import random
from datetime import timedelta

import pytest

from contracts import topics
from contracts.batch import Ack, AuthorizeAnswer, Beat, RelayAnswer, decode_batch
from contracts.events import MeterSampled, SecurityEventReported
from contracts.link import LinkStatus, decode_link
from contracts.wire import encode
from station_agent.outbox import Limits, Outbox
from station_agent.uplink import Uplink, UplinkSettings
from tests.station_agent.fakes import NOON, ManualClock, until


def a_sample(number):
    return MeterSampled(
        charger_id="C1", evse_id=1, session_id="s", energy_wh=number, observed_at=NOON
    )


class Wire:
    """A broker's connection: what is published reaches the cloud, unless it is lost or kept."""

    def __init__(self, cloud):
        self.cloud = cloud
        self.is_congested = False
        self.is_up = True
        self.links = []
        self.batches = []
        self.loss = 0.0
        self.random = random.Random(1)
        self.uplink = None

    def publish(self, topic, payload, *, retain=False):
        if not self.is_up:
            return False
        if topic == topics.link("dundee"):
            assert retain
            self.links.append(decode_link(payload))
            return True
        assert topic == topics.events("dundee")
        batch = decode_batch(payload)
        self.batches.append(batch)
        if self.random.random() >= self.loss:
            answers = self.cloud.take(batch)
            for answer in answers:
                if self.random.random() >= self.loss:
                    asyncio.get_running_loop().call_soon(self.uplink.take, encode(answer))
        return True

    @property
    def numbered(self):
        return [batch for batch in self.batches if batch.events]


class Cloud:
    """The rule of the cursor, as ingest has it."""

    def __init__(self):
        self.epoch = 0
        self.facts = []
        self.cursor = 0
        self.beats = []
        self.is_answering = True
        self.accepted = True
        self.relayed = {"status": "Accepted"}

    def take(self, batch):
        if batch.epoch > self.epoch:
            self.epoch, self.cursor = batch.epoch, 0
        if batch.epoch == self.epoch and batch.first_seq <= self.cursor + 1:
            new = batch.events[self.cursor + 1 - batch.first_seq :]
            self.facts += new
            self.cursor += len(new)
        if batch.beat:
            self.beats.append(batch.beat)
        if not self.is_answering:
            return []
        answers = [
            AuthorizeAnswer(station="dundee", ask_id=ask.ask_id, is_accepted=self.accepted)
            for ask in batch.asks
        ]
        answers += [
            RelayAnswer(station="dundee", ask_id=ask.ask_id, payload=self.relayed)
            for ask in batch.relays
        ]
        return [Ack(station="dundee", epoch=self.epoch, committed_seq=self.cursor), *answers]

    @property
    def numbers(self):
        return [fact.energy_wh for fact in self.facts if isinstance(fact, MeterSampled)]


class House:
    """An uplink, running, with all it needs."""

    def __init__(self, path, cloud=None, clock=None, **settings):
        self.clock = clock or ManualClock()
        self.cloud = cloud or Cloud()
        self.wire = Wire(self.cloud)
        self.outbox = Outbox(path, self.clock, Limits())
        known = {"station_id": "dundee", "agent_version": "1", "pace_s": 0.0} | settings
        self.uplink = Uplink(UplinkSettings(**known), self.outbox, self.clock)
        self.wire.uplink = self.uplink
        self.uplink.use(self.wire)
        self.running = asyncio.create_task(self.uplink.run())

    async def record(self, *numbers):
        await self.outbox.record([a_sample(number) for number in numbers])

    async def delivered(self):
        await until(lambda: self.outbox.depth == 0)

    def reconnect(self):
        self.uplink.disconnected()
        self.uplink.connected()

    async def stop(self):
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)
        await self.outbox.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "agent.db"


@pytest.fixture
async def house(path):
    made = House(path)
    yield made
    await made.stop()


async def test_a_fact_leaves_at_once_and_is_forgotten_when_committed(house):
    house.uplink.connected()
    await until(lambda: house.cloud.beats)
    await house.record(1, 2)
    await house.delivered()

    assert house.cloud.numbers == [1, 2]
    assert house.wire.numbered[0].first_seq == 1
    assert house.wire.links[0].status is LinkStatus.ONLINE


async def test_nothing_numbered_leaves_before_the_cloud_was_heard(house):
    await house.record(1)
    house.cloud.is_answering = False
    house.uplink.connected()
    await until(lambda: house.wire.batches)
    for _ in range(3):
        house.clock.advance(5)
        count = len(house.wire.batches)
        await until(lambda count=count: len(house.wire.batches) > count)

    assert house.wire.numbered == []
    house.cloud.is_answering = True
    house.clock.advance(5)
    await house.delivered()
    assert house.cloud.numbers == [1]


async def test_a_backlog_goes_in_full_batches_and_in_order(house):
    for start in range(0, 3_000, 500):
        await house.record(*range(start, start + 500))
    house.uplink.connected()
    await house.delivered()

    assert house.cloud.numbers == list(range(3_000))
    assert len(house.wire.numbered) == 6


async def test_no_more_than_a_window_is_sent_without_acknowledgement(house):
    house.uplink.connected()
    await until(lambda: house.uplink.is_on and house.cloud.beats)
    await house.record(0)
    await house.delivered()
    house.cloud.is_answering = False
    for number in range(1, 9):
        await house.record(number)
    await until(lambda: len(house.wire.numbered) == 5)
    await asyncio.sleep(0.01)

    assert len(house.wire.numbered) == 1 + 4


async def test_what_was_not_acknowledged_in_time_is_sent_again_one_batch_first(house):
    house.uplink.connected()
    await house.record(0)
    await house.delivered()
    house.wire.loss = 1.0
    for number in (1, 2, 3):
        await house.record(number)
    await until(lambda: len(house.wire.numbered) == 4)
    house.wire.loss = 0.0
    house.clock.advance(5)
    await house.delivered()

    assert house.cloud.numbers == [0, 1, 2, 3]


async def test_after_a_cut_it_goes_on_where_the_cloud_is(house):
    house.uplink.connected()
    await house.record(1)
    await house.delivered()
    house.wire.is_up = False
    house.uplink.disconnected()
    await house.record(2, 3)
    house.wire.is_up = True
    house.uplink.connected()
    await house.delivered()

    assert house.cloud.numbers == [1, 2, 3]
    assert [link.status for link in house.wire.links] == [LinkStatus.ONLINE] * 2


@pytest.mark.parametrize("seed", range(6))
async def test_everything_arrives_once_and_in_order_whatever_the_wire_does(path, seed):
    house = House(path)
    house.wire.random = random.Random(seed)
    house.wire.loss = 0.3
    house.uplink.connected()
    for number in range(0, 200, 2):
        await house.record(number, number + 1)
        house.clock.advance(house.wire.random.choice([0, 0.1, 2, 6]))
        if house.wire.random.random() < 0.1:
            house.reconnect()
        await asyncio.sleep(0)
    while house.outbox.depth:
        house.clock.advance(5)
        await asyncio.sleep(0.001)

    assert house.cloud.numbers == list(range(200))
    await house.stop()


async def test_a_restart_sends_what_was_not_delivered_and_nothing_twice(path):
    house = House(path)
    house.uplink.connected()
    await house.record(1, 2)
    await house.delivered()
    house.wire.is_up = False
    house.uplink.disconnected()
    await house.record(3)
    await house.stop()
    again = House(path, house.cloud, house.clock)
    again.uplink.connected()
    await again.delivered()

    assert house.cloud.numbers == [1, 2, 3]
    await again.stop()


async def test_a_cut_while_the_disk_is_read_does_not_mix_up_numbers(path, monkeypatch):
    first = House(path)
    for start in range(0, 1_500, 500):
        await first.record(*range(start, start + 500))
    await first.stop()
    house = House(path, clock=first.clock)
    read = house.outbox.read

    async def read_and_cut(seq):
        events = await read(seq)
        if seq == 1_000:
            monkeypatch.undo()
            house.wire.loss = 0.0
            house.reconnect()
        return events

    monkeypatch.setattr(house.outbox, "read", read_and_cut)
    house.wire.loss = 1.0
    house.uplink.connected()
    await until(lambda: house.wire.batches)
    house.uplink.take(encode(Ack(station="dundee", epoch=house.outbox.epoch, committed_seq=0)))
    await until(lambda: house.outbox.read == read)
    await house.delivered()

    assert house.cloud.numbers == list(range(1_500))
    await house.stop()


async def test_beats_come_when_due_and_say_how_the_agent_does(house):
    house.uplink.beat_with(lambda: Beat(silent_chargers=["C1"], outbox_depth=house.outbox.depth))
    house.uplink.connected()
    await until(lambda: len(house.cloud.beats) == 1)
    house.clock.advance(14)
    await asyncio.sleep(0.01)
    assert len(house.cloud.beats) == 1
    house.clock.advance(1)
    await until(lambda: len(house.cloud.beats) == 2)

    assert house.cloud.beats[1].silent_chargers == ["C1"]


async def test_a_short_disk_is_told_before_the_next_beat_is_due(house, monkeypatch):
    """L10."""
    house.uplink.connected()
    await until(lambda: len(house.cloud.beats) == 1)
    monkeypatch.setattr(Outbox, "is_disk_short", property(lambda _: True))
    await house.record(1)

    await until(lambda: len(house.cloud.beats) == 2)


async def test_while_a_batch_is_on_its_way_the_next_waits_a_little_and_is_the_fuller(path):
    house = House(path, pace_s=0.005)
    house.uplink.connected()
    await until(lambda: house.cloud.beats)
    house.cloud.is_answering = False
    await until(lambda: house.outbox.opened_seq == 0 and house.uplink.is_on)
    for number in range(4):
        await house.record(number)
    await asyncio.sleep(0.01)
    assert [len(batch.events) for batch in house.wire.numbered] == [1]
    house.clock.advance(0.006)
    await until(lambda: len(house.wire.numbered) == 2)

    assert [len(batch.events) for batch in house.wire.numbered] == [1, 3]
    await house.stop()


async def test_a_congested_wire_is_given_no_more(house):
    house.uplink.connected()
    await until(lambda: house.cloud.beats)
    house.wire.is_congested = True
    await house.record(1)
    await asyncio.sleep(0.01)
    assert house.wire.numbered == []
    house.wire.is_congested = False
    house.clock.advance(0.05)
    await house.delivered()


async def test_an_ask_goes_at_once_and_its_answer_comes_back(house):
    house.uplink.connected()
    await until(lambda: house.cloud.beats)
    house.clock.real_wait_s = 5
    answer = await house.uplink.ask("C1", 1, "T", 2)
    house.cloud.accepted = False
    other = await house.uplink.ask("C1", 1, "T", 2)

    assert (answer.is_accepted, other.is_accepted) == (True, False)


async def test_a_question_for_others_is_relayed_and_an_empty_answer_is_none(house):
    house.uplink.connected()
    await until(lambda: house.cloud.beats)
    house.clock.real_wait_s = 5
    payload = {"action": "Install"}
    answer = await house.uplink.relay("C1", "Get15118EVCertificate", payload, 15)
    house.cloud.relayed = {}
    nothing = await house.uplink.relay("C1", "Get15118EVCertificate", payload, 15)
    asked = [ask for batch in house.wire.batches for ask in batch.relays]

    assert (answer, nothing) == ({"status": "Accepted"}, None)
    assert (asked[0].charger_id, asked[0].action) == ("C1", "Get15118EVCertificate")
    assert asked[0].payload == payload


async def test_an_ask_while_the_cloud_is_away_takes_no_time(house):
    assert await asyncio.wait_for(house.uplink.ask("C1", 1, "T", 3_600), 60) is None


async def test_an_unanswered_ask_ends_after_its_wait_and_is_not_repeated(house):
    house.uplink.connected()
    await until(lambda: house.cloud.beats)
    house.cloud.is_answering = False
    house.clock.real_wait_s = 0.1

    assert await house.uplink.ask("C1", 1, "T", 2) is None
    asked = [ask for batch in house.wire.batches for ask in batch.asks]
    house.reconnect()
    await asyncio.sleep(0.01)
    assert [ask for batch in house.wire.batches for ask in batch.asks] == asked
    assert len(asked) == 1


async def test_a_cloud_silent_for_three_beats_is_not_asked(house):
    house.uplink.connected()
    await until(lambda: house.cloud.beats)
    await until(lambda: house.uplink.is_on)
    house.cloud.is_answering = False
    house.clock.advance(46)

    assert not house.uplink.is_on


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"\xff",
        encode(Ack(station="other", epoch=1, committed_seq=9)),
        encode(Ack(station="dundee", epoch=1, committed_seq=9)),
        encode(AuthorizeAnswer(station="dundee", ask_id="nobody's", is_accepted=True)),
    ],
)
async def test_what_is_no_answer_to_us_changes_nothing(house, payload):
    house.uplink.connected()
    await house.record(1)
    await house.delivered()
    house.uplink.take(payload)
    await house.record(2)
    await house.delivered()

    assert house.cloud.numbers == [1, 2]


async def test_an_outbox_from_a_backup_starts_a_new_epoch_and_tells_only_what_is_new(
    path, tmp_path
):
    house = House(path)
    house.uplink.connected()
    await house.record(1, 2)
    await house.delivered()
    await house.stop()
    backup = tmp_path / "backup.db"
    backup.write_bytes(path.read_bytes())
    lived_on = House(path, house.cloud, house.clock)
    lived_on.uplink.connected()
    await lived_on.record(3, 4, 5)
    await lived_on.delivered()
    await lived_on.stop()
    house.clock.advance(60)
    restored = House(backup, house.cloud, house.clock)
    before = restored.outbox.epoch
    await restored.record(6)
    restored.uplink.connected()
    await restored.delivered()
    await restored.record(7)
    await restored.delivered()

    assert house.cloud.numbers == [1, 2, 3, 4, 5, 6, 7]
    assert restored.outbox.epoch == house.cloud.epoch > before
    await restored.stop()


async def test_a_restored_outbox_is_noticed_even_after_further_restarts_offline(path, tmp_path):
    house = House(path)
    house.uplink.connected()
    await house.record(1, 2)
    await house.delivered()
    await house.stop()
    backup = tmp_path / "backup.db"
    backup.write_bytes(path.read_bytes())
    lived_on = House(path, house.cloud, house.clock)
    lived_on.uplink.connected()
    await lived_on.record(3)
    await lived_on.delivered()
    await lived_on.stop()
    for number in (4, 5, 6):
        offline = House(backup, house.cloud, house.clock)
        await offline.record(number)
        await offline.stop()
    restored = House(backup, house.cloud, house.clock)
    restored.uplink.connected()
    await restored.delivered()

    assert house.cloud.numbers == [1, 2, 3, 4, 5, 6]
    await restored.stop()


async def test_an_older_epoch_than_the_clouds_is_given_up(path):
    house = House(path)
    house.cloud.epoch, house.cloud.cursor = house.outbox.epoch + 10**9, 50
    await house.record(1, 2)
    house.uplink.connected()
    await house.delivered()

    assert house.cloud.numbers == [1, 2]
    assert house.outbox.epoch == house.cloud.epoch
    await house.stop()


async def test_a_cloud_that_lost_its_data_is_told_anew_what_is_left_and_how_things_stand(house):
    house.uplink.connected()
    await house.record(*range(1, 11))
    await house.delivered()
    house.cloud.cursor, house.cloud.facts = 4, house.cloud.facts[:4]
    for _ in range(4):
        house.clock.advance(15)
        beats = len(house.cloud.beats)
        await until(lambda beats=beats: len(house.cloud.beats) > beats)
    await house.record(11)
    await house.delivered()

    assert house.cloud.numbers == [1, 2, 3, 4, 11]
    assert house.outbox.epoch == house.cloud.epoch


async def test_a_broker_that_is_not_ours_is_a_security_event_once_an_outage(house):
    """N07."""
    house.uplink.refused("SSLCertVerificationError")
    house.uplink.refused("SSLCertVerificationError")
    await until(lambda: house.outbox.head_seq == 1)
    house.uplink.connected()
    await house.delivered()

    assert [type(fact) for fact in house.cloud.facts] == [SecurityEventReported]
    house.uplink.disconnected()
    house.uplink.refused("again")
    await until(lambda: house.outbox.head_seq == 2)


async def test_the_will_and_the_goodbye_say_offline(house):
    house.uplink.connected()
    house.uplink.leaving()
    will = decode_link(house.uplink.will())

    assert [link.status for link in house.wire.links] == [LinkStatus.ONLINE, LinkStatus.OFFLINE]
    assert (will.status, will.sent_at) == (LinkStatus.OFFLINE, None)
    assert house.wire.links[-1].sent_at == NOON + timedelta(0)
