"""A guest has long charged enough when the booked time ends, and stays for twenty-five minutes more."""

from typing import Final

from simulator.bookings import Habit
from simulator.scenarios.booking import book
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER


def play(stage: Stage) -> None:
    """The car is full early: it takes no energy, and still stands there."""
    book(stage, Habit(comes_s=60, goes_s=1_500), limit_pct=33)


SCENARIO: Final = Scenario("overstay", __doc__, CORNER, play, 6_000)
