"""What drivers do, and what is paid for it."""

from functools import cached_property

from cloud.services.cashier import CashierService
from cloud.services.changing import Changer
from cloud.services.offers import OfferService
from cloud.services.otps import OtpService
from cloud.services.reservations import ReservationService
from cloud.services.series import SeriesService
from cloud.services.subscriptions import SubscriptionService
from cloud.services.waitlist import WaitlistService
from cloud.wiring.collaborators import Collaborators


class Bookings(Collaborators):
    """Serves drivers."""

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
    def subscriptions(self) -> SubscriptionService:
        """Who pays by the month."""
        return SubscriptionService(self.open_work, self.clock, self.till, self.gateway.provider)

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
