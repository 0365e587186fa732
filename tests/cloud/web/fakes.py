"""The services behind the pages, in memory, with six stations in Dundee; and a server to look at them.

python -m tests.cloud.web.fakes 8899
"""

import asyncio
import socket
import sys
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from cloud.domain.access import Role, Viewer
from cloud.domain.carbon import Factors, driven_wh
from cloud.domain.errors import (
    AlertAlreadyHandled,
    NotFound,
    Refused,
    TooManyAttempts,
    WrongLogin,
)
from cloud.domain.reconcile import MEANING, Situation
from cloud.domain.terms import Terms
from cloud.domain.windows import Window
from cloud.services.admin_ports import CredentialKind, Login
from cloud.services.alert_views import AlertDetail, AlertList, AlertLogView, AlertView
from cloud.services.availability import StationQuery
from cloud.services.bay_views import BayView, ConnectorView, WitnessKind, WitnessView
from cloud.services.calendars import RunView
from cloud.services.carbon_views import co2_view
from cloud.services.charger_views import (
    ChargerDetail,
    ChargerLogEntry,
    ChargerView,
    ConnectorStateView,
)
from cloud.services.command_views import CommandView
from cloud.services.credentials import Attempt, Issued
from cloud.services.history_views import Amount, SessionStation, SessionTotals
from cloud.services.inventory_views import InventoryItem, InventoryList
from cloud.services.job_views import JobList, JobView
from cloud.services.log_file_ports import LogFileView
from cloud.services.messages import MailView
from cloud.services.reservation_views import ReservationView
from cloud.services.session_asks import SessionAsk, filter_of
from cloud.services.session_views import SampleView, SessionDetail, SessionList, SessionView
from cloud.services.sessions import ALL
from cloud.services.station_views import (
    HeardView,
    PriceView,
    StationDetail,
    StationList,
    StationPoint,
    StationView,
)
from cloud.settings import Settings
from cloud.web.app import error_pages, pages
from cloud.web.bays import fresh_station
from contracts import commands
from contracts.clock import Clock, SystemClock
from tests.cloud.web.booking_fakes import (
    TERMS,
    FakeCodes,
    FakeFeeds,
    FakeInbox,
    FakeMoney,
    FakeOffers,
    FakeReceipts,
    FakeReservations,
    FakeWaitlist,
    runs_of,
    some_bookings,
)
from tests.cloud.web.fleet_fakes import FakeFleet
from tests.support.ports import free_port

PASSWORD = "correct horse battery staple"

NAMES = {"driver": "Isla Grant", "maintenance": "Morag Reid", "owner": "Dundee Council"}

TYPE_2 = ConnectorView(
    connector_id=1, standard="IEC_62196_T2", power_type="AC_3_PHASE", max_power_w=22_000
)
CCS = ConnectorView(
    connector_id=1, standard="IEC_62196_T2_COMBO", power_type="DC", max_power_w=50_000
)
CHADEMO = ConnectorView(connector_id=2, standard="CHADEMO", power_type="DC", max_power_w=50_000)
CCS_150 = ConnectorView(
    connector_id=1, standard="IEC_62196_T2_COMBO", power_type="DC", max_power_w=150_000
)

# what is found in a bay -> what its sensor, its connector and its session say
SITUATIONS: dict[str, tuple[Situation, str, str, str | None]] = {
    "free": (Situation.FREE, "empty", "free", None),
    "charging": (Situation.CHARGING, "occupied", "charging", "charging"),
    "suspended": (
        Situation.SUSPENDED_BY_CAR,
        "occupied",
        "suspended_by_car",
        "suspended_by_car",
    ),
    "overstay": (Situation.FINISHED_STILL_THERE, "occupied", "finishing", None),
    "squatter": (Situation.OCCUPIED_UNPLUGGED, "occupied", "free", None),
    "faulted": (Situation.FAULTED, "empty", "faulted", None),
    "reserved": (Situation.HELD_BY_CHARGER, "empty", "reserved", None),
    "silent": (Situation.SILENT, "empty", "free", None),
}

# id, name, address, latitude, longitude, connectors of each bay, situations of each bay
STATIONS: list[tuple[str, str, str, float, float, list[ConnectorView], list[str]]] = [
    (
        "dundee-greenmarket",
        "Greenmarket Car Park",
        "Greenmarket",
        56.4577,
        -2.9732,
        [CCS, CHADEMO],
        ["free", "charging", "charging", "squatter", "free", "suspended", "free", "reserved"],
    ),
    (
        "dundee-ice-arena",
        "Dundee Ice Arena",
        "Camperdown Leisure Park",
        56.4846,
        -3.0400,
        [CCS, CHADEMO],
        ["charging", "free", "faulted", "free", "charging", "overstay"],
    ),
    (
        "dundee-clepington",
        "Clepington Road Depot",
        "353 Clepington Road",
        56.4775,
        -2.9657,
        [TYPE_2],
        ["free", "free", "charging", "free", "free", "free"],
    ),
    (
        "dundee-princes-street",
        "Princes Street Hub",
        "Princes Street",
        56.4655,
        -2.9583,
        [CCS_150],
        ["charging", "charging", "charging", "overstay"],
    ),
    (
        "dundee-lochee",
        "Lochee Charging Hub",
        "Queen Mary Avenue",
        56.4716,
        -3.0106,
        [TYPE_2],
        ["free", "charging", "free", "suspended", "free", "squatter", "free", "free"],
    ),
    (
        "dundee-broughty-ferry",
        "Broughty Ferry Queen Street",
        "Queen Street, Broughty Ferry",
        56.4676,
        -2.8727,
        [TYPE_2],
        ["silent", "silent", "silent", "silent"],
    ),
]


