"""A cloud without HTTP and broker on a real database, and an agent that tells it things."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Engine, insert, select, text

from cloud.adapters.sql import tables
from cloud.adapters.sql.unit_of_work import work_opener
from cloud.domain.policy import Policy
from cloud.services.alerts import AlertService
from cloud.services.availability import AvailabilityService
from cloud.services.deadlines import DeadlineService
from cloud.services.facts.memo import SessionMemo
from cloud.services.facts.transaction import Applied, Options
from cloud.services.ingest import Incoming, IngestService
from cloud.services.notices import Notices
from cloud.services.publishing import Publisher
from cloud.services.sessions import SessionService
from cloud.services.settling import Settling
from contracts import events
from contracts.batch import AuthorizeAsk, Batch, Beat
from contracts.wire import encode
from tests.cloud.api.fakes import RememberingBroker, StillClock
from tests.cloud.builders import BAY, CHARGER, NOON, SENSOR, STATION
from tests.support.engines import quick_engine

OWNER, DRIVER, MAINTAINER, TOKEN = "u-owner", "u-driver", "u-maint", "04aabb"


@dataclass
class Rig:
    """The services on one database; `agent` is the first station's."""

    engine: Engine
    clock: StillClock = field(default_factory=StillClock)
    broker: RememberingBroker = field(default_factory=RememberingBroker)
    policy: Policy = field(default_factory=Policy)
    with_telemetry: bool = False

    def __post_init__(self) -> None:
        self.open_work = work_opener(self.engine)
        self.availability = AvailabilityService(self.open_work, self.clock, self.policy)
        self.publisher = Publisher(self.open_work, self.availability, self.broker)
        self.settling = Settling(self.policy, "https://bays.example", ("boss@bays.example",))
        self.telling = Notices("https://bays.example")
        self.ingest = self.new_ingest()
        self.sessions = SessionService(self.open_work, self.clock)
        self.alerts = AlertService(self.open_work, self.clock, self.publisher)
        self.deadlines = DeadlineService(
            self.open_work, self.clock, self.settling, self.publisher, NOON - timedelta(hours=1)
        )
        self.agent = Agent(self, STATION)

    def new_ingest(self) -> IngestService:
        """Return a worker that remembers nothing, as after a restart."""
        options = Options(SessionMemo(), with_telemetry=self.with_telemetry)
        return IngestService(self.open_work, self.clock, self.settling, options)

    def rows(self, table: Any) -> list[Any]:
        """Return a whole table."""
        with self.engine.connect() as connection:
            return list(connection.execute(select(table)))

    def row(self, table: Any, **key: Any) -> Any:
        """Return the one row with this key."""
        wanted = [table.c[name] == value for name, value in key.items()]
        with self.engine.connect() as connection:
            return connection.execute(select(table).where(*wanted)).one()

    def insert(self, table: Any, *rows: dict[str, Any]) -> None:
        """Store rows."""
        with self.engine.begin() as connection:
            connection.execute(insert(table), list(rows))

    def execute(self, statement: str) -> None:
        """Change what no service does."""
        with self.engine.begin() as connection:
            connection.execute(text(statement))

    def bay(self, bay_id: str = BAY) -> Any:
        """Return a bay's row."""
        return self.row(tables.bays, id=bay_id)

    def open_alerts(self) -> list[str]:
        """Return the keys of what is open."""
        return sorted(one.open_key for one in self.rows(tables.alerts) if one.open_key)

    def pass_by(self, seconds: float, *, is_heard: bool = False) -> None:
        """Let time pass, with the agent's heartbeats or without."""
        self.clock.pass_by(timedelta(seconds=seconds))
        if is_heard:
            self.agent.beat()

    def tick(self) -> None:
        """Do what the clock does every few seconds."""
        self.deadlines.mark_silent()
        self.deadlines.do_due()


@dataclass
class Agent:
    """Numbers facts and sends them."""

    rig: Rig
    station_id: str
    epoch: int = 1
    next_seq: int = 1

    def batch(self, *facts: Any, **more: Any) -> Batch:
        """Return the next batch, not sent."""
        made = Batch(
            station=self.station_id,
            epoch=self.epoch,
            first_seq=self.next_seq,
            sent_at=self.rig.clock.now(),
            events=list(facts),
            **more,
        )
        self.next_seq += len(facts)
        return made

    def incoming(self, batch: Batch) -> Incoming:
        """Return a batch as it comes from the broker."""
        return Incoming(self.station_id, encode(batch), self.rig.clock.now())

    def tell(self, *facts: Any, **more: Any) -> Applied:
        """Send facts and have them applied."""
        return self.rig.ingest.apply(self.incoming(self.batch(*facts, **more)))

    def beat(self, **more: Any) -> Applied:
        """Send a heartbeat."""
        return self.tell(beat=Beat(**more))

    def ask(self, token: str, **more: Any) -> Applied:
        """Ask about a token."""
        known: dict[str, Any] = {"ask_id": "q-1", "charger_id": CHARGER, "token": token}
        return self.tell(asks=[AuthorizeAsk(**known | more)])


