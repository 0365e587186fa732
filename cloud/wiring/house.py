"""All of a process: what it is made of, its loops, and what it hears."""

from collections.abc import Callable
from functools import cached_property
from typing import Final

from cloud.adapters.mqtt import Subscription
from cloud.adapters.passwords import ArgonPasswords
from cloud.adapters.payments.sandbox import SandboxPost
from cloud.live import LiveHub
from cloud.services.accounts import AccountService
from cloud.services.deadlines import DeadlineService
from cloud.services.facts.memo import SessionMemo
from cloud.services.facts.transaction import Options
from cloud.services.ingest import IngestService
from cloud.services.plans import PlanService
from cloud.services.reauthorising import Reauthoriser
from cloud.services.sweeping import SweepService
from cloud.services.telemetry import TelemetryService
from cloud.wiring.chargers import Chargers
from cloud.workers.cashier import Cashier
from cloud.workers.clock import ClockWorker
from cloud.workers.courier import Courier, TelemetryForwarder
from cloud.workers.ingest import Inbox, IngestWorker
from cloud.workers.loop import Loop
from cloud.workers.signing import Signing
from contracts import topics
from contracts.topics import Channel as TopicChannel

_COURIER_EVERY_S: Final = 1.0
_SANDBOX_EVERY_S: Final = 0.2
_SIGNING_EVERY_S: Final = 0.5


class House(Chargers):
    """Everything one process may need, each made when first asked for."""

    @cached_property
    def accounts(self) -> AccountService:
        """Users."""
        return AccountService(self.open_work, self.passwords, self.clock)

    @cached_property
    def passwords(self) -> ArgonPasswords:
        """Slow hashes."""
        return ArgonPasswords()

    @cached_property
    def hub(self) -> LiveHub:
        """Who watches."""
        return LiveHub()

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
