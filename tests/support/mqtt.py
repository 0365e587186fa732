"""A plain MQTT client for tests: what came, in order, and whether it is connected."""

import socket
import threading
from contextlib import contextmanager
from typing import Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.support.ports import LOOPBACK
from tests.support.waiting import eventually


class Refused(AssertionError):
    """The broker did not let us in."""


class MqttProbe:
    """One connection; `received` grows as messages come."""

    def __init__(
        self,
        port: int,
        client_id: str = "",
        *,
        login: tuple[str, str] | None = None,
        will: tuple[str, bytes] | None = None,
        keepalive_s: int = 60,
        version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv311,
    ) -> None:
        self._client = Client(CallbackAPIVersion.VERSION2, client_id, protocol=version)
        if login is not None:
            self._client.username_pw_set(*login)
        if will is not None:
            self._client.will_set(*will, qos=1, retain=True)
        self._client.on_message = self._on_message
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.reconnect_delay_set(min_delay=0.1, max_delay=0.1)
        self._address = (LOOPBACK, port, keepalive_s)
        self._subscribed = threading.Event()
        self._answer: str | None = None
        self.received: list[MQTTMessage] = []
        self.connections = 0
        self.disconnections = 0

    def connect(self) -> Self:
        """Connect.

        Raises:
            Refused: the broker answered no.
        """
        self._client.connect(*self._address)
        self._client.loop_start()
        answer = eventually(lambda: self._answer, what="the broker's answer")
        if answer != "Success":
            self.close()
            raise Refused(answer)
        return self

    def subscribe(self, topic: str, qos: int = 1) -> None:
        """Subscribe, and wait for the broker's answer."""
        self._subscribed.clear()
        self._client.subscribe(topic, qos)
        assert self._subscribed.wait(60), f"no answer to the subscription of {topic}"

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Publish, and with QoS 1 wait until the broker has it."""
        self._client.publish(topic, payload, qos, retain).wait_for_publish(60)

    def payloads(self) -> list[bytes]:
        """Return the payloads that came, in order."""
        return [one.payload for one in self.received]

    def tear(self) -> None:
        """Go without a goodbye, as a power cut would: the broker sends the last will."""
        self._client.loop_stop()
        sock = self._client.socket()
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)
            sock.close()

    def close(self) -> None:
        """Say goodbye."""
        self._client.disconnect()
        self._client.loop_stop()

    def __enter__(self) -> Self:
        return self.connect()

    def __exit__(self, *_: object) -> None:
        self.close()

    def _on_message(self, _client, _data, message):
        self.received.append(message)

    def _on_connect(self, _client, _data, _flags, reason, _properties):
        self._answer = str(reason)
        if not reason.is_failure:
            self.connections += 1

    def _on_disconnect(self, *_):
        self.disconnections += 1


@contextmanager
def probes(*probes_wanted: MqttProbe):
    """Connect several, and close them all."""
    try:
        yield [one.connect() for one in probes_wanted]
    finally:
        for one in probes_wanted:
            one.close()
