"""Every story there is; a scenario exists by standing in the tuple here."""

from typing import Final

from simulator.scenarios import (
    bad_weather,
    blocked_bay,
    busy_day,
    fault_and_recovery,
    link_lost,
    quiet_charge,
    sensor_dropout,
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
)


def scenario(name: str) -> Scenario | None:
    """Return the scenario called so."""
    return next((one for one in SCENARIOS if one.name == name), None)
