"""One transaction with its repositories, each made when first asked for."""

from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import Final, Self

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from cloud.adapters.sql.accounts import SqlAccounts
from cloud.adapters.sql.alerts import SqlAlerts
from cloud.adapters.sql.bays import SqlBays
from cloud.adapters.sql.calendar_feeds import SqlCalendarFeeds
from cloud.adapters.sql.certificates import SqlCertificates
from cloud.adapters.sql.chargers import SqlChargers
from cloud.adapters.sql.charging_tokens import SqlChargingTokens
from cloud.adapters.sql.commands import SqlCommands
from cloud.adapters.sql.credentials import SqlCredentials
from cloud.adapters.sql.deadlines import SqlDeadlines
from cloud.adapters.sql.driver_turns import SqlDriverTurns
from cloud.adapters.sql.engine import READ_ONLY
from cloud.adapters.sql.event_log import SqlEventLog
from cloud.adapters.sql.finding import SqlFinding
from cloud.adapters.sql.fleet import SqlFleetCommands
from cloud.adapters.sql.gateway_events import SqlGatewayEvents
from cloud.adapters.sql.idempotency import SqlIdempotency
from cloud.adapters.sql.inventory import SqlInventory
from cloud.adapters.sql.jobs import SqlJobs
from cloud.adapters.sql.key_rotations import SqlKeyRotations
from cloud.adapters.sql.ledger import SqlLedger
from cloud.adapters.sql.links import SqlLinks
from cloud.adapters.sql.local_lists import SqlLocalLists
from cloud.adapters.sql.log_files import SqlLogFiles
from cloud.adapters.sql.messages import SqlMessages
from cloud.adapters.sql.notices import SqlNotices
from cloud.adapters.sql.offers import SqlOffers
from cloud.adapters.sql.otps import SqlOtps
from cloud.adapters.sql.payment_methods import SqlPaymentMethods
from cloud.adapters.sql.payments import SqlPayments
from cloud.adapters.sql.plans import SqlPlans
from cloud.adapters.sql.push_subscriptions import SqlPushSubscriptions
from cloud.adapters.sql.receipts import SqlReceipts
from cloud.adapters.sql.reservations import SqlReservations
from cloud.adapters.sql.sessions import SqlSessions
from cloud.adapters.sql.signed_readings import SqlSignedReadings
from cloud.adapters.sql.stations import SqlStations
from cloud.adapters.sql.stations_admin import SqlStationsAdmin
from cloud.adapters.sql.subscriptions import SqlSubscriptions
from cloud.adapters.sql.tariffs import SqlTariffs
from cloud.adapters.sql.telemetry import SqlTelemetryOutbox
from cloud.adapters.sql.terms import SqlTerms
from cloud.adapters.sql.waitlist import SqlWaitlist
from cloud.adapters.sql.wallets import SqlWallets
from cloud.adapters.sql.webhook_endpoints import SqlWebhookEndpoints
from cloud.services.ports import DatabaseAway, TransactionLost, Unstorable

# MySQL's error numbers
_KINDS: Final[tuple[tuple[frozenset[int], type[Exception]], ...]] = (
    # too many connections, shutting down, cannot connect
    (frozenset({1040, 1053, 1203, 2002, 2003}), DatabaseAway),
    # out of range, letters the column has not (compared, stored), too long, a CHECK (MariaDB)
    (frozenset({1264, 1267, 1366, 1406, 4025}), Unstorable),
    # lock wait timeout, deadlock, connection killed, server gone, connection lost
    (frozenset({1205, 1213, 1927, 2006, 2013}), TransactionLost),
)


