"""What a charger should be told of reservations, case by case."""

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.events import ConnectorState
from contracts.plan import PlannedReservation
from station_agent.domain.reservations import (
    BACKED_OFF,
    BACKED_OFF_AT_MOST,
    FORGOTTEN_AFTER,
    MOST_DROPS,
    EvseView,
    Standing,
    Step,
    Told,
    due_promise,
    lost,
    next_step,
)
from tests.station_agent.fakes import NOON

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
LONG_HERE = NOON - HOUR


def a_promise(number=7, **more):
    fields = {
        "reservation_id": f"r-{number}",
        "bay_id": "b1",
        "token": "alice",
        "starts_at": NOON,
        "ends_at": NOON + HOUR,
    }
    return PlannedReservation(reservation_number=number, **fields | more)


def what_was_told(**more):
    told = Told(
        charger_id="C1",
        evse_id=1,
        reservation_id="r-7",
        number=7,
        token="alice",
        until_at=NOON + HOUR,
        standing=Standing.KEPT,
        at=NOON - MINUTE,
        was_kept=True,
    )
    return replace(told, **more)


def a_view(**more):
    return EvseView(**{"promises": [a_promise()], "here_since": LONG_HERE} | more)


def asked(tries, ago, **more):
    standing = more.pop("standing", Standing.ASKED)
    return what_was_told(standing=standing, tries=tries, at=NOON - ago, was_kept=False, **more)


@pytest.mark.parametrize(
    ("offset_s", "is_due"), [(-601, False), (-600, True), (0, True), (3599, True), (3600, False)]
)
def test_an_evse_is_kept_while_its_reservation_is_protected(offset_s, is_due):
    promise = a_promise(protect_from=NOON - 10 * MINUTE)
    now = NOON + timedelta(seconds=offset_s)

    assert due_promise([promise], now) == (promise if is_due else None)
    assert next_step(a_view(promises=[promise]), now) is (Step.RESERVE if is_due else Step.NOTHING)


def test_a_reservation_without_a_number_is_the_agents_alone_to_keep():
    assert due_promise([a_promise(0)], NOON) is None


def test_of_two_that_are_protected_the_earlier_has_the_evse():
    later = a_promise(8, starts_at=NOON + HOUR, ends_at=NOON + 2 * HOUR, protect_from=NOON)

    assert due_promise([later, a_promise()], NOON) == a_promise()


@pytest.mark.parametrize(
    "view",
    [
        a_view(promises=[]),
        a_view(here_since=None),
        a_view(is_able=False),
        a_view(states=[ConnectorState.FREE, ConnectorState.CHARGING]),
        a_view(states=[ConnectorState.FAULTED]),
        a_view(states=[ConnectorState.UNAVAILABLE]),
        a_view(told=what_was_told()),
        a_view(told=what_was_told(standing=Standing.MET), here_since=NOON),
        a_view(told=asked(1, BACKED_OFF - timedelta(seconds=1))),
        a_view(told=asked(9, BACKED_OFF_AT_MOST - timedelta(seconds=1), standing=Standing.REFUSED)),
    ],
    ids=[
        "nothing promised",
        "charger away",
        "charger knows no reservations",
        "one plug in use",
        "faulted",
        "out of service",
        "told already",
        "used up, though booted anew",
        "asked just now",
        "refused again and again",
    ],
)
def test_nothing_is_said_where_it_would_not_help(view):
    assert next_step(view, NOON) is Step.NOTHING


OUT_OF_SERVICE = [ConnectorState.FAULTED, ConnectorState.UNAVAILABLE]


@pytest.mark.parametrize("state", OUT_OF_SERVICE)
def test_what_a_charger_kept_before_it_was_out_of_service_counts_as_lost(state):
    view = a_view(told=what_was_told(), states=[ConnectorState.FREE, state])
    again = replace(view, told=lost(what_was_told(), NOON))

    assert next_step(view, NOON) is Step.NOTE_LOST
    assert next_step(again, NOON) is Step.NOTHING
    assert next_step(replace(again, states=[ConnectorState.FREE]), NOON) is Step.RESERVE


def test_what_a_charger_lets_go_is_told_again_at_once_then_less_and_less_often_and_then_no_more():
    told, waits = what_was_told(), []
    for _ in range(MOST_DROPS + 1):
        assert next_step(a_view(told=told, is_dropped=True), NOON) is Step.NOTE_LOST
        told = lost(told, NOON)
        steps = (next_step(a_view(told=told), NOON + n * MINUTE) for n in range(60))
        waits.append(next((n for n, step in enumerate(steps) if step is Step.RESERVE), None))
        told = replace(told, standing=Standing.KEPT, tries=0)

    assert waits == [0, 1, 2, 4, None]
    anew = a_view(told=lost(told, NOON), here_since=NOON + MINUTE)
    assert next_step(anew, NOON + MINUTE) is Step.RESERVE


