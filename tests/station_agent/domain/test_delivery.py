"""Go-back-N over a channel that loses, doubles and reorders: all applied, once, in order."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from station_agent.domain.delivery import Delivery, Meaning

EPOCH = 7


def a_delivery(**kwargs):
    defaults = {"epoch": EPOCH, "committed_seq": 0, "opened_seq": 0, "window": 4, "timeout_s": 5.0}
    return Delivery(**(defaults | kwargs))


def a_running_delivery(**kwargs):
    delivery = a_delivery(**kwargs)
    delivery.connect()
    delivery.acknowledge(EPOCH, delivery.committed_seq, now=0.0)
    return delivery


class Cloud:
    """Applies only what follows its cursor; answers every batch with the cursor."""

    def __init__(self):
        self.applied = []

    def take(self, first_seq, facts):
        if first_seq <= len(self.applied) + 1:
            self.applied += facts[len(self.applied) + 1 - first_seq :]
        return len(self.applied)


class World:
    """A sender, a cloud, and a channel each way that does what a random number says."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.delivery = a_delivery()
        self.cloud = Cloud()
        self.facts = []
        self.up = []
        self.down = []
        self.now = 0.0
        self.sent = 0

    def pump(self):
        delivery = self.delivery
        while delivery.has_room and delivery.sent_seq < len(self.facts):
            facts = self.facts[delivery.sent_seq : delivery.sent_seq + self.random.randint(1, 5)]
            self.up.append((delivery.sent_seq + 1, facts))
            delivery.send(len(facts), self.now)
            self.sent += 1

    def beat(self):
        if self.delivery.is_up:
            self.up.append((self.delivery.sent_seq + 1, []))

    def step(self):
        action = self.random.choice(ACTIONS)
        action(self)
        self.pump()

    def produce(self):
        self.facts += range(len(self.facts), len(self.facts) + self.random.randint(1, 4))

    def carry_up(self):
        self._carry(self.up, lambda batch: self.down.append(self.cloud.take(*batch)))

    def carry_down(self):
        self._carry(self.down, self._acknowledge)

    def _acknowledge(self, committed_seq):
        meaning = self.delivery.acknowledge(EPOCH, committed_seq, self.now)
        assert meaning is not Meaning.CLOUD_IS_AHEAD

    def _carry(self, way, arrive):
        if not way:
            return
        index = self.random.randrange(len(way)) if self.random.random() < 0.3 else 0
        message = way[index]
        chance = self.random.random()
        if chance > 0.15:
            way.pop(index)
        if chance > 0.3:
            arrive(message)

    def pass_time(self):
        self.now += self.random.choice([0.1, 2.0, 6.0])
        self.delivery.expire(self.now)

    def cut(self):
        self.delivery.disconnect()
        self.up.clear()
        self.delivery.connect()

    def finish(self):
        """From now on nothing is lost: how many rounds until all is there?"""
        if not self.delivery.is_up:
            self.delivery.connect()
        for rounds in range(10_000):
            if self.delivery.committed_seq == len(self.facts) == len(self.cloud.applied):
                return rounds
            self.beat()
            self.pump()
            while self.up:
                self.down.append(self.cloud.take(*self.up.pop(0)))
            while self.down:
                self._acknowledge(self.down.pop(0))
            self.now += 6
            self.delivery.expire(self.now)
        raise AssertionError("never finished")


ACTIONS = [
    World.produce,
    World.produce,
    World.carry_up,
    World.carry_up,
    World.carry_up,
    World.carry_down,
    World.carry_down,
    World.carry_down,
    World.pass_time,
    World.beat,
    World.cut,
]


@given(seed=st.integers(0, 2**32), steps=st.integers(1, 300))
@settings(max_examples=150, deadline=None)
def test_everything_is_applied_once_and_in_order(seed, steps):
    world = World(seed)
    for _ in range(steps):
        world.step()
    world.finish()

    assert world.cloud.applied == world.facts


def test_nothing_leaves_before_the_cloud_was_heard():
    delivery = a_delivery()
    delivery.connect()

    assert not delivery.has_room


def test_after_the_first_word_sending_goes_on_behind_what_the_cloud_has():
    delivery = a_delivery(opened_seq=10, committed_seq=3)
    delivery.connect()

    assert delivery.acknowledge(EPOCH, 8, 0.0) is Meaning.PROGRESS
    assert (delivery.committed_seq, delivery.sent_seq, delivery.has_room) == (8, 8, True)


def test_only_a_window_of_batches_is_on_its_way():
    delivery = a_running_delivery(window=3)
    for _ in range(3):
        delivery.send(5, 0.0)

    assert not delivery.has_room
    delivery.acknowledge(EPOCH, 5, 0.0)
    assert delivery.has_room


