"""One driver charges to 80 %, comes back a little later, and leaves; nothing goes wrong."""

from typing import Final

from simulator.drivers import Driver, Visit
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER
from simulator.vehicles import MODELS, Battery, Car

_STAY_S: Final = 1_500
_FROM_PCT: Final = 55
_TO_PCT: Final = 80


def play(stage: Stage) -> None:
    """A compact car at the last bay, which is the fast one."""
    bay = list(stage.site.bays.values())[-1]
    model = next(one for one in MODELS if one.name == "Hatch 58")
    car = Car("silver hatch", Battery(model, model.capacity_wh * _FROM_PCT / 100), _TO_PCT)
    visit = Visit(car, stage.tokens[0], _STAY_S)
    stage.world.after(5, Driver(stage.world, bay, visit).arrive)


SCENARIO: Final = Scenario("quiet_charge", __doc__, CORNER, play, 1_800)
