"""What the database undid for another's sake is done again, and not for ever."""

import time

import pytest

from cloud.services import retrying
from cloud.services.ports import TransactionLost
from cloud.services.retrying import retried


@pytest.fixture
def watch(monkeypatch):
    """A clock that only an attempt moves on; pauses take no time."""
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(retrying.time, "sleep", lambda _: None)
    return now


@pytest.mark.parametrize(("each_s", "attempts"), [(0, 6), (0.3, 4), (0.6, 3), (30, 3)])
def test_it_is_tried_a_few_times_or_for_a_second_but_three_times_at_least(watch, each_s, attempts):
    tried = []

    @retried
    def lose():
        tried.append(1)
        watch[0] += each_s
        raise TransactionLost("another was first")

    with pytest.raises(TransactionLost):
        lose()
    assert len(tried) == attempts


def test_what_went_well_is_not_done_again(watch):
    tried = []

    @retried
    def win_at_last():
        tried.append(1)
        if len(tried) < 3:
            raise TransactionLost("another was first")
        return "done"

    assert win_at_last() == "done"
    assert len(tried) == 3
