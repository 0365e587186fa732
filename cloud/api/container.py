"""The services the API calls, in one place; wiring builds it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from fastapi import Request

from cloud.services.accounts import AccountService
from cloud.services.alerts import AlertService
from cloud.services.availability import AvailabilityService
from cloud.services.calendar_feeds import CalendarFeedService
from cloud.services.calendars import CalendarService
from cloud.services.cashier import CashierService
from cloud.services.certificates import CertificateService
from cloud.services.chargers import ChargerService
from cloud.services.commands import CommandService
from cloud.services.credentials import CredentialService
from cloud.services.fleet import FleetService
from cloud.services.inventories import InventoryService
from cloud.services.key_rotations import KeyRotationService
from cloud.services.ledger import LedgerService
from cloud.services.local_lists import LocalListService
from cloud.services.log_files import LogFileService
from cloud.services.messages import MessageService
from cloud.services.notices import NoticeService
from cloud.services.offers import OfferService
from cloud.services.otps import OtpService
from cloud.services.payment_methods import PaymentMethodService
from cloud.services.payments import PaymentService
from cloud.services.ports import Clock
from cloud.services.push_subscriptions import PushSubscriptionService
from cloud.services.receipts import ReceiptService
from cloud.services.reservations import ReservationService
from cloud.services.searches import SearchService
from cloud.services.series import SeriesService
from cloud.services.sessions import SessionService
from cloud.services.stations_admin import StationAdminService
from cloud.services.subscriptions import SubscriptionService
from cloud.services.tariffs import TariffService
from cloud.services.terms import TermsService
from cloud.services.tokens import TokenService
from cloud.services.waitlist import WaitlistService
from cloud.services.wallets import WalletService
from cloud.services.webhook_endpoints import WebhookEndpointService


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What the routes need, each by its noun."""

    clock: Clock
    accounts: AccountService
    credentials: CredentialService
    tokens: TokenService
    stations_admin: StationAdminService
    commands: CommandService
    fleet: FleetService
    availability: AvailabilityService
    sessions: SessionService
    alerts: AlertService
    chargers: ChargerService
    inventories: InventoryService
    log_files: LogFileService
    key_rotations: KeyRotationService
    local_lists: LocalListService
    certificates: CertificateService
    tariffs: TariffService
    receipts: ReceiptService
    offers: OfferService
    payments: PaymentService
    payment_methods: PaymentMethodService
    cashier: CashierService
    wallets: WalletService
    subscriptions: SubscriptionService
    ledger: LedgerService
    terms: TermsService
    otps: OtpService
    searches: SearchService
    calendars: CalendarService
    waitlist: WaitlistService
    reservations: ReservationService
    series: SeriesService
    notices: NoticeService
    push_subscriptions: PushSubscriptionService
    webhook_endpoints: WebhookEndpointService
    calendar_feeds: CalendarFeedService
    messages: MessageService
    is_ready: Callable[[], bool]
    """Whether the database answers, and what else a request needs is there; may take 5 s."""


def services_of(request: Request) -> Services:
    """Return the services of the app that serves this request."""
    return cast("Services", request.app.state.services)
