"""What many ask for at once is found once, kept for a moment, and a failure is nobody's to keep."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Event

import pytest

from cloud.services.sharing import Shared


class Watch:
    """Time that passes when told to."""

    def __init__(self):
        self.at = 0.0

    def __call__(self):
        return self.at


@pytest.fixture
def watch():
    return Watch()


@pytest.fixture
def shared(watch):
    return Shared(lasts_s=1, monotonic=watch)


def test_it_is_found_once_for_all_who_wait(shared):
    is_let_go, found = Event(), []

    def find():
        is_let_go.wait(5)
        found.append("it")
        return len(found)

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(shared.get, "key", find) for _ in range(8)]
        is_let_go.set()
        answers = {one.result() for one in asked}

    assert answers == {1}


def test_it_is_kept_for_a_moment_and_by_its_key(shared, watch):
    assert shared.get("a", lambda: 1) == 1
    assert shared.get("b", lambda: 2) == 2
    watch.at = 0.99
    assert shared.get("a", lambda: 3) == 1
    watch.at = 1.0
    assert shared.get("a", lambda: 4) == 4


def test_a_failure_is_told_and_forgotten(shared):
    def fail():
        raise ValueError("not now")

    with pytest.raises(ValueError, match="not now"):
        shared.get("a", fail)

    assert shared.get("a", lambda: 1) == 1


def test_where_the_first_fails_the_others_look_themselves(shared):
    is_let_go, attempts = Event(), count()

    def find():
        is_let_go.wait(5)
        if next(attempts) == 0:
            raise ConnectionError
        return "it"

    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(shared.get, "key", find) for _ in range(8)]
        is_let_go.set()
        failures = [one.exception() for one in asked]

    assert [type(one) for one in failures if one] == [ConnectionError]
    assert {one.result() for one in asked if not one.exception()} == {"it"}


def test_it_does_not_grow_for_ever(shared):
    for number in range(1_500):
        shared.get(number, lambda: 0)

    assert shared.get(1_499, lambda: 1) == 0
    assert shared.get(0, lambda: 1) == 1
