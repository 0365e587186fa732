"""Waiting ends with the first true value, or with a failure that tells what was seen."""

import pytest

from tests.support.waiting import eventually, eventually_async


def test_the_first_true_value_is_returned():
    values = iter([0, None, "", "there"])

    assert eventually(lambda: next(values)) == "there"


def test_a_failing_look_counts_as_not_yet():
    looks = iter([False, True])

    def condition():
        assert next(looks)
        return "seen"

    assert eventually(condition) == "seen"


def test_what_never_comes_fails_with_what_was_seen_last():
    with pytest.raises(AssertionError, match=r"the bay .* last seen: 0"):
        eventually(lambda: 0, within_s=0, what="the bay")


def test_a_bug_in_the_condition_is_not_waited_for():
    with pytest.raises(KeyError):
        eventually(lambda: {}["nothing"])


async def test_asynchronous_conditions_are_awaited():
    values = iter([0, 1])

    async def condition():
        return next(values)

    assert await eventually_async(condition) == 1
