"""Every story there is; a scenario exists by standing in the tuple here."""

from typing import Final

from simulator.scenarios import (
    bad_weather,
    blocked_bay,
    busy_day,
    early_bird,
    fault_and_recovery,
    latecomer,
    link_lost,
    no_show,
    overstay,
    quiet_charge,
    sensor_dropout,
    squatter,
)
from simulator.scenarios.scenario import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (
    busy_day.SCENARIO,
    quiet_charge.SCENARIO,
    blocked_bay.SCENARIO,
    sensor_dropout.SCENARIO,
    link_lost.SCENARIO,
    fault_and_recovery.SCENARIO,
    bad_weather.SCENARIO,
    early_bird.SCENARIO,
    latecomer.SCENARIO,
    no_show.SCENARIO,
    overstay.SCENARIO,
    squatter.SCENARIO,
)


def scenario(name: str) -> Scenario | None:
    """Return the scenario called so."""
    return next((one for one in SCENARIOS if one.name == name), None)
