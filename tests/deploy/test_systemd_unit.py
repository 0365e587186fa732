"""The agent's systemd unit says what the code can do, and no more than the agent needs."""

import configparser
import re
import shlex
import shutil
import subprocess

import pytest

import station_agent.settings
from tests.support.processes import PYTHON, ROOT, our_program

UNIT = ROOT / "deploy" / "systemd" / "baywatt-agent.service"


class Repeating(dict):
    """Keeps every value of a key, as systemd does."""

    def __setitem__(self, key, value):
        if key in self and isinstance(value, list) and isinstance(self[key], list):
            self[key].extend(value)
        else:
            super().__setitem__(key, value)


def unit():
    parser = configparser.RawConfigParser(strict=False, dict_type=Repeating)
    parser.optionxform = str
    parser.read(UNIT)
    return parser


def words(section, key):
    return shlex.split(unit()[section][key].replace("\n", " "))


def test_the_service_is_watched_and_restarted_and_owns_little():
    service = unit()["Service"]

    assert service["Type"] == "notify"
    assert int(service["WatchdogSec"]) <= 60
    assert service["Restart"] == "always"
    assert service["DynamicUser"] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["StateDirectory"] == "baywatt-agent"
    assert service["CapabilityBoundingSet"] == ""


def test_every_variable_it_sets_is_a_setting():
    known = {f"AGENT_{name.upper()}" for name in station_agent.settings.Settings.model_fields}
    said = {word.partition("=")[0] for word in words("Service", "Environment")}

    assert {name for name in said if not name.startswith("PYTHON")} <= known


def test_its_data_folder_is_the_one_systemd_makes():
    variables = dict(word.split("=", 1) for word in words("Service", "Environment"))
    service = unit()["Service"]

    assert variables["AGENT_DATA_DIR"] == f"/var/lib/{service['StateDirectory']}"


@pytest.mark.real
def test_its_commands_exist():
    for key in ("ExecStartPre", "ExecStart"):
        _, _, package, command, *_ = words("Service", key)
        with our_program(package, command, "--help", name=command) as program:
            program.start()
            assert program.wait_for_end() == 0, program.log_tail()


def test_systemd_itself_finds_no_fault(tmp_path):
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        assert set(unit().sections()) == {"Unit", "Service", "Install"}
        return
    copy = tmp_path / UNIT.name
    copy.write_text(re.sub(r"/opt/baywatt/\.venv/bin/python", PYTHON, UNIT.read_text()))
    done = subprocess.run([analyze, "verify", copy], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
