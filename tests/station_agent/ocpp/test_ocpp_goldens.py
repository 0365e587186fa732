"""Golden files: each served action of each version, its reply and its facts."""

import json
from pathlib import Path

import msgspec
import pytest

from contracts.events import Event
from station_agent.ocpp.handshake import VERSIONS
from tests.station_agent.ocpp.goldens import play

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = [
    pytest.param(folder.name, file.stem, case, id=f"{folder.name}-{file.stem}-{case['case']}")
    for folder in sorted(GOLDEN.glob("ocpp*"))
    for file in sorted(folder.glob("*.json"))
    for case in json.loads(file.read_text())
]


@pytest.mark.parametrize(("subprotocol", "action", "case"), CASES)
def test_a_message_gives_the_reply_and_the_facts_of_its_golden_file(subprotocol, action, case):
    played = play(subprotocol, action, case)

    assert played["reply"] == case["reply"]
    assert played["facts"] == case["facts"]


@pytest.mark.parametrize(("subprotocol", "action", "case"), CASES)
def test_golden_replies_fit_the_schema_and_golden_facts_the_contract(subprotocol, action, case):
    misfit = VERSIONS[subprotocol].schemas.response(action).misfit(case["reply"])
    facts = msgspec.convert(case["facts"], list[Event], strict=False)

    assert misfit is None
    assert msgspec.to_builtins(facts) == case["facts"]


@pytest.mark.parametrize("subprotocol", sorted(VERSIONS))
def test_every_served_action_has_a_golden_file(subprotocol):
    files = {file.stem for file in (GOLDEN / subprotocol).glob("*.json")}

    assert files == set(VERSIONS[subprotocol].routes)
