"""How long somebody waits, and what is offered to them is kept open."""

from datetime import timedelta

from cloud.domain.waitlist import ACTIVE, State, closes_at, look_again_at, offered_until
from cloud.domain.windows import Window
from tests.cloud.builders import NOON, after

SLOT = Window(after(3_600), after(7_200))


def test_a_window_can_be_held_as_long_as_its_first_granule_runs():
    assert closes_at(SLOT) == after(3_600 + 900)


def test_an_offer_is_open_for_ten_minutes_or_until_the_window_cannot_be_held():
    assert offered_until(SLOT, NOON) == NOON + timedelta(minutes=10)
    assert offered_until(SLOT, after(4_200)) == closes_at(SLOT)


def test_it_is_looked_for_again_every_quarter_of_an_hour_until_then():
    assert look_again_at(SLOT, NOON) == NOON + timedelta(minutes=15)
    assert look_again_at(SLOT, after(4_000)) == closes_at(SLOT)


def test_who_was_served_or_gave_up_stands_in_no_queue():
    assert State.TAKEN not in ACTIVE
    assert {State.WAITING, State.OFFERED} == ACTIVE
