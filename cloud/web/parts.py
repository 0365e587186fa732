"""What the pages need of the services, as seen from here; and who reads them."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from fastapi import Request as HttpRequest
from starlette.concurrency import run_in_threadpool

from cloud.api.commands import DEFAULT_TIMEOUT_S, Waiting, answered
from cloud.api.container import Services
from cloud.api.payments import outcome
from cloud.domain.access import Role, Viewer
from cloud.domain.terms import Terms
from cloud.live import LiveHub
from cloud.services.admin_ports import CredentialKind, Login
from cloud.services.alert_views import AlertDetail, AlertList, AlertView
from cloud.services.availability import StationQuery
from cloud.services.calendars import RunView
from cloud.services.charger_views import ChargerDetail
from cloud.services.command_views import CommandView
from cloud.services.commands import Lifetime
from cloud.services.credentials import Attempt, Issued
from cloud.services.history_views import SessionStation, SessionTotals
from cloud.services.idempotency import Once
from cloud.services.inventory_views import InventoryList
from cloud.services.job_views import JobList
from cloud.services.log_file_ports import LogFileView
from cloud.services.messages import MailView
from cloud.services.payments import PayBy, PaymentView
from cloud.services.session_asks import SessionAsk
from cloud.services.session_views import SessionDetail, SessionList
from cloud.services.station_views import StationDetail, StationList, StationPoint
from cloud.web import driver_parts, staff_parts
from contracts.clock import Clock
from contracts.commands import FetchLog, LogKind, Request


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody signed in who looks at a page."""

    login: Login

    @property
    def viewer(self) -> Viewer:
        """As the use cases know them."""
        return self.login.viewer

    @property
    def role(self) -> Role:
        """What they are here for."""
        return self.login.viewer.role

    @property
    def may_see_faults(self) -> bool:
        """Whether they see the fault queue; owners see their own stations' part of it."""
        return self.viewer.is_staff or self.role is Role.OWNER


class Availability(Protocol):
    """See AvailabilityService."""

    def stations_near(self, query: StationQuery) -> StationList:
        """Return the stations asked for."""
        ...

    def stations(self, station_ids: Sequence[str]) -> list[StationDetail]:
        """Return these stations, in this order."""
        ...

    def points(self, query: StationQuery) -> list[StationPoint]:
        """Return all stations that match, for a map."""
        ...

    def station(self, station_id: str) -> StationDetail:
        """Return one station."""
        ...


class Sessions(Protocol):
    """See SessionService."""

    def list(
        self,
        viewer: Viewer,
        ask: SessionAsk = ...,
        *,
        limit: int = 50,
        cursor: str | None = None,
    ) -> SessionList:
        """Return the viewer's sessions, newest first."""
        ...

    def totals(self, viewer: Viewer, ask: SessionAsk = ...) -> SessionTotals:
        """Return what all of them come to."""
        ...

    def stations(self, viewer: Viewer) -> Sequence[SessionStation]:
        """Return where they were, by name."""
        ...

    def get(self, session_id: str, viewer: Viewer) -> SessionDetail:
        """Return one with its curve."""
        ...


