"""Messages of chargers and sensors are lost, doubled, late and out of order; the truth arrives all the same."""

from typing import Final

from simulator.drivers import Pace, Traffic
from simulator.faults import FAIR, STORM
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER


def play(stage: Stage) -> None:
    """Every way out is stormy for the first half; then it clears up, so that all can arrive."""
    for charger in stage.site.chargers.values():
        charger.line.under(STORM)
    for sensor in stage.site.sensors.values():
        sensor.under(STORM)
    bays = list(stage.site.bays.values())
    traffic = Traffic(stage.world, bays, stage.tokens, stage.profile, Pace(rush=10, haste=6))
    for bay in bays:
        traffic.send_one_to(bay)
    traffic.start()
    stage.world.after(900, lambda: clear_up(stage))


def clear_up(stage: Stage) -> None:
    """Let every message through again."""
    for charger in stage.site.chargers.values():
        charger.line.under(FAIR)
    for sensor in stage.site.sensors.values():
        sensor.under(FAIR)


SCENARIO: Final = Scenario("bad_weather", __doc__, CORNER, play, 1_800)
