"""Of those who lose the same race at once one looks for alternatives, and all get what it found."""

# ruff: noqa: ARG002 - who stands in takes what it is given

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from cloud.services.shared_finding import SharedFinding
from tests.cloud.builders import NOON, a_reservation, after

LOST = a_reservation(id="")


class Looking:
    """See Finding: counts how often it looks, and takes as long as it is told."""

    def __init__(self):
        self.looked = 0
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.fails = 0

    def alternatives(self, work, wanted, now, most=5):
        self.looked += 1
        self.may_answer.wait(5)
        if self.fails:
            self.fails -= 1
            raise ConnectionError
        return [wanted.bay_id, wanted.starts_at, self.looked]


class Wound:
    """A clock that goes when told to."""

    def __init__(self):
        self.at_s = 0.0

    def __call__(self):
        return self.at_s


@pytest.fixture
def looking():
    return Looking()


@pytest.fixture
def monotonic():
    return Wound()


@pytest.fixture
def shared(looking, monotonic):
    return SharedFinding(looking, monotonic=monotonic)


def ask(shared, wanted=LOST, now=NOON, most=5):
    return shared.alternatives(None, wanted, now, most)


def test_who_asks_the_same_at_once_gets_the_same(shared, looking):
    looking.may_answer.clear()
    with ThreadPoolExecutor(20) as pool:
        asked = [pool.submit(ask, shared) for _ in range(20)]
        looking.may_answer.set()
        answers = [one.result(timeout=5) for one in asked]

    assert looking.looked == 1
    assert all(one == answers[0] for one in answers)


def test_what_was_found_is_soon_too_old(shared, looking, monotonic):
    ask(shared)
    monotonic.at_s = 0.49
    ask(shared)
    assert looking.looked == 1
    monotonic.at_s = 0.5
    ask(shared)

    assert looking.looked == 2


@pytest.mark.parametrize(
    "more",
    [
        {"bay_id": "greenmarket-2"},
        {"station_id": "other"},
        {"starts_at": after(0)},
        {"standard": "CHADEMO"},
        {"min_power_w": 1},
        {"energy_wh": 1},
    ],
)
def test_who_wants_something_else_is_answered_alone(shared, looking, more):
    ask(shared)
    ask(shared, replace(LOST, **more))

    assert looking.looked == 2


def test_another_granule_or_another_number_is_another_question(shared, looking):
    ask(shared)
    ask(shared, now=NOON + timedelta(minutes=14))
    assert looking.looked == 1
    ask(shared, now=NOON + timedelta(minutes=15))
    ask(shared, most=3)

    assert looking.looked == 3


def test_who_moves_what_they_have_is_answered_alone(shared, looking):
    mine = replace(LOST, id="r-1")
    ask(shared, mine)
    ask(shared, mine)

    assert looking.looked == 2


def test_where_the_first_fails_the_others_look_themselves(shared, looking):
    looking.fails = 1
    with pytest.raises(ConnectionError):
        ask(shared)

    assert ask(shared) == [LOST.bay_id, LOST.starts_at, 2]


def test_what_is_too_old_is_forgotten(shared, monotonic):
    for number in range(50):
        monotonic.at_s += 1
        ask(shared, replace(LOST, energy_wh=number + 1))

    assert len(shared._known) == 1  # noqa: SLF001 - that memory stays bounded shows nowhere else
