"""A house with an API: a real database file, real services, a clock that stands still."""

import asyncio
import atexit
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from os import getpid
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

import msgspec
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient, Response
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Engine, insert

from cloud.adapters.log_shelf import FolderShelf
from cloud.adapters.passwords import ArgonPasswords
from cloud.adapters.payments.sandbox import Faults, SandboxGateway
from cloud.adapters.payments.sandbox_bank import SandboxBank
from cloud.adapters.sql import tables
from cloud.adapters.sql.unit_of_work import SqlUnitOfWork, work_opener
from cloud.adapters.throttle import LoginThrottle
from cloud.api.app import create_app
from cloud.api.container import Services
from cloud.api.streams import Streams
from cloud.domain.access import Role, Viewer
from cloud.domain.bill_lines import Kind, Line
from cloud.domain.billing import simple_id
from cloud.domain.policy import Policy
from cloud.live import LiveHub
from cloud.services.accounts import AccountService, NewUser, UserView
from cloud.services.admin_ports import CredentialKind
from cloud.services.advancing import Advancer
from cloud.services.alerting import Alerting
from cloud.services.alerts import AlertService
from cloud.services.availability import AvailabilityService
from cloud.services.billing import BillingService, QuoteService
from cloud.services.calendar_feeds import CalendarFeedService
from cloud.services.calendars import CalendarService
from cloud.services.cashier import CashierService
from cloud.services.certificates import CertificateService
from cloud.services.changing import Changer
from cloud.services.chargers import ChargerService
from cloud.services.commands import CommandService
from cloud.services.credentials import Attempt, CredentialService
from cloud.services.finding import FindingService
from cloud.services.fleet import FleetService
from cloud.services.holding import Holder
from cloud.services.inventories import InventoryService
from cloud.services.key_rotations import KeyMaker, KeyRotationService
from cloud.services.ledger import LedgerService
from cloud.services.local_lists import LocalListService
from cloud.services.log_files import LogFileService
from cloud.services.messages import MessageService
from cloud.services.notices import Notices, NoticeService
from cloud.services.offers import OfferService
from cloud.services.otps import Otps, OtpService
from cloud.services.payment_methods import PaymentMethodService
from cloud.services.payments import PaymentService
from cloud.services.publishing import Publisher
from cloud.services.push_subscriptions import PushSubscriptionService
from cloud.services.receipt_views import ReceiptBody
from cloud.services.receipts import ReceiptService
from cloud.services.reservations import ReservationService
from cloud.services.searches import SearchService
from cloud.services.series import SeriesService
from cloud.services.sessions import SessionService
from cloud.services.shelf import TariffShelf
from cloud.services.stations_admin import StationAdminService
from cloud.services.subscriptions import SubscriptionMonths, SubscriptionService
from cloud.services.tariffs import TariffService
from cloud.services.terms import TermsService
from cloud.services.till import TillService
from cloud.services.tokens import TokenService
from cloud.services.waitlist import Queue, Taker, WaitlistService
from cloud.services.wallets import WalletService
from cloud.services.webhook_endpoints import WebhookEndpointService
from cloud.services.withdrawals import Withdrawals
from cloud.settings import Settings
from tests.cloud.api.fakes import CountingBrokerUsers, NoAuthority, RememberingBroker, StillClock
from tests.support.engines import quick_engine

PASSWORD = "correct horse battery"
HOST = "http://testserver"
_LOGS = Path(gettempdir()) / f"baywatt-logs-{getpid()}"

V1 = "/api/v1"


def quick_passwords() -> ArgonPasswords:
    """The real thing, but not slow."""
    return ArgonPasswords(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1))


PASSWORDS = quick_passwords()
DEFAULTS = Settings(public_url=HOST)


class Client:
    """An HTTP client for tests that are no coroutines; may be used by several threads."""

    def __init__(self, app: FastAPI):
        transport = ASGITransport(app, raise_app_exceptions=False)
        self._client = AsyncClient(transport=transport, base_url=HOST)
        self.headers, self.cookies = self._client.headers, self._client.cookies
        for method in ("get", "post", "put", "patch", "delete"):
            setattr(self, method, partial(self.request, method.upper()))

    def request(self, method, path, **kwargs) -> Response:
        asking = self._client.request(method, path, **kwargs)
        return asyncio.run_coroutine_threadsafe(asking, _loop()).result(timeout=30)


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """Return a loop all clients share: a new one for each request takes longer than the request."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="http clients", daemon=True).start()
    return loop


@dataclass
class House:
    """What a test needs of it."""

    engine: Engine
    settings: Settings
    services: Services
    hub: LiveHub
    app: FastAPI
    clock: StillClock
    broker: RememberingBroker
    broker_users: CountingBrokerUsers
    users: dict[str, UserView] = field(default_factory=dict)

    def add_user(self, name: str, role: Role) -> UserView:
        """Make a user who logs in by `name` and PASSWORD."""
        new = NewUser(email=f"{name}@example.org", name=name, role=role, password=PASSWORD)
        self.users[name] = self.services.accounts.create(new)
        return self.users[name]

    def open_work(self) -> SqlUnitOfWork:
        """Open a transaction beside the API's."""
        return SqlUnitOfWork(self.engine)

    def token(self, name: str) -> str:
        """Log a user in as a program would."""
        origin = f"program {uuid4()}"  # nobody is throttled for what other tests did
        attempt = Attempt(email=f"{name}@example.org", password=PASSWORD, origin=origin)
        return self.services.credentials.log_in(attempt, CredentialKind.BEARER).secret

    def client(self, name: str | None = None) -> Client:
        """Return a client; with a name, that user's bearer token on every request."""
        client = Client(self.app)
        if name:
            client.headers["Authorization"] = f"Bearer {self.token(name)}"
        return client

    def put(self, table, *rows) -> None:
        """Write rows as they would be after some time of operation."""
        with self.engine.begin() as connection:
            connection.execute(insert(table), list(rows))


