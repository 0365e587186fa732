"""What the command line says of a folder of stations."""

import pytest
from typer.testing import CliRunner

from station_agent.__main__ import WRONG_SET_UP, app
from tests.station_agent.hosted import write_station


@pytest.fixture
def folder(tmp_path):
    write_station(tmp_path, "north", ["N-1", "N-2"])
    write_station(tmp_path, "south", ["S-1"])
    return tmp_path


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


def test_check_says_a_line_for_each_station(folder):
    said = run("check", folder)

    assert said.exit_code == 0
    assert said.output.splitlines() == [
        "Station north: 2 chargers, 2 bays, 0 sensors",
        "Station south: 1 charger, 1 bay, 0 sensors",
    ]


def test_check_says_all_that_is_wrong(folder):
    write_station(folder, "west", ["N-1"])
    (folder / "east.yaml").write_text("station: east\n")
    said = run("check", folder)

    assert said.exit_code == WRONG_SET_UP
    assert "east.yaml:1:1: key 'bays' is missing" in said.output
    assert "west.yaml: charger 'N-1' is north's already" in said.output


def test_chargers_writes_the_map_a_balancer_goes_by(folder):
    assert run("chargers", folder).output == "N-1 north\nN-2 north\nS-1 south\n"
    assert run("chargers", folder, "--host", "a").output == "N-1 a\nN-2 a\nS-1 a\n"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"PROCESSES": "2"}, "AGENT_PROCESSES: one station is one process's"),
        ({"PROCESSES": "2", "STATIONS_DIR": "/nowhere"}, "AGENT_STATIONS_DIR: "),
        ({"STATIONS_DIR": "/nowhere"}, "AGENT_STATIONS_DIR: "),
        ({"STATIONS_DIR": "{folder}", "TRUSTED_PROXIES": "x"}, "AGENT_TRUSTED_PROXIES: "),
    ],
)
def test_what_a_person_must_mend_is_said_in_a_line(folder, monkeypatch, settings, said):
    write_station(folder, "station", ["C-1"])
    given = {"STATION_FILE": str(folder / "station.yaml"), "DATA_DIR": str(folder / "data")}
    for name, value in (given | settings).items():
        monkeypatch.setenv(f"AGENT_{name}", value.format(folder=folder))
    # this process is the tests': its log and its threads stay as they are
    monkeypatch.setattr("station_agent.__main__.configure_logs", lambda *_: None)
    monkeypatch.setattr("sys.setswitchinterval", lambda _: None)
    answer = run("run")

    assert answer.exit_code == WRONG_SET_UP
    assert said in answer.output
    assert "Traceback" not in answer.output
