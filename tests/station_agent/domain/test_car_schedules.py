"""What a car means to draw is held against what it was offered, moment by moment."""

import pytest

from station_agent.domain.schedules import Steps, bounded, exceeds, watts

OFFERED = Steps([0, 600], [11_000, 6_000])


@pytest.mark.parametrize(
    ("drawn", "is_more"),
    [
        (Steps([0, 600], [11_000, 6_000]), False),
        (Steps([0], [6_000]), False),
        (Steps([0], [11_000]), True),
        (Steps([0, 700], [11_000, 5_000]), True),
        (Steps([0], [11_000.5 * 1.0001]), True),
        (Steps([700], [6_000]), False),
        (Steps([-10], [20_000]), True),
        (Steps([], []), False),
    ],
)
def test_a_car_may_draw_no_more_than_it_was_offered_at_any_moment(drawn, is_more):
    assert exceeds(drawn, OFFERED) is is_more


def test_what_was_before_the_offer_is_not_held_against_it():
    assert not exceeds(Steps([-20, -10], [20_000, 1_000]), OFFERED)


def test_steps_can_be_counted_from_an_earlier_moment():
    assert Steps([0, 60], [1, 2]).later(30).starts_s == [30, 90]


@pytest.mark.parametrize(
    ("limit", "phases", "is_current", "expected_w"),
    [
        (6_000, None, False, 6_000),
        (16, 1, True, 3_680),
        (16, None, True, 11_040),
        (16, 3, True, 11_040),
        (16, 10**30, True, 11_040),
    ],
)
def test_currents_are_watts_of_all_their_phases(limit, phases, is_current, expected_w):
    assert watts(limit, phases, is_current=is_current) == expected_w


@pytest.mark.parametrize(("number", "expected"), [(-1, 0), (5, 5), (10**400, 1e12)])
def test_no_number_of_a_charger_is_too_big_to_reckon_with(number, expected):
    assert bounded(number) == expected