@contextmanager
def a_house(database: Path | str, app: FastAPI | None = None, **settings) -> Iterator[House]:
    """Build it on a furnished database, a file or an address.

    An app built before may be moved into it.
    """
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    engine = quick_engine(url)
    clock, broker, broker_users = StillClock(), RememberingBroker(), CountingBrokerUsers()
    services = _services(work_opener(engine), clock, broker, broker_users)
    chosen = DEFAULTS if not settings else Settings(**settings)
    hub = LiveHub()
    app = app or create_app(services, hub, chosen)
    app.state.services, app.state.hub = services, hub
    app.state.streams = Streams(hub, services.credentials)
    house = House(engine, chosen, services, hub, app, clock, broker, broker_users)
    listed = services.accounts.list(Viewer("test", Role.ADMIN))
    house.users = {user.name: user for user in listed.users}
    yield house
    engine.dispose()


def furnish_with_users(database: Path | str) -> None:
    """Put one user of each role into a migrated database, and two of some."""
    with a_house(database) as house:
        for name, role in USERS.items():
            house.add_user(name, role)


def _services(open_work, clock, broker, broker_users) -> Services:
    passwords = PASSWORDS
    availability = AvailabilityService(open_work, clock, Policy())
    publisher = Publisher(open_work, availability, broker)
    return Services(
        clock=clock,
        accounts=AccountService(open_work, passwords, clock),
        credentials=CredentialService(open_work, passwords, LoginThrottle(), clock),
        tokens=TokenService(open_work, clock),
        stations_admin=StationAdminService(open_work, broker_users, clock),
        commands=CommandService(open_work, broker, clock, timedelta(seconds=80)),
        fleet=FleetService(open_work, clock, timedelta(seconds=80)),
        availability=availability,
        sessions=SessionService(open_work, clock),
        alerts=AlertService(open_work, clock, publisher),
        chargers=ChargerService(open_work),
        local_lists=LocalListService(open_work, clock),
        key_rotations=KeyRotationService(
            open_work, clock, KeyMaker(b"secret"), Policy().stale_after, Alerting(Policy())
        ),
        certificates=CertificateService(open_work, clock, NoAuthority()),
        inventories=InventoryService(open_work),
        log_files=LogFileService(open_work, clock, FolderShelf(_LOGS), HOST),
        tariffs=TariffService(open_work, clock, TariffShelf()),
        receipts=ReceiptService(open_work),
        **_bookings(open_work, clock, publisher),
        notices=NoticeService(open_work, clock, Notices(HOST)),
        push_subscriptions=PushSubscriptionService(open_work, clock, "BKey"),
        webhook_endpoints=WebhookEndpointService(open_work, clock),
        calendar_feeds=CalendarFeedService(open_work, clock, HOST),
        messages=MessageService(open_work, clock, {}),
        is_ready=lambda: True,
    )


@cache
def _bank() -> SandboxBank:
    """Return the sandbox's books of all houses here: cards and keys are not theirs to mix up."""
    folder = tempfile.TemporaryDirectory(prefix="baywatt-bank-")
    atexit.register(folder.cleanup)
    return SandboxBank(Path(folder.name) / "bank.db", is_hasty=True)


