"""Fusing, debounce, silence and battery of bay sensors."""

from collections import deque
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events import (
    BayOccupancyChanged,
    SensorBatteryReported,
    SensorFellSilent,
    SensorHeardAgain,
)
from station_agent.domain.occupancy import (
    FLAPPING,
    FLAPS,
    FLAPS_WITHIN_S,
    NEVER_HEARD_AFTER_S,
    QUIET_S,
    STEADY_AFTER_S,
    Bay,
    Sensor,
    SensorMemory,
    Vote,
    fuse,
)
from tests.station_agent.fakes import NOON

VOTES = st.lists(
    st.builds(
        Vote,
        sensor_id=st.sampled_from(["a", "b", "c"]),
        is_occupied=st.booleans(),
        confidence=st.floats(0, 1),
    ),
    max_size=5,
)


def a_sensor(name="s", **kwargs):
    defaults = {"silent_after_s": 90.0, "heard_at": 0.0}
    return Sensor(name, "bay", **(defaults | kwargs))


def a_bay(*sensors):
    return Bay("bay", sensors or (a_sensor(),))


def read(sensor, is_occupied, at=0.0, confidence=1.0, observed_at=None):
    now = NOON + timedelta(seconds=at)
    sensor.hear(now, at)
    return sensor.read(
        is_occupied=is_occupied,
        confidence=confidence,
        observed_at=observed_at or now,
        now=now,
    )


def settle(bay, at):
    return bay.settle(NOON + timedelta(seconds=at), at)


@pytest.mark.parametrize(
    ("votes", "is_occupied", "confidence"),
    [
        ([(True, 0.9)], True, 0.9),
        ([(False, 0.8)], False, 0.8),
        ([(True, 1), (False, 1)], True, 0.5),
        ([(True, 1), (False, 1), (False, 1)], False, 2 / 3),
        ([(True, 1), (True, 0.8), (False, 1)], True, 0.6),
        ([(True, 0.3), (False, 0.9)], False, 0.45),
        ([(True, 0.6), (False, 0.9)], True, 0.3),
        ([(True, 0)], True, 0),
    ],
)
def test_occupied_wins_unless_those_who_say_empty_are_twice_as_sure(votes, is_occupied, confidence):
    verdict = fuse([Vote(str(i), *vote) for i, vote in enumerate(votes)])

    assert verdict.is_occupied is is_occupied
    assert verdict.confidence == pytest.approx(confidence)


@given(VOTES)
def test_a_verdict_is_one_that_somebody_gave_with_a_confidence_in_range(votes):
    verdict = fuse(votes)

    assert (verdict is None) == (not votes)
    if verdict:
        given = {vote.sensor_id for vote in votes if vote.is_occupied is verdict.is_occupied}
        assert set(verdict.sensor_ids) == given
        assert 0 <= verdict.confidence <= 1


def test_the_first_change_is_told_at_once():
    bay = a_bay()
    read(bay.sensors[0], True)

    assert settle(bay, 0.0) == [
        BayOccupancyChanged(
            bay_id="bay", is_occupied=True, confidence=1, sensor_ids=["s"], observed_at=NOON
        )
    ]


def test_a_change_within_the_quiet_time_waits_and_the_last_value_wins():
    bay = a_bay()
    sensor = bay.sensors[0]
    read(sensor, True, 0.0)
    settle(bay, 0.0)
    read(sensor, False, 1.0)

    assert settle(bay, 1.0) == []
    assert bay.due_at() == QUIET_S
    read(sensor, True, 2.0)
    assert bay.due_at() is None
    assert settle(bay, 3.0) == []
    read(sensor, False, 3.5)
    assert [fact.is_occupied for fact in settle(bay, 3.5)] == [False]


@given(st.lists(st.tuples(st.floats(0.01, 5), st.booleans()), max_size=60))
def test_chatter_is_told_at_most_once_in_the_quiet_time_and_ends_at_the_truth(steps):
    """T11; what is no chatter any more is another matter: see flapping below."""
    bay, at, told = a_bay(), 0.0, []
    bay.sensors[0].changed_at = deque(maxlen=0)
    for delay_s, is_occupied in steps:
        due_at = bay.due_at()
        if due_at is not None and at < due_at <= at + delay_s:
            told += [(due_at, fact) for fact in settle(bay, due_at)]
        at += delay_s
        read(bay.sensors[0], is_occupied, at)
        told += [(at, fact) for fact in settle(bay, at)]
    told += [(at + QUIET_S, fact) for fact in settle(bay, at + QUIET_S)]

    assert all(later - earlier >= QUIET_S - 1e-6 for (earlier, _), (later, _) in pairwise(told))
    assert all(a.is_occupied is not b.is_occupied for (_, a), (_, b) in pairwise(told))
    assert [fact.is_occupied for _, fact in told[-1:]] == [last for _, last in steps[-1:]]


