"""Settings to adapters to services to programs: the only file that knows all floors."""

import secrets
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from email.utils import parseaddr
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Engine, text

from cloud.adapters.broker_users import (
    BrokerUser,
    MosquittoUsers,
    broker_files,
    cloud_user,
    hash_password,
    sensors_user,
)
from cloud.adapters.log_shelf import FolderShelf
from cloud.adapters.messages.mail import MailboxOnly, SmtpMail, smtp_address
from cloud.adapters.messages.outbound import Outbound
from cloud.adapters.messages.push import WebPush, vapid_of
from cloud.adapters.messages.webhooks import SignedWebhooks
from cloud.adapters.mqtt import BrokerAddress, MqttBroker, Subscription, broker_address
from cloud.adapters.passwords import ArgonPasswords
from cloud.adapters.payments.sandbox import Faults, SandboxGateway, SandboxPost
from cloud.adapters.payments.sandbox_bank import SandboxBank
from cloud.adapters.pki.contracts import HouseContracts
from cloud.adapters.pki.house import HouseAuthority
from cloud.adapters.pki.responder import Responders
from cloud.adapters.secret_key import kept_secret, key_for
from cloud.adapters.sql.engine import open_engine
from cloud.adapters.sql.migrate import is_current, migrate
from cloud.adapters.sql.unit_of_work import work_opener
from cloud.adapters.throttle import LoginThrottle
from cloud.domain.driver_limits import Limits
from cloud.domain.notices import Channel as Way
from cloud.domain.policy import Policy
from cloud.domain.reauthorisation import Holding
from cloud.embedded.broker import BrokerConfig, EmbeddedBroker
from cloud.live import LiveHub
from cloud.services.accounts import AccountService
from cloud.services.admission import Admission
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
from cloud.services.costs import CostService
from cloud.services.credentials import CredentialService
from cloud.services.deadlines import DeadlineService
from cloud.services.facts.memo import SessionMemo
from cloud.services.facts.transaction import Options
from cloud.services.finding import FindingService
from cloud.services.fleet import FleetService
from cloud.services.holding import Holder
from cloud.services.ingest import IngestService
from cloud.services.inventories import InventoryService
from cloud.services.keeping import Keeper, KeepingService
from cloud.services.key_rotations import KeyMaker, KeyRotationService
from cloud.services.ledger import LedgerService
from cloud.services.local_lists import LocalListService
from cloud.services.log_files import LogFileService
from cloud.services.messages import Channel, MessageService
from cloud.services.money_ports import PaymentGateway
from cloud.services.notices import Notices, NoticeService
from cloud.services.offers import OfferService
from cloud.services.otps import Otps, OtpService
from cloud.services.packing import Packer
from cloud.services.payment_methods import PaymentMethodService
from cloud.services.payments import PaymentService
from cloud.services.plans import PlanService
from cloud.services.ports import OpenWork
from cloud.services.publishing import Publisher
from cloud.services.push_subscriptions import PushChannel, PushSubscriptionService
from cloud.services.reauthorising import Reauthoriser
from cloud.services.receipts import ReceiptService
from cloud.services.relays import RelayService
from cloud.services.rescheduling import Rescuer
from cloud.services.reservations import ReservationService
from cloud.services.searches import SearchService
from cloud.services.series import SeriesService
from cloud.services.sessions import SessionService
from cloud.services.settling import Settling
from cloud.services.shelf import TariffShelf
from cloud.services.stations_admin import StationAdminService
from cloud.services.subscriptions import SubscriptionMonths, SubscriptionService
from cloud.services.sweeping import SweepService
from cloud.services.tariffs import TariffService
from cloud.services.telemetry import TelemetryService
from cloud.services.terms import TermsService
from cloud.services.till import TillService
from cloud.services.tokens import TokenService
from cloud.services.waitlist import Queue, Taker, WaitlistService
from cloud.services.wallets import WalletService
from cloud.services.webhook_endpoints import WebhookChannel, WebhookEndpointService
from cloud.services.withdrawals import Withdrawals
from cloud.settings import Settings
from cloud.workers.cashier import Cashier
from cloud.workers.clock import ClockWorker
from cloud.workers.courier import Courier, TelemetryForwarder
from cloud.workers.ingest import Inbox, IngestWorker
from cloud.workers.loop import Loop
from cloud.workers.relays import RelayDesk
from cloud.workers.signing import Signing
from contracts import topics
from contracts.clock import Clock, clock_from
from contracts.topics import Channel as TopicChannel