def a_rig(url: str, *, stations: int = 1, **more: Any) -> Rig:
    """Return a rig with stations of one charger and two bays each, set up and never heard."""
    rig = Rig(quick_engine(url), **more)
    people = [(OWNER, "owner"), (DRIVER, "driver"), (MAINTAINER, "maintenance")]
    rig.insert(
        tables.users,
        *(
            {
                "id": one,
                "email": f"{one}@bays.example",
                "name": one,
                "role": role,
                "created_at": NOON,
            }
            for one, role in people
        ),
    )
    rig.insert(
        tables.charging_tokens,
        {"token": TOKEN, "user_id": DRIVER, "created_at": NOON, "label": "card"},
    )
    numbers = count(1)
    for _ in range(stations):
        _add_station(rig, next(numbers))
    return rig


def _add_station(rig: Rig, number: int) -> None:
    suffix = "" if number == 1 else f"-{number}"
    station, charger = f"{STATION}{suffix}", f"{CHARGER}{suffix}"
    rig.insert(
        tables.stations,
        {
            "id": station,
            "name": f"Green Market{suffix}",
            "latitude": 56.46 + number / 100,
            "longitude": -2.97,
            "owner_id": OWNER,
            "price_per_kwh_minor": 50,
            "created_at": NOON,
        },
    )
    rig.insert(tables.chargers, {"id": charger, "station_id": station})
    for evse in (1, 2):
        bay = f"{station}-{evse}"
        rig.insert(
            tables.bays,
            {
                "id": bay,
                "station_id": station,
                "name": str(evse),
                "charger_id": charger,
                "evse_id": evse,
                "max_power_w": 150_000,
                "has_sensor": True,
            },
        )
        rig.insert(
            tables.connectors,
            {
                "charger_id": charger,
                "evse_id": evse,
                "connector_id": 1,
                "standard": "IEC_62196_T2_COMBO",
                "power_type": "DC",
                "max_power_w": 150_000,
            },
        )
        rig.insert(
            tables.sensors,
            {"station_id": station, "id": SENSOR if evse == 1 else "gm-2", "bay_id": bay},
        )


# --- facts ---------------------------------------------------------------------------------------


def connected(at: datetime = NOON, **more: Any) -> events.ChargerConnected:
    known = {"charger_id": CHARGER, "ocpp_version": "1.6", "security_profile": 1}
    return events.ChargerConnected(**(known | {"observed_at": at} | more))


def said(state: str, at: datetime = NOON, **more: Any) -> events.ConnectorStateReported:
    known = {"charger_id": CHARGER, "evse_id": 1, "connector_id": 1}
    kind = events.ConnectorState(state)
    return events.ConnectorStateReported(**(known | {"state": kind, "observed_at": at} | more))


def seen(is_occupied: bool, at: datetime = NOON, **more: Any) -> events.BayOccupancyChanged:
    known = {"bay_id": BAY, "confidence": 0.9, "sensor_ids": [SENSOR]}
    return events.BayOccupancyChanged(
        **(known | {"is_occupied": is_occupied, "observed_at": at} | more)
    )


def begun(at: datetime = NOON, **more: Any) -> events.SessionStarted:
    known = {
        "session_id": "s-1",
        "charger_id": CHARGER,
        "evse_id": 1,
        "connector_id": 1,
        "transaction_id": "7",
        "token": TOKEN.upper(),
        "meter_start_wh": 1_000,
    }
    return events.SessionStarted(**(known | {"observed_at": at} | more))


def state(word: str, at: datetime = NOON, **more: Any) -> events.ChargingStateChanged:
    known = {"session_id": "s-1", "charger_id": CHARGER, "state": events.ChargingState(word)}
    return events.ChargingStateChanged(**(known | {"observed_at": at} | more))


def metered(wh: int | None, at: datetime, **more: Any) -> events.MeterSampled:
    known = {"charger_id": CHARGER, "evse_id": 1, "session_id": "s-1", "energy_wh": wh}
    return events.MeterSampled(**(known | {"observed_at": at} | more))


def over(wh: int | None, at: datetime, **more: Any) -> events.SessionEnded:
    known = {
        "session_id": "s-1",
        "charger_id": CHARGER,
        "evse_id": 1,
        "transaction_id": "7",
        "meter_stop_wh": wh,
        "reason": "Local",
    }
    return events.SessionEnded(**(known | {"observed_at": at} | more))
