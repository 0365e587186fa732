"""The agent's systemd unit says what the code can do, and no more than the agent needs."""

import configparser
import re
import shlex
import shutil
import subprocess

import pytest

import station_agent.settings
from tests.support.processes import PYTHON, ROOT, our_program

FOLDER = ROOT / "deploy" / "systemd"
AGENT, HOST = FOLDER / "baywatt-agent.service", FOLDER / "baywatt-host.service"

both = pytest.mark.parametrize("file", [AGENT, HOST], ids=lambda file: file.stem)


class Repeating(dict):
    """Keeps every value of a key, as systemd does."""

    def __setitem__(self, key, value):
        if key in self and isinstance(value, list) and isinstance(self[key], list):
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def unit(file):
    parser = configparser.RawConfigParser(strict=False, dict_type=Repeating)
    parser.optionxform = str
    parser.read(file)
    return parser


def words(file, section, key):
    return shlex.split(unit(file)[section][key].replace("\n", " "))


@both
def test_the_service_is_watched_and_restarted_and_owns_little(file):
    service = unit(file)["Service"]

    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) <= 60
    assert service["Restart"] == "always"
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == file.stem
    assert service["CapabilityBoundingSet"] == ""


def test_a_user_of_its_own_runs_it():
    assert unit(AGENT)["Service"]["DynamicUser"] == "yes"
    # the keys in its folder are read as it runs: a user that lasts can own them
    assert unit(HOST)["Service"]["User"] == HOST.stem


@both
def test_every_variable_it_sets_is_a_setting(file):
    known = {f"AGENT_{name.upper()}" for name in station_agent.settings.Settings.model_fields}
    said = {word.partition("=")[0] for word in words(file, "Service", "Environment")}

    assert {name for name in said if not name.startswith("PYTHON")} <= known


@both
def test_its_data_folder_is_the_one_systemd_makes(file):
    variables = dict(word.split("=", 1) for word in words(file, "Service", "Environment"))
    service = unit(file)["Service"]

    assert variables["AGENT_DATA_DIR"] == f"/var/lib/{service['StateDirectory']}"


@pytest.mark.real
def test_its_commands_exist():
    for file, key in ((AGENT, "ExecStartPre"), (AGENT, "ExecStart"), (HOST, "ExecStart")):
        _, _, package, command, *_ = words(file, "Service", key)
        with our_program(package, command, "--help", name=command) as program:
            program.start()
            assert program.wait_for_end() == 0, program.log_tail()


@both
def test_systemd_itself_finds_no_fault(file, tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert set(unit(file).sections()) == {"Unit", "Service", "Install"}
        return
    copy = tmp_path / file.name
    copy.write_text(re.sub(r"/opt/baywatt/\.venv/bin/python", PYTHON, file.read_text()))
    done = subprocess.run([analyze, "verify", copy], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
