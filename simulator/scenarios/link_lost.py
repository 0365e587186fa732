"""The chargers lose their connection for ten minutes; sessions begin and end meanwhile, none is lost."""

from functools import partial
from typing import Final

from simulator.drivers import Pace, Traffic
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER

_CUT_AT_S: Final = 120
_CUT_FOR_S: Final = 600


def play(stage: Stage) -> None:
    """All bays get guests at once and during the cut."""
    bays = list(stage.site.bays.values())
    traffic = Traffic(stage.world, bays, stage.tokens, stage.profile, Pace(haste=12))
    for number, bay in enumerate(bays):
        stage.world.after(5 + number, partial(traffic.send_one_to, bay))
        stage.world.after(_CUT_AT_S + 60 * (number + 1), partial(traffic.send_one_to, bay))
        stage.world.after(_CUT_AT_S + 300 + 20 * number, partial(traffic.send_one_to, bay))
    for charger_id in stage.site.chargers:
        stage.world.after(_CUT_AT_S, partial(stage.cut, charger_id, _CUT_FOR_S))


SCENARIO: Final = Scenario("link_lost", __doc__, CORNER, play, 1_500)
