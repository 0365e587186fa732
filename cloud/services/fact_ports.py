"""What ingest, the clock, the courier and the readers need of the database; see also ports.py."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from cloud.domain.alerts.rule import Alert, Happened
from cloud.domain.bays import Bay, Charger, Connector, Sensor
from cloud.domain.carbon import Rate
from cloud.domain.cursor import Cursor
from cloud.domain.sessions import Reading, Session
from cloud.domain.stations import Station, StationLink
from cloud.domain.witnesses import Scene
from cloud.services.session_ports import SessionFilter, SessionPage, SessionSum
from contracts.events import MeterSampled


@dataclass(frozen=True, slots=True)
class Box:
    """An area; `west` may be greater than `east` where it crosses the date line."""

    south: float
    west: float
    north: float
    east: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StationCounts:
    """A station and how many of its bays have each status, as the rows say."""

    station_id: str
    name: str
    latitude: float
    longitude: float
    heard_at: datetime | None
    statuses: dict[str, int]


class Stations(Protocol):
    """Stations, to be read."""

    def by_ids(self, station_ids: Collection[str]) -> dict[str, Station]:
        """Return those there are."""
        ...

    def within(self, box: Box) -> list[Station]:
        """Return the stations of an area, in no order."""
        ...

    def ids(self) -> list[str]:
        """Return all there are."""
        ...

    def timezones(self) -> list[str]:
        """Return the zones stations are in, each once."""
        ...

    def by_name(self, text: str, after: tuple[str, str] | None, limit: int) -> list[Station]:
        """Return the next stations by (name, id) whose name, city or address contains `text`."""
        ...

    def counts(
        self, text: str, standard: str | None, min_power_w: int | None
    ) -> list[StationCounts]:
        """Return all stations with bays that fit, counting those; with no filter, all stations."""
        ...


class Links(Protocol):
    """How far each station's word has come."""

    def by_ids(self, station_ids: Collection[str]) -> dict[str, StationLink]:
        """Return the links; of a station without one, a new silent one."""
        ...

    def advance(self, link: StationLink, before: Cursor) -> None:
        """Store a link whose cursor was `before`.

        Raises:
            TransactionLost: the cursor is somewhere else by now.
        """
        ...

    def silent_since(self, instant: datetime, limit: int) -> list[StationLink]:
        """Return stations last heard before then that are not marked silent."""
        ...

    def heard_since(self, instant: datetime) -> list[str]:
        """Return the stations heard since then."""
        ...

    def mark_silent(self, link: StationLink) -> bool:
        """Mark it, unless it was heard since `link.heard_at`; whether it did."""
        ...


@dataclass(slots=True)
class Equipment:
    """What is held of some stations' equipment, as one transaction found it."""

    chargers: dict[str, Charger]
    connectors: dict[tuple[str, int, int], Connector]
    bays: dict[str, Bay]
    sensors: dict[tuple[str, str], Sensor]


class Bays(Protocol):
    """Bays with chargers, connectors and sensors: the equipment."""

    def equipment(self, charger_ids: Collection[str], bay_ids: Collection[str]) -> Equipment:
        """Return these chargers and bays with all that belongs to them."""
        ...

    def equipment_of(self, station_ids: Collection[str]) -> Equipment:
        """Return everything of these stations."""
        ...

    def names(self, bay_ids: Collection[str]) -> dict[str, str]:
        """Return what these bays are called."""
        ...

    def scenes(
        self, station_ids: Collection[str], links: Mapping[str, StationLink]
    ) -> dict[str, list[Scene]]:
        """Return each station's bays with all that is held of them, in the order of their names."""
        ...

    def put_bays(self, bays: Sequence[Bay]) -> None:
        """Store bays that were read with `row_version`; it grows by one.

        Raises:
            TransactionLost: one was written by somebody else since it was read.
        """
        ...

    def put_chargers(self, chargers: Sequence[Charger]) -> None:
        """Store what stations tell of their chargers."""
        ...

    def put_connectors(self, connectors: Sequence[Connector]) -> None:
        """Store what connectors say; those nobody had told of are added."""
        ...

    def put_sensors(self, sensors: Sequence[Sensor]) -> None:
        """Store what stations tell of their sensors; unknown ones are added."""
        ...

    def unpublished(self, limit: int) -> list[str]:
        """Return stations with bays whose change has not been published."""
        ...

    def mark_published(self, versions: Mapping[str, int]) -> None:
        """Note that these bays were published as of these versions."""
        ...


@dataclass(frozen=True, slots=True)
class Sample:
    """A kept meter sample; see contracts.events.MeterSampled for the units."""

    session_id: str
    observed_at: datetime
    energy_wh: int | None
    power_w: float | None
    soc_pct: float | None
    current_a: float | None = None
    voltage_v: float | None = None
    temperature_c: float | None = None
    interval_wh: int | None = None
    export_wh: int | None = None


