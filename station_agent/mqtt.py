"""One connection to an MQTT broker, kept up in the event loop: no thread, so no hop on the way out.

MQTT 5 where the broker speaks it, else 3.1.1. Sessions are clean: nothing rests on what a broker
remembers, and a new client is made for every connection, so that nothing old is sent again.
"""

import asyncio
import contextlib
import random
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from contracts.clock import Clock
from station_agent.broker_address import BrokerAddress

log = structlog.get_logger()

KEEPALIVE_S: Final = 20
_MIN_KEEPALIVE_S: Final = 5
_CONNECT_TIMEOUT_S: Final = 5.0
_ANSWER_TIMEOUT_S: Final = 10.0
_BACKOFF_CAP_S: Final = 10.0
_STEADY_AFTER_S: Final = 30.0
_MISC_EVERY_S: Final = 1.0
_VERSION_REFUSED: Final = "Unsupported protocol version"


@dataclass(frozen=True, slots=True)
class Message:
    """What came from the broker."""

    topic: str
    payload: bytes
    is_retained: bool = False


class Receiver(Protocol):
    """Whose connection it is; called in the loop, must not block."""

    def connected(self) -> None:
        """The broker let us in, and the subscriptions are on their way before anything else."""
        ...

    def disconnected(self) -> None:
        """The connection is gone; called once for each `connected`."""
        ...

    def leaving(self) -> None:
        """We are about to say goodbye; the last chance to publish."""
        ...

    def received(self, message: Message) -> None:
        """A message came."""
        ...

    def refused(self, reason: str) -> None:
        """The broker, or its certificate, is not as it should be: an attempt failed for good cause."""
        ...


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker says for us when we are gone without a goodbye; retained."""

    topic: str
    payload: Callable[[], bytes]
    """Asked for at each connection."""


class Refused(ConnectionError):
    """The broker answered no."""


class OtherVersionWanted(ConnectionError):
    """The broker does not speak this version of MQTT; the other one is tried next."""


class MqttConnection:
    """Connects, subscribes, and connects again with jittered back-off until cancelled."""

    def __init__(
        self,
        address: BrokerAddress,
        client_id: str,
        clock: Clock,
        *,
        topics: Sequence[str],
        receiver: Receiver,
        will: Will | None = None,
    ) -> None:
        self._address = address
        self._client_id = client_id
        self._clock = clock
        self._topics = topics
        self._receiver = receiver
        self._will = will
        self._version = MQTTProtocolVersion.MQTTv5
        self._client: Client | None = None
        self._answer: asyncio.Future[Any] | None = None
        self._lost = asyncio.Event()
        self._inbox: list[MQTTMessage] = []
        self._is_up = False

    @property
    def is_up(self) -> bool:
        """Whether the broker let us in and has not gone since."""
        return self._is_up

    @property
    def is_congested(self) -> bool:
        """Whether what was published before is still waiting for the socket."""
        return self._client is not None and self._client.want_write()

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """Send now; False: there is no connection, and the message is not kept."""
        if self._client is None or not self._is_up:
            return False
        self._client.publish(topic, payload, qos, retain)
        self._flush()
        return self._is_up

    async def run(self) -> None:
        """Keep the connection up; ends by cancellation only, with a goodbye to the broker."""
        failures = 0
        while True:
            begun_at = self._clock.monotonic()
            try:
                await self._connect()
                await self._serve()
            except OtherVersionWanted as error:
                if self._version is MQTTProtocolVersion.MQTTv311:
                    log.info("mqtt.older_version", host=self._address.host)
                    continue
                self._note_failure(error)
            except (OSError, ValueError) as error:
                self._note_failure(error)
            except asyncio.CancelledError:
                if self._is_up:
                    self._receiver.leaving()
                raise
            finally:
                self._drop()
            was_steady = self._clock.monotonic() - begun_at > _STEADY_AFTER_S
            failures = 0 if was_steady else failures + 1
            await self._clock.sleep(backoff_s(failures))

    async def _connect(self) -> None:
        client = self._new_client()
        keepalive_s = max(_MIN_KEEPALIVE_S, round(self._clock.real_s(KEEPALIVE_S)))
        address = self._address
        opening = asyncio.ensure_future(
            asyncio.to_thread(client.connect, address.host, address.port, keepalive_s)
        )
        try:
            await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The thread cannot be stopped: let it end, and close what it opened.
            with contextlib.suppress(OSError, ValueError):
                await opening
            _close_socket(client)
            raise
        self._attach(client)
        async with asyncio.timeout(_ANSWER_TIMEOUT_S):
            answer = await self._answered()
        if answer.is_failure and str(answer) == _VERSION_REFUSED:
            self._version = _other_version(self._version)
            raise OtherVersionWanted(str(answer))
        if answer.is_failure:
            raise Refused(str(answer))

    async def _answered(self) -> Any:
        """Wait for the broker's answer, or for it to hang up instead, as some do to MQTT 5."""
        answer = self._answer
        assert answer is not None  # noqa: S101 - set by _attach just before
        lost = asyncio.ensure_future(self._lost.wait())
        try:
            await asyncio.wait({answer, lost}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            lost.cancel()
        if not answer.done():
            self._version = _other_version(self._version)
            raise OtherVersionWanted("the broker hung up before it answered")
        return answer.result()

    async def _serve(self) -> None:
        log.info("mqtt.connected", host=self._address.host, version=self._version.name)
        while not self._lost.is_set():
            # not wait_for, which loses a cancellation that comes together with what it waits for
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_MISC_EVERY_S):
                    await self._lost.wait()
            if self._client is not None:
                self._client.loop_misc()
        log.warning("mqtt.disconnected", host=self._address.host)

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
        if self._address.user:
            client.username_pw_set(self._address.user, self._address.password or None)
        if self._address.is_tls:
            client.tls_set_context(_tls_context(self._address))
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload(), qos=1, retain=True)
        return client

    def _attach(self, client: Client) -> None:
        """Have the loop watch the client's socket, and the client tell us what happens."""
        loop = asyncio.get_running_loop()
        self._client = client
        self._answer = loop.create_future()
        self._lost = asyncio.Event()
        client.on_connect = lambda _c, _d, _f, reason, _p: self._take_answer(reason)
        client.on_message = lambda _c, _d, message: self._inbox.append(message)
        client.on_disconnect = lambda *_: self._lost.set()
        client.on_socket_close = lambda _c, _d, sock: _unwatch(loop, sock)
        sock = client.socket()
        if not isinstance(sock, socket.socket):
            raise ConnectionResetError("the connection was closed at once")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.add_reader(sock.fileno(), self._readable)
        self._flush()

    def _take_answer(self, reason: Any) -> None:
        if self._answer is None or self._answer.done():
            return
        if not reason.is_failure:
            self._is_up = True
        self._answer.set_result(reason)

    def _readable(self) -> None:
        client = self._client
        if client is None:
            return
        was_up = self._is_up
        client.loop_read()
        while _has_more(client):
            client.loop_read()
        if self._is_up and not was_up:
            self._greet(client)
        inbox, self._inbox = self._inbox, []
        for message in inbox:
            self._deliver(message)
        self._flush()

    def _greet(self, client: Client) -> None:
        if self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        self._receiver.connected()

    def _deliver(self, message: MQTTMessage) -> None:
        with contextlib.suppress(UnicodeDecodeError):
            payload = bytes(message.payload)
            self._receiver.received(Message(message.topic, payload, bool(message.retain)))

    def _flush(self) -> None:
        """Write what waits; what the socket does not take now goes when it can."""
        client = self._client
        if client is None:
            return
        if client.want_write():
            client.loop_write()
        sock = client.socket()
        if sock is None:
            return
        loop = asyncio.get_running_loop()
        if client.want_write():
            loop.add_writer(sock.fileno(), self._flush)
        else:
            loop.remove_writer(sock.fileno())

    def _drop(self) -> None:
        client, self._client = self._client, None
        was_up, self._is_up = self._is_up, False
        self._inbox.clear()
        if client is not None:
            client.disconnect()
            _close_socket(client)
        if was_up:
            self._receiver.disconnected()

    def _note_failure(self, error: Exception) -> None:
        log.warning("mqtt.connect_failed", host=self._address.host, error=str(error))
        if isinstance(error, Refused | ssl.SSLError):
            self._receiver.refused(f"{type(error).__name__}: {error}")


