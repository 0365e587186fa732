"""What is asked of chargers, and what they ask."""

from datetime import timedelta
from functools import cached_property

from cloud.adapters.log_shelf import FolderShelf
from cloud.adapters.messages.outbound import Outbound
from cloud.adapters.pki.contracts import HouseContracts
from cloud.adapters.pki.house import HouseAuthority
from cloud.adapters.pki.responder import Responders
from cloud.adapters.secret_key import key_for
from cloud.services.alerting import Alerting
from cloud.services.certificates import CertificateService
from cloud.services.commands import CommandService
from cloud.services.costs import CostService
from cloud.services.fleet import FleetService
from cloud.services.key_rotations import KeyMaker, KeyRotationService
from cloud.services.local_lists import LocalListService
from cloud.services.log_files import LogFileService
from cloud.services.relays import RelayService
from cloud.wiring.bookings import Bookings
from cloud.workers.relays import RelayDesk


class Chargers(Bookings):
    """Serves chargers and those who look after them."""

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
    def key_rotations(self) -> KeyRotationService:
        """How chargers get new keys."""
        alerting = Alerting(
            self.policy, self.settings.public_url, tuple(self.settings.alert_mail_to)
        )
        return KeyRotationService(
            self.open_work, self.clock, self.keys, self.policy.stale_after, alerting
        )

    @cached_property
    def log_files(self) -> LogFileService:
        """What becomes of chargers' logs."""
        shelf = FolderShelf(self.settings.data_dir.resolve() / "logs")
        base_url = self.settings.upload_url or self.settings.public_url
        return LogFileService(self.open_work, self.clock, shelf, base_url)

    @cached_property
    def local_lists(self) -> LocalListService:
        """Chargers' own lists of tokens."""
        return LocalListService(self.open_work, self.clock)

    @cached_property
    def authority(self) -> HouseAuthority:
        """Who signs chargers' certificates."""
        return HouseAuthority(self.settings.data_dir.resolve() / "pki", self.clock)

    @cached_property
    def certificates(self) -> CertificateService:
        """How chargers get certificates."""
        return CertificateService(self.open_work, self.clock, self.authority)

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
