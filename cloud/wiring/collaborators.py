"""What use cases of one noun reach those of another through, handed to each other."""

from dataclasses import replace
from datetime import timedelta
from functools import cached_property

from cloud.domain.driver_limits import Limits
from cloud.domain.reauthorisation import Holding
from cloud.services.admission import Admission
from cloud.services.advancing import Advancer
from cloud.services.billing import BillingService
from cloud.services.finding import FindingService
from cloud.services.holding import Holder
from cloud.services.keeping import Keeper, KeepingService
from cloud.services.packing import Packer
from cloud.services.rescheduling import Rescuer
from cloud.services.settling import Settling
from cloud.services.subscriptions import SubscriptionMonths
from cloud.services.till import TillService
from cloud.services.waitlist import Queue, Taker
from cloud.services.withdrawals import Withdrawals
from cloud.wiring.money import Money


class Collaborators(Money):
    """See cloud/services/collaborators.py."""

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
    def till(self) -> TillService:
        """What is written when money is to move."""
        months = SubscriptionMonths(self.telling)
        return TillService(
            lambda: self.advancer, months, self.telling, least_minor=self._least_minor
        )

    @cached_property
    def billing(self) -> BillingService:
        """What is finally to be paid."""
        return BillingService(self.till, self.telling, self.shelf, self.factors)

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
    def taker(self) -> Taker:
        """How what was waited for is taken."""
        return Taker(self.holder, self.finding)

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