def a_bay(
    station_id: str,
    number: int,
    told: str,
    now: datetime,
    connectors: list[ConnectorView] | None = None,
    **changes: Any,
) -> BayView:
    """Return a bay in one of SITUATIONS."""
    situation, sensor, connector, session = SITUATIONS[told]
    meaning = MEANING[situation]
    since = now - timedelta(minutes=(number * 17) % 90, seconds=(number * 41) % 60)
    heard_at = now - timedelta(minutes=14) if told == "silent" else now - timedelta(seconds=3)
    witnesses = [
        WitnessView(
            witness=WitnessKind.SENSOR, says=sensor, observed_at=since, is_trusted=told != "silent"
        ),
        WitnessView(
            witness=WitnessKind.CONNECTOR,
            says=connector,
            observed_at=since + timedelta(seconds=4),
            is_trusted=told != "silent",
        ),
    ]
    if session:
        witnesses.append(
            WitnessView(
                witness=WitnessKind.SESSION, says=session, observed_at=heard_at, is_trusted=True
            )
        )
    connectors = connectors or [TYPE_2]
    bay = BayView(
        bay_id=f"{station_id}-{number}",
        station_id=station_id,
        name=str(number),
        status=meaning.status,
        situation=situation,
        reason=meaning.sentence,
        since=since,
        observed_at=since + timedelta(seconds=4),
        heard_at=heard_at,
        valid_until=heard_at + timedelta(seconds=90),
        witnesses=witnesses,
        connectors=connectors,
        max_power_w=max(c.max_power_w for c in connectors),
        is_accessible=number == 1,
        charger_id=f"{station_id.upper()[:12]}-{(number + 1) // 2:02}",
        evse_id=1 + (number + 1) % 2,
        expected_end_at=now + timedelta(minutes=7 + number * 6) if told == "charging" else None,
        version=1,
    )
    return replace(bay, **changes)


def a_station(station_id: str, bays: list[BayView], now: datetime, **changes: Any) -> StationView:
    """Return a station with these bays, counted."""
    statuses: dict[str, int] = {}
    for bay in bays:
        statuses[bay.status] = statuses.get(bay.status, 0) + 1
    station = StationView(
        station_id=station_id,
        name=station_id.replace("-", " ").title(),
        operator="Dundee City Council",
        address="1 Example Street",
        city="Dundee",
        country="GB",
        latitude=56.46,
        longitude=-2.97,
        timezone="Europe/London",
        distance_m=None,
        price=PriceView(currency="GBP", price_per_kwh_minor=25),
        heard_at=bays[0].heard_at if bays else None,
        bays_total=len(bays),
        bays_available=statuses.get("AVAILABLE", 0),
        max_power_w=max((bay.max_power_w for bay in bays), default=0),
        standards=sorted({c.standard for bay in bays for c in bay.connectors}),
        statuses=statuses,
        bays=bays,
    )
    return replace(station, **changes)


def a_session(now: datetime, **changes: Any) -> SessionView:
    """Return a live session at Greenmarket."""
    session = SessionView(
        session_id="5f0d8a6be5b94c1e9d8a4b6b2f0c7a11",
        station_id="dundee-greenmarket",
        station_name="Greenmarket Car Park",
        bay_id="dundee-greenmarket-2",
        charger_id="DD-GREEN-01",
        evse_id=2,
        state="charging",
        is_live=True,
        started_at=now - timedelta(minutes=23, seconds=12),
        ended_at=None,
        end_reason="",
        duration_s=23 * 60 + 12,
        energy_wh=14_620,
        power_w=41_300.0,
        soc_pct=63.0,
        expected_end_at=now + timedelta(minutes=19),
        currency="GBP",
        price_per_kwh_minor=25,
        cost_minor=366,
        sampled_at=now - timedelta(seconds=4),
        flags=[],
        as_of=now,
        version=7,
    )
    return replace(session, **changes)


