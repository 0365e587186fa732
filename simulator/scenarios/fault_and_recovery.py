"""A charger breaks down under a car, is reset from afar or repaired, and serves the next one."""

from functools import partial
from typing import Final

from simulator.drivers import Pace, Traffic
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER

_BREAKS_S: Final = 180
_REPAIRED_S: Final = 600
_LOSES_POWER_S: Final = 780


def play(stage: Stage) -> None:
    """A ground failure in the first bay; later the last charger loses its power for a minute."""
    bays = list(stage.site.bays.values())
    broken, dark = bays[0], bays[-1]
    traffic = Traffic(stage.world, bays, stage.tokens, stage.profile, Pace(haste=4))
    for number, bay in enumerate(bays):
        stage.world.after(5 + number, partial(traffic.send_one_to, bay))
    evse_id = broken.spec.evse_id
    break_down = partial(broken.charger.break_down, evse_id, "GroundFailure")
    stage.world.after(_BREAKS_S, break_down)
    stage.world.after(_REPAIRED_S, partial(broken.charger.repair, evse_id))
    stage.world.after(_LOSES_POWER_S, partial(dark.charger.lose_power, 60))
    stage.world.after(_LOSES_POWER_S + 120, partial(traffic.send_one_to, dark))


SCENARIO: Final = Scenario("fault_and_recovery", __doc__, CORNER, play, 1_500)