class Alerts(Protocol):
    """See AlertService."""

    def list(
        self,
        viewer: Viewer,
        *,
        status: str | None = None,
        station_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> AlertList:
        """Return alerts, newest first."""
        ...

    def get(self, alert_id: str, viewer: Viewer) -> AlertDetail:
        """Return one with its log."""
        ...

    def acknowledge(
        self, alert_id: str, viewer: Viewer, *, note: str = "", version: int | None = None
    ) -> AlertView:
        """Say that somebody sees to it."""
        ...

    def resolve(
        self, alert_id: str, viewer: Viewer, *, note: str = "", version: int | None = None
    ) -> AlertView:
        """Say that it is over."""
        ...


class Credentials(Protocol):
    """See CredentialService."""

    def log_in(
        self,
        attempt: Attempt,
        kind: CredentialKind,
        *,
        label: str = "",
        lasts: timedelta | None = None,
    ) -> Issued:
        """Begin a browser session."""
        ...

    def resolve(self, secret: str) -> Login | None:
        """Return whose it is."""
        ...

    def log_out(self, login: Login) -> None:
        """End it."""
        ...


class Chargers(Protocol):
    """Chargers as maintenance sees them."""

    def get(self, charger_id: str, viewer: Viewer) -> ChargerDetail:
        """Return one with what it told lately."""
        ...


class Inventories(Protocol):
    """See InventoryService."""

    def items(self, charger_id: str, viewer: Viewer, *, limit: int = 50) -> InventoryList:
        """Return the first of what a charger holds."""
        ...

    def jobs(self, charger_id: str, viewer: Viewer) -> JobList:
        """Return what a charger is at."""
        ...


class Ask(Protocol):
    """Sends a request to a charger."""

    async def __call__(
        self, viewer: Viewer, request: Request, patience: timedelta | None = None
    ) -> CommandView:
        """Send it, and wait a while for how it ends; patient, it waits for a charger that is away."""
        ...


class Parts(Protocol):
    """The services behind the pages; those that only drivers' pages need, see driver_parts.py."""

    @property
    def clock(self) -> Clock:
        """What time it is."""
        ...

    @property
    def availability(self) -> Availability:
        """Stations and bays."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Charges."""
        ...

    @property
    def alerts(self) -> Alerts:
        """Faults."""
        ...

    @property
    def credentials(self) -> Credentials:
        """Who is who."""
        ...

    @property
    def chargers(self) -> Chargers:
        """Chargers."""
        ...

    @property
    def mailbox(self) -> Callable[[int], list[MailView]]:
        """How to read the newest messages, so many."""
        ...

    def names(self, user_ids: Collection[str]) -> dict[str, str]:
        """Return what users are called, those there are."""
        ...

    @property
    def inventories(self) -> Inventories:
        """What chargers hold and are at."""
        ...

    @property
    def ask(self) -> Ask:
        """How to reach a charger."""
        ...

    def take_back(self, viewer: Viewer, command_id: str) -> CommandView:
        """Take back what waits for its charger."""
        ...

    def log_request(self, viewer: Viewer, charger_id: str, log: LogKind) -> Request:
        """Return the request for a log, after making room for it."""
        ...

    def log_files(self, viewer: Viewer, charger_id: str) -> Sequence[LogFileView]:
        """Return the logs a charger was asked for, newest first."""
        ...

    @property
    def fleet(self) -> staff_parts.Fleet:
        """Requests to many chargers."""
        ...

    @property
    def reservations(self) -> driver_parts.Reservations:
        """Promises of bays."""
        ...

    @property
    def otps(self) -> driver_parts.Codes:
        """One-time codes."""
        ...

    @property
    def payments(self) -> driver_parts.Payments:
        """What was paid for them."""
        ...

    @property
    def pay(self) -> driver_parts.Pay:
        """How to pay."""
        ...

    @property
    def payment_methods(self) -> driver_parts.Cards:
        """Saved cards."""
        ...

    @property
    def wallets(self) -> driver_parts.Wallets:
        """What was paid in."""
        ...

    @property
    def receipts(self) -> driver_parts.Receipts:
        """What was paid for."""
        ...

    @property
    def offers(self) -> driver_parts.Offers:
        """What there is instead."""
        ...

    @property
    def waitlist(self) -> driver_parts.Waitlist:
        """Who waits for what."""
        ...

    @property
    def notices(self) -> driver_parts.Inbox:
        """What people were told."""
        ...

    @property
    def calendar_feeds(self) -> driver_parts.CalendarFeeds:
        """Addresses for calendar programs."""
        ...

    def terms(self, station_id: str) -> Terms:
        """Return on which terms a station is booked."""
        ...

    def runs(
        self, station_id: str, starts_at: datetime, ends_at: datetime
    ) -> Mapping[str, Sequence[RunView]]:
        """Return what is free of each bay of a station, in a range on quarter hours."""
        ...

    def push_key(self, viewer: Viewer) -> str:
        """Return the key with which a browser asks to be told."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceParts:
    """The services as wiring has them. See Parts."""

    services: Services
    hub: LiveHub
    mailbox: Callable[[int], list[MailView]]

    @property
    def clock(self) -> Clock:
        """See Parts.clock."""
        return self.services.clock

    @property
    def availability(self) -> Availability:
        """See Parts.availability."""
        return self.services.availability

    @property
    def sessions(self) -> Sessions:
        """See Parts.sessions."""
        return self.services.sessions

    @property
    def alerts(self) -> Alerts:
        """See Parts.alerts."""
        return self.services.alerts

    @property
    def credentials(self) -> Credentials:
        """See Parts.credentials."""
        return self.services.credentials

    @property
    def chargers(self) -> Chargers:
        """See Parts.chargers."""
        return self.services.chargers

    def names(self, user_ids: Collection[str]) -> dict[str, str]:
        """See Parts.names."""
        return self.services.accounts.names(user_ids)

    @property
    def inventories(self) -> Inventories:
        """See Parts.inventories."""
        return self.services.inventories

    async def ask(
        self, viewer: Viewer, request: Request, patience: timedelta | None = None
    ) -> CommandView:
        """See Ask."""
        waiting = Waiting(self.services, self.hub)
        lifetime = Lifetime(timedelta(seconds=DEFAULT_TIMEOUT_S), patience)
        return await answered(waiting, viewer, request, lifetime)

    def take_back(self, viewer: Viewer, command_id: str) -> CommandView:
        """See Parts.take_back."""
        return self.services.commands.cancel(viewer, command_id)

    def log_request(self, viewer: Viewer, charger_id: str, log: LogKind) -> Request:
        """See Parts.log_request."""
        made, location = self.services.log_files.expect(viewer, charger_id, log)
        return FetchLog(charger_id=charger_id, log=log, location=location, request_id=made.log_id)

    def log_files(self, viewer: Viewer, charger_id: str) -> Sequence[LogFileView]:
        """See Parts.log_files."""
        return self.services.log_files.of_charger(viewer, charger_id).logs

    @property
    def fleet(self) -> staff_parts.Fleet:
        """See Parts.fleet."""
        return self.services.fleet

    @property
    def reservations(self) -> driver_parts.Reservations:
        """See Parts.reservations."""
        return self.services.reservations

    @property
    def otps(self) -> driver_parts.Codes:
        """See Parts.otps."""
        return self.services.otps

    @property
    def payments(self) -> driver_parts.Payments:
        """See Parts.payments."""
        return self.services.payments

    @property
    def payment_methods(self) -> driver_parts.Cards:
        """See Parts.payment_methods."""
        return self.services.payment_methods

    @property
    def wallets(self) -> driver_parts.Wallets:
        """See Parts.wallets."""
        return self.services.wallets

    @property
    def receipts(self) -> driver_parts.Receipts:
        """See Parts.receipts."""
        return self.services.receipts

    @property
    def offers(self) -> driver_parts.Offers:
        """See Parts.offers."""
        return self.services.offers

    @property
    def waitlist(self) -> driver_parts.Waitlist:
        """See Parts.waitlist."""
        return self.services.waitlist

    @property
    def notices(self) -> driver_parts.Inbox:
        """See Parts.notices."""
        return self.services.notices

    @property
    def calendar_feeds(self) -> driver_parts.CalendarFeeds:
        """See Parts.calendar_feeds."""
        return self.services.calendar_feeds

    async def pay(
        self,
        request: HttpRequest,
        viewer: Viewer,
        reservation_id: str,
        by: PayBy,
        once: Once | None = None,
    ) -> PaymentView:
        """See Pay."""
        payments = self.services.payments
        started = await run_in_threadpool(
            payments.pay_reservation, viewer, reservation_id, by, once
        )
        return await outcome(request, viewer, started.payment_id)

    def terms(self, station_id: str) -> Terms:
        """See Parts.terms."""
        return self.services.terms.get(station_id).terms

    def runs(
        self, station_id: str, starts_at: datetime, ends_at: datetime
    ) -> Mapping[str, Sequence[RunView]]:
        """See Parts.runs."""
        seen = self.services.calendars.station(station_id, starts_at, ends_at)
        return {one.bay_id: one.runs for one in seen.bays}

    def push_key(self, viewer: Viewer) -> str:
        """See Parts.push_key."""
        return self.services.push_subscriptions.list(viewer).public_key
