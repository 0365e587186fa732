"""A guest books a bay and never comes; it is kept for the grace, and then free for others."""

from typing import Final

from simulator.bookings import Habit
from simulator.scenarios.booking import book
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER


def play(stage: Stage) -> None:
    """Nobody else comes, so that what becomes of the bay is the booking's doing alone."""
    book(stage, Habit(comes_s=None))


SCENARIO: Final = Scenario("no_show", __doc__, CORNER, play, 3_000)
