"""The way to the broker, and who tells it what is news."""

import secrets
import socket
from collections.abc import Callable
from functools import cached_property, partial

from cloud.adapters.mqtt import BrokerAddress, MqttBroker, Subscription, broker_address
from cloud.services.availability import AvailabilityService
from cloud.services.publishing import Publisher
from cloud.wiring.ground import Ground


class Broker(Ground):
    """Speaks for a process at the broker."""

    _broker: MqttBroker | None = None

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

    @cached_property
    def availability(self) -> AvailabilityService:
        """Which bays are free."""
        return AvailabilityService(self.open_work, self.clock, self.policy)

    @cached_property
    def publisher(self) -> Publisher:
        """Who tells what commits changed."""
        return Publisher(self.open_work, self.availability, self.publish, self.is_connected)


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