def a_curve(session: SessionView) -> list[SampleView]:
    """Return samples every 30 s: a plateau, then the taper of a filling battery."""
    samples = []
    energy_wh = 0.0
    for step in range(session.duration_s // 30):
        power_w = 48_500 if step < 28 else max(9_000, 48_500 - (step - 28) * 900)
        power_w += (step * 7919 % 13 - 6) * 90
        energy_wh += power_w * 30 / 3600
        samples.append(
            SampleView(
                at=session.started_at + timedelta(seconds=30 * step),
                power_w=float(power_w),
                energy_wh=int(energy_wh),
                soc_pct=min(100, 31 + step * 0.7),
            )
        )
    return samples


def an_alert(now: datetime, **changes: Any) -> AlertView:
    """Return an open, critical alert."""
    alert = AlertView(
        alert_id="a1",
        key="charger_fault:DD-ICE-02:1:GroundFailure",
        rule="charger_fault",
        severity="critical",
        status="open",
        station_id="dundee-ice-arena",
        station_name="Dundee Ice Arena",
        charger_id="DUNDEE-ICE-A-02",
        bay_id="dundee-ice-arena-3",
        sensor_id=None,
        title="Ground failure at bay 3",
        detail="The charger measures current to earth and has switched the outlet off.",
        what_to_do="Do not touch the cable. Lock the charger out, then test the RCD and the cable.",
        opened_at=now - timedelta(minutes=6, seconds=12),
        last_seen_at=now - timedelta(seconds=40),
        count=3,
        acknowledged_at=None,
        acknowledged_by=None,
        resolved_at=None,
        resolved_by=None,
        version=1,
    )
    return replace(alert, **changes)


def some_alerts(now: datetime) -> list[AlertView]:
    """Return a queue with something of each kind."""
    return [
        an_alert(now),
        an_alert(
            now,
            alert_id="a2",
            severity="major",
            station_id="dundee-broughty-ferry",
            station_name="Broughty Ferry Queen Street",
            charger_id=None,
            bay_id=None,
            title="The station is silent",
            detail="Its agent was last heard 14 minutes ago. All bays read unknown.",
            what_to_do="Check power and network at the station, then the agent's service.",
            opened_at=now - timedelta(minutes=13),
            count=1,
        ),
        an_alert(
            now,
            alert_id="a3",
            severity="minor",
            status="acknowledged",
            acknowledged_at=now - timedelta(minutes=20),
            acknowledged_by="maintenance",
            station_id="dundee-lochee",
            station_name="Lochee Charging Hub",
            charger_id=None,
            bay_id="dundee-lochee-6",
            sensor_id="lo-6",
            title="The sensor of bay 6 contradicts the charger",
            detail="It said empty three times while a car was charging.",
            what_to_do="Clean the sensor and check its battery; the bay follows the charger for now.",
            opened_at=now - timedelta(hours=3),
            count=4,
        ),
    ]


@dataclass
class FakeAvailability:
    """See Availability."""

    house: "FakeParts"

    def stations_near(self, query: StationQuery) -> StationList:
        """See Availability.stations_near."""
        matching = [station for station in self.house.found if _matches(station, query)]
        start = int(query.cursor or 0)
        page = matching[start : start + query.limit]
        more = str(start + query.limit) if start + query.limit < len(matching) else None
        return StationList(as_of=self.house.clock.now(), stations=page, next_cursor=more)

    def stations(self, station_ids: Sequence[str]) -> list[StationDetail]:
        """See Availability.stations."""
        return [self.station(station_id) for station_id in station_ids]

    def points(self, query: StationQuery) -> list[StationPoint]:
        """See Availability.points."""
        now = self.house.clock.now()
        shown = [fresh_station(one, now) for one in self.house.found if _matches(one, query)]
        return [
            StationPoint(
                station_id=one.station_id,
                name=one.name,
                latitude=one.latitude,
                longitude=one.longitude,
                bays_total=one.bays_total,
                bays_available=one.bays_available,
                statuses=one.statuses,
            )
            for one in shown
            if one.bays_available or not query.free_now
        ]

    def station(self, station_id: str) -> StationDetail:
        """See Availability.station."""
        for station in self.house.found:
            if station.station_id == station_id:
                return StationDetail(as_of=self.house.clock.now(), station=station)
        raise NotFound(station_id)


@dataclass
class FakeSessions:
    """See Sessions: `held` are (user id, session)."""

    house: "FakeParts"

    def list(
        self, viewer: Viewer, ask: SessionAsk = ALL, *, limit: int = 50, cursor: str | None = None
    ) -> SessionList:
        """See Sessions.list."""
        found = self._passing(viewer, ask)
        first = int(cursor or 0)
        after = str(first + limit) if first + limit < len(found) else None
        shown = found[first : first + limit]
        return SessionList(as_of=self.house.clock.now(), sessions=shown, next_cursor=after)

    def totals(self, viewer: Viewer, ask: SessionAsk = ALL) -> SessionTotals:
        """See Sessions.totals."""
        found, factors = self._passing(viewer, ask), Factors()
        amounts = Counter()
        for one in found:
            amounts[one.currency] += one.cost_minor
        return SessionTotals(
            as_of=self.house.clock.now(),
            sessions=len(found),
            energy_wh=sum(one.energy_wh for one in found),
            export_wh=sum(one.export_wh for one in found),
            amounts=[Amount(currency=name, amount_minor=sum_) for name, sum_ in amounts.items()],
            co2=co2_view(factors, sum(driven_wh(one.energy_wh, one.export_wh) for one in found)),
        )

    def stations(self, viewer: Viewer) -> Sequence[SessionStation]:
        """See Sessions.stations."""
        named = {one.station_id: one.station_name for one in self._passing(viewer, ALL)}
        return [SessionStation(station_id=one, name=name) for one, name in sorted(named.items())]

    def _passing(self, viewer: Viewer, ask: SessionAsk) -> Sequence[SessionView]:
        now = self.house.clock.now()
        own = [one.session for owner, one in self.house.held if viewer.user_id == owner]
        (span,) = filter_of(ask, viewer, ["Europe/London"], now).spans or [None]
        return [
            one
            for one in own
            if ask.station_id in {None, one.station_id}
            and ask.state in {None, one.state}
            and ask.is_live in {None, one.is_live}
            and (span is None or span.since is None or one.started_at >= span.since)
            and (span is None or span.until is None or one.started_at < span.until)
        ]

    def get(self, session_id: str, viewer: Viewer) -> SessionDetail:
        """See Sessions.get."""
        for owner, detail in self.house.held:
            if detail.session.session_id == session_id and viewer.user_id == owner:
                return detail
        raise NotFound(session_id)


@dataclass
class FakeAlerts:
    """See Alerts."""

    house: "FakeParts"

    def list(self, viewer: Viewer, *, status: str | None = None, **_: Any) -> AlertList:
        """See Alerts.list."""
        del viewer
        wanted = {"open", "acknowledged"} if status == "active" else {status}
        seen = [alert for alert in self.house.queue if alert.status in wanted]
        return AlertList(as_of=self.house.clock.now(), alerts=seen)

    def get(self, alert_id: str, viewer: Viewer) -> AlertDetail:
        """See Alerts.get: the log has who did the last thing."""
        del viewer
        alert = next((one for one in self.house.queue if one.alert_id == alert_id), None)
        if alert is None:
            raise NotFound(alert_id)
        actor = alert.resolved_by or alert.acknowledged_by or ""
        now = self.house.clock.now()
        log = [AlertLogView(at=now, what=alert.status, actor=actor, note="")]
        return AlertDetail(alert=alert, log=log)

    def acknowledge(
        self, alert_id: str, viewer: Viewer, *, note: str = "", version: int | None = None
    ) -> AlertView:
        """See Alerts.acknowledge."""
        del note
        now = self.house.clock.now()
        changes = {"status": "acknowledged", "acknowledged_by": viewer.user_id}
        return self._handle(alert_id, version, acknowledged_at=now, **changes)

    def resolve(
        self, alert_id: str, viewer: Viewer, *, note: str = "", version: int | None = None
    ) -> AlertView:
        """See Alerts.resolve."""
        del note
        now = self.house.clock.now()
        changes = {"status": "resolved", "resolved_by": viewer.user_id}
        return self._handle(alert_id, version, resolved_at=now, **changes)

    def _handle(self, alert_id: str, version: int | None, **changes: Any) -> AlertView:
        for index, alert in enumerate(self.house.queue):
            if alert.alert_id == alert_id:
                if version not in {None, alert.version}:
                    raise AlertAlreadyHandled(alert_id)
                after = replace(alert, version=alert.version + 1, **changes)
                self.house.queue[index] = after
                return after
        raise NotFound(alert_id)


@dataclass
class FakeCredentials:
    """See Credentials; the part of the address before the @ is the role."""

    house: "FakeParts"

    def log_in(self, attempt: Attempt, kind: CredentialKind, **_: Any) -> Issued:
        """See Credentials.log_in."""
        role, _at, host = attempt.email.partition("@")
        if role == "busy":
            raise TooManyAttempts
        if attempt.password != PASSWORD or host != "baywatt.example":
            raise WrongLogin
        now = self.house.clock.now()
        login = Login(
            credential_id=f"credential-of-{role}",
            kind=kind,
            viewer=Viewer(user_id=role, role=Role(role)),
            email=attempt.email,
            name=NAMES.get(role, "Alex Kerr"),
            expires_at=now + timedelta(hours=1),
        )
        secret = f"secret-of-{role}"
        self.house.secrets[secret] = login
        return Issued(secret=secret, login=login, issued_at=now)

    def resolve(self, secret: str) -> Login | None:
        """See Credentials.resolve."""
        return self.house.secrets.get(secret)

    def log_out(self, login: Login) -> None:
        """See Credentials.log_out."""
        kept = {s: one for s, one in self.house.secrets.items() if one != login}
        self.house.secrets = kept


@dataclass
class FakeChargers:
    """See Chargers."""

    house: "FakeParts"

    def get(self, charger_id: str, viewer: Viewer) -> ChargerDetail:
        """See Chargers.get."""
        del viewer
        now = self.house.clock.now()
        bays = [b for s in self.house.found for b in s.bays if b.charger_id == charger_id]
        if not bays:
            raise NotFound(charger_id)
        charger = ChargerView(
            charger_id=charger_id,
            station_id=bays[0].station_id,
            station_name=self.house.availability.station(bays[0].station_id).station.name,
            is_connected=bays[0].status != "UNKNOWN",
            connection_changed_at=now - timedelta(hours=5),
            heard_at=bays[0].heard_at,
            ocpp_version="2.0.1",
            security_profile=1,
            vendor="Alfen",
            model="Eve Double",
            serial="ACE0012345",
            firmware_version="6.4.0-4210",
            booted_at=now - timedelta(days=3),
            state="",
            error_code="",
            state_at=None,
            has_key=True,
        )
        return ChargerDetail(
            charger=charger,
            connectors=[_connector_state(bay, plug) for bay in bays for plug in bay.connectors],
            log=[_log_entry(now, number, *told) for number, told in enumerate(TOLD)],
            commands=self.house.commanded,
        )


@dataclass
class FakeInventories:
    """See Inventories."""

    house: "FakeParts"

    def items(self, charger_id: str, viewer: Viewer, *, limit: int = 50) -> InventoryList:
        """See Inventories.items."""
        del charger_id, viewer
        at = self.house.clock.now()
        items = [
            InventoryItem(kind=one[0], key=one[1], body=one[2], reported_at=at) for one in HELD
        ]
        return InventoryList(
            items=items[:limit], next_cursor="more" if self.house.holds_more else None
        )

    def jobs(self, charger_id: str, viewer: Viewer) -> JobList:
        """See Inventories.jobs."""
        del charger_id, viewer
        at = self.house.clock.now()
        return JobList(
            jobs=[
                JobView(
                    job=job,
                    request_id=number,
                    status=status,
                    is_over=status != "Downloading",
                    has_failed=status == "UploadFailure",
                    detail={},
                    started_at=at,
                    changed_at=at,
                )
                for number, (job, status) in enumerate(JOBS)
            ]
        )


HELD: list[tuple[str, str, dict[str, Any]]] = [
    ("certificate", "sha256:ab", {"certificateType": "CSMSRootCertificate", "hash": {"a": 1}}),
    ("variable", "OCPPCommCtrlr.HeartbeatInterval", {"value": "300"}),
    ("variable", "AuthCtrlr.Enabled", {"value": "true"}),
]
JOBS = [("firmware", "Downloading"), ("log", "UploadFailure"), ("report", "Done")]


TOLD: list[tuple[str, dict[str, Any]]] = [
    ("connector_state_reported", {"evse_id": 1, "connector_id": 1, "state": "charging"}),
    ("session_started", {"session_id": "5f0d8a6b", "token": "04E1"}),
    ("connector_state_reported", {"evse_id": 1, "connector_id": 1, "state": "preparing"}),
    ("authorization_decided", {"is_accepted": True, "decided_by": "plan"}),
    ("charger_booted", {"vendor": "Alfen", "model": "Eve Double"}),
]


def _log_entry(now: datetime, number: int, kind: str, body: dict[str, Any]) -> ChargerLogEntry:
    at = now - timedelta(seconds=20 * number)
    return ChargerLogEntry(kind=kind, observed_at=at, received_at=at, body={"kind": kind} | body)


def _connector_state(bay: BayView, plug: ConnectorView) -> ConnectorStateView:
    return ConnectorStateView(
        evse_id=bay.evse_id or 0,
        connector_id=plug.connector_id,
        standard=plug.standard,
        power_type=plug.power_type,
        max_power_w=plug.max_power_w,
        state=bay.witnesses[1].says,
        error_code="GroundFailure" if bay.status == "OUTOFORDER" else "",
        vendor_error_code="",
        info="",
        state_at=bay.since,
    )


@dataclass
class FakeParts:
    """See Parts. Whatever a test sets is what the pages show."""

    clock: Clock = field(default_factory=SystemClock)
    found: list[StationView] = field(default_factory=list)
    held: list[tuple[str, SessionDetail]] = field(default_factory=list)
    queue: list[AlertView] = field(default_factory=list)
    outbox: list[MailView] = field(default_factory=list)
    asked: list[commands.Request] = field(default_factory=list)
    secrets: dict[str, Login] = field(default_factory=dict)
    outcome: str = "accepted"
    commanded: list[CommandView] = field(default_factory=list)
    patience: timedelta | None = None
    """Of the last request."""
    holds_more: bool = False
    refusal: Refused | None = None
    booking_terms: Terms = TERMS
    taken: list[tuple[str, Window]] = field(default_factory=list)
    """What is booked by others: a bay, and when."""

    def __post_init__(self) -> None:
        self.availability = FakeAvailability(self)
        self.sessions = FakeSessions(self)
        self.alerts = FakeAlerts(self)
        self.credentials = FakeCredentials(self)
        self.chargers = FakeChargers(self)
        self.inventories = FakeInventories(self)
        self.fleet = FakeFleet(self)
        self.reservations = FakeReservations(self)
        self.otps = FakeCodes(self)
        self.payments = self.payment_methods = self.wallets = FakeMoney(self)
        self.pay = self.payments.pay
        self.receipts = FakeReceipts(self)
        self.offers = FakeOffers(self)
        self.waitlist = FakeWaitlist(self)
        self.notices = FakeInbox(self)
        self.calendar_feeds = FakeFeeds(self)

    def terms(self, station_id: str) -> Terms:
        """See Parts.terms."""
        self.availability.station(station_id)
        return self.booking_terms

    def runs(
        self, station_id: str, starts_at: datetime, ends_at: datetime
    ) -> Mapping[str, Sequence[RunView]]:
        """See Parts.runs."""
        station = self.availability.station(station_id).station
        return runs_of(station, Window(starts_at, ends_at), self.clock.now(), self.taken)

    def push_key(self, viewer: Viewer) -> str:
        """See Parts.push_key."""
        del viewer
        return ""

    @classmethod
    def dundee(cls, clock: Clock | None = None) -> "FakeParts":
        """Return six stations, a running charge, some faults and a mail."""
        parts = cls(clock=clock or SystemClock())
        now = parts.clock.now()
        for station_id, name, address, latitude, longitude, connectors, told in STATIONS:
            bays = [
                a_bay(station_id, number, situation, now, connectors)
                for number, situation in enumerate(told, 1)
            ]
            parts.found.append(
                a_station(
                    station_id,
                    bays,
                    now,
                    name=name,
                    address=address,
                    latitude=latitude,
                    longitude=longitude,
                )
            )
        live = a_session(now)
        last = a_curve(live)[-1]
        live = replace(live, energy_wh=last.energy_wh + 90, power_w=last.power_w)
        ended_at = now - timedelta(days=2)
        ended = a_session(
            now,
            session_id="0b6f5b1d2c3e4f5a8b7c6d5e4f3a2b1c",
            state="ended",
            is_live=False,
            started_at=ended_at - timedelta(minutes=41),
            ended_at=ended_at,
            end_reason="EVDisconnected",
            duration_s=41 * 60,
            energy_wh=23_410,
            cost_minor=585,
            soc_pct=None,
            power_w=None,
            expected_end_at=None,
        )
        parts.held = [
            ("driver", SessionDetail(session=live, samples=a_curve(live))),
            (
                "driver",
                SessionDetail(
                    session=ended,
                    samples=a_curve(ended),
                    co2=co2_view(Factors(), ended.energy_wh),
                ),
            ),
        ]
        some_bookings(parts)
        parts.queue = some_alerts(now)
        parts.outbox = [
            MailView(
                message_id="m1",
                channel="mail",
                attempts=1,
                last_error="",
                recipient="morag@baywatt.example",
                subject="Critical: ground failure at bay 3, Dundee Ice Arena",
                body="The charger measures current to earth.\n\nDo not touch the cable.",
                created_at=now - timedelta(minutes=6),
                sent_at=now - timedelta(minutes=6),
            )
        ]
        return parts

    def names(self, user_ids: Collection[str]) -> dict[str, str]:
        """See Parts.names."""
        return {user_id: NAMES[user_id] for user_id in user_ids if user_id in NAMES}

    def mailbox(self, limit: int) -> list[MailView]:
        """See Parts.mailbox."""
        return self.outbox[:limit]

    async def ask(
        self, viewer: Viewer, request: commands.Request, patience: timedelta | None = None
    ) -> CommandView:
        """See Ask."""
        self.asked.append(request)
        self.patience = patience
        if self.refusal is not None:
            raise self.refusal
        now = self.clock.now()
        command = CommandView(
            command_id="c1",
            station_id="dundee-greenmarket",
            charger_id=request.charger_id,
            kind=type(request).__struct_config__.tag,
            state=self.outcome,
            request=msgspec.to_builtins(request),
            answer={"status": self.outcome.capitalize()},
            issued_by=viewer.user_id,
            issued_at=now,
            expires_at=now + timedelta(seconds=30),
            answered_at=now,
            version=2,
        )
        self.commanded.insert(0, command)
        return command

    def log_request(
        self, viewer: Viewer, charger_id: str, log: commands.LogKind
    ) -> commands.Request:
        """See Parts.log_request."""
        del viewer
        location = "https://baywatt.example/uploads/secret-of-a-log"
        return commands.FetchLog(charger_id=charger_id, log=log, location=location, request_id=7)

    def log_files(self, viewer: Viewer, charger_id: str) -> list[LogFileView]:
        """See Parts.log_files."""
        del viewer
        now = self.clock.now()
        return [
            LogFileView(
                log_id=number,
                charger_id=charger_id,
                log="diagnostics",
                asked_at=now - age,
                expires_at=now - age + timedelta(hours=2),
                received_at=now - age if name else None,
                file_name=name,
                size_bytes=48_213 if name else 0,
            )
            for number, age, name in (
                (6, timedelta(minutes=3), ""),
                (5, timedelta(hours=4), "green-01.log"),
                (4, timedelta(days=2), ""),
            )
        ]

    def take_back(self, viewer: Viewer, command_id: str) -> CommandView:
        """See Parts.take_back."""
        del viewer
        if self.refusal is not None:
            raise self.refusal
        number = [one.command_id for one in self.commanded].index(command_id)
        self.commanded[number] = replace(self.commanded[number], state="cancelled")
        return self.commanded[number]

    def change_bay(self, bay_id: str, told: str, **changes: Any) -> BayView:
        """Put a bay into another situation, a moment ago; return how it is now seen."""
        now = self.clock.now()
        for index, station in enumerate(self.found):
            for bay in station.bays:
                if bay.bay_id == bay_id:
                    number = int(bay_id.rsplit("-", 1)[1])
                    fresh = a_bay(station.station_id, number, told, now, bay.connectors)
                    changed = replace(fresh, version=bay.version + 1, since=now, **changes)
                    bays = [changed if b.bay_id == bay_id else b for b in station.bays]
                    self.found[index] = a_station(
                        station.station_id,
                        bays,
                        now,
                        **{
                            name: getattr(station, name)
                            for name in ("name", "address", "latitude", "longitude")
                        },
                    )
                    return changed
        raise NotFound(bay_id)


def _matches(station: StationView, ask: StationQuery) -> bool:
    text = f"{station.name} {station.address} {station.city}".lower()
    fits = [
        b
        for b in station.bays
        for c in b.connectors
        if (not ask.standard or c.standard == ask.standard)
        and c.max_power_w >= (ask.min_power_w or 0)
    ]
    is_free = any(b.status == "AVAILABLE" for b in fits)
    return ask.text.lower() in text and bool(fits) and (is_free or not ask.free_now)


class FakeFeed:
    """Live events as the API sends them, to whoever listens on a path."""

    def __init__(self) -> None:
        self.listeners: list[tuple[str, asyncio.Queue[bytes | None]]] = []
        self.sent = 0
        self.resumed: list[str] = []

    def send(self, path: str, event: str, view: Any) -> None:
        """Send one event to all who listen on paths that start so."""
        self.sent += 1
        data = msgspec.json.encode(view).decode()
        block = f"id: fake-{self.sent}\nevent: {event}\ndata: {data}\n\n".encode()
        for listened, queue in self.listeners:
            if listened.startswith(path):
                queue.put_nowait(block)

    def hang_up(self) -> None:
        """End all streams."""
        for _, queue in self.listeners:
            queue.put_nowait(None)

    def answer(self, request: Request, first: tuple[str, Any] | None) -> StreamingResponse:
        """Answer with a stream: the first event unless resumed, then what is sent."""
        resumed = request.headers.get("last-event-id", "")
        if resumed:
            self.resumed.append(resumed)
        queue: asyncio.Queue[bytes | None] = asyncio.Queue()
        entry = (request.url.path, queue)

        async def blocks() -> AsyncIterator[bytes]:
            self.listeners.append(entry)
            try:
                yield b": hello\n\n"
                if first is not None:
                    data = msgspec.json.encode(first[1]).decode()
                    yield f"id: fake-{self.sent}\nevent: {first[0]}\ndata: {data}\n\n".encode()
                while (block := await queue.get()) is not None:
                    yield block
            finally:
                self.listeners.remove(entry)

        return StreamingResponse(blocks(), media_type="text/event-stream")


def app_of(parts: FakeParts, settings: Settings, feed: FakeFeed) -> FastAPI:
    """Return the pages, and beside them as much of the API's live feed as they use."""
    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/livez")
    def livez() -> JSONResponse:
        return JSONResponse({})

    @app.get("/api/v1/availability/events")
    async def area(request: Request) -> StreamingResponse:
        everything = StationList(as_of=parts.clock.now(), stations=parts.found)
        return feed.answer(request, ("snapshot", everything))

    @app.get("/api/v1/stations/{station_id}/events")
    async def station(request: Request, station_id: str) -> StreamingResponse:
        return feed.answer(request, ("snapshot", parts.availability.station(station_id)))

    @app.get("/api/v1/sessions/{session_id}/events")
    async def session(request: Request, session_id: str) -> Response:
        if request.cookies.get("baywatt", "") not in parts.secrets:
            return Response(status_code=401)
        found = [d.session for _, d in parts.held if d.session.session_id == session_id]
        return feed.answer(request, ("session", found[0]))

    @app.get("/api/v1/reservations/{reservation_id}/events")
    async def reservation(request: Request, reservation_id: str) -> Response:
        if request.cookies.get("baywatt", "") not in parts.secrets:
            return Response(status_code=401)
        return feed.answer(request, ("reservation", parts.reservations.kept[reservation_id]))

    @app.get("/api/v1/alerts/events")
    async def alerts(request: Request) -> StreamingResponse:
        return feed.answer(request, None)

    app.include_router(pages(parts, settings))
    shown = error_pages(parts, settings)

    @app.exception_handler(404)
    def not_found(request: Request, error: Exception) -> Any:
        del error
        return shown(request, 404, "not_found", "")

    return app


async def keep_alive(parts: FakeParts, feed: FakeFeed, every_s: float = 5) -> None:
    """Have every station but the silent one heard, as its agent's beats do."""
    while True:
        now = parts.clock.now()
        for index, station in enumerate(parts.found):
            if station.statuses.get("UNKNOWN") == station.bays_total:
                continue
            until = now + timedelta(seconds=90)
            bays = [replace(bay, heard_at=now, valid_until=until) for bay in station.bays]
            parts.found[index] = replace(station, heard_at=now, bays=bays)
            heard = HeardView(station_id=station.station_id, heard_at=now, valid_until=until)
            feed.send("/api/v1/availability", "heard", heard)
            feed.send(f"/api/v1/stations/{station.station_id}/", "heard", heard)
        await asyncio.sleep(every_s)


async def charge(parts: FakeParts, feed: FakeFeed, every_s: float = 2) -> None:
    """Let the running session go on."""
    while True:
        owner, detail = parts.held[0]
        now = parts.clock.now()
        live = detail.session
        session = replace(
            live,
            energy_wh=live.energy_wh + int((live.power_w or 0) * every_s / 3600),
            cost_minor=(live.energy_wh * 25 + 500) // 1000,
            power_w=max(7_000.0, (live.power_w or 0) - 15),
            duration_s=int((now - live.started_at).total_seconds()),
            sampled_at=now,
            as_of=now,
            version=live.version + 1,
        )
        parts.held[0] = (owner, replace(detail, session=session))
        feed.send(f"/api/v1/sessions/{session.session_id}/", "session", session)
        await asyncio.sleep(every_s)


class House:
    """The pages and the fake feed behind them, served on a port from a thread of their own."""

    def __init__(self, parts: FakeParts | None = None, port: int = 0, **settings: Any) -> None:
        self.parts = parts or FakeParts.dundee()
        self.feed = FakeFeed()
        self.port = port
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Serve; returns once connections are taken, on the same port as before if there was one."""
        self.port = self.port or free_port()
        listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        settings = Settings(public_url=self.url, _env_file=None, **self._settings)
        app = app_of(self.parts, settings, self.feed)
        config = uvicorn.Config(
            app, log_level="error", timeout_graceful_shutdown=1, lifespan="off", ws="none"
        )
        self._server = uvicorn.Server(config)
        ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(listener, ready), daemon=True)
        self._thread.start()
        ready.wait(60)

    def stop(self) -> None:
        """End all streams and stop."""
        if self._server is None or self._thread is None:
            return
        self.call(self.feed.hang_up)
        self._server.should_exit = True
        self._thread.join(60)

    def call(self, act: Callable[..., Any], *args: Any) -> Any:
        """Do something in the server's loop."""
        assert self._loop is not None

        async def acting() -> Any:
            return act(*args)

        return asyncio.run_coroutine_threadsafe(acting(), self._loop).result(60)

    def send(self, path: str, event: str, view: Any) -> None:
        """Send an event to those who listen there."""
        self.call(self.feed.send, path, event, view)

    def send_all(self, path: str, events: Sequence[tuple[str, Any]]) -> None:
        """Send events, one right after the other, to those who listen there."""
        self.call(lambda: [self.feed.send(path, event, view) for event, view in events])

    def change_reservation(self, reservation_id: str, **changes: Any) -> ReservationView:
        """Let something happen to a reservation and tell its driver."""
        changed = self.parts.reservations.change_to(reservation_id, **changes)
        told = replace(changed, server_now=self.parts.clock.now())
        self.send(f"/api/v1/reservations/{reservation_id}/", "reservation", told)
        return changed

    def change_bay(self, bay_id: str, told: str, **changes: Any) -> BayView:
        """Put a bay into another situation and tell everyone."""
        bay = self.parts.change_bay(bay_id, told, **changes)
        self.send("/api/v1/availability", "bay", bay)
        self.send(f"/api/v1/stations/{bay.station_id}/", "bay", bay)
        return bay

    def _run(self, listener: socket.socket, ready: threading.Event) -> None:
        async def serving() -> None:
            assert self._server is not None
            self._loop = asyncio.get_running_loop()
            self._loop.call_soon(ready.set)
            await self._server.serve(sockets=[listener])

        with asyncio.Runner() as runner:
            runner.run(serving())


async def look(port: int) -> None:
    """Serve the fakes with stations that live and a session that charges, for a person to look at."""
    parts, feed = FakeParts.dundee(), FakeFeed()
    settings = Settings(show_mailbox=True, public_url=f"http://127.0.0.1:{port}")
    config = uvicorn.Config(
        app_of(parts, settings, feed),
        port=port,
        log_level="warning",
        timeout_graceful_shutdown=1,
        lifespan="off",
    )
    async with asyncio.TaskGroup() as group:
        beats = group.create_task(keep_alive(parts, feed))
        charging = group.create_task(charge(parts, feed))
        await uvicorn.Server(config).serve()
        beats.cancel()
        charging.cancel()


if __name__ == "__main__":
    asyncio.run(look(int(sys.argv[1])))
