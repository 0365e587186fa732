"""`.env.example` documents every setting with its default, and nothing else."""

import re
from itertools import pairwise

import pytest
from pydantic import SecretStr

import cloud.settings
import station_agent.settings
from simulator.demo.ports import Ports
from tests.support.processes import ROOT

SETTINGS = {
    "CLOUD_": cloud.settings.Settings,
    "AGENT_": station_agent.settings.Settings,
}
LINES = (ROOT / ".env.example").read_text().splitlines()
# `#NAME=value`: a default, `NAME=value`: must be changed before going live
SAID = {
    name: value for line in LINES for name, value in re.findall(r"^#?([A-Z][A-Z0-9_]+)=(.*)$", line)
}


@pytest.mark.parametrize("prefix", list(SETTINGS))
def test_every_setting_is_documented_and_every_documented_one_exists(prefix):
    fields = {prefix + name.upper() for name in SETTINGS[prefix].model_fields}

    assert {name for name in SAID if name.startswith(prefix)} == fields


def as_written(value) -> str:
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (prefix + name.upper(), field)
        for prefix, settings in SETTINGS.items()
        for name, field in settings.model_fields.items()
    ],
)
def test_the_value_beside_a_setting_is_its_default(name, field):
    default = as_written(field.get_default(call_default_factory=True))

    assert SAID[name] == default


def test_every_setting_has_a_sentence_above_it():
    bare = [
        line
        for before, line in pairwise(LINES)
        if re.match(r"#?(CLOUD|AGENT|BAYWATT)_", line) and not before.startswith("# ")
    ]

    assert bare == []


def test_the_ports_of_the_demonstration_are_documented_with_their_defaults():
    ports = Ports.of({name: SAID[name] for name in SAID if name.startswith("BAYWATT_DEMO_")})

    assert ports == Ports()
    assert {name for name, _ in ports.named()} == {
        name for name in SAID if name.startswith("BAYWATT_DEMO_")
    }
