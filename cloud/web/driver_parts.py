"""What the pages with which a driver books need of the services, as seen from here."""

from typing import Protocol

from fastapi import Request

from cloud.domain.access import Viewer
from cloud.domain.notices import Preferences
from cloud.services.booking_ports import NewReservation
from cloud.services.calendar_feeds import FeedList, NewFeed
from cloud.services.changing import NewTimes
from cloud.services.idempotency import Once
from cloud.services.notices import NoticeList, PreferencesView, Unread
from cloud.services.offer_views import OfferList, OfferView
from cloud.services.otps import CodeSent
from cloud.services.payment_methods import PaymentMethodList, PaymentMethodView
from cloud.services.payments import PayBy, PaymentList, PaymentView
from cloud.services.receipt_views import ReceiptList
from cloud.services.reservation_views import ReservationList, ReservationView
from cloud.services.waitlist import NewEntry, WaitlistList, WaitlistView
from cloud.services.wallets import WalletView


class Reservations(Protocol):
    """See ReservationService."""

    def list(
        self,
        viewer: Viewer,
        *,
        is_live: bool | None = None,
        is_own: bool = False,
        station_id: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> ReservationList:
        """Return reservations, the latest start first."""
        ...

    def get(self, reservation_id: str, viewer: Viewer) -> ReservationView:
        """Return one."""
        ...

    def quote(self, user_id: str, ask: NewReservation) -> ReservationView:
        """Return what it would be like; nothing is kept."""
        ...

    def hold(
        self, viewer: Viewer, ask: NewReservation, once: Once | None = None
    ) -> ReservationView:
        """Keep a bay until it is paid for."""
        ...

    def change(
        self, viewer: Viewer, reservation_id: str, new: NewTimes, once: Once | None = None
    ) -> ReservationView:
        """Extend, shorten or move one."""
        ...

    def cancel(
        self,
        viewer: Viewer,
        reservation_id: str,
        once: Once | None = None,
        *,
        is_whole_series: bool = False,
        note: str = "",
    ) -> ReservationView:
        """End one before its driver has come."""
        ...

    def check_in(
        self, viewer: Viewer, reservation_id: str, once: Once | None = None
    ) -> ReservationView:
        """Say "I am here"."""
        ...


class Codes(Protocol):
    """See OtpService."""

    def confirm(
        self, viewer: Viewer, reservation_id: str, code: str, once: Once | None = None
    ) -> object:
        """Confirm a hold by its code."""
        ...

    def send_again(self, viewer: Viewer, reservation_id: str, once: Once | None = None) -> CodeSent:
        """Send a new one."""
        ...


class Payments(Protocol):
    """See PaymentService."""

    def of_reservation(self, viewer: Viewer, reservation_id: str) -> PaymentList:
        """Return the payments for a reservation, oldest first."""
        ...


class Pay(Protocol):
    """Pays for a hold."""

    async def __call__(
        self,
        request: Request,
        viewer: Viewer,
        reservation_id: str,
        by: PayBy,
        once: Once | None = None,
    ) -> PaymentView:
        """Have the bank asked, and wait a while for what it says."""
        ...


class Cards(Protocol):
    """See PaymentMethodService."""

    def list(self, viewer: Viewer) -> PaymentMethodList:
        """Return the viewer's cards."""
        ...

    def save(self, viewer: Viewer, token: str, *, is_default: bool = False) -> PaymentMethodView:
        """Have the gateway keep one."""
        ...


class Wallets(Protocol):
    """See WalletService."""

    def get(self, viewer: Viewer) -> WalletView:
        """Return the viewer's wallet."""
        ...


class Receipts(Protocol):
    """See ReceiptService."""

    def list(self, viewer: Viewer, *, limit: int = 50, cursor: str | None = None) -> ReceiptList:
        """Return receipts, the newest first."""
        ...


class Offers(Protocol):
    """See OfferService."""

    def list(self, viewer: Viewer) -> OfferList:
        """Return what the viewer may take now."""
        ...

    def accept(
        self, offer_id: str, option: int, viewer: Viewer, once: Once | None = None
    ) -> ReservationView:
        """Take one of an offer's options."""
        ...

    def alternatives(self, reservation_id: str, viewer: Viewer) -> OfferView:
        """Offer what there is instead of a reservation."""
        ...


class Waitlist(Protocol):
    """See WaitlistService."""

    def join(self, viewer: Viewer, new: NewEntry, once: Once | None = None) -> WaitlistView:
        """Wait for a bay, or any with the plug."""
        ...

    def list(self, viewer: Viewer) -> WaitlistList:
        """Return what the viewer waits for, or did."""
        ...

    def leave(self, viewer: Viewer, entry_id: str) -> WaitlistView:
        """Wait no more."""
        ...

    def accept(self, viewer: Viewer, entry_id: str, once: Once | None = None) -> ReservationView:
        """Hold what was offered."""
        ...


class Inbox(Protocol):
    """See NoticeService."""

    def list(
        self,
        viewer: Viewer,
        *,
        is_unread: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> NoticeList:
        """Return the viewer's notices, newest first."""
        ...

    def unread(self, viewer: Viewer) -> Unread:
        """Return how many of them were not read."""
        ...

    def mark_read(self, viewer: Viewer, notice_id: str | None) -> Unread:
        """Mark one, or all, as read."""
        ...

    def preferences(self, viewer: Viewer) -> PreferencesView:
        """Return how the viewer is told."""
        ...

    def set_preferences(self, viewer: Viewer, preferences: Preferences) -> PreferencesView:
        """Store how the viewer wants to be told."""
        ...


class CalendarFeeds(Protocol):
    """See CalendarFeedService."""

    def list(self, viewer: Viewer) -> FeedList:
        """Return the viewer's feeds."""
        ...

    def make(self, viewer: Viewer) -> NewFeed:
        """Open a new one."""
        ...

    def revoke(self, viewer: Viewer, feed_id: str) -> None:
        """Close one."""
        ...