def backoff_s(failures: int) -> float:
    """Return how long to wait after so many failures in a row: jittered, at most 10 s."""
    ceiling = min(_BACKOFF_CAP_S, 2.0 ** min(failures - 1, 16)) if failures else 1.0
    return ceiling * random.uniform(0.5, 1)  # noqa: S311 - spreads a storm, guards nothing


def _other_version(version: MQTTProtocolVersion) -> MQTTProtocolVersion:
    is_new = version is MQTTProtocolVersion.MQTTv5
    return MQTTProtocolVersion.MQTTv311 if is_new else MQTTProtocolVersion.MQTTv5


class _HandshakingSocket(ssl.SSLSocket):
    """Closes itself where its handshake fails, as paho forgets to."""

    def do_handshake(self, block: bool = False) -> None:
        """See ssl.SSLSocket.do_handshake."""
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def _tls_context(address: BrokerAddress) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=address.ca_file)
    context.sslsocket_class = _HandshakingSocket
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _has_more(client: Client) -> bool:
    """Whether bytes are left that the socket will not announce, as TLS holds them."""
    sock = client.socket()
    return isinstance(sock, ssl.SSLSocket) and sock.pending() > 0


def _unwatch(loop: asyncio.AbstractEventLoop, sock: Any) -> None:
    if sock.fileno() >= 0:
        loop.remove_reader(sock.fileno())
        loop.remove_writer(sock.fileno())


def _close_socket(client: Client) -> None:
    """Close a socket the client still holds; paho closes its own only when its loop runs."""
    sock = client.socket()
    if sock is None:
        return
    with contextlib.suppress(RuntimeError):
        _unwatch(asyncio.get_running_loop(), sock)
    with contextlib.suppress(OSError):
        sock.close()