def test_a_repeated_cursor_with_batches_on_their_way_is_a_gap():
    delivery = a_running_delivery()
    delivery.send(5, 0.0)
    delivery.send(5, 0.0)

    assert delivery.acknowledge(EPOCH, 0, 0.0) is Meaning.GO_BACK
    assert delivery.sent_seq == 0


def test_answers_to_what_was_sent_twice_are_no_gaps():
    delivery = a_running_delivery()
    delivery.send(5, 0.0)
    delivery.expire(6.0)
    delivery.send(5, 6.0)
    delivery.acknowledge(EPOCH, 5, 6.1)
    delivery.send(5, 6.2)

    assert delivery.acknowledge(EPOCH, 5, 6.3) is Meaning.NOTHING
    assert delivery.sent_seq == 10


def test_echoes_do_not_keep_each_other_alive():
    delivery = a_running_delivery()
    cloud, way, sent = Cloud(), [], 0
    facts = list(range(2_000))
    way.append(0)  # one answer too many, as after a doubled batch
    while delivery.committed_seq < len(facts) and sent < 1_000:
        while delivery.has_room and delivery.sent_seq < len(facts):
            batch = facts[delivery.sent_seq : delivery.sent_seq + 10]
            way.append(cloud.take(delivery.sent_seq + 1, batch))
            delivery.send(len(batch), 0.0)
            sent += 1
        delivery.acknowledge(EPOCH, way.pop(0), 0.0)

    assert sent <= 200 + 8


def test_without_an_answer_one_batch_probes_until_there_is_progress():
    delivery = a_running_delivery()
    for _ in range(4):
        delivery.send(5, 0.0)

    assert delivery.due_at == 5.0
    assert not delivery.expire(4.9)
    assert delivery.expire(5.0)
    delivery.send(5, 5.0)
    assert not delivery.has_room
    delivery.acknowledge(EPOCH, 5, 5.1)
    assert delivery.has_room


def test_nothing_on_its_way_is_never_overdue():
    delivery = a_running_delivery()

    assert not delivery.expire(1e9)
    assert delivery.due_at == float("inf")


def test_another_batch_waits_while_one_is_on_its_way():
    delivery = a_running_delivery(pace_s=0.5)
    assert delivery.ready_at == float("-inf")
    delivery.send(5, 2.0)
    assert delivery.ready_at == 2.5
    delivery.acknowledge(EPOCH, 5, 2.1)

    assert delivery.ready_at == float("-inf")


def test_a_cut_way_has_no_room():
    delivery = a_running_delivery()
    delivery.disconnect()

    assert not delivery.has_room


@pytest.mark.parametrize("epoch", [EPOCH - 1, 1])
def test_an_acknowledgement_of_an_earlier_epoch_means_nothing(epoch):
    delivery = a_running_delivery()
    delivery.send(5, 0.0)

    assert delivery.acknowledge(epoch, 99, 0.0) is Meaning.NOTHING


def test_a_cloud_that_knows_a_later_epoch_is_ahead():
    delivery = a_running_delivery()

    assert delivery.acknowledge(EPOCH + 1, 0, 0.0) is Meaning.CLOUD_IS_AHEAD


def test_a_cloud_with_more_than_was_here_at_opening_has_heard_another_copy():
    delivery = a_delivery(opened_seq=10)
    delivery.connect()

    assert delivery.acknowledge(EPOCH, 11, 0.0) is Meaning.CLOUD_IS_AHEAD


def test_a_cloud_with_more_than_was_ever_sent_has_heard_another_copy():
    delivery = a_running_delivery(opened_seq=10)
    delivery.send(15, 0.0)

    assert delivery.acknowledge(EPOCH, 16, 0.0) is Meaning.CLOUD_IS_AHEAD


def test_one_late_acknowledgement_is_not_a_cloud_that_forgot():
    delivery = a_running_delivery(committed_seq=10, opened_seq=10)

    assert delivery.acknowledge(EPOCH, 9, 0.0) is Meaning.NOTHING
    assert delivery.acknowledge(EPOCH, 10, 0.0) is Meaning.NOTHING
    assert delivery.acknowledge(EPOCH, 9, 0.0) is Meaning.NOTHING
    assert delivery.acknowledge(EPOCH, 9, 0.0) is Meaning.NOTHING


def test_a_cloud_that_insists_on_less_forgot():
    delivery = a_delivery(committed_seq=10, opened_seq=10)
    delivery.connect()
    said = [delivery.acknowledge(EPOCH, 4, 0.0) for _ in range(3)]

    assert said == [Meaning.NOTHING, Meaning.NOTHING, Meaning.CLOUD_FORGOT]
