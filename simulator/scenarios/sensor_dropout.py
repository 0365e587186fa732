"""One sensor falls silent, one sticks, one flaps; the bays fall back to what the chargers say."""

from functools import partial
from typing import Final

from simulator.drivers import Pace, Traffic
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER
from simulator.sensors import Mood

_MOODS: Final = (Mood.SILENT, Mood.STUCK, Mood.FLAPPING)
_BEGINS_S: Final = 30
_LASTS_S: Final = 900


def play(stage: Stage) -> None:
    """All sensors recover in the end; meanwhile cars charge before them."""
    sensors = list(stage.site.sensors.values())
    for number, (sensor, mood) in enumerate(zip(sensors, _MOODS, strict=False)):
        stage.world.after(_BEGINS_S + 10 * number, partial(sensor.become, mood))
        stage.world.after(_BEGINS_S + _LASTS_S, partial(sensor.become, Mood.WELL))
    bays = list(stage.site.bays.values())
    traffic = Traffic(stage.world, bays, stage.tokens, stage.profile, Pace(haste=6))
    for number, bay in enumerate(bays):
        stage.world.after(_BEGINS_S + 60 + 30 * number, partial(traffic.send_one_to, bay))


SCENARIO: Final = Scenario("sensor_dropout", __doc__, CORNER, play, 1_200)
