"""A busy day: cars come and go by the profile of real sessions, ten times as often."""

from typing import Final

from simulator.drivers import Pace, Traffic
from simulator.scenarios.scenario import Scenario, Stage
from simulator.scenarios.stations import CORNER


def play(stage: Stage) -> None:
    """Let traffic flow over all bays; each begins with a guest."""
    traffic = Traffic(
        stage.world,
        list(stage.site.bays.values()),
        stage.tokens,
        stage.profile,
        Pace(rush=10, haste=4, blocker_ratio=0.08),
    )
    for bay in stage.site.bays.values():
        traffic.send_one_to(bay)
    traffic.start()


SCENARIO: Final = Scenario("busy_day", __doc__, CORNER, play, 8 * 3600)
