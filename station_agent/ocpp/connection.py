"""One charger's connection: its calls in order, ours one at a time, neither waiting for the other."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Final, Protocol

import msgspec
import structlog
from websockets.exceptions import ConnectionClosed

from contracts.events import ChargerConnected
from station_agent.ocpp import metrics
from station_agent.ocpp.answering import Answering, Services
from station_agent.ocpp.outcome import ChargerView
from station_agent.ocpp.rpc import Answered, AnsweredWithError, Call, Ignored, Refused, Rpc
from station_agent.ocpp.versions import Version
from station_agent.ports import OutboxUnavailable

log: Final = structlog.get_logger()

_BACKLOG: Final = 16
_PROBE_S: Final = 2.5
_BOOT_WAIT: Final = timedelta(seconds=10)
_REFUSED: Final = 1008
_VENDORS_OWN: Final = "DataTransfer"
"""Its data may be anything: which version's it looks like tells nothing of the version."""


OnAnswer = Callable[[dict[str, Any]], Awaitable[None]]
"""Told the payload of an answer to our call."""


class Socket(Protocol):
    """What we need of a WebSocket."""

    async def recv(self, decode: bool | None = None) -> Any:
        """Return the next frame; raises ConnectionClosed."""
        ...

    async def send(self, message: bytes, *, text: bool | None = None) -> None:
        """Send a frame; raises ConnectionClosed."""
        ...

    async def ping(self) -> Any:
        """Send a ping; returns what can be awaited for its pong."""
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close in order, or after a while without."""
        ...


class NotAnswered(msgspec.Struct, frozen=True):
    """Our call got no answer."""

    was_sent: bool
    """False: its time, or the connection, was over before its turn came."""


class ChargerConnection:
    """Reads frames until the socket closes; answers calls; makes ours."""

    def __init__(
        self,
        socket: Socket,
        version: Version,
        charger: ChargerView,
        services: Services,
        other_version: Version | None = None,
        *,
        is_agreed: bool = False,
    ) -> None:
        """Serve a socket.

        Args:
            socket: already open.
            version: what the handshake settled on.
            charger: whose it is.
            services: shared by all connections.
            other_version: what the charger may speak as well. Where nothing was settled its first
                message that fits only one of the two decides.
            is_agreed: whether the handshake settled on `version`; some speak another all the same,
                and some both (QUIRKS 7).
        """
        self._other_version = other_version
        self._is_agreed = is_agreed
        self.charger = charger
        self._socket = socket
        self._services = services
        self._clock = services.clock
        self._rpc = Rpc(version.dialect)
        self._answering = Answering(version, charger, self._rpc, services)
        self._backlog: asyncio.Queue[tuple[Call | Refused, bytes] | None] = asyncio.Queue(_BACKLOG)
        self._unfinished = 0
        self._calls = asyncio.Lock()
        self._answer: asyncio.Future[Answered | AnsweredWithError] | None = None
        self._on_answer: OnAnswer | None = None
        self._is_settled = asyncio.Event()
        self._has_ponged = False
        self._is_over = False
        now_s = asyncio.get_running_loop().time()
        self._bucket = services.buckets.of(charger.charger_id, now_s)
        self._began_s = self._clock.monotonic()
        self.heard_s = self._began_s
        """When the charger last said anything, by the monotonic clock."""
        self.spoke_s = self._began_s
        """When it last sent a message; a pong is none."""

    @property
    def version(self) -> Version:
        """The one spoken, as far as we know."""
        return self._answering.version

    async def run(self) -> None:
        """Serve until the socket closes; what was received by then is still handled."""
        name = self.charger.charger_id
        async with asyncio.TaskGroup() as tasks:
            worker = tasks.create_task(self._work(), name=f"ocpp-work-{name}")
            pinger = tasks.create_task(self._keep_alive(), name=f"ocpp-ping-{name}")
            try:
                await self._read()
            finally:
                self._is_over = True
                pinger.cancel()
                if self._answer is not None and not self._answer.done():
                    self._answer.cancel()
            await self._backlog.put(None)
            await worker

    async def call(
        self,
        action: str,
        payload: dict[str, Any],
        timeout_s: float,
        on_answer: OnAnswer | None = None,
    ) -> Answered | AnsweredWithError | NotAnswered:
        """Call the charger, after the calls of ours that wait already.

        `on_answer` is through before the charger's next message is looked at: what follows from an
        answer stands before what follows from the reports it announces.

        Not before its first message is answered, or 10 s have passed: calls that come before the
        answer to BootNotification make some chargers boot again (QUIRKS 12, 13).
        """
        loop = asyncio.get_running_loop()
        deadline_s = loop.time() + self._clock.real_s(timeout_s)
        try:
            async with asyncio.timeout_at(deadline_s):
                await self._settle()
                await self._calls.acquire()
        except TimeoutError:
            return NotAnswered(was_sent=False)
        try:
            in_flight_s = self._clock.real_s(self._services.timing.call_timeout_s)
            async with asyncio.timeout_at(min(deadline_s, loop.time() + in_flight_s)):
                return await self._exchange(action, payload, on_answer)
        except TimeoutError:
            return NotAnswered(was_sent=True)
        finally:
            self._rpc.give_up()
            self._answer = None
            self._calls.release()

    def connected(self) -> ChargerConnected:
        """Return the fact that this charger is here, in the version it speaks as far as we know."""
        return ChargerConnected(
            charger_id=self.charger.charger_id,
            ocpp_version=self.version.name,
            security_profile=self.charger.security_profile,
            key_salt=self.charger.key_salt,
            profile_generation=self.charger.profile_generation,
            certificate_serial=self.charger.certificate_serial,
            observed_at=self._clock.now(),
        )

    async def is_alive(self) -> bool:
        """Ask the other end now; False if it does not answer within 2.5 s."""
        try:
            async with asyncio.timeout(_PROBE_S):
                await (await self._socket.ping())
        except (TimeoutError, ConnectionClosed):
            return False
        self.heard_s = self._clock.monotonic()
        return True

    async def close(self, code: int, reason: str) -> None:
        """Close the socket; `run` then returns."""
        await self._socket.close(code, reason)

    async def _exchange(
        self, action: str, payload: dict[str, Any], on_answer: OnAnswer | None
    ) -> Answered | AnsweredWithError | NotAnswered:
        if self._is_over:
            return NotAnswered(was_sent=False)
        self._answer, self._on_answer = asyncio.get_running_loop().create_future(), on_answer
        self.charger.talk.note(action, payload)
        frame = self._rpc.call(str(uuid.uuid4()), action, payload)
        try:
            await self._socket.send(frame, text=True)
        except ConnectionClosed:
            # it may have gone out just before
            return NotAnswered(was_sent=True)
        await asyncio.wait((self._answer,))
        return NotAnswered(was_sent=True) if self._answer.cancelled() else self._answer.result()

    async def _settle(self) -> None:
        left_s = self._began_s + _BOOT_WAIT.total_seconds() - self._clock.monotonic()
        if self._is_settled.is_set() or left_s <= 0:
            return
        try:
            async with asyncio.timeout(self._clock.real_s(left_s)):
                await self._is_settled.wait()
        except TimeoutError:
            self._is_settled.set()

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                frame: bytes = await self._socket.recv(decode=False)
            except ConnectionClosed:
                return
            self.heard_s = self.spoke_s = self._clock.monotonic()
            wait_s = self._bucket.take(loop.time())
            if wait_s:
                await self._slow_down(wait_s)
            match self._rpc.receive(frame):
                case Call() | Refused() as received:
                    if self._other_version is not None and isinstance(received, Call):
                        await self._tell_versions_apart(received, self._other_version)
                    await self._take(received, frame)
                case Answered() | AnsweredWithError() as answered:
                    await self._hear(answered)
                case Ignored(reason=reason):
                    metrics.messages("", reason).inc()

    async def _hear(self, answered: Answered | AnsweredWithError) -> None:
        answer, on_answer = self._answer, self._on_answer
        if answer is None or answer.done():
            return
        if on_answer is not None and isinstance(answered, Answered):
            await on_answer(answered.payload)
        if not answer.done():
            answer.set_result(answered)

    async def _take(self, received: Call | Refused, frame: bytes) -> None:
        """Serve what can be served at once, and the rest in its turn.

        What may wait for the cloud holds up the calls behind it, but never the answers to our own
        (QUIRKS 11).
        """
        route = self.version.routes.get(received.action)
        if self._unfinished or (route is not None and route.may_wait):
            self._unfinished += 1
            await self._backlog.put((received, frame))
        else:
            await self._serve(received, frame)

    async def _tell_versions_apart(self, call: Call, other: Version) -> None:
        is_this = _fits(self.version, call)
        if is_this and self._is_agreed:
            return  # as agreed: there is nothing to learn
        is_other = _fits(other, call)
        if is_this == is_other or call.action == _VENDORS_OWN:
            return
        self._other_version = self.version if self._is_agreed else None
        if is_other:
            self._answering.speak(other)
            await self._answering.record_or_not([self.connected()])
            if self._is_agreed:
                await self._answering.tell("speaks_another_version")

    async def _slow_down(self, wait_s: float) -> None:
        """Leave the charger's messages in its own buffers for a while (FAULTS P07)."""
        metrics.THROTTLED.inc(wait_s)
        await self._answering.tell("flooding")
        await asyncio.sleep(wait_s)

    async def _keep_alive(self) -> None:
        """Ping; close when what used to answer pings no longer does (FAULTS N02, QUIRKS 5)."""
        interval_s = self._services.timing.ping_interval_s
        pong_s = max(self._clock.real_s(interval_s), self._services.timing.min_pong_s)
        while True:
            await self._clock.sleep(interval_s)
            asked_s = self._clock.monotonic()
            try:
                pong = await self._socket.ping()
                async with asyncio.timeout(pong_s):
                    await pong
            except ConnectionClosed:
                return
            except TimeoutError:
                if self._has_ponged and self.heard_s < asked_s:
                    await self._socket.close(1011, "no pong")
                    return
            else:
                self._has_ponged = True
                self.heard_s = self._clock.monotonic()

    async def _work(self) -> None:
        while (taken := await self._backlog.get()) is not None:
            await self._serve(*taken)
            self._unfinished -= 1

    async def _serve(self, received: Call | Refused, frame: bytes) -> None:
        try:
            reply = await self._answering.reply(received, frame)
            if reply is not None:
                await self._socket.send(reply, text=True)
            if self._answering.closes:
                await self._socket.close(_REFUSED, self._answering.closes)
        except ConnectionClosed:
            # It will ask again on its next connection.
            metrics.messages(self._answering.label(received.action), "gone").inc()
        except OutboxUnavailable:
            metrics.messages(self._answering.label(received.action), "not_stored").inc()
            log.warning("ocpp.not_answered", charger_id=self.charger.charger_id)
        self._is_settled.set()


def _fits(version: Version, call: Call) -> bool:
    route = version.routes.get(call.action)
    if route is None:
        return False
    checker = version.schemas.request(call.action)
    if checker.fits(call.payload):
        return True
    return route.is_forgiving and checker.forgiven(call.payload) is not None
