"""The command line says what it can do, and what was wrong with what it was told."""

import pytest
from typer.testing import CliRunner

from simulator.__main__ import app
from simulator.scenarios import SCENARIOS
from station_agent.station_file import parse_station


def _said(*words):
    done = CliRunner().invoke(app, list(words), env={"COLUMNS": "200"})
    return done.exit_code, done.output


def test_every_scenario_is_listed():
    code, output = _said("list")

    assert code == 0
    assert all(one.name in output for one in SCENARIOS)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("run", "nonsense", "--agent", "ws://localhost"), "there are: busy_day"),
        (("run", "busy_day", "--agent", "ws://localhost", "--quirk", "x"), "there are: no_sub"),
        (("station", "nonsense"), "there are: busy_day"),
        (("run", "busy_day"), "--agent"),
        (("load",), "--url"),
        (("load", "--url", "ws://localhost", "--version", "3"), "there are: 1.6"),
    ],
)
def test_what_is_wrong_is_said_with_what_there_is(words, said):
    code, output = _said(*words)

    assert code == 2
    assert said in output


@pytest.mark.parametrize("name", [one.name for one in SCENARIOS] + ["load"])
def test_a_station_file_is_printed_that_an_agent_takes(name):
    code, output = _said("station", name, "--sensor-broker", "mqtt://localhost:1883")

    assert code == 0
    assert parse_station(output).sensor_broker == "mqtt://localhost:1883"