def test_an_older_reading_changes_nothing():
    sensor = a_sensor()
    read(sensor, True, 10)
    read(sensor, False, 11, observed_at=NOON)

    assert sensor.vote.is_occupied


def test_a_clock_that_was_set_back_is_believed_after_some_readings():
    sensor = a_sensor()
    read(sensor, True, 10, observed_at=NOON + timedelta(hours=1))
    for at in (11, 12, 13):
        read(sensor, False, at)

    assert not sensor.vote.is_occupied


def test_a_sensor_that_says_nothing_falls_silent_once_and_has_no_vote():
    sensor = a_sensor()
    read(sensor, True, 0.0)

    assert sensor.check(NOON, 90.0) == []
    assert sensor.check(NOON, 90.1) == [
        SensorFellSilent(sensor_id="s", bay_id="bay", last_heard_at=NOON, observed_at=NOON)
    ]
    assert sensor.check(NOON, 91) == []
    assert sensor.vote is None


def flap(sensor, changes, every_s, at=0.0):
    """Let it change its mind; returns the facts, and the instant of the last change."""
    facts = read(sensor, False, at)
    for number in range(changes):
        at += every_s
        facts += read(sensor, number % 2 == 0, at)
    return facts, at


def test_a_sensor_that_changes_faster_than_cars_is_not_believed():
    sensor = a_sensor()
    facts, at = flap(sensor, FLAPS, FLAPS_WITHIN_S / (FLAPS - 1))
    now = NOON + timedelta(seconds=at)

    assert facts == [
        SensorFellSilent(
            sensor_id="s", bay_id="bay", why=FLAPPING, last_heard_at=now, observed_at=now
        )
    ]
    assert sensor.vote is None
    assert flap(sensor, 20, 1.0, at)[0] == []


def test_a_busy_bay_is_no_flapping_sensor():
    sensor = a_sensor()
    facts, _ = flap(sensor, 40, FLAPS_WITHIN_S / (FLAPS - 1) + 0.1)

    assert facts == []
    assert sensor.vote is not None


def test_a_flapping_sensor_is_believed_again_once_it_has_come_to_rest():
    """Without another message: some families speak only when something changes."""
    sensor = a_sensor()
    _, at = flap(sensor, FLAPS, 1.0)

    assert sensor.check(NOON, at + STEADY_AFTER_S - 0.1) == []
    assert sensor.check(NOON, at + STEADY_AFTER_S) == [
        SensorHeardAgain(sensor_id="s", bay_id="bay", observed_at=NOON)
    ]
    assert sensor.vote == Vote("s", False, 1)
    assert read(sensor, True, at + STEADY_AFTER_S + 1) == []
    assert sensor.vote == Vote("s", True, 1)


def test_a_flapping_sensor_that_goes_is_silent_like_any_other():
    sensor = a_sensor()
    _, at = flap(sensor, FLAPS, 1.0)
    sensor.fall_silent(NOON)

    assert sensor.check(NOON, at + STEADY_AFTER_S) == []
    assert sensor.vote is None
    assert len(read(sensor, True, at + STEADY_AFTER_S + 1)) == 1
    assert sensor.vote == Vote("s", True, 1)


def test_a_flapping_sensor_that_is_not_heard_any_more_stays_unbelieved():
    sensor = a_sensor(silent_after_s=30.0)
    _, at = flap(sensor, FLAPS, 1.0)

    assert sensor.check(NOON, at + STEADY_AFTER_S) == []
    assert not sensor.is_flapping
    assert sensor.vote is None


def test_only_a_verdict_ends_silence():
    sensor = a_sensor()
    sensor.fall_silent(NOON)
    sensor.hear(NOON, 1.0)

    assert sensor.memory.is_silent
    assert read(sensor, False, 2.0) == [
        SensorHeardAgain(sensor_id="s", bay_id="bay", observed_at=NOON + timedelta(seconds=2))
    ]
    assert sensor.vote == Vote("s", False, 1)


