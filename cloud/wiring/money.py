"""Prices, and who moves money: a line for each payment provider."""

from functools import cached_property

from cloud.adapters.payments.sandbox import Faults, SandboxGateway
from cloud.adapters.payments.sandbox_bank import SandboxBank
from cloud.services.billing import QuoteService
from cloud.services.money_ports import PaymentGateway
from cloud.services.shelf import TariffShelf
from cloud.wiring.messages import Messages


class Money(Messages):
    """Prices and moves money."""

    @cached_property
    def shelf(self) -> TariffShelf:
        """Tariffs that were read."""
        return TariffShelf()

    @cached_property
    def quoting(self) -> QuoteService:
        """What charges are expected to cost."""
        return QuoteService(self.shelf)

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

    def _least_minor(self, provider: str, currency: str) -> int:
        is_own = provider == self.gateway.provider
        return self.gateway.least_minor(currency) if is_own else 0