class SqlUnitOfWork:
    """See UnitOfWork. Repositories share its connection, so they see what it wrote."""

    def __init__(self, engine: Engine, *, is_read_only: bool = False) -> None:
        self._engine = engine
        self._is_read_only = is_read_only
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The open connection.

        Raises:
            RuntimeError: used outside `with`.
        """
        if self._connection is None:
            raise RuntimeError("a unit of work is used inside `with`")
        return self._connection

    def __enter__(self) -> Self:
        """See UnitOfWork."""
        try:
            connection = self._engine.connect()
            self._connection = connection.execution_options(**{READ_ONLY: self._is_read_only})
            self._connection.begin()
        except (DBAPIError, PoolTimeout) as error:
            self._close()
            raise translated(error) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """See UnitOfWork."""
        self._close()
        if isinstance(error, DBAPIError | PoolTimeout):
            other = translated(error)
            if other is not error:
                raise other from error

    def commit(self) -> None:
        """See UnitOfWork."""
        self.connection.commit()

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()  # rolls back what was not committed
            self._connection = None

    # --- repositories, by noun: @cached_property, each given `self.connection` -----------------

    @cached_property
    def accounts(self) -> SqlAccounts:
        """Users."""
        return SqlAccounts(self.connection)

    @cached_property
    def credentials(self) -> SqlCredentials:
        """Logins."""
        return SqlCredentials(self.connection)

    @cached_property
    def charging_tokens(self) -> SqlChargingTokens:
        """What drivers show to chargers."""
        return SqlChargingTokens(self.connection)

    @cached_property
    def stations_admin(self) -> SqlStationsAdmin:
        """Stations and chargers, as they are set up."""
        return SqlStationsAdmin(self.connection)

    @cached_property
    def chargers(self) -> SqlChargers:
        """Chargers, to be read."""
        return SqlChargers(self.connection)

    @cached_property
    def inventory(self) -> SqlInventory:
        """What chargers hold."""
        return SqlInventory(self.connection)

    @cached_property
    def signed_readings(self) -> SqlSignedReadings:
        """What meters signed."""
        return SqlSignedReadings(self.connection)

    @cached_property
    def jobs(self) -> SqlJobs:
        """What chargers do for a while."""
        return SqlJobs(self.connection)

    @cached_property
    def log_files(self) -> SqlLogFiles:
        """Logs chargers were asked for."""
        return SqlLogFiles(self.connection)

    @cached_property
    def local_lists(self) -> SqlLocalLists:
        """Chargers' own lists of tokens."""
        return SqlLocalLists(self.connection)

    @cached_property
    def key_rotations(self) -> SqlKeyRotations:
        """Changes of chargers' keys."""
        return SqlKeyRotations(self.connection)

    @cached_property
    def certificates(self) -> SqlCertificates:
        """Certificates chargers asked for."""
        return SqlCertificates(self.connection)

    @cached_property
    def fleet_commands(self) -> SqlFleetCommands:
        """Requests to many chargers."""
        return SqlFleetCommands(self.connection)

    @cached_property
    def commands(self) -> SqlCommands:
        """Commands to stations."""
        return SqlCommands(self.connection)

    @cached_property
    def idempotency(self) -> SqlIdempotency:
        """Requests that were carried out."""
        return SqlIdempotency(self.connection)

    @cached_property
    def stations(self) -> SqlStations:
        """Stations, to be read."""
        return SqlStations(self.connection)

    @cached_property
    def links(self) -> SqlLinks:
        """How far stations' words have come."""
        return SqlLinks(self.connection)

    @cached_property
    def bays(self) -> SqlBays:
        """Bays and all equipment."""
        return SqlBays(self.connection)

    @cached_property
    def sessions(self) -> SqlSessions:
        """Charging sessions and samples."""
        return SqlSessions(self.connection)

    @cached_property
    def event_log(self) -> SqlEventLog:
        """Facts as they came."""
        return SqlEventLog(self.connection)

    @cached_property
    def alerts(self) -> SqlAlerts:
        """What maintenance must know."""
        return SqlAlerts(self.connection)

    @cached_property
    def deadlines(self) -> SqlDeadlines:
        """What must happen at a time."""
        return SqlDeadlines(self.connection)

    @cached_property
    def messages(self) -> SqlMessages:
        """What must be sent."""
        return SqlMessages(self.connection)

    @cached_property
    def plans(self) -> SqlPlans:
        """What agents act alone by."""
        return SqlPlans(self.connection)

    @cached_property
    def telemetry(self) -> SqlTelemetryOutbox:
        """Telemetry on its way out."""
        return SqlTelemetryOutbox(self.connection)

    @cached_property
    def reservations(self) -> SqlReservations:
        """Reservations and the granules they take."""
        return SqlReservations(self.connection)

    @cached_property
    def terms(self) -> SqlTerms:
        """The stations' terms."""
        return SqlTerms(self.connection)

    @cached_property
    def otps(self) -> SqlOtps:
        """One-time codes."""
        return SqlOtps(self.connection)

    @cached_property
    def driver_turns(self) -> SqlDriverTurns:
        """Whose booking comes after which."""
        return SqlDriverTurns(self.connection)

    @cached_property
    def waitlist(self) -> SqlWaitlist:
        """Who waits for what."""
        return SqlWaitlist(self.connection)

    @cached_property
    def offers(self) -> SqlOffers:
        """What drivers may take with one call."""
        return SqlOffers(self.connection)

    @cached_property
    def finding(self) -> SqlFinding:
        """What searches read."""
        return SqlFinding(self.connection)

    @cached_property
    def notices(self) -> SqlNotices:
        """How users want to be told, and what they were told."""
        return SqlNotices(self.connection)

    @cached_property
    def push_subscriptions(self) -> SqlPushSubscriptions:
        """Browsers that want to be told."""
        return SqlPushSubscriptions(self.connection)

    @cached_property
    def webhook_endpoints(self) -> SqlWebhookEndpoints:
        """Programs that want to be told."""
        return SqlWebhookEndpoints(self.connection)

    @cached_property
    def calendar_feeds(self) -> SqlCalendarFeeds:
        """Secret addresses of calendars."""
        return SqlCalendarFeeds(self.connection)

    @cached_property
    def tariffs(self) -> SqlTariffs:
        """What charging costs."""
        return SqlTariffs(self.connection)

    @cached_property
    def receipts(self) -> SqlReceipts:
        """What was paid."""
        return SqlReceipts(self.connection)

    @cached_property
    def payments(self) -> SqlPayments:
        """Payments and their steps."""
        return SqlPayments(self.connection)

    @cached_property
    def payment_methods(self) -> SqlPaymentMethods:
        """Cards people saved."""
        return SqlPaymentMethods(self.connection)

    @cached_property
    def ledger(self) -> SqlLedger:
        """What money did."""
        return SqlLedger(self.connection)

    @cached_property
    def wallets(self) -> SqlWallets:
        """What users can spend."""
        return SqlWallets(self.connection)

    @cached_property
    def gateway_events(self) -> SqlGatewayEvents:
        """What gateways told."""
        return SqlGatewayEvents(self.connection)

    @cached_property
    def subscriptions(self) -> SqlSubscriptions:
        """Plans, and who has subscribed to them."""
        return SqlSubscriptions(self.connection)


def translated(error: Exception) -> Exception:
    """Return what the use cases call this error; the error itself where it is a bug."""
    if isinstance(error, PoolTimeout):
        return DatabaseAway("no connection became free in time")
    if isinstance(error, DataError | IntegrityError):
        return Unstorable(str(error.orig))
    if not isinstance(error, OperationalError | InterfaceError) or error.orig is None:
        return error
    kind = _kind_of(error, error.orig)
    return error if kind is None else kind(str(error.orig))


def _kind_of(error: DBAPIError, cause: BaseException) -> type[Exception] | None:
    if cause.__class__.__module__.startswith("sqlite3"):
        is_busy = "locked" in str(cause) or "busy" in str(cause)
        return TransactionLost if is_busy else None
    number = cause.args[0] if cause.args else None
    for numbers, kind in _KINDS:
        if number in numbers:
            return kind
    return TransactionLost if error.connection_invalidated else None


def work_opener(engine: Engine) -> Callable[..., SqlUnitOfWork]:
    """Return what services call `open_work`."""

    def open_work(*, is_read_only: bool = False) -> SqlUnitOfWork:
        return SqlUnitOfWork(engine, is_read_only=is_read_only)

    return open_work