class Sessions(Protocol):
    """Sessions and their samples."""

    def by_ids(self, session_ids: Collection[str]) -> dict[str, Session]:
        """Return those there are."""
        ...

    def put(self, sessions: Sequence[Session]) -> None:
        """Store whole sessions, new or not."""
        ...

    def of_reservations(self, reservation_ids: Collection[str]) -> list[Session]:
        """Return the sessions charged under any of these reservations, by start."""
        ...

    def of_reservation(self, reservation_id: str) -> list[Session]:
        """Return the sessions charged under a reservation, by start."""
        ...

    def seated_of(self, token: str) -> list[Session]:
        """Return the sessions a token (compared form) runs in bays now.

        One whose plug is free is none: its end was lost (QUIRKS 24).
        """
        ...

    def page(self, page: SessionPage) -> list[Session]:
        """Return sessions by (started_at, id), newest first."""
        ...

    def sums(self, wanted: SessionFilter, rate: Rate) -> list[SessionSum]:
        """Return what the sessions that pass come to, by currency; CO2 is rounded session by session."""
        ...

    def stations(self, user_id: str | None, owner_id: str | None) -> list[tuple[str, str]]:
        """Return id and name of the stations where a user charged, or of an owner, or all, by name."""
        ...

    def add_samples(self, samples: Sequence[MeterSampled]) -> None:
        """Keep samples; of one instant of a session, what a later one tells replaces."""
        ...

    def samples(self, session_ids: Collection[str]) -> dict[str, list[Reading]]:
        """Return all kept samples, in order."""
        ...

    def thin(self, session_id: str, keep: Collection[datetime]) -> int:
        """Delete the session's samples but those of these instants; returns how many."""
        ...


@dataclass(frozen=True, slots=True)
class Logged:
    """A fact as it came."""

    station_id: str
    epoch: int
    seq: int
    kind: str
    charger_id: str | None
    observed_at: datetime | None
    received_at: datetime
    body: bytes


class EventLog(Protocol):
    """All facts but samples, in their stations' order; and what could not be used."""

    def add(self, facts: Sequence[Logged]) -> None:
        """Keep facts."""
        ...

    def quarantine(
        self, station_id: str | None, topic: str, error: str, payload: bytes, received_at: datetime
    ) -> None:
        """Keep what could not be used (its first 64 KiB)."""
        ...

    def quarantined(self) -> int:
        """Return how many are kept."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete facts, and what could not be used, received before then; returns how many."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPage:
    """Which alerts to list: newest first, those after `before`."""

    statuses: frozenset[str] = frozenset()
    """open, acknowledged, resolved; empty: all."""
    owner_id: str | None = None
    station_id: str | None = None
    before: tuple[datetime, str] | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class LogEntry:
    """What became of an alert, and who did it; the actor is empty where it was nobody."""

    version: int
    at: datetime
    actor: str
    what: str
    note: str


class Alerts(Protocol):
    """Alerts and their logs."""

    def get(self, alert_id: str) -> Alert | None:
        """Return the alert, if there is one."""
        ...

    def known(self, station_ids: Collection[str], since: datetime) -> list[Alert]:
        """Return these stations' open alerts, and those that cleared by themselves since then."""
        ...

    def page(self, page: AlertPage) -> list[Alert]:
        """Return alerts by (opened_at, id), newest first."""
        ...

    def put(self, happened: Sequence[Happened], at: datetime, actor: str, note: str) -> None:
        """Store alerts with what became of them, and log it.

        Raises:
            TransactionLost: one was changed, or opened, by somebody else meanwhile.
        """
        ...

    def log(self, alert_id: str) -> list[LogEntry]:
        """Return what became of the alert, oldest first."""
        ...


