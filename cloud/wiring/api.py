"""The API and the pages, on what is in the house; a program without them need not import this."""

from collections.abc import Callable

from cloud.adapters.broker_users import MosquittoUsers
from cloud.adapters.throttle import LoginThrottle
from cloud.api.app import create_app
from cloud.api.container import Services
from cloud.api.server import Server, build_server
from cloud.services.alerts import AlertService
from cloud.services.calendar_feeds import CalendarFeedService
from cloud.services.calendars import CalendarService
from cloud.services.chargers import ChargerService
from cloud.services.credentials import CredentialService
from cloud.services.inventories import InventoryService
from cloud.services.ledger import LedgerService
from cloud.services.notices import NoticeService
from cloud.services.payment_methods import PaymentMethodService
from cloud.services.payments import PaymentService
from cloud.services.push_subscriptions import PushSubscriptionService
from cloud.services.receipts import ReceiptService
from cloud.services.searches import SearchService
from cloud.services.sessions import SessionService
from cloud.services.stations_admin import StationAdminService
from cloud.services.tariffs import TariffService
from cloud.services.terms import TermsService
from cloud.services.tokens import TokenService
from cloud.services.wallets import WalletService
from cloud.services.webhook_endpoints import WebhookEndpointService
from cloud.web.app import error_pages, pages
from cloud.web.parts import ServiceParts
from cloud.wiring.house import House


def server_of(house: House, on_broker_users: Callable[[], None] = lambda: None) -> Server:
    """Return the HTTP server: the API and the pages."""
    services = services_of(house, on_broker_users)
    parts = ServiceParts(services=services, hub=house.hub, mailbox=house.messages.mailbox)
    app = create_app(
        services,
        house.hub,
        house.settings,
        pages=pages(parts, house.settings),
        error_page=error_pages(parts, house.settings),
    )
    settings = house.settings
    return build_server(
        app,
        house.hub,
        host=settings.http_host,
        port=settings.http_port,
        trusted_proxies=settings.trusted_proxies,
    )


def services_of(house: House, on_broker_users: Callable[[], None]) -> Services:
    """Return what the API calls."""
    work, clock = house.open_work, house.clock
    return Services(
        clock=clock,
        accounts=house.accounts,
        credentials=CredentialService(work, house.passwords, LoginThrottle(), clock),
        tokens=TokenService(work, clock),
        stations_admin=StationAdminService(work, MosquittoUsers(on_broker_users), clock),
        commands=house.commands,
        fleet=house.fleet,
        availability=house.availability,
        sessions=SessionService(work, clock, house.factors),
        alerts=AlertService(work, clock, house.publisher),
        chargers=ChargerService(work),
        inventories=InventoryService(work),
        log_files=house.log_files,
        key_rotations=house.key_rotations,
        local_lists=house.local_lists,
        certificates=house.certificates,
        tariffs=TariffService(work, clock, house.shelf),
        receipts=ReceiptService(work),
        terms=TermsService(work, clock, house.withdrawals, house.publisher),
        reservations=house.reservations,
        offers=house.offers,
        otps=house.codes,
        searches=SearchService(work, clock, house.policy, house.quoting),
        calendars=CalendarService(work, clock, house.policy),
        waitlist=house.waitlist,
        payments=PaymentService(work, clock, house.till, house.publisher, house.gateway.provider),
        payment_methods=PaymentMethodService(
            work, clock, house.gateway, house.settings.stripe_publishable_key
        ),
        cashier=house.cashier,
        wallets=WalletService(work, clock, house.till, house.gateway.provider),
        subscriptions=house.subscriptions,
        ledger=LedgerService(work),
        series=house.series,
        notices=NoticeService(work, clock, house.telling),
        push_subscriptions=PushSubscriptionService(
            work, clock, house.web_push.public_key, is_lab=house.outbound.is_lab
        ),
        webhook_endpoints=WebhookEndpointService(work, clock, is_lab=house.outbound.is_lab),
        calendar_feeds=CalendarFeedService(work, clock, house.settings.public_url),
        messages=house.messages,
        is_ready=house.is_ready,
    )
