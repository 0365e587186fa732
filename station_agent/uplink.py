"""Outbox to cloud: numbered batches as soon as there is something to say, acknowledged by commit."""

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import msgspec
import structlog

from contracts import topics
from contracts.batch import (
    Ack,
    AuthorizeAnswer,
    AuthorizeAsk,
    Beat,
    RelayAnswer,
    RelayAsk,
    decode_ack,
)
from contracts.clock import Clock
from contracts.events import Event, SecurityEventReported
from contracts.ids import StationId
from contracts.link import Link as LinkMessage
from contracts.link import LinkStatus
from contracts.wire import Broken, Instant, Wire, encode
from station_agent.domain.delivery import Delivery, Meaning
from station_agent.domain.link import Link
from station_agent.outbox import Outbox
from station_agent.ports import OutboxUnavailable

log = structlog.get_logger()

_MAX_ASKS: Final = 100
_SPENT_S: Final = 1.0
_CONGESTED_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class UplinkSettings:
    """How the uplink behaves."""

    station_id: StationId
    agent_version: str
    window: int = 4
    timeout_s: float = 5
    beat_interval_s: float = 15
    pace_s: float = 0.005
    """A transaction of the cloud's for a few facts rather than for each."""


class Publisher(Protocol):
    """The connection to the cloud's broker, as the uplink uses it."""

    @property
    def is_congested(self) -> bool:
        """See MqttConnection.is_congested."""
        ...

    def publish(self, topic: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> bool:
        """See MqttConnection.publish."""
        ...


class _BatchOfRaw(Wire, kw_only=True):
    """A contracts.batch.Batch whose events are encoded already."""

    station: StationId
    epoch: int
    first_seq: int
    sent_at: Instant
    beat: Beat | None = None
    asks: list[AuthorizeAsk] = msgspec.field(default_factory=list)
    relays: list[RelayAsk] = msgspec.field(default_factory=list)
    events: list[msgspec.Raw] = msgspec.field(default_factory=list)


class Uplink:
    """Told of the connection and of what comes on `acks`; `run` does the rest."""

    def __init__(self, settings: UplinkSettings, outbox: Outbox, clock: Clock) -> None:
        self._settings = settings
        self._outbox = outbox
        self._clock = clock
        self._beat: Callable[[], Beat] = Beat
        self._publisher: Publisher | None = None
        self._link = Link(patience_s=3 * settings.beat_interval_s)
        self._delivery = self._new_delivery()
        self._wake = asyncio.Event()
        self._beat_at = 0.0
        self._asks: list[AuthorizeAsk | RelayAsk] = []
        self._asked: dict[str, asyncio.Future[AuthorizeAnswer | RelayAnswer]] = {}
        self._meaning = Meaning.NOTHING
        self._cloud_epoch = 0
        self._is_refusal_told = False
        self._told_short = False
        self._unrecorded: list[Event] = []
        outbox.watch(self._notice_outbox)

    def beat_with(self, beat: Callable[[], Beat]) -> None:
        """Have beats say what this returns; said once, before `run`."""
        self._beat = beat

    # The connection's side.

    def use(self, publisher: Publisher) -> None:
        """Send by this connection; said once, before `run`."""
        self._publisher = publisher

    def will(self) -> bytes:
        """Return what the broker shall say for us when we vanish."""
        return self._link_message(LinkStatus.OFFLINE, is_will=True)

    def connected(self) -> None:
        """See mqtt.Receiver.connected."""
        self._link.connect()
        self._delivery.connect()
        self._is_refusal_told = False
        self._publish_link(LinkStatus.ONLINE)
        self._beat_at = 0.0
        self._wake.set()

    def disconnected(self) -> None:
        """See mqtt.Receiver.disconnected."""
        self._link.disconnect()
        self._delivery.disconnect()

    def leaving(self) -> None:
        """See mqtt.Receiver.leaving."""
        self._publish_link(LinkStatus.OFFLINE)

    def refused(self, reason: str) -> None:
        """See mqtt.Receiver.refused. A security event, told once an outage."""
        log.error("uplink.broker_refused", reason=reason)
        if not self._is_refusal_told:
            self._is_refusal_told = True
            self._unrecorded.append(
                SecurityEventReported(
                    event="cloud_broker_refused",
                    info=reason[:500],
                    observed_at=self._clock.now(),
                )
            )
            self._wake.set()

    def take(self, payload: bytes) -> None:
        """Take what came on `acks`."""
        try:
            said = decode_ack(payload)
        except Broken as error:
            log.warning("uplink.unreadable_ack", error=str(error))
            return
        if said.station != self._settings.station_id:
            log.warning("uplink.foreign_ack", station=said.station)
            return
        now = self._clock.monotonic()
        self._link.hear(now)
        if isinstance(said, Ack):
            self._acknowledge(said, now)
        elif (waiting := self._asked.pop(said.ask_id, None)) and not waiting.done():
            waiting.set_result(said)

    # What others ask.

    @property
    def is_on(self) -> bool:
        """Whether the cloud answers."""
        return self._link.is_on(self._clock.monotonic())

    async def ask(
        self,
        charger_id: str,
        evse_id: int,
        token: str,
        wait_s: float,
        begins_on: int | None = None,
    ) -> AuthorizeAnswer | None:
        """Ask the cloud about a token; None: it is away, or did not answer in time."""
        ask_id = uuid.uuid4().hex
        ask = AuthorizeAsk(
            ask_id=ask_id,
            charger_id=charger_id,
            evse_id=evse_id,
            token=token,
            begins_on=begins_on,
        )
        answer = await self._answer_to(ask_id, ask, wait_s)
        return answer if isinstance(answer, AuthorizeAnswer) else None

    async def relay(
        self, charger_id: str, action: str, payload: Mapping[str, Any], wait_s: float
    ) -> dict[str, Any] | None:
        """See Relay.relay."""
        ask_id = uuid.uuid4().hex
        ask = RelayAsk(ask_id=ask_id, charger_id=charger_id, action=action, payload=dict(payload))
        answer = await self._answer_to(ask_id, ask, wait_s)
        return answer.payload or None if isinstance(answer, RelayAnswer) else None

    async def _answer_to(
        self, ask_id: str, ask: AuthorizeAsk | RelayAsk, wait_s: float
    ) -> AuthorizeAnswer | RelayAnswer | None:
        if not self.is_on or len(self._asked) >= _MAX_ASKS:
            return None
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[AuthorizeAnswer | RelayAnswer] = loop.create_future()
        self._asked[ask_id] = answer
        self._asks.append(ask)
        self._wake.set()
        try:
            async with asyncio.timeout(self._clock.real_s(wait_s)):
                return await answer
        except TimeoutError:
            return None
        finally:
            self._asked.pop(ask_id, None)
            self._asks = [one for one in self._asks if one.ask_id != ask_id]

    # The loop.

    async def run(self) -> None:
        """Send what there is to send, until cancelled."""
        while True:
            await self._record_own()
            await self._settle_epoch()
            await self._send_what_fits()
            await self._wait()

    def _notice_outbox(self) -> None:
        """Facts were written; or the disk is short, which is told before the next beat is due."""
        if self._outbox.is_disk_short is not self._told_short:
            self._told_short = self._outbox.is_disk_short
            self._beat_at = 0.0
        self._wake.set()

    async def _record_own(self) -> None:
        facts, self._unrecorded = self._unrecorded, []
        if not facts:
            return
        try:
            await self._outbox.record(facts)
        except OutboxUnavailable as error:
            log.warning("uplink.unrecorded", error=str(error))

    async def _wait(self) -> None:
        """Wait for something to send, an acknowledgement, or the next time something is due."""
        now = self._clock.monotonic()
        delivery = self._delivery
        due_at = min(self._beat_due_at(), delivery.due_at) if delivery.is_up else float("inf")
        if delivery.has_room and delivery.sent_seq < self._outbox.head_seq:
            is_congested = self._publisher is not None and self._publisher.is_congested
            due_at = min(due_at, now + _CONGESTED_S if is_congested else delivery.ready_at)
        timer = None
        if due_at < float("inf"):
            delay_s = self._clock.real_s(max(0.0, due_at - now))
            timer = asyncio.get_running_loop().call_later(delay_s, self._wake.set)
        await self._wake.wait()
        self._wake.clear()
        if timer is not None:
            timer.cancel()
        if self._delivery.expire(self._clock.monotonic()):
            log.warning("uplink.timed_out", committed_seq=self._delivery.committed_seq)

    async def _send_what_fits(self) -> None:
        """Send batches while the window has room; a beat and asks go at once, with or without."""
        while self._delivery.is_up:
            is_beat_due = self._clock.monotonic() >= self._beat_due_at()
            events = await self._next_events()
            if not events and not is_beat_due and not self._asks:
                return
            if not self._publish(events, is_beat_due=is_beat_due):
                return

    async def _next_events(self) -> list[bytes]:
        delivery, publisher = self._delivery, self._publisher
        if publisher is None or publisher.is_congested or not delivery.has_room:
            return []
        if delivery.sent_seq >= self._outbox.head_seq:
            return []
        if self._clock.monotonic() < delivery.ready_at:
            return []
        after = delivery.sent_seq
        recent = self._outbox.read_recent(after)
        if recent is not None:
            return recent
        try:
            events = await self._outbox.read(after)
        except OutboxUnavailable as error:
            log.warning("uplink.outbox_unreadable", error=str(error))
            await self._clock.sleep(_SPENT_S)
            return []
        # While the disk was read, an acknowledgement or a timeout may have moved us.
        is_moved = delivery is not self._delivery or delivery.sent_seq != after
        return [] if is_moved or not delivery.has_room else events

    def _publish(self, events: list[bytes], *, is_beat_due: bool) -> bool:
        now = self._clock.monotonic()
        asks, self._asks = self._asks, []
        batch = _BatchOfRaw(
            station=self._settings.station_id,
            epoch=self._delivery.epoch,
            first_seq=self._delivery.sent_seq + 1,
            sent_at=self._clock.now(),
            beat=self._beat() if is_beat_due else None,
            asks=[one for one in asks if isinstance(one, AuthorizeAsk)],
            relays=[one for one in asks if isinstance(one, RelayAsk)],
            events=[msgspec.Raw(event) for event in events],
        )
        topic = topics.events(self._settings.station_id)
        if self._publisher is None or not self._publisher.publish(topic, encode(batch)):
            return False
        if events:
            self._delivery.send(len(events), now)
        if is_beat_due:
            self._beat_at = now
        return True

    def _beat_due_at(self) -> float:
        """Until the cloud was heard, beats come as often as batches would be repeated."""
        interval_s = self._settings.beat_interval_s
        if not self._delivery.is_heard:
            interval_s = min(interval_s, self._settings.timeout_s)
        return self._beat_at + interval_s if self._beat_at else 0.0

    # Acknowledgements and epochs.

    def _acknowledge(self, ack: Ack, now: float) -> None:
        was_heard = self._delivery.is_heard
        meaning = self._delivery.acknowledge(ack.epoch, ack.committed_seq, now)
        if meaning in {Meaning.CLOUD_IS_AHEAD, Meaning.CLOUD_FORGOT}:
            self._meaning, self._cloud_epoch = meaning, ack.epoch
        elif meaning is Meaning.PROGRESS:
            self._outbox.forget_delivered(ack.committed_seq)
            if not was_heard:
                self._meaning = Meaning.PROGRESS
        self._wake.set()

    async def _settle_epoch(self) -> None:
        """Put on disk what the cloud's cursor says of this outbox."""
        meaning, self._meaning = self._meaning, Meaning.NOTHING
        if meaning is Meaning.NOTHING:
            return
        try:
            if meaning is Meaning.PROGRESS:
                await self._outbox.heard_cloud()
            else:
                await self._renew(meaning)
        except OutboxUnavailable as error:
            self._meaning = meaning
            log.warning("uplink.epoch_unwritten", error=str(error))
            await self._clock.sleep(_SPENT_S)

    async def _renew(self, meaning: Meaning) -> None:
        outbox = self._outbox
        is_backup = meaning is Meaning.CLOUD_IS_AHEAD and self._cloud_epoch == outbox.epoch
        # What the file held when it was opened came from the backup: the cloud has it.
        delivered_seq = outbox.opened_seq if is_backup else outbox.acked_seq
        log.error("uplink.new_epoch", because=str(meaning), delivered_seq=delivered_seq)
        await outbox.renew_epoch(delivered_seq, at_least=self._cloud_epoch)
        is_up = self._delivery.is_up
        self._delivery = self._new_delivery()
        if is_up:
            self._delivery.connect()
            self._publish_link(LinkStatus.ONLINE)
            self._beat_at = 0.0
        await outbox.tell_again()

    def _new_delivery(self) -> Delivery:
        return Delivery(
            epoch=self._outbox.epoch,
            committed_seq=self._outbox.acked_seq,
            opened_seq=self._outbox.opened_seq,
            window=self._settings.window,
            timeout_s=self._settings.timeout_s,
            pace_s=self._settings.pace_s,
        )

    def _publish_link(self, status: LinkStatus) -> None:
        if self._publisher is not None:
            topic = topics.link(self._settings.station_id)
            self._publisher.publish(topic, self._link_message(status), retain=True)

    def _link_message(self, status: LinkStatus, *, is_will: bool = False) -> bytes:
        return encode(
            LinkMessage(
                station=self._settings.station_id,
                status=status,
                epoch=self._outbox.epoch,
                agent_version=self._settings.agent_version,
                sent_at=None if is_will else self._clock.now(),
            )
        )
