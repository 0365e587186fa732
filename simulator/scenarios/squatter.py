"""A van takes the booked bay four minutes before its guest comes; the guest is sent to an equal one."""

from functools import partial
from typing import Final

from simulator.bookings import Habit, Promise
from simulator.drivers import block
from simulator.scenarios.booking import book
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER

_STAYS_S: Final = 2_400
_BEFORE_S: Final = 240


def play(stage: Stage) -> None:
    """The van comes while the bay is kept for the guest, and does not charge."""
    guest = book(stage, Habit())
    guest.when_promised = partial(_send_van, stage)


def _send_van(stage: Stage, promise: Promise) -> None:
    bay = stage.site.bays[promise.bay_id]
    left_s = (promise.starts_at - stage.world.now()).total_seconds() - _BEFORE_S
    stage.world.after(max(5.0, left_s), partial(block, stage.world, bay, "white van", _STAYS_S))


SCENARIO: Final = Scenario("squatter", __doc__, CORNER, play, 5_400)
