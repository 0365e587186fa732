"""A van parks before a charger and does not charge; the bay is not free whatever the charger says."""

from functools import partial
from typing import Final

from simulator.drivers import block
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER

_ARRIVES_S: Final = 20
_STAYS_S: Final = 420


def play(stage: Stage) -> None:
    """The van comes after a while and leaves seven minutes later."""
    bay = next(iter(stage.site.bays.values()))
    stage.world.after(_ARRIVES_S, partial(block, stage.world, bay, "white van", _STAYS_S))


SCENARIO: Final = Scenario("blocked_bay", __doc__, CORNER, play, 600)
