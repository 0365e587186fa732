"""Of two connections of one charger one stays; who is silent is known."""

import pytest

from station_agent.ocpp.connections import Connections
from tests.station_agent.ocpp.fakes import FakeClock


class FakeConnection:
    """What the registry sees of a connection."""

    def __init__(self, charger_id="CP-1") -> None:
        self.charger = type("View", (), {"charger_id": charger_id})
        self.heard_s = 0.0
        self.spoke_s = 0.0
        self.answers = True

    async def is_alive(self) -> bool:
        return self.answers


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def connections(clock) -> Connections:
    return Connections(clock, silent_after_s=60)


async def test_s02_a_newcomer_is_refused_while_the_first_is_alive(connections):
    connections.put(FakeConnection())

    assert not await connections.has_room_for("CP-1")
    assert await connections.has_room_for("CP-2")


async def test_s02_quirk_4_a_newcomer_replaces_one_that_does_not_answer(connections):
    old = FakeConnection()
    old.answers = False
    connections.put(old)

    assert await connections.has_room_for("CP-1")
    assert connections.put(FakeConnection()) is old


async def test_quirk_4_the_old_ones_close_harms_nobody(connections):
    old, new = FakeConnection(), FakeConnection()
    connections.put(old)
    connections.put(new)

    assert not connections.remove(old)
    assert connections.get("CP-1") is new
    assert connections.remove(new)
    assert connections.get("CP-1") is None


async def test_a_socket_that_only_pongs_gives_way_after_a_minute_of_knocking(connections, clock):
    connections.put(FakeConnection())
    assert not await connections.has_room_for("CP-1")
    clock.advance(61)

    assert await connections.has_room_for("CP-1")


async def test_a_charger_that_speaks_keeps_its_place_however_long_another_knocks(
    connections, clock
):
    old = FakeConnection()
    connections.put(old)
    for _ in range(5):
        assert not await connections.has_room_for("CP-1")
        clock.advance(50)
        old.spoke_s = clock.monotonic()


def test_silent_are_the_unconnected_and_the_unheard(connections, clock):
    speaking, mute = FakeConnection("A"), FakeConnection("B")
    connections.put(speaking)
    connections.put(mute)
    clock.advance(61)
    speaking.heard_s = clock.monotonic()

    assert connections.silent_among(["A", "B", "C"]) == ["B", "C"]
    assert len(connections) == 2
