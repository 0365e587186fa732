"""Which part a connection is handed to, by its request line alone."""

import pytest

from station_agent.front import Front
from station_agent.ocpp.server import ServerSettings
from station_agent.parts import Part


@pytest.fixture
def parts():
    return [Part(0), Part(1), Part(2)]


@pytest.fixture
def front(parts):
    return Front(ServerSettings(), parts)


@pytest.mark.parametrize(
    ("charger_id", "number"),
    [("A-1", 0), ("B-1", 1), ("P-1", 2), ("B-2", 1), ("a-1", 0), ("p-1", 0)],
)
def test_a_file_goes_before_a_plan_and_a_plan_before_another_case(front, parts, charger_id, number):
    parts[0].charger_ids, parts[0].planned_ids = frozenset({"A-1"}), frozenset({"B-2"})
    parts[1].charger_ids = frozenset({"B-1", "B-2"})
    parts[2].planned_ids = frozenset({"P-1"})
    heard = f"GET /ocpp/{charger_id} HTTP/1.1\r\n".encode()

    assert front.part_of(heard).number == number
