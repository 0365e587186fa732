"""The whole stack as real processes, once per worker and kind; each test has its own station.

`make test` runs it as in production; `make faults` embedded as well, as the certification cases, the
quirks and the demonstration are in `make test`.
"""

import itertools
from collections.abc import Iterator

import pytest

from tests.support.ocpp import Charger
from tests.support.sse import Viewer
from tests.support.stack import Kind, Stack, Station

NUMBERS = itertools.count(1)

KINDS = [
    pytest.param(Kind.EMBEDDED, marks=pytest.mark.faults),
    pytest.param(Kind.PRODUCTION, marks=pytest.mark.xdist_group("stack-production")),
]


def a_database(kind: Kind, databases) -> str:
    """Return an own database, migrated; for the embedded kind none, as users have it."""
    return databases.mariadb() if kind is Kind.PRODUCTION else ""


@pytest.fixture(scope="session", params=KINDS, ids=str)
def stack(request, databases, tmp_path_factory) -> Iterator[Stack]:
    kind = request.param
    made = Stack(tmp_path_factory.mktemp(kind.replace("-", "")), kind, a_database(kind, databases))
    try:
        yield made.start()
    finally:
        made.stop()


class Scene:
    """A station with its agent running, and what a test does there."""

    def __init__(self, stack: Stack, station: Station) -> None:
        self.stack = stack
        self.station = station
        self.charger_id = station.charger_ids[0]
        self.bay_ids = [bay for bay, (one, _) in station.bays.items() if one == self.charger_id]

    def charger(self, **more) -> Charger:
        return self.stack.charger(self.station, self.charger_id, **more)

    def viewer(self, path: str) -> Viewer:
        return Viewer(f"{self.stack.url}{path}", self.stack.login_header())

    def station_viewer(self) -> Viewer:
        """Anybody's: without a login."""
        return Viewer(f"{self.stack.url}/stations/{self.station.station_id}/events")

    def occupy(self, probe, bay_id: str, *, is_occupied: bool) -> None:
        sensor = self.station.sensor_of(bay_id)
        probe.publish(f"sensors/{sensor}", b'{"occupied": %s}' % str(is_occupied).lower().encode())

    def shown(self, viewer: Viewer, bay_id: str) -> dict | None:
        """Return the bay as the viewer last heard of it."""
        bays = [one.data for one in viewer.named("bay") if one.data["bay_id"] == bay_id]
        return bays[-1] if bays else None


@pytest.fixture
def scene(stack) -> Iterator[Scene]:
    """One charger with two EVSEs, a bay and a sensor before each; the agent runs."""
    station = stack.add_station(f"scene-{next(NUMBERS)}-{stack.kind.value.split('-')[0]}")
    program = stack.start_agent(station, AGENT_BEAT_INTERVAL_S="3")
    stack.wait_until_known(station)
    yield Scene(stack, station)
    program.stop()
