"""What the use cases need of the outside: the database, the clock, the broker, the mail.

A use case opens one unit of work, and nothing it did holds until `commit()`:

    with self.open_work() as work:
        work.stations.add(station)
        work.commit()

Repositories hang on the unit of work by their noun. Those of accounts and administration are said
in `admin_ports.py` and listed here.
"""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from cloud.services.admin_ports import (
    Accounts,
    Chargers,
    ChargingTokens,
    Commands,
    Credentials,
    Idempotency,
    StationsAdmin,
)
from cloud.services.billing_ports import Receipts
from cloud.services.booking_ports import (
    DriverTurns,
    Findable,
    Offers,
    Otps,
    Reservations,
    TermsStore,
    Waitlist,
)
from cloud.services.fact_ports import (
    Alerts,
    Bays,
    Deadlines,
    EventLog,
    Links,
    Messages,
    Plans,
    Sessions,
    Stations,
    TelemetryOutbox,
)
from cloud.services.fleet_ports import FleetCommands
from cloud.services.inventory_ports import Inventory, Jobs, LocalLists, SignedReadings
from cloud.services.log_file_ports import LogFiles
from cloud.services.money_ports import (
    GatewayEvents,
    Ledger,
    PaymentMethods,
    Payments,
    Subscriptions,
    Tariffs,
    Wallets,
)
from cloud.services.notice_ports import (
    CalendarFeeds,
    Notices,
    PushSubscriptions,
    WebhookEndpoints,
)
from cloud.services.security_ports import Certificates, KeyRotations
from contracts.clock import Clock

__all__ = ["Clock", "DatabaseAway", "OpenWork", "TransactionLost", "UnitOfWork", "Unstorable"]


class TransactionLost(Exception):
    """The database undid this transaction for the sake of another; the whole may be tried again.

    (MySQL 1213 and 1205, a connection that died in it (2006, 2013), SQLite busy, or a conditional
    statement that found what it read changed.)
    """


class DatabaseAway(Exception):
    """The database does not answer; nothing is known of the transaction's fate."""


class Unstorable(ValueError):
    """The database refuses a value for ever: too long, out of range, not of the column's letters."""


class UnitOfWork(Protocol):
    """One transaction; leaving it without `commit` undoes everything."""

    @property
    def accounts(self) -> Accounts:
        """Users."""
        ...

    @property
    def credentials(self) -> Credentials:
        """Logins."""
        ...

    @property
    def charging_tokens(self) -> ChargingTokens:
        """What drivers show to chargers."""
        ...

    @property
    def stations_admin(self) -> StationsAdmin:
        """Stations and chargers, as they are set up."""
        ...

    @property
    def chargers(self) -> Chargers:
        """Chargers, to be read."""
        ...

    @property
    def inventory(self) -> Inventory:
        """What chargers hold."""
        ...

    @property
    def signed_readings(self) -> SignedReadings:
        """What meters signed."""
        ...

    @property
    def jobs(self) -> Jobs:
        """What chargers do for a while."""
        ...

    @property
    def commands(self) -> Commands:
        """Commands to stations."""
        ...

    @property
    def fleet_commands(self) -> FleetCommands:
        """Requests to many chargers, in waves."""
        ...

    @property
    def idempotency(self) -> Idempotency:
        """Requests that were carried out."""
        ...

    @property
    def stations(self) -> Stations:
        """Stations, to be read."""
        ...

    @property
    def links(self) -> Links:
        """How far stations' words have come."""
        ...

    @property
    def bays(self) -> Bays:
        """Bays and all equipment."""
        ...

    @property
    def sessions(self) -> Sessions:
        """Charging sessions and samples."""
        ...

    @property
    def log_files(self) -> LogFiles:
        """Logs chargers were asked for."""
        ...

    @property
    def local_lists(self) -> LocalLists:
        """Chargers' own lists of tokens."""
        ...

    @property
    def key_rotations(self) -> KeyRotations:
        """Changes of chargers' keys."""
        ...

    @property
    def certificates(self) -> Certificates:
        """Certificates chargers asked for."""
        ...

    @property
    def event_log(self) -> EventLog:
        """Facts as they came."""
        ...

    @property
    def alerts(self) -> Alerts:
        """What maintenance must know."""
        ...

    @property
    def deadlines(self) -> Deadlines:
        """What must happen at a time."""
        ...

    @property
    def messages(self) -> Messages:
        """What must be sent."""
        ...

    @property
    def plans(self) -> Plans:
        """What agents act alone by."""
        ...

    @property
    def telemetry(self) -> TelemetryOutbox:
        """Telemetry on its way out."""
        ...

    @property
    def reservations(self) -> Reservations:
        """Reservations and the granules they take."""
        ...

    @property
    def terms(self) -> TermsStore:
        """The stations' terms."""
        ...

    @property
    def otps(self) -> Otps:
        """One-time codes."""
        ...

    @property
    def driver_turns(self) -> DriverTurns:
        """In which order a driver's bookings were made."""
        ...

    @property
    def waitlist(self) -> Waitlist:
        """Who waits for what."""
        ...

    @property
    def offers(self) -> Offers:
        """What drivers may take with one call."""
        ...

    @property
    def finding(self) -> Findable:
        """What searches read."""
        ...

    @property
    def notices(self) -> Notices:
        """How users want to be told, and what they were told."""
        ...

    @property
    def push_subscriptions(self) -> PushSubscriptions:
        """Browsers that want to be told."""
        ...

    @property
    def webhook_endpoints(self) -> WebhookEndpoints:
        """Programs that want to be told."""
        ...

    @property
    def calendar_feeds(self) -> CalendarFeeds:
        """Secret addresses of calendars."""
        ...

    @property
    def tariffs(self) -> Tariffs:
        """What charging costs."""
        ...

    @property
    def receipts(self) -> Receipts:
        """What was paid."""
        ...

    @property
    def payments(self) -> Payments:
        """Payments and their steps."""
        ...

    @property
    def payment_methods(self) -> PaymentMethods:
        """Cards people saved."""
        ...

    @property
    def ledger(self) -> Ledger:
        """What money did."""
        ...

    @property
    def wallets(self) -> Wallets:
        """What users can spend."""
        ...

    @property
    def gateway_events(self) -> GatewayEvents:
        """What gateways told."""
        ...

    @property
    def subscriptions(self) -> Subscriptions:
        """Plans, and who has subscribed to them."""
        ...

    def __enter__(self) -> Self:
        """Begin."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Undo what was not committed.

        Raises:
            TransactionLost: instead of the driver's error, where trying the whole again can help.
            DatabaseAway: where the database is gone.
        """
        ...

    def commit(self) -> None:
        """Make everything durable, or nothing."""
        ...


class OpenWork(Protocol):
    """Opens units of work."""

    def __call__(self, *, is_read_only: bool = False) -> UnitOfWork:
        """Return a new one; `is_read_only` promises not to write (on SQLite: no waiting)."""
        ...


Publish = Callable[[str, bytes, bool], None]
"""Topic, payload, retained: hands a message to the broker; returns at once, never raises."""
