"""The broker that bay sensors speak to."""

from collections.abc import Callable
from typing import Any, Final, Self
from urllib.parse import unquote, urlsplit

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from simulator.payloads import Message

_PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
_MAX_QUEUED: Final = 10_000


class SensorBroker:
    """One connection for all sensors; reconnects by itself, and sends then what waited (QoS 1)."""

    def __init__(self, url: str, client_id: str) -> None:
        """Take `mqtt://user:password@host:port`, or `mqtts://`.

        Raises:
            ValueError: it is neither.
        """
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ValueError(
                "the sensors' broker is mqtt://[user:password@]host[:port] or mqtts://"
            )
        self._host = parts.hostname
        self._port = parts.port or _PORTS[parts.scheme]
        new_client: Callable[..., Any] = paho.Client
        self._client = new_client(CallbackAPIVersion.VERSION2, client_id=client_id)
        self._client.max_queued_messages_set(_MAX_QUEUED)
        self._client.reconnect_delay_set(1, 10)
        if parts.username:
            self._client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        if parts.scheme == "mqtts":
            self._client.tls_set()

    def publish(self, message: Message) -> None:
        """Publish; kept in memory while the broker is away."""
        self._client.publish(message.topic, message.payload, qos=1, retain=message.is_retained)

    def __enter__(self) -> Self:
        self._client.connect_async(self._host, self._port)
        self._client.loop_start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()
