"""A guest comes twelve minutes late, just within the grace; the bay is still kept."""

from typing import Final

from simulator.bookings import Habit
from simulator.scenarios.booking import book
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER


def play(stage: Stage) -> None:
    """Whoever gives the bay away too early turns this guest away."""
    book(stage, Habit(comes_s=720))


SCENARIO: Final = Scenario("latecomer", __doc__, CORNER, play, 4_200)
