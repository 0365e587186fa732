"""Bounds in time, with the time in the test's hand."""

import pytest

from station_agent.ocpp.throttle import Buckets, Failures, OncePer, TokenBucket


def test_a_burst_passes_and_what_follows_waits_its_turn():
    bucket = TokenBucket(rate_per_s=10, burst=3, now_s=0)

    assert [bucket.take(0) for _ in range(5)] == pytest.approx([0, 0, 0, 0.1, 0.2])
    assert bucket.take(100) == 0


def test_a_steady_rate_below_the_limit_never_waits():
    bucket = TokenBucket(rate_per_s=10, burst=1, now_s=0)

    assert all(bucket.take(tick * 0.11) == 0 for tick in range(1, 1000))


def test_p07_a_key_has_one_bucket_and_the_longest_unused_are_forgotten():
    buckets = Buckets(rate_per_s=1, burst=1)
    first = buckets.of("a", 0)
    for number in range(9_999):
        buckets.of(number, 0)

    assert buckets.of("a", 0) is first
    buckets.of("b", 0)
    assert buckets.of("a", 0) is first
    assert len(buckets) == 10_000


def test_a_key_passes_once_in_its_time():
    once = OncePer(60)

    assert [once.allows("a", at) for at in (0, 1, 59.9, 60, 61)] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert once.allows("b", 1)


def test_s05_ten_failures_block_and_time_forgives():
    failures = Failures(limit=10, window_s=60)
    for _ in range(10):
        assert not failures.is_blocked("a", 0)
        failures.add("a", 0)

    assert failures.is_blocked("a", 1)
    assert not failures.is_blocked("b", 1)
    assert not failures.is_blocked("a", 60)


def test_what_is_remembered_of_strangers_is_bounded():
    failures, once = Failures(limit=1, window_s=60), OncePer(60)
    for number in range(20_000):
        failures.add(number, 0)
        once.allows(number, 0)

    assert not failures.is_blocked(0, 1)
    assert failures.is_blocked(19_999, 1)
    assert once.allows(0, 1)
