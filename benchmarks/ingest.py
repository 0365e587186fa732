"""Events per second through ingest into MariaDB, against bare `executemany` of the same rows.

Real sessions of many chargers go through the ingest service in batches, as workers take them: read,
decided, written, committed. The rows that left behind are then written again, bare: PyMySQL's
`executemany`, the same tables in an empty database, as many transactions.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from rich.console import Console
from sqlalchemy import Engine, Table, insert

from benchmarks.row import Row
from cloud.adapters.sql import tables
from cloud.adapters.sql.engine import open_engine
from cloud.adapters.sql.migrate import migrate
from cloud.adapters.sql.unit_of_work import SqlUnitOfWork
from cloud.domain.policy import Policy
from cloud.services.ingest import Incoming, IngestService
from cloud.services.settling import Settling
from contracts.batch import MAX_BATCH_EVENTS, Batch, UnknownEvent
from contracts.clock import SystemClock
from contracts.events import (
    ChargingState,
    ChargingStateChanged,
    Event,
    MeterSampled,
    SessionEnded,
    SessionStarted,
)
from contracts.wire import encode
from tests.support.mariadb import MariaDb

STATIONS: Final = 8
CHARGERS: Final = 25
SAMPLES: Final = 60
ROUNDS: Final = 5
EVENTS: Final = STATIONS * CHARGERS * (SAMPLES + 3)
WRITTEN: Final = (tables.sessions, tables.session_samples, tables.event_log)


def measure(console: Console) -> list[Row]:
    """Return the ratio of the two speeds."""
    with console.status("Ingest into MariaDB, and bare executemany"), ExitStack() as stack:
        server = MariaDb().start()
        stack.callback(server.remove)
        ours, bare = [], []
        for _ in range(ROUNDS):
            engine = _database(server)
            ours.append(EVENTS / _timed(_ingest(engine)))
            bare.append(EVENTS / _timed(_bare(server, engine)))
            engine.dispose()
    return [
        Row(
            id="I1",
            what="ingest into MariaDB / bare executemany of the same rows",
            unit="ev/s",
            ours=statistics.median(ours),
            baseline=statistics.median(bare),
            bound="at_least",
            target=0.3,
        )
    ]


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _database(server: MariaDb) -> Engine:
    """Return a migrated database with the stations in it."""
    url = server.url(server.new_database())

    engine = open_engine(url, timeout_s=30)
    migrate(engine)
    now = datetime.now(UTC)
    with engine.begin() as connection:
        for station in range(STATIONS):
            place = {"id": f"bench-{station}", "name": f"Bench {station}", "created_at": now}
            place |= {"latitude": 56.46, "longitude": -2.97, "price_per_kwh_minor": 45}
            connection.execute(insert(tables.stations), place)
            connection.execute(insert(tables.station_links), {"station_id": place["id"]})
            numbers = range(CHARGERS)
            chargers = [
                {"id": _charger(station, one), "station_id": place["id"]} for one in numbers
            ]
            connection.execute(insert(tables.chargers), chargers)
            bays = [
                {"id": f"bench-{station}-{one}", "name": str(one), "station_id": place["id"]}
                | {"charger_id": _charger(station, one), "evse_id": 1}
                for one in numbers
            ]
            connection.execute(insert(tables.bays), bays)
    return engine


def _charger(station: int, number: int) -> str:
    return f"BENCH-{station}-{number:02d}"


def _ingest(engine: Engine) -> Callable[[], None]:
    policy = Policy()
    service = IngestService(
        partial(SqlUnitOfWork, engine), SystemClock(), Settling(policy, new_id=_new_ids())
    )
    incoming = list(_incoming())

    def work() -> None:
        taken = sum(service.apply(one).events for one in incoming)
        if taken != EVENTS:
            raise RuntimeError(f"{taken} of {EVENTS} events were taken")

    return work


def _new_ids() -> Callable[[], str]:
    numbers = iter(range(1_000_000))
    return lambda: f"bench-{next(numbers)}"


def _incoming() -> Iterator[Incoming]:
    """Yield the batches of all stations in turn, as agents send them after a while alone."""
    streams = [_batches(station) for station in range(STATIONS)]
    for round_of_all in zip(*streams, strict=True):
        yield from round_of_all


def _batches(station: int) -> Iterator[Incoming]:
    events = list(_facts(station))
    name = f"bench-{station}"
    for first in range(0, len(events), MAX_BATCH_EVENTS):
        batch = Batch(
            station=name,
            epoch=1,
            first_seq=first + 1,
            sent_at=datetime.now(UTC),
            events=events[first : first + MAX_BATCH_EVENTS],
        )
        yield Incoming(name, encode(batch), datetime.now(UTC))


def _facts(station: int) -> Iterator[Event | UnknownEvent]:
    """Yield sessions of all chargers side by side: start, a sample every ten seconds, end."""
    begin = datetime.now(UTC) - timedelta(seconds=10 * SAMPLES)
    sessions = [(f"{station}-{number}", _charger(station, number)) for number in range(CHARGERS)]
    for session_id, charger_id in sessions:
        common: dict[str, Any] = {"session_id": session_id, "charger_id": charger_id}
        yield SessionStarted(
            **common,
            evse_id=1,
            connector_id=1,
            transaction_id=session_id,
            token=f"TAG{session_id}",
            meter_start_wh=1000,
            observed_at=begin,
        )
        yield ChargingStateChanged(**common, state=ChargingState.CHARGING, observed_at=begin)
    for sample in range(1, SAMPLES + 1):
        for session_id, charger_id in sessions:
            yield MeterSampled(
                charger_id=charger_id,
                evse_id=1,
                session_id=session_id,
                energy_wh=1000 + 20 * sample,
                power_w=7_012.5,
                soc_pct=40 + sample / 4,
                current_a=30.6,
                observed_at=begin + timedelta(seconds=10 * sample),
            )
    for session_id, charger_id in sessions:
        yield SessionEnded(
            session_id=session_id,
            charger_id=charger_id,
            evse_id=1,
            transaction_id=session_id,
            meter_stop_wh=1000 + 20 * SAMPLES,
            observed_at=begin + timedelta(seconds=10 * SAMPLES),
        )


def _bare(server: MariaDb, filled: Engine) -> Callable[[], None]:
    """Return the writing of what `filled` now holds into a fresh database, with nothing of ours."""
    empty = _database(server)
    database = str(empty.url.database)
    empty.dispose()
    count = EVENTS // MAX_BATCH_EVENTS
    chunks = [(_statement(table), _chunks(filled, table, count)) for table in WRITTEN]

    def work() -> None:
        with closing(server.connect(database)) as connection, connection.cursor() as cursor:
            for number in range(count):
                for statement, rows in chunks:
                    if rows[number]:
                        cursor.executemany(statement, rows[number])
                connection.commit()

    return work


def _statement(table: Table) -> str:
    columns = [column.name for column in table.columns]
    marks = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES ({marks})"  # noqa: S608


def _chunks(engine: Engine, table: Table, count: int) -> list[list[tuple[Any, ...]]]:
    """Return the table's rows, as the driver takes them, in `count` parts."""
    with engine.connect() as connection:
        result = connection.exec_driver_sql(f"SELECT * FROM {table.name}")  # noqa: S608
        names = list(result.keys())
        order = [names.index(column.name) for column in table.columns]
        rows = [tuple(row[place] for place in order) for row in result]
    return [rows[number::count] for number in range(count)]
