"""Waves: sizes, the gate between two of them, and who must agree."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.errors import IllegalTransition
from cloud.domain.waves import (
    NEXT,
    OPEN,
    Candidate,
    Happening,
    Move,
    Progress,
    Status,
    Tally,
    WavePlan,
    advance,
    decide,
    in_order,
    needs_second_person,
    step_after,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
PLAN = WavePlan((0.1, 0.5, 1.0), timedelta(minutes=5), 0.2)


def a_progress(**more):
    base = {
        "total": 100,
        "step": 0,
        "all": Tally(),
        "wave": Tally(),
        "settling_since": None,
        "expires_at": NOON + timedelta(days=1),
    }
    return Progress(**(base | more))


@pytest.mark.parametrize(("status", "happening"), list(product(Status, Happening)))
def test_every_pair_is_in_the_table_or_refused(status, happening):
    if (status, happening) in NEXT:
        assert advance(status, happening) is NEXT[status, happening]
    else:
        with pytest.raises(IllegalTransition):
            advance(status, happening)


def test_every_open_status_can_be_aborted_and_times_out():
    for status in OPEN:
        assert advance(status, Happening.ABORTED) is Status.ABORTED
        assert advance(status, Happening.TIME_OVER) is Status.EXPIRED


@pytest.mark.parametrize("shares", [(), (0.5,), (0.0, 1.0), (0.5, 0.2, 1.0), (0.5, 0.5, 1.0), (2,)])
def test_shares_that_do_not_rise_to_one_are_none(shares):
    with pytest.raises(ValueError, match="rise to 1"):
        WavePlan(shares)


@given(
    st.lists(st.floats(0.001, 0.999), max_size=6, unique=True).map(lambda s: (*sorted(s), 1.0)),
    st.integers(1, 5_000),
)
def test_waves_that_prove_good_reach_everybody_each_once(shares, total):
    plan = WavePlan(shares)
    asked, sizes = 0, []
    while asked < total:
        sizes.append(min(plan.size(len(sizes), total), total - asked))
        asked += sizes[-1]

    assert asked == total
    assert all(size >= 1 for size in sizes)
    assert len(sizes) <= len(shares) + 1


def test_the_first_wave_is_of_one_at_least_and_later_ones_are_as_asked():
    assert [PLAN.size(step, 3) for step in range(3)] == [1, 1, 1]
    assert [PLAN.size(step, 100) for step in range(4)] == [10, 40, 50, 50]


def test_it_begins_at_once():
    assert decide(a_progress(), PLAN, NOON) is Move.SEND


def test_a_wave_is_awaited_and_watched_before_the_next():
    wave = Tally(under_way=1, accepted=9)
    sent = a_progress(all=wave, wave=wave, settling_since=NOON)
    answered = a_progress(all=Tally(accepted=10), wave=Tally(accepted=10), settling_since=NOON)

    assert decide(sent, PLAN, NOON + timedelta(minutes=6)) is Move.WAIT
    assert decide(answered, PLAN, NOON + timedelta(minutes=4)) is Move.WAIT
    assert decide(answered, PLAN, NOON + timedelta(minutes=5)) is Move.SEND


def test_those_who_are_away_hold_nothing_up_but_the_end():
    wave = Tally(queued=3, accepted=7)
    later = NOON + timedelta(minutes=5)

    assert decide(a_progress(all=wave, wave=wave, settling_since=NOON), PLAN, later) is Move.SEND
    whole = Tally(queued=3, accepted=97)
    assert decide(a_progress(all=whole, wave=whole, settling_since=NOON), PLAN, later) is Move.WAIT
    over = Tally(accepted=97, unreached=3)
    assert decide(a_progress(all=over, wave=over, settling_since=NOON), PLAN, later) is Move.FINISH


@pytest.mark.parametrize(
    ("tally", "forgiven", "move"),
    [
        (Tally(failed=1), 0, Move.HALT),
        (Tally(failed=1), 1, Move.SEND),
        (Tally(accepted=8, failed=2), 0, Move.SEND),
        (Tally(accepted=7, failed=3), 0, Move.HALT),
        (Tally(accepted=10, lost=3), 0, Move.HALT),
        (Tally(unreached=10), 0, Move.SEND),
        (Tally(under_way=5, accepted=2, failed=3), 0, Move.HALT),
    ],
)
def test_too_many_failures_halt_it_also_in_the_middle_of_a_wave(tally, forgiven, move):
    progress = a_progress(all=tally, wave=tally, settling_since=NOON, forgiven=forgiven)

    assert decide(progress, PLAN, NOON + timedelta(minutes=5)) is move


def test_what_is_not_done_in_time_goes_no_further():
    progress = a_progress(expires_at=NOON)

    assert decide(progress, PLAN, NOON) is Move.EXPIRE


def test_a_wave_that_reached_nobody_is_followed_by_one_of_its_size():
    assert step_after(a_progress(step=1, wave=Tally(unreached=3))) == 1
    assert step_after(a_progress(step=1, wave=Tally(accepted=1, unreached=2))) == 2


def test_those_that_are_there_come_first_and_no_station_twice_before_another_once():
    chargers = [
        Candidate(f"{station}{number}", station, is_there=number != 1)
        for station in "AB"
        for number in (1, 2, 3)
    ]
    order = [one.charger_id for one in in_order(chargers)]

    assert order == ["A2", "B2", "A3", "B3", "A1", "B1"]


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.booleans()), max_size=30))
def test_the_order_is_of_all_of_them_and_spread(raw):
    chargers = [Candidate(f"c{n}", where, here) for n, (where, here) in enumerate(raw)]
    order = in_order(chargers)

    assert sorted(order, key=lambda one: one.charger_id) == sorted(
        chargers, key=lambda one: one.charger_id
    )
    assert all(first.is_there >= second.is_there for first, second in pairwise(order))


@pytest.mark.parametrize(
    ("kind", "action", "more", "needed"),
    [
        ("reset_charger", "", {}, True),
        ("set_meter_interval", "", {}, True),
        ("trigger_message", "", {}, False),
        ("change_availability", "", {"is_available": True}, False),
        ("change_availability", "", {"is_available": False}, True),
        ("call_charger", "GetVariables", {}, False),
        ("call_charger", "TriggerMessage", {}, False),
        ("call_charger", "UpdateFirmware", {}, True),
    ],
)
def test_s21_what_changes_chargers_of_many_stations_needs_two_persons(kind, action, more, needed):
    assert needs_second_person(kind, action, 2, **more) is needed
    assert not needs_second_person(kind, action, 1, **more)