if TYPE_CHECKING:
    from cloud.api.container import Services
    from cloud.api.server import Server

_CLOUD_USER: Final = "cloud"
_SENSORS_USER: Final = "sensors"
_COURIER_EVERY_S: Final = 1.0
_SANDBOX_EVERY_S: Final = 0.2
_SIGNING_EVERY_S: Final = 0.5
_MIGRATION_S: Final = 300.0


class House:
    """Everything one process may need, each made when first asked for."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._broker: MqttBroker | None = None

    # --- ground -------------------------------------------------------------------------------

    @cached_property
    def clock(self) -> Clock:
        """What time it is."""
        return clock_from(self.settings.clock)

    @cached_property
    def policy(self) -> Policy:
        """How patient we are."""
        return policy_of(self.settings)

    @cached_property
    def database_url(self) -> str:
        """Where the database is: SQLite in the data folder unless one is named."""
        if self.settings.database_url:
            return self.settings.database_url
        folder = self.settings.data_dir.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        return f"sqlite:///{folder / 'baywatt.db'}"

    @cached_property
    def engine(self) -> Engine:
        """The database."""
        return open_engine(self.database_url)

    @cached_property
    def open_work(self) -> OpenWork:
        """How to begin a transaction."""
        return work_opener(self.engine)

    def migrate(self) -> None:
        """Bring the database to the newest schema."""
        engine = open_engine(self.database_url, pool_size=1, timeout_s=_MIGRATION_S)
        try:
            migrate(engine)
        finally:
            engine.dispose()

    def is_ready(self) -> bool:
        """Whether the database answers and has our schema; fails within 5 s."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
                return is_current(connection)
        except Exception:  # noqa: BLE001 - not ready, for whatever reason
            return False

    # --- broker -------------------------------------------------------------------------------

    def publish(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """See Publish; to nobody before `connect`."""
        if self._broker is not None:
            self._broker.publish(topic, payload, is_retained)

    def is_connected(self) -> bool:
        """Whether what is published now is heard by the broker."""
        return self._broker is not None and self._broker.is_connected

    def connect(
        self,
        address: BrokerAddress,
        part: str,
        *,
        hear: dict[Subscription, Callable[[str, bytes], None]],
        on_connected: Callable[[], None] | None = None,
    ) -> MqttBroker:
        """Return the broker's connection for a process, not started; publishing goes through it."""
        client_id = f"cloud-{part}-{socket.gethostname()[:20]}-{secrets.token_hex(4)}"
        self._broker = MqttBroker(
            address,
            client_id,
            subscriptions=list(hear),
            on_message=partial(_dispatch, list(hear.items())),
            on_connected=on_connected,
        )
        return self._broker

    @property
    def broker_address(self) -> BrokerAddress:
        """Where the named broker is.

        Raises:
            ValueError: none is named, or it is none.
        """
        return broker_address(self.settings.broker_url, self.settings.broker_ca_file)

    # --- services -----------------------------------------------------------------------------

    @cached_property
    def availability(self) -> AvailabilityService:
        """Which bays are free."""
        return AvailabilityService(self.open_work, self.clock, self.policy)

    @cached_property
    def publisher(self) -> Publisher:
        """Who tells what commits changed."""
        return Publisher(self.open_work, self.availability, self.publish, self.is_connected)

    @cached_property
    def settling(self) -> Settling:
        """What follows from facts."""
        settings = self.settings
        told = tuple(settings.alert_mail_to)
        return Settling(self.policy, settings.public_url, told, promises=self.keeper)

    @cached_property
    def keeper(self) -> Keeper:
        """What follows for reservations from what is seen."""
        advancer, telling = self.quiet_advancer, self.telling
        rescuer = Rescuer(
            finding=self.finding, quoting=self.quoting, telling=telling, advancer=advancer
        )
        return Keeper(policy=self.policy, advancer=advancer, rescuer=rescuer, telling=telling)

    @cached_property
    def keeping(self) -> KeepingService:
        """Who looks at bays for those who changed a reservation."""
        return KeepingService(self.settling)

    @cached_property
    def shelf(self) -> TariffShelf:
        """Tariffs that were read."""
        return TariffShelf()

    @cached_property
    def quoting(self) -> QuoteService:
        """What charges are expected to cost."""
        return QuoteService(self.shelf)

    @cached_property
    def till(self) -> TillService:
        """What is written when money is to move."""
        months = SubscriptionMonths(self.telling)
        return TillService(
            lambda: self.advancer, months, self.telling, least_minor=self._least_minor
        )

    def _least_minor(self, provider: str, currency: str) -> int:
        is_own = provider == self.gateway.provider
        return self.gateway.least_minor(currency) if is_own else 0

    @cached_property
    def bank(self) -> SandboxBank:
        """The sandbox's books, beside our data: other processes open the same."""
        return SandboxBank(self.settings.data_dir.resolve() / "sandbox-bank.db")

    @cached_property
    def gateway(self) -> PaymentGateway:
        """Who moves money."""
        settings = self.settings
        if settings.payment_gateway == "sandbox":
            return SandboxGateway(self.bank, Faults.read(settings.sandbox_faults))
        from cloud.adapters.payments.stripe import StripeGateway, StripeKeys  # noqa: PLC0415

        return StripeGateway(
            StripeKeys(
                settings.stripe_secret_key.get_secret_value(),
                settings.stripe_webhook_secret.get_secret_value(),
                settings.stripe_api_url,
            )
        )

    @cached_property
    def cashier(self) -> CashierService:
        """Who has the gateway do what was written."""
        gateways = {self.gateway.provider: self.gateway}
        return CashierService(
            self.open_work,
            self.clock,
            gateways,
            self.till,
            self.publisher,
            self.policy,
            self.settings.public_url,
            tuple(self.settings.alert_mail_to),
        )

    @cached_property
    def subscriptions(self) -> SubscriptionService:
        """Who pays by the month."""
        return SubscriptionService(self.open_work, self.clock, self.till, self.gateway.provider)

    @cached_property
    def billing(self) -> BillingService:
        """What is finally to be paid."""
        return BillingService(self.till, self.telling, self.shelf)

    @cached_property
    def finding(self) -> FindingService:
        """What is free instead of what cannot be had."""
        return FindingService(self.policy, self.quoting)

    @cached_property
    def queue(self) -> Queue:
        """Who waits for what comes free."""
        return Queue(finding=self.finding, telling=self.telling)

    @cached_property
    def quiet_advancer(self) -> Advancer:
        """How reservations move on where somebody looks at their bays already."""
        return Advancer(
            settling=self.billing,
            waiting=self.queue,
            telling=self.telling,
            holding=Holding(lasts=timedelta(days=self.settings.card_hold_days)),
        )

    @cached_property
    def advancer(self) -> Advancer:
        """How reservations move on."""
        return replace(self.quiet_advancer, keeping=self.keeping)

    @cached_property
    def holder(self) -> Holder:
        """How bays are kept for drivers."""
        return Holder(
            quoting=self.quoting,
            codes=self.otps,
            advancer=self.advancer,
            admission=self.admission,
        )

    @cached_property
    def admission(self) -> Admission:
        """How much one driver may have reserved."""
        settings = self.settings
        return Admission(
            Limits(single=settings.most_live_per_driver, in_series=settings.most_live_in_series)
        )

    @cached_property
    def packer(self) -> Packer:
        """How flexible reservations get their bay."""
        return Packer(self.advancer)

    @cached_property
    def withdrawals(self) -> Withdrawals:
        """What becomes of bookings whose bay is taken away."""
        return Withdrawals(self.advancer)

    @cached_property
    def reservations(self) -> ReservationService:
        """Reservations, one by one."""
        return ReservationService(
            open_work=self.open_work,
            clock=self.clock,
            publisher=self.publisher,
            holder=self.holder,
            changer=Changer(quoting=self.quoting, advancer=self.advancer, admission=self.admission),
            advancer=self.advancer,
            finding=self.finding,
        )

    @cached_property
    def offers(self) -> OfferService:
        """What drivers may have instead."""
        return OfferService(
            open_work=self.open_work,
            clock=self.clock,
            publisher=self.publisher,
            advancer=self.advancer,
            finding=self.finding,
            quoting=self.quoting,
            telling=self.telling,
            taking=self.taker,
            admission=self.admission,
        )

    @cached_property
    def taker(self) -> Taker:
        """How what was waited for is taken."""
        return Taker(self.holder, self.finding)

    @cached_property
    def waitlist(self) -> WaitlistService:
        """What drivers wait for."""
        return WaitlistService(
            open_work=self.open_work,
            clock=self.clock,
            publisher=self.publisher,
            queue=self.queue,
            taker=self.taker,
        )

    @cached_property
    def codes(self) -> OtpService:
        """What drivers do with one-time codes."""
        return OtpService(
            open_work=self.open_work,
            clock=self.clock,
            otps=self.otps,
            advancing=self.advancer,
            publisher=self.publisher,
        )

    @cached_property
    def series(self) -> SeriesService:
        """Reservations, week by week."""
        return SeriesService(
            open_work=self.open_work,
            clock=self.clock,
            publisher=self.publisher,
            holder=self.holder,
            finding=self.finding,
        )

    @cached_property
    def commands(self) -> CommandService:
        """Commands to chargers."""
        stale_after = self.policy.stale_after
        return CommandService(
            self.open_work, self.publish, self.clock, stale_after, fill=self.keys.fill
        )

    @cached_property
    def fleet(self) -> FleetService:
        """Commands to many chargers."""
        return FleetService(
            self.open_work, self.clock, self.policy.stale_after, self.settings.public_url
        )

    @cached_property
    def keys(self) -> KeyMaker:
        """Who makes chargers' keys."""
        return KeyMaker(key_for(self.secret, "charger-keys"))

    @cached_property
    def log_files(self) -> LogFileService:
        """What becomes of chargers' logs."""
        shelf = FolderShelf(self.settings.data_dir.resolve() / "logs")
        base_url = self.settings.upload_url or self.settings.public_url
        return LogFileService(self.open_work, self.clock, shelf, base_url)

    @cached_property
    def key_rotations(self) -> KeyRotationService:
        """How chargers get new keys."""
        alerting = Alerting(
            self.policy, self.settings.public_url, tuple(self.settings.alert_mail_to)
        )
        return KeyRotationService(
            self.open_work, self.clock, self.keys, self.policy.stale_after, alerting
        )

    @cached_property
    def authority(self) -> HouseAuthority:
        """Who signs chargers' certificates."""
        return HouseAuthority(self.settings.data_dir.resolve() / "pki", self.clock)

    @cached_property
    def certificates(self) -> CertificateService:
        """How chargers get certificates."""
        return CertificateService(self.open_work, self.clock, self.authority)

    @cached_property
    def local_lists(self) -> LocalListService:
        """Chargers' own lists of tokens."""
        return LocalListService(self.open_work, self.clock)

    @cached_property
    def costs(self) -> CostService:
        """What chargers' displays say."""
        every = timedelta(seconds=self.settings.cost_every_s)
        return CostService(self.open_work, self.clock, self.shelf, every)

    @cached_property
    def relays(self) -> RelayDesk:
        """Who has cars' questions answered."""
        is_lab = self.settings.lab_allow_local_webhooks
        responders = Responders(Outbound(is_lab=is_lab, takes_plain=True))
        contracts = HouseContracts(self.authority, self.clock, responders)
        return RelayDesk(RelayService(contracts, self.publish, self.costs))

    @cached_property
    def accounts(self) -> AccountService:
        """Users."""
        return AccountService(self.open_work, self.passwords, self.clock)

    @cached_property
    def passwords(self) -> ArgonPasswords:
        """Slow hashes."""
        return ArgonPasswords()

    @cached_property
    def secret(self) -> bytes:
        """The house's secret; each purpose takes its own key of it."""
        named = self.settings.secret_key.get_secret_value()
        return kept_secret(named, self.settings.data_dir.resolve())

    @cached_property
    def otps(self) -> Otps:
        """One-time codes."""
        return Otps(key_for(self.secret, "otp"), has_sms=self.telling.has_sms)

    @cached_property
    def telling(self) -> Notices:
        """Who tells users what happened."""
        has_sms = bool(self.settings.sms_url.get_secret_value()) or self.settings.show_mailbox
        return Notices(self.settings.public_url, has_sms=has_sms)

    @cached_property
    def outbound(self) -> Outbound:
        """How requests that users ask for leave the house."""
        return Outbound(is_lab=self.settings.lab_allow_local_webhooks)

    @cached_property
    def web_push(self) -> WebPush:
        """Who speaks to browsers' push services."""
        settings = self.settings
        named = settings.vapid_private_key.get_secret_value()
        vapid = vapid_of(named, key_for(self.secret, "vapid"))
        return WebPush(self.outbound, vapid, f"mailto:{parseaddr(settings.mail_from)[1]}")

    @cached_property
    def messages(self) -> MessageService:
        """What is sent to people."""
        channels: dict[str, Channel] = {
            Way.MAIL: self._mail(),
            Way.SMS: self._sms(),
            Way.PUSH: PushChannel(self.open_work, self.clock, self.web_push),
        }
        return MessageService(self.open_work, self.clock, channels, but=Way.WEBHOOK)

    @cached_property
    def webhooks(self) -> MessageService:
        """What is sent to programs."""
        sender = SignedWebhooks(self.outbound, self.settings.public_url)
        channel = WebhookChannel(self.open_work, self.clock, sender, self.telling)
        return MessageService(self.open_work, self.clock, {Way.WEBHOOK: channel}, only=Way.WEBHOOK)

    def services(self, on_broker_users: Callable[[], None] = lambda: None) -> "Services":
        """Return what the API calls."""
        from cloud.api.container import Services  # noqa: PLC0415

        work, clock = self.open_work, self.clock
        return Services(
            clock=clock,
            accounts=self.accounts,
            credentials=CredentialService(work, self.passwords, LoginThrottle(), clock),
            tokens=TokenService(work, clock),
            stations_admin=StationAdminService(work, MosquittoUsers(on_broker_users), clock),
            commands=self.commands,
            fleet=self.fleet,
            availability=self.availability,
            sessions=SessionService(work, clock),
            alerts=AlertService(work, clock, self.publisher),
            chargers=ChargerService(work),
            inventories=InventoryService(work),
            log_files=self.log_files,
            key_rotations=self.key_rotations,
            local_lists=self.local_lists,
            certificates=self.certificates,
            tariffs=TariffService(work, clock, self.shelf),
            receipts=ReceiptService(work),
            terms=TermsService(work, clock, self.withdrawals, self.publisher),
            reservations=self.reservations,
            offers=self.offers,
            otps=self.codes,
            searches=SearchService(work, clock, self.policy, self.quoting),
            calendars=CalendarService(work, clock, self.policy),
            waitlist=self.waitlist,
            payments=PaymentService(work, clock, self.till, self.publisher, self.gateway.provider),
            payment_methods=PaymentMethodService(
                work, clock, self.gateway, self.settings.stripe_publishable_key
            ),
            cashier=self.cashier,
            wallets=WalletService(work, clock, self.till, self.gateway.provider),
            subscriptions=self.subscriptions,
            ledger=LedgerService(work),
            series=self.series,
            notices=NoticeService(work, clock, self.telling),
            push_subscriptions=PushSubscriptionService(
                work, clock, self.web_push.public_key, is_lab=self.outbound.is_lab
            ),
            webhook_endpoints=WebhookEndpointService(work, clock, is_lab=self.outbound.is_lab),
            calendar_feeds=CalendarFeedService(work, clock, self.settings.public_url),
            messages=self.messages,
            is_ready=self.is_ready,
        )

    def _sms(self) -> Channel:
        template = self.settings.sms_url.get_secret_value()
        if not template:
            return MailboxOnly()
        from cloud.adapters.messages.sms import AppriseSms  # noqa: PLC0415

        return AppriseSms(template)

    def _mail(self) -> Channel:
        if not self.settings.smtp_url:
            return MailboxOnly()
        return SmtpMail(smtp_address(self.settings.smtp_url), self.settings.mail_from)

    # --- programs -----------------------------------------------------------------------------

    @cached_property
    def hub(self) -> LiveHub:
        """Who watches."""
        return LiveHub()

    def server(self, on_broker_users: Callable[[], None] = lambda: None) -> "Server":
        """Return the HTTP server: the API and the pages."""
        # three of the four processes do without: they start in two thirds of the time
        from cloud.api.app import create_app  # noqa: PLC0415
        from cloud.api.server import build_server  # noqa: PLC0415
        from cloud.web.app import error_pages, pages  # noqa: PLC0415
        from cloud.web.parts import ServiceParts  # noqa: PLC0415

        services = self.services(on_broker_users)
        parts = ServiceParts(services=services, hub=self.hub, mailbox=self.messages.mailbox)
        app = create_app(
            services,
            self.hub,
            self.settings,
            pages=pages(parts, self.settings),
            error_page=error_pages(parts, self.settings),
        )
        settings = self.settings
        return build_server(
            app,
            self.hub,
            host=settings.http_host,
            port=settings.http_port,
            trusted_proxies=settings.trusted_proxies,
        )

    @cached_property
    def ingest(self) -> IngestWorker:
        """From the broker to the database."""
        has_telemetry = bool(self.settings.influx_url)
        options = Options(SessionMemo(), with_telemetry=has_telemetry, shelf=self.shelf)
        service = IngestService(self.open_work, self.clock, self.settling, options)
        return IngestWorker(
            service, self.publisher, self.publish, self.clock, Inbox(), self.relays.take
        )

    @cached_property
    def clock_worker(self) -> ClockWorker:
        """What time alone does."""
        deadlines = DeadlineService(
            self.open_work,
            self.clock,
            self.settling,
            self.publisher,
            self.clock.now(),
            waiting=self.queue,
            binding=self.packer,
            renewing=self.subscriptions,
            rotating=self.key_rotations,
            certifying=self.certificates,
            costing=self.costs,
            listing=self.local_lists,
            reauthorising=Reauthoriser(self.till, self.advancer, self.advancer.holding),
        )
        plans = PlanService(self.open_work, self.publish, self.clock, self.shelf)
        sweeps = SweepService(
            self.open_work,
            self.clock,
            self.publisher,
            plans,
            self.commands,
            self.fleet,
            self.log_files,
        )
        return ClockWorker(deadlines, sweeps)

    def ingest_loops(self) -> list[Loop]:
        """Return the loops of `ingest`."""
        return [Loop("ingest", self.ingest.step, 0)]

    def clock_loops(self) -> list[Loop]:
        """Return the loops of `clock`."""
        worker, most_s = self.clock_worker, self.settings.sweep_interval_s
        return [Loop("clock", worker.step, lambda: self.clock.real_s(worker.rest_s(most_s)))]

    def courier_loops(self) -> list[Loop]:
        """Return the loops of `courier`."""
        loops = [
            Loop("courier", Courier(self.messages).step, _COURIER_EVERY_S),
            Loop("webhooks", Courier(self.webhooks).step, _COURIER_EVERY_S),
            Loop("certificates", Signing(self.certificates).step, _SIGNING_EVERY_S),
            Loop("cashier", Cashier(self.cashier).step, _COURIER_EVERY_S),
        ]
        settings = self.settings
        if settings.payment_gateway == "sandbox" and settings.sandbox_webhooks:
            at = settings.sandbox_webhook_url or settings.public_url
            url = f"{at.rstrip('/')}/api/v1/webhooks/payments/sandbox"
            post = SandboxPost(self.bank, url, self.clock)
            loops.append(Loop("sandbox webhooks", post.step, _SANDBOX_EVERY_S))
        if settings.influx_url:
            from cloud.adapters.influx import InfluxTelemetry  # noqa: PLC0415

            influx = InfluxTelemetry(
                settings.influx_url,
                settings.influx_token.get_secret_value(),
                settings.influx_org,
                settings.influx_bucket,
            )
            forwarder = TelemetryForwarder(TelemetryService(self.open_work, influx))
            loops.append(Loop("telemetry", forwarder.step, _COURIER_EVERY_S))
        return loops

    def broker_connected(self) -> None:
        """Begin anew with a broker: it may have forgotten what we said, and we what it said."""
        self.clock_worker.broker_connected()
        self.hub.lost_track()

    def hear_events(self) -> dict[Subscription, Callable[[str, bytes], None]]:
        """Return what ingest hears."""
        events = Subscription(topics.every(TopicChannel.EVENTS), topics.INGEST_GROUP)
        return {events: self.ingest.receive}

    def hear_changes(self) -> dict[Subscription, Callable[[str, bytes], None]]:
        """Return what web hears."""
        return {Subscription(topics.every_change()): lambda _topic, payload: self.hub.feed(payload)}


class BrokerFiles:
    """The files a Mosquitto (or the embedded broker) knows its users by."""

    def __init__(self, house: House, folder: Path, cloud_password: str) -> None:
        self._house = house
        self.passwords = folder / "passwords"
        self.acl = folder / "acl"
        sensors_key = house.settings.embedded_sensors_key.get_secret_value()
        # hashed once: every hash has another salt, and a file that did not change is left alone
        self._others: list[BrokerUser] = [cloud_user(_CLOUD_USER, hash_password(cloud_password))]
        if sensors_key:
            self._others.append(sensors_user(_SENSORS_USER, hash_password(sensors_key)))

    def write(self) -> bool:
        """Write what differs, each file whole or not at all; whether anything did."""
        with self._house.open_work(is_read_only=True) as work:
            agents = work.stations_admin.agent_logins()
        files = broker_files(agents, self._others)
        # the rights first: nobody is let in before it is said what they may do
        is_acl_new = _replace(self.acl, files.acl)
        return _replace(self.passwords, files.passwords) or is_acl_new


def embedded_broker(house: House) -> tuple[EmbeddedBroker, BrokerAddress, BrokerFiles]:
    """Return the broker that `serve` brings along, where it will be, and its users' files."""
    settings = house.settings
    folder = settings.data_dir.resolve() / "broker"
    password = secrets.token_hex(20)
    files = BrokerFiles(house, folder, password)
    files.write()
    broker = EmbeddedBroker(
        BrokerConfig(
            data_dir=folder,
            passwords=files.passwords,
            acl=files.acl,
            port=settings.embedded_broker_port,
            kind=settings.embedded_broker,
        )
    )
    address = BrokerAddress(broker.host, broker.port, user=_CLOUD_USER, password=password)
    return broker, address, files


def policy_of(settings: Settings) -> Policy:
    """Return the patience the settings ask for."""
    return Policy(
        stale_after=settings.stale_after,
        suspect_after=settings.suspect_after_contradictions,
        blocked_alert_after=timedelta(seconds=settings.blocked_bay_alert_after_s),
        charger_offline_alert_after=timedelta(seconds=settings.charger_offline_alert_after_s),
        station_offline_alert_after=timedelta(seconds=settings.station_offline_alert_after_s),
    )


def _dispatch(
    heard: list[tuple[Subscription, Callable[[str, bytes], None]]], topic: str, payload: bytes
) -> None:
    for subscription, take in heard:
        if _is_of(topic, subscription.topic_filter):
            take(topic, payload)
            return


def _is_of(topic: str, topic_filter: str) -> bool:
    levels, wanted = topic.split("/"), topic_filter.split("/")
    pairs = zip(levels, wanted, strict=False)
    return len(levels) == len(wanted) and all(two in {"+", one} for one, two in pairs)


def _replace(path: Path, content: str) -> bool:
    if path.exists() and path.read_text() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.touch(mode=0o640)
    beside.write_text(content)
    beside.replace(path)
    return True
