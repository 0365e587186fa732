"""R01: two hundred drivers, one bay, one moment, over HTTP on MariaDB: one of them gets it.

All requests lie ready on open connections and are let go together. `make test` races three times,
`make faults` fifty times; the losers' times are printed.
"""

import asyncio
import hashlib
import json
import statistics
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from cloud.adapters.sql import tables
from cloud.adapters.sql.engine import open_engine
from cloud.adapters.sql.unit_of_work import work_opener
from cloud.domain.terms import Terms
from cloud.domain.windows import ceiling
from tests.support.ports import LOOPBACK
from tests.support.stack import Kind, Stack

CLIENTS = 200
FEW, MANY = 3, 50
WITHIN_S = 120
STATION = "greenmarket"


@dataclass
class Answered:
    """What one of them was told, and after how long."""

    status: int
    body: dict
    took_s: float


class Race:
    """A cloud with as many drivers as take part, each logged in."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.engine = open_engine(stack.database_url, timeout_s=60)
        stack.add_station(STATION, evses=3)
        self.secrets = [f"bwt_racer-{number:04d}" for number in range(CLIENTS)]
        self._let_everybody_in()

    def _let_everybody_in(self) -> None:
        """Write what logging in two hundred times would, without hashing as many passwords."""
        now = datetime.now(UTC)
        users = [
            {
                "id": f"racer-{number}",
                "email": f"racer-{number}@example.org",
                "name": f"Racer {number}",
                "role": "driver",
                "created_at": now,
            }
            for number in range(CLIENTS)
        ]
        logins = [
            {
                "id": f"login-{number}",
                "user_id": f"racer-{number}",
                "kind": "bearer",
                "secret_hash": hashlib.sha256(secret.encode()).hexdigest(),
                "label": "",
                "created_at": now,
                "expires_at": now + timedelta(hours=1),
            }
            for number, secret in enumerate(self.secrets)
        ]
        with self.engine.begin() as connection:
            connection.execute(tables.users.insert(), users)
            connection.execute(tables.credentials.insert(), logins)
        with work_opener(self.engine)() as work:
            work.terms.put(STATION, Terms(max_live_per_driver=MANY, protect_s=0), now)
            work.commit()

    async def run(self, number: int) -> list[Answered]:
        """Have all of them ask for the same hour of the same bay at once."""
        # near enough to the middle of the day after tomorrow, each race another hour
        day = datetime.now(UTC) + timedelta(days=2)
        starts_at = ceiling(day) + timedelta(hours=number)
        body = json.dumps(
            {
                "station_id": STATION,
                "bay_id": f"{STATION}-01-1",
                "starts_at": starts_at.isoformat(),
                "ends_at": (starts_at + timedelta(hours=1)).isoformat(),
            }
        )
        gate, ready = asyncio.Event(), asyncio.Semaphore(0)
        racers = [
            asyncio.create_task(self._race(secret, body, gate, ready)) for secret in self.secrets
        ]
        async with asyncio.timeout(WITHIN_S):
            for _ in racers:
                await ready.acquire()
            gate.set()
            return await asyncio.gather(*racers)

    async def _race(
        self, secret: str, body: str, gate: asyncio.Event, ready: asyncio.Semaphore
    ) -> Answered:
        reader, writer = await asyncio.open_connection(LOOPBACK, self.stack.http_port)
        request = (
            f"POST /api/v1/reservations HTTP/1.1\r\nHost: {LOOPBACK}\r\n"
            f"Authorization: Bearer {secret}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}"
        ).encode()
        # all but the last byte is there before the race begins
        writer.write(request[:-1])
        await writer.drain()
        ready.release()
        await gate.wait()
        began = time.perf_counter()
        writer.write(request[-1:])
        answer = await reader.read()
        took_s = time.perf_counter() - began
        writer.close()
        head, _, rest = answer.partition(b"\r\n\r\n")
        return Answered(int(head.split()[1]), json.loads(_unchunked(head, rest)), took_s)

    def overlapping_slots(self) -> tuple[int, int]:
        """Return how many slots are taken, and how many ought to be, by the live reservations."""
        with self.engine.connect() as connection:
            slots = connection.execute(select(tables.bay_slots)).all()
            live = connection.execute(
                select(tables.reservations).where(tables.reservations.c.is_live)
            ).all()
        return len(slots), sum(
            round((one.ends_at - one.starts_at) / timedelta(minutes=15)) for one in live
        )


def _unchunked(head: bytes, rest: bytes) -> bytes:
    if b"transfer-encoding: chunked" not in head.lower():
        return rest
    parts = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        length = int(size, 16)
        parts.append(rest[:length])
        rest = rest[length + 2 :]
    return b"".join(parts)


def race(stack: Stack, times: int) -> None:
    """Race, and judge each."""
    race = Race(stack)
    losing_s: list[float] = []
    for number in range(times):
        answers = asyncio.run(race.run(number))
        statuses = sorted({one.status for one in answers})
        winners = [one for one in answers if one.status == 201]
        losers = [one for one in answers if one.status == 409]
        losing_s += [one.took_s for one in losers]

        assert statuses == [201, 409], [one.body for one in answers if one.status >= 422][:3]
        assert len(winners) == 1
        assert {one.body["code"] for one in losers} == {"bay_already_booked"}
        assert min(len(one.body["alternatives"]) for one in losers) >= 3
        costs = [option["cost"] for option in losers[0].body["alternatives"]]
        assert costs == sorted(costs)
    taken, expected = race.overlapping_slots()
    assert taken == expected == 4 * times
    percentiles = statistics.quantiles(losing_s, n=100)
    print(f"losers: p50 {percentiles[49]:.3f} s, p99 {percentiles[98]:.3f} s")  # noqa: T201
    race.engine.dispose()


@pytest.fixture
def stack(databases, tmp_path):
    made = Stack(tmp_path, Kind.SERVED, databases.mariadb()).start()
    yield made
    made.stop()


@pytest.mark.real
def test_r01_of_two_hundred_who_want_the_same_bay_one_gets_it(stack):
    race(stack, FEW)


@pytest.mark.faults
def test_r01_fifty_races_of_two_hundred_have_fifty_winners(stack):
    race(stack, MANY)
