"""The cloud's connection to the broker, in a thread of paho's; MQTT 5 where the broker speaks it.

Clean sessions, and nothing kept for later: what cannot be sent now is sent again by a sweep.
"""

import random
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import structlog
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contracts import topics

log = structlog.get_logger(__name__)

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_KEEPALIVE_S: Final = 15
_CONNECT_TIMEOUT_S: Final = 5.0
_ANSWER_TIMEOUT_S: Final = 10.0
_LEAST_PAUSE_S: Final = 0.5
_MOST_PAUSE_S: Final = 8.0
_LOOP_S: Final = 1.0
_WAITING: Final = 2_000
"""Messages of QoS 1 that wait for the broker's acknowledgement."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker is, and who we are to it."""

    host: str
    port: int
    is_tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: Path | None = None
    """Whom we trust under TLS; None: the system's authorities."""


def broker_address(url: str, ca_file: Path | None = None) -> BrokerAddress:
    """Read `mqtt://` or `mqtts://`, with user and password where the broker wants them.

    Raises:
        ValueError: it is neither; the text never repeats a password.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError("a broker's address is mqtt://[user:password@]host[:port] or mqtts://...")
    return BrokerAddress(
        host=parts.hostname,
        port=parts.port or _PORTS[parts.scheme],
        is_tls=parts.scheme == "mqtts",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        ca_file=ca_file,
    )


@dataclass(frozen=True, slots=True)
class Subscription:
    """What to hear; `group`: shared among all who name it, where the broker can."""

    topic_filter: str
    group: str = ""


OnMessage = Callable[[str, bytes], None]
"""Topic and payload; called in the connection's thread, must not block."""


class MqttBroker:
    """Connects, subscribes, and connects again with jittered back-off until stopped."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        *,
        subscriptions: Sequence[Subscription] = (),
        on_message: OnMessage | None = None,
        on_connected: Callable[[], None] | None = None,
    ) -> None:
        self._address = address
        self._client_id = client_id
        self._subscriptions = subscriptions
        self._on_message = on_message
        self._on_connected = on_connected
        self._version = MQTTProtocolVersion.MQTTv5
        self._client: Client | None = None
        self._connected = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"mqtt {client_id}", daemon=True)

    @property
    def is_connected(self) -> bool:
        """Whether the broker let us in and has not gone since."""
        return self._connected.is_set()

    def start(self) -> None:
        """Begin connecting; returns at once."""
        self._thread.start()

    def stop(self) -> None:
        """Say goodbye; returns when the thread has ended."""
        self._stopping.set()
        client = self._client
        if client is not None:
            client.disconnect()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def publish(self, topic: str, payload: bytes, is_retained: bool) -> None:
        """See Publish. Without a connection the message is dropped: sweeps repeat what matters."""
        client = self._client
        if client is None or not self._connected.is_set():
            return
        try:
            client.publish(topic, payload, _qos_of(topic), is_retained)
        except ValueError as error:  # the queue is full, or the payload too large
            log.warning("mqtt.not_published", topic=topic, error=str(error))

    def _run(self) -> None:
        pause_s = _LEAST_PAUSE_S
        while not self._stopping.is_set():
            version = self._version
            was_connected = self._serve()
            if self._version is MQTTProtocolVersion.MQTTv311 and version is not self._version:
                continue  # the broker is there, and may know the older version
            pause_s = _LEAST_PAUSE_S if was_connected else min(pause_s * 2, _MOST_PAUSE_S)
            # not a secret: spreads out those who lost the same broker
            self._stopping.wait(pause_s * random.uniform(0.5, 1.5))  # noqa: S311

    def _serve(self) -> bool:
        """Serve one connection from its beginning to its end; whether the broker let us in."""
        client = self._new_client()
        gives_up_at = time.monotonic() + _ANSWER_TIMEOUT_S
        was_connected, lost = threading.Event(), threading.Event()
        client.on_connect = lambda _c, _d, _f, reason, _p: self._greet(
            client, reason, was_connected
        )
        client.on_disconnect = lambda *_: lost.set()
        try:
            client.connect(self._address.host, self._address.port, _KEEPALIVE_S)
        except (OSError, ValueError) as error:
            log.warning("mqtt.connect_failed", host=self._address.host, error=str(error))
            return False
        self._client = client
        client.loop_start()
        while not lost.wait(_LOOP_S) and not self._stopping.is_set():
            if not was_connected.is_set() and time.monotonic() > gives_up_at:
                break
        client.disconnect()
        client.loop_stop()
        self._connected.clear()
        self._client = None
        if not was_connected.is_set() and not self._stopping.is_set():
            self._other_version()
        elif not self._stopping.is_set():
            log.warning("mqtt.disconnected", host=self._address.host)
        return was_connected.is_set()

    def _greet(self, client: Client, reason: Any, was_connected: threading.Event) -> None:
        if reason.is_failure:
            log.warning("mqtt.refused", reason=str(reason))
            client.disconnect()
            return
        if self._subscriptions:
            client.subscribe([(self._filter_of(one), 1) for one in self._subscriptions])
        was_connected.set()
        self._connected.set()
        log.info("mqtt.connected", host=self._address.host, version=self._version.name)
        if self._on_connected is not None:
            self._on_connected()

    def _filter_of(self, subscription: Subscription) -> str:
        if subscription.group and self._version is MQTTProtocolVersion.MQTTv5:
            return topics.shared(subscription.group, subscription.topic_filter)
        return subscription.topic_filter

    def _other_version(self) -> None:
        # a broker that knows no MQTT 5 says so, or hangs up; either way the older one is tried next
        is_new = self._version is MQTTProtocolVersion.MQTTv5
        self._version = MQTTProtocolVersion.MQTTv311 if is_new else MQTTProtocolVersion.MQTTv5

    def _new_client(self) -> Client:
        is_old = self._version is MQTTProtocolVersion.MQTTv311
        client = Client(
            CallbackAPIVersion.VERSION2,
            self._client_id,
            clean_session=True if is_old else None,
            protocol=self._version,
            reconnect_on_failure=False,
        )
        client.connect_timeout = _CONNECT_TIMEOUT_S
        client.max_queued_messages_set(_WAITING)
        client.on_message = self._take
        if self._address.user:
            client.username_pw_set(self._address.user, self._address.password or None)
        if self._address.is_tls:
            client.tls_set_context(_tls_context(self._address))
        return client

    def _take(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        del client, userdata
        if self._on_message is None:
            return
        try:
            self._on_message(message.topic, bytes(message.payload))
        except UnicodeDecodeError:
            log.warning("mqtt.unreadable_topic")


def _qos_of(topic: str) -> int:
    """Return 0 for what is only true now, or said again by whoever misses it."""
    levels = topic.split("/")
    return 0 if topics.Channel.ACKS in levels or "changes" in levels else 1


def _tls_context(address: BrokerAddress) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=address.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