@pytest.mark.parametrize(
    "view",
    [
        a_view(told=what_was_told(standing=Standing.MET), is_dropped=True),
        a_view(told=what_was_told(), session_is_for="r-7", is_dropped=True),
        a_view(told=what_was_told(), promises=[], is_dropped=True),
        a_view(told=asked(1, timedelta(0)), is_dropped=True),
    ],
    ids=["used up", "being used", "gone from the plan", "not agreed to yet"],
)
def test_what_is_used_or_over_or_was_never_kept_is_not_lost(view):
    assert next_step(view, NOON) not in {Step.NOTE_LOST, Step.RESERVE}


@pytest.mark.parametrize(
    "view",
    [
        a_view(),
        a_view(states=[ConnectorState.FREE]),
        a_view(states=[ConnectorState.RESERVED]),
        a_view(told=what_was_told(), here_since=NOON),
        a_view(told=what_was_told(until_at=NOON + 2 * HOUR)),
        a_view(told=what_was_told(token="bob")),
        a_view(told=asked(1, BACKED_OFF)),
        a_view(told=asked(1, timedelta(0)), here_since=NOON + MINUTE),
        a_view(told=asked(2, 2 * BACKED_OFF, standing=Standing.REFUSED)),
        a_view(told=asked(40, BACKED_OFF_AT_MOST, standing=Standing.REFUSED)),
    ],
    ids=[
        "states never told",
        "free",
        "reserved, perhaps for us",
        "connected or booted since",
        "ends at another time",
        "is for another token",
        "no answer a while ago",
        "no answer, and connected anew",
        "refused a while ago",
        "refused long ago and often",
    ],
)
def test_a_charger_is_told_or_told_again(view):
    assert next_step(view, NOON) is Step.RESERVE


def test_who_has_begun_to_charge_has_used_the_reservation_up():
    view = a_view(told=what_was_told(), states=[ConnectorState.CHARGING], session_is_for="r-7")

    assert next_step(view, NOON) is Step.NOTE_MET
    assert next_step(replace(view, session_is_for="r-8"), NOON) is Step.NOTHING


@pytest.mark.parametrize("promises", [[], [a_promise(8)], [a_promise(starts_at=NOON + MINUTE)]])
def test_what_is_gone_moved_or_not_yet_due_is_undone(promises):
    assert next_step(a_view(promises=promises, told=what_was_told()), NOON) is Step.CANCEL


@pytest.mark.parametrize(
    ("told", "step"),
    [
        (what_was_told(), Step.CANCEL),
        (what_was_told(standing=Standing.ASKED), Step.CANCEL),
        (what_was_told(standing=Standing.REFUSED), Step.CANCEL),
        (what_was_told(standing=Standing.REFUSED, was_kept=False), Step.FORGET),
        (what_was_told(standing=Standing.MET), Step.CANCEL),
        (what_was_told(standing=Standing.MET, until_at=NOON), Step.FORGET),
        (what_was_told(until_at=NOON), Step.CANCEL),
        (what_was_told(until_at=NOON - FORGOTTEN_AFTER), Step.FORGET),
        (what_was_told(tries=1, at=NOON), Step.NOTHING),
        (what_was_told(tries=1, at=NOON - BACKED_OFF), Step.CANCEL),
    ],
    ids=[
        "kept",
        "asked, no answer",
        "a change refused",
        "never kept",
        "in use",
        "used up and over",
        "over",
        "over for a day",
        "undone in vain just now",
        "undone in vain a while ago",
    ],
)
def test_what_may_still_be_there_is_undone_and_what_cannot_be_is_forgotten(told, step):
    assert next_step(a_view(promises=[], told=told), NOON) is step


def test_a_charger_that_is_away_is_told_once_it_is_back():
    told = what_was_told(tries=3, at=NOON - timedelta(seconds=1))
    view = a_view(promises=[], told=told, here_since=None)

    assert next_step(view, NOON) is Step.NOTHING
    assert next_step(replace(view, here_since=NOON), NOON) is Step.CANCEL


def test_a_charger_that_knows_no_reservations_has_none_to_undo():
    view = a_view(promises=[], told=what_was_told(), is_able=False)

    assert next_step(view, NOON) is Step.FORGET