def test_a_sensor_heard_of_otherwise_is_not_overdue():
    sensor = a_sensor()
    read(sensor, True, 0.0)
    sensor.hear(NOON, 60.0)

    assert sensor.check(NOON, 140.0) == []


def test_a_sensor_that_need_not_speak_is_silent_only_if_never_heard():
    never, once = a_sensor(silent_after_s=None), a_sensor(silent_after_s=None)
    read(once, True, 1.0)

    assert never.check(NOON, NEVER_HEARD_AFTER_S) == []
    assert len(never.check(NOON, NEVER_HEARD_AFTER_S + 1)) == 1
    assert once.check(NOON, 1e9) == []


def test_an_earlier_word_does_not_turn_the_clock_back():
    sensor = a_sensor()
    sensor.hear(NOON, 50.0)
    sensor.hear(NOON - timedelta(seconds=30), 20.0)

    assert (sensor.heard_at, sensor.memory.heard_at) == (50.0, NOON)


@pytest.mark.parametrize(("age_s", "is_trusted"), [(60, True), (91, False)])
def test_after_a_restart_a_sensor_is_trusted_for_as_long_as_it_may_be_quiet(age_s, is_trusted):
    heard_at = NOON - timedelta(seconds=age_s)
    sensor = a_sensor(heard_at=500.0)
    sensor.restore(SensorMemory(is_occupied=True, heard_at=heard_at), NOON, 500.0)

    assert (sensor.vote is not None) is is_trusted
    assert (sensor.check(NOON, 500.0) == []) is is_trusted


def test_a_sensor_that_was_silent_before_a_restart_still_is():
    sensor = a_sensor()
    sensor.restore(SensorMemory(is_occupied=True, heard_at=NOON, is_silent=True), NOON, 0.0)

    assert sensor.vote is None
    assert sensor.check(NOON, 1e6) == []


def test_a_memory_that_never_heard_anything_is_no_vote():
    sensor = a_sensor()
    sensor.restore(SensorMemory(battery_ratio=0.5), NOON, 0.0)

    assert sensor.vote is None


def test_a_restart_invents_no_change():
    sensor = a_sensor()
    sensor.restore(SensorMemory(is_occupied=True, heard_at=NOON), NOON, 0.0)
    bay = Bay("bay", (sensor,), told=True)

    assert settle(bay, 0.0) == []
    assert bay.due_at() is None


def test_without_a_trusted_sensor_nothing_is_told():
    sensor = a_sensor()
    bay = a_bay(sensor)
    read(sensor, True)
    settle(bay, 0.0)
    sensor.fall_silent(NOON)

    assert settle(bay, 100.0) == []
    assert bay.told is True


def test_a_verdict_is_as_old_as_its_newest_reading():
    first, second = a_sensor("a"), a_sensor("b")
    bay = a_bay(first, second)
    read(first, True, 1.0)
    read(second, True, 2.0)

    assert settle(bay, 9.0)[0].observed_at == NOON + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("told", "ratio", "is_told"),
    [
        (None, 0.5, True),
        (0.55, 0.51, False),
        (0.51, 0.49, False),
        (0.52, 0.41, True),
        (0.95, 1.0, True),
        (0.21, 0.19, True),
    ],
)
def test_a_battery_is_told_when_it_passed_a_tenth_or_fell_low(told, ratio, is_told):
    sensor = a_sensor()
    sensor.memory = SensorMemory(battery_ratio=told)
    facts = sensor.battery(ratio, NOON)

    assert bool(facts) is is_told


def test_a_low_battery_is_low_until_it_clearly_recovered():
    sensor = a_sensor()
    told = [
        fact.is_low
        for ratio in (0.25, 0.19, 0.22, 0.19, 0.29, 0.31)
        for fact in sensor.battery(ratio, NOON)
    ]

    assert told == [False, True, True, False]


@given(st.lists(st.floats(0, 1), max_size=50))
def test_every_battery_fact_says_something_new(ratios):
    sensor = a_sensor()
    facts = [fact for ratio in ratios for fact in sensor.battery(ratio, NOON)]

    assert all(isinstance(fact, SensorBatteryReported) for fact in facts)
    assert all(
        a.is_low is not b.is_low or int(a.battery_ratio * 10) != int(b.battery_ratio * 10)
        for a, b in pairwise(facts)
    )