def _bookings(open_work, clock, publisher) -> dict[str, Any]:
    shelf, telling = TariffShelf(), Notices(HOST)
    till = TillService(lambda: advancer, SubscriptionMonths(telling), telling)
    quoting = QuoteService(shelf)
    finding = FindingService(Policy(), quoting)
    queue = Queue(finding=finding, telling=telling)
    advancer = Advancer(
        settling=BillingService(till, telling, shelf), waiting=queue, telling=telling
    )
    otps = Otps(b"key of codes")
    holder = Holder(quoting=quoting, codes=otps, advancer=advancer)
    taker = Taker(holder, finding)
    known = {
        "open_work": open_work,
        "clock": clock,
        "publisher": publisher,
        "holder": holder,
        "finding": finding,
    }
    changer = Changer(quoting=quoting, advancer=advancer)
    gateway = SandboxGateway(_bank(), Faults())
    provider = gateway.provider
    return {
        "payments": PaymentService(open_work, clock, till, publisher, provider),
        "payment_methods": PaymentMethodService(open_work, clock, gateway),
        "cashier": CashierService(open_work, clock, {provider: gateway}, till, publisher, Policy()),
        "wallets": WalletService(open_work, clock, till, provider),
        "subscriptions": SubscriptionService(open_work, clock, till, provider),
        "ledger": LedgerService(open_work),
        "reservations": ReservationService(**known, changer=changer, advancer=advancer),
        "series": SeriesService(**known),
        "offers": OfferService(
            open_work=open_work,
            clock=clock,
            publisher=publisher,
            advancer=advancer,
            finding=known["finding"],
            quoting=quoting,
            telling=telling,
            taking=taker,
        ),
        "otps": OtpService(
            open_work=open_work,
            clock=clock,
            otps=otps,
            advancing=advancer,
            publisher=publisher,
        ),
        "searches": SearchService(open_work, clock, Policy(), quoting),
        "calendars": CalendarService(open_work, clock, Policy()),
        "waitlist": WaitlistService(
            open_work=open_work, clock=clock, publisher=publisher, queue=queue, taker=taker
        ),
        "terms": TermsService(open_work, clock, Withdrawals(advancer), publisher),
    }


USERS = {
    "driver": Role.DRIVER,
    "stranger": Role.DRIVER,
    "owner": Role.OWNER,
    "rival": Role.OWNER,
    "maintenance": Role.MAINTENANCE,
    "admin": Role.ADMIN,
}


def station_row(house: House, station_id: str = "greenmarket", **values):
    """A station of the owner's, heard of just now."""
    return {
        "id": station_id,
        "name": station_id.title(),
        "latitude": 56.45,
        "longitude": -2.97,
        "created_at": house.clock.now(),
        "owner_id": house.users["owner"].user_id,
        **values,
    }


def charger_row(station_id: str = "greenmarket", charger_id: str = "GREEN-1", **values):
    """A charger that is connected."""
    return {"id": charger_id, "station_id": station_id, "is_connected": True, **values}


def add_charger(house: House, station_id: str = "greenmarket", charger_id: str = "GREEN-1") -> None:
    """A station with one connected charger and a bay."""
    house.put(tables.stations, station_row(house, station_id))
    house.put(
        tables.station_links,
        {"station_id": station_id, "heard_at": house.clock.now(), "is_silent": False},
    )
    house.put(tables.chargers, charger_row(station_id, charger_id))
    house.put(
        tables.bays,
        {
            "id": f"{station_id}-1",
            "station_id": station_id,
            "name": "1",
            "charger_id": charger_id,
            "evse_id": 1,
        },
    )


def reservation_row(house: House, reservation_id: str = "reservation-1", **values):
    """A driver's booking at the owner's station, from three to four."""
    now = house.clock.now()
    return {
        "id": reservation_id,
        "number": 1,
        "station_id": "greenmarket",
        "bay_id": "greenmarket-1",
        "user_id": house.users["driver"].user_id,
        "token": "ada",
        "starts_at": now + timedelta(hours=3),
        "ends_at": now + timedelta(hours=4),
        "status": "booked",
        "status_at": now,
        "tariff_id": simple_id("GBP", 50),
        "currency": "GBP",
        "terms": {},
        "created_at": now,
        **values,
    }


def receipt_row(house: House, receipt_id: str = "receipt-1", **values):
    """A driver's receipt at the owner's station: 10 kWh at 0.60 with a fifth of tax in it."""
    now = house.clock.now()
    line = Line(
        kind=Kind.ENERGY,
        quantity=10_000,
        price_e4=6_000,
        vat_ppm=200_000,
        net_minor=500,
        gross_minor=600,
    )
    body = ReceiptBody(
        station_name="Greenmarket",
        operator="Dundee City Council",
        address="Greenmarket 1",
        city="Dundee",
        country="GB",
        timezone="Europe/London",
        bay_name="Bay 1",
        driver_name="driver",
        driver_email="driver@example.org",
        status="FULFILLED",
        starts_at=now,
        ends_at=now,
        tariff_id="tariff-1.1",
        lines=[line],
        net_minor=500,
        total_minor=600,
        started_at=now,
        ended_at=now,
        energy_wh=10_000,
        charging_s=1_800,
    )
    return {
        "id": receipt_id,
        "number": f"greenmarket-{receipt_id}",
        "seq": 1,
        "reservation_id": f"of-{receipt_id}",
        "user_id": house.users["driver"].user_id,
        "station_id": "greenmarket",
        "currency": "GBP",
        "total_minor": 600,
        "body": msgspec.to_builtins(body),
        "created_at": now,
        **values,
    }
