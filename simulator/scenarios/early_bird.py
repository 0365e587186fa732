"""A guest comes ten minutes before the booked time, while the bay is kept already, and may charge."""

from typing import Final

from simulator.bookings import Habit
from simulator.scenarios.booking import book
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER


def play(stage: Stage) -> None:
    """The guest checks in by the app, and leaves before the time is over."""
    book(stage, Habit(comes_s=-600, goes_s=-300, checks_in=True))


SCENARIO: Final = Scenario("early_bird", __doc__, CORNER, play, 4_200)
