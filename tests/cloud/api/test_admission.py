"""The turnstile: how many are worked on at once, and what happens when all fail."""

import asyncio

import pytest

from cloud.api import admission
from cloud.api.admission import Admission

SCOPE = {"type": "http", "path": "/api/v1/stations"}


class Kitchen:
    """An application whose answers wait until they are let go."""

    def __init__(self):
        self.inside = 0
        self.begun = 0
        self.status = 200
        self.open = asyncio.Event()

    async def __call__(self, _scope, _receive, send):
        self.inside += 1
        self.begun += 1
        await self.open.wait()
        self.inside -= 1
        await send({"type": "http.response.start", "status": self.status, "headers": []})


@pytest.fixture
def kitchen(monkeypatch):
    for name, value in {"AT_ONCE": 3, "IN_LINE": 2, "FAILURES": 4, "PROBES": 1}.items():
        monkeypatch.setattr(admission, name, value)
    return Kitchen()


async def ask(door, path="/api/v1/stations", method="GET"):
    """Ask, and return the status of the answer."""
    statuses = []

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await door({**SCOPE, "path": path, "method": method}, None, send)
    return statuses[0]


async def turns():
    for _ in range(20):
        await asyncio.sleep(0)


async def test_so_many_are_worked_on_some_wait_and_the_rest_are_sent_away(kitchen):
    door = Admission(kitchen)
    asked = [asyncio.create_task(ask(door)) for _ in range(8)]
    await turns()
    assert kitchen.inside == 3
    kitchen.open.set()

    statuses = await asyncio.gather(*asked)

    assert sorted(statuses) == [200] * 5 + [503] * 3


async def test_nobody_waits_longer_than_is_reasonable(kitchen, monkeypatch):
    monkeypatch.setattr(admission, "PATIENCE_S", 0.01)
    door = Admission(kitchen)
    inside = [asyncio.create_task(ask(door)) for _ in range(3)]
    await turns()

    assert await ask(door) == 503
    kitchen.open.set()
    assert await asyncio.gather(*inside) == [200] * 3
    assert await ask(door) == 200


async def test_who_asks_for_a_bay_waits_longer(kitchen, monkeypatch):
    monkeypatch.setattr(admission, "PATIENCE_S", 0.01)
    door = Admission(kitchen)
    inside = [asyncio.create_task(ask(door)) for _ in range(3)]
    asking = asyncio.create_task(ask(door, "/api/v1/reservations", method="POST"))
    await turns()

    assert await ask(door, "/api/v1/reservations", method="GET") == 503
    kitchen.open.set()
    assert await asyncio.gather(*inside, asking) == [200] * 4


async def test_while_all_fail_only_a_few_are_let_in_to_find_out(kitchen):
    door = Admission(kitchen)
    kitchen.status = 503
    kitchen.open.set()
    for _ in range(4):
        assert await ask(door) == 503
    begun = kitchen.begun
    kitchen.open.clear()

    probe = asyncio.create_task(ask(door))
    await turns()
    refused = [await ask(door) for _ in range(10)]
    assert refused == [503] * 10
    assert kitchen.begun == begun + 1

    kitchen.status = 200
    kitchen.open.set()
    assert await probe == 200
    assert await asyncio.gather(*(ask(door) for _ in range(3))) == [200] * 3


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/api/v1/alerts/events"])
async def test_health_and_streams_pass_by(kitchen, path):
    door = Admission(kitchen)
    inside = [asyncio.create_task(ask(door)) for _ in range(3)]
    passing = asyncio.create_task(ask(door, path))
    await turns()

    assert kitchen.inside == 4
    kitchen.open.set()
    assert await passing == 200
    await asyncio.gather(*inside)


async def test_a_client_that_goes_away_gives_its_place_back(kitchen):
    door = Admission(kitchen)
    inside = [asyncio.create_task(ask(door)) for _ in range(3)]
    waiting = asyncio.create_task(ask(door))
    await turns()
    for task in (*inside, waiting):
        task.cancel()
    await asyncio.gather(*inside, waiting, return_exceptions=True)
    kitchen.open.set()

    assert await asyncio.gather(*(ask(door) for _ in range(3))) == [200] * 3