class DeadlineKind(StrEnum):
    """What is to be looked at again."""

    BAY = "bay_recheck"
    CHARGER = "charger_recheck"
    STATION = "station_recheck"
    SESSION = "session_thin"
    OFFER = "offer"
    WAITING = "waiting"
    RESERVATION = "reservation"
    SUBSCRIPTION = "subscription"
    KEY_ROTATION = "key_rotation"
    """Of a charger."""
    CERTIFICATE = "certificate"
    """A charger's: to be delivered, or renewed."""
    LOCAL_LIST = "local_list"
    """A charger's: to be sent, or looked after."""
    AUTHORISATION = "authorisation"
    """Of a reservation's money: to be asked for anew."""
    COST = "cost"
    """Of a session: to be shown by its charger."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """Something to be looked at once its time has come."""

    kind: str
    subject: str
    due_at: datetime


class Deadlines(Protocol):
    """What must happen at a time; one row for each kind and subject."""

    def set(self, deadlines: Iterable[Deadline]) -> None:
        """Set or move deadlines."""
        ...

    def due(self, now: datetime, limit: int) -> list[Deadline]:
        """Return what is due, shared out among processes where the database can."""
        ...

    def next_due_at(self) -> datetime | None:
        """Return when the first is due; null: there is none."""
        ...

    def finish(self, deadlines: Iterable[Deadline]) -> None:
        """Delete deadlines that still stand as they were read."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something to be sent, at least once."""

    id: str
    idempotency_key: str
    channel: str
    recipient: str
    """An address, a number, or the id of a push subscription or of a webhook endpoint."""
    subject: str
    body: str
    created_at: datetime
    user_id: str | None = None
    """Whom it tells of something, and of what kind; null: no notice (an alert, a code)."""
    kind: str | None = None
    data: Mapping[str, Any] | None = None
    """What it is told from, for programs."""
    read_at: datetime | None = None
    next_attempt_at: datetime | None = None
    """When it is due; of a new message null: at once."""
    attempts: int = 0
    sent_at: datetime | None = None
    last_error: str = ""


class Messages(Protocol):
    """What must be sent."""

    def add(self, messages: Sequence[Message]) -> int:
        """Queue messages; one whose idempotency key is known is dropped. Returns how many are new."""
        ...

    def claim(
        self,
        now: datetime,
        lease: timedelta,
        limit: int,
        *,
        only: str | None = None,
        but: str | None = None,
    ) -> list[Message]:
        """Take messages that are due; nobody else gets them before the lease is over.

        Args:
            now: the instant.
            lease: so long they are the caller's.
            limit: the most to take.
            only: a channel; null: of all.
            but: a channel whose messages are left to others.
        """
        ...

    def sent(self, message_id: str, at: datetime, note: str) -> None:
        """Note that it was sent; `note` says what there is to say of it."""
        ...

    def failed(self, message_id: str, error: str, next_attempt_at: datetime | None) -> None:
        """Note a failed attempt; without a next one it is given up."""
        ...

    def page(self, limit: int, recipient: str | None = None) -> list[Message]:
        """Return the newest messages, of all or to one."""
        ...

    def forget(self, before: datetime, limit: int) -> int:
        """Delete messages made before then that nobody has to send any more; returns how many."""
        ...

    def alert_recipients(self, station_ids: Collection[str]) -> dict[str, set[str]]:
        """Return, for each station, the addresses of its owner and of all maintenance staff."""
        ...

    def staff(self) -> set[str]:
        """Return the addresses of maintenance and administrators, for what is of no station."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token as it may charge, in its compared form."""

    token: str
    is_valid: bool
    parent_token: str | None = None
    valid_until: datetime | None = None
    user_id: str | None = None
    token_type: str = ""
    max_sessions: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargerKey:
    """How a charger proves who it is to its agent."""

    charger_id: str
    salt: str
    key_hash: str
    security_profile: int
    profile_generation: int = 0
    certificate_serials: tuple[str, ...] = ()
    """Of its certificates these alone count; none: each."""
    next_salt: str = ""
    next_key_hash: str = ""
    registration: str = "accepted"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSource:
    """What a station's plan is made of, beside the tokens all stations share."""

    station_id: str
    version: int
    offline_policy: str
    tariff_id: str
    """By which it charges; see cloud.domain.billing.simple_id for a price alone."""
    max_sessions_per_token: int
    chargers: tuple[ChargerKey, ...]


class Plans(Protocol):
    """What agents are told to act alone by."""

    def grants(self, tokens: Collection[str] | None = None) -> dict[str, Grant]:
        """Return these tokens (compared form), or all there are."""
        ...

    def unpublished(self, limit: int) -> list[str]:
        """Return stations whose plan has grown older than what it is made of."""
        ...

    def sources(self, station_ids: Collection[str] | None) -> list[PlanSource]:
        """Return what these stations' plans are made of; null: of all stations."""
        ...

    def mark_published(self, station_id: str, version: int) -> None:
        """Note that the plan of this version was sent."""
        ...


@dataclass(frozen=True, slots=True)
class TelemetryChunk:
    """Line protocol waiting to be sent."""

    seq: int
    lines: str


class TelemetryOutbox(Protocol):
    """Telemetry on its way out, in order."""

    def add(self, lines: str) -> None:
        """Append lines."""
        ...

    def next(self, limit: int) -> list[TelemetryChunk]:
        """Return the oldest chunks."""
        ...

    def forget(self, seqs: Collection[int]) -> None:
        """Delete chunks that were written."""
        ...
