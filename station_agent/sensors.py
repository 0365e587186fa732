"""Sensors' MQTT messages to facts: vendor decoder, then domain/occupancy, then outbox."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

import msgspec
import structlog

from contracts.clock import Clock
from contracts.events import BayOccupancyChanged, Event, SensorUnreadable
from contracts.ids import SensorId
from firmware_bridge.vendors.sensor import Reading, UnreadablePayload
from station_agent.domain.occupancy import Bay, Sensor, SensorMemory
from station_agent.domain.readings import Use, dated, use_of
from station_agent.mqtt import Message
from station_agent.ports import Kept, OutboxUnavailable, Recorder
from station_agent.station_file import BayLayout, SensorLayout, StationLayout

log = structlog.get_logger()

UNREADABLE_EVERY_S: Final = 60.0
_SAVE_EVERY_S: Final = 60.0
_CHECK_EVERY_S: Final = 1.0
_RETRY_S: Final = 1.0
_MAX_WAITING: Final = 10_000
_SAMPLE_BYTES: Final = 256
_KIND: Final = "sensor"

_MEMORY: Final = msgspec.json.Decoder(SensorMemory)
_OCCUPANCY: Final = msgspec.json.Decoder(BayOccupancyChanged)


class Memory(Recorder, Protocol):
    """The outbox, as far as sensors are concerned."""

    def kept(self, kind: str) -> Mapping[str, bytes]:
        """See Outbox.kept."""
        ...


@dataclass(slots=True)
class SensorCounts:
    """What metrics tell."""

    read: int = 0
    unreadable: int = 0
    foreign: int = 0


@dataclass(slots=True)
class _Unreadable:
    """At most one fact a minute and sensor."""

    told_at: float = float("-inf")
    count: int = 0


@dataclass(slots=True)
class _Watched:
    layout: SensorLayout
    sensor: Sensor
    bay: Bay
    unreadable: _Unreadable = field(default_factory=_Unreadable)
    saved: SensorMemory | None = None


class Sensors:
    """Told of what comes from the sensors' broker; `run` does the rest."""

    def __init__(self, station: StationLayout, memory: Memory, clock: Clock) -> None:
        self._recorder = memory
        self._clock = clock
        self._facts: deque[Event] = deque(maxlen=_MAX_WAITING)
        self._wake = asyncio.Event()
        self._bays: list[Bay] = []
        self._watched: dict[SensorId, _Watched] = {}
        self._saved_at = clock.monotonic()
        self.counts = SensorCounts()
        for bay in station.bays.values():
            self._watch(bay, memory)
        self._by_topic = {
            topic: [self._watched[layout.sensor_id] for layout in layouts]
            for topic, layouts in station.sensors_by_topic.items()
        }

    @property
    def topics(self) -> list[str]:
        """What to subscribe to."""
        return sorted(self._by_topic)

    def silent_sensors(self) -> list[SensorId]:
        """Return those that have nothing to say for their bay."""
        return [name for name, one in self._watched.items() if one.sensor.memory.is_silent]

    # mqtt.Receiver.

    def connected(self) -> None:
        """See mqtt.Receiver.connected."""

    def disconnected(self) -> None:
        """See mqtt.Receiver.disconnected. Sensors fall silent in their own time."""

    def leaving(self) -> None:
        """See mqtt.Receiver.leaving."""

    def refused(self, reason: str) -> None:
        """See mqtt.Receiver.refused."""
        log.error("sensors.broker_refused", reason=reason)

    def received(self, message: Message) -> None:
        """See mqtt.Receiver.received."""
        concerned = self._by_topic.get(message.topic)
        if concerned is None:
            self.counts.foreign += 1
            return
        for watched in concerned:
            self._take(watched, message)
        if self._facts or any(watched.bay.due_at() is not None for watched in concerned):
            self._wake.set()

    @property
    def has_news(self) -> bool:
        """Whether facts wait to be recorded."""
        return bool(self._facts)

    # The loop.

    async def run(self) -> None:
        """Record facts as they arise, until cancelled."""
        while True:
            self.look_around()
            if self._facts or self._clock.monotonic() - self._saved_at >= _SAVE_EVERY_S:
                await self.record()
            await self._wait()

    async def _wait(self) -> None:
        now = self._clock.monotonic()
        due = [due_at for bay in self._bays if (due_at := bay.due_at()) is not None]
        delay_s = min([_CHECK_EVERY_S, *(max(0.0, due_at - now) for due_at in due)])
        loop = asyncio.get_running_loop()
        timer = loop.call_later(self._clock.real_s(delay_s), self._wake.set)
        await self._wake.wait()
        self._wake.clear()
        timer.cancel()

    def look_around(self) -> None:
        """Notice silence, and tell the changes whose time has come."""
        now, at = self._clock.now(), self._clock.monotonic()
        for watched in self._watched.values():
            self._facts.extend(watched.sensor.check(now, at))
        for bay in self._bays:
            self._facts.extend(bay.settle(now, at))

    async def record(self) -> None:
        """Write what there is to tell, with what the sensors must not forget."""
        facts, self._facts = self._facts, deque(maxlen=_MAX_WAITING)
        changed = [one for one in self._watched.values() if one.sensor.memory != one.saved]
        memories = [one.sensor.memory for one in changed]
        notes = [
            Kept(_KIND, one.layout.sensor_id, msgspec.json.encode(memory))
            for one, memory in zip(changed, memories, strict=True)
        ]
        try:
            await self._recorder.record(list(facts), notes)
        except OutboxUnavailable as error:
            log.warning("sensors.unrecorded", facts=len(facts), error=str(error))
            self._facts = deque([*facts, *self._facts], maxlen=_MAX_WAITING)
            await self._clock.sleep(_RETRY_S)
            return
        for one, memory in zip(changed, memories, strict=True):
            one.saved = memory
        self._saved_at = self._clock.monotonic()

    # One message.

    def _take(self, watched: _Watched, message: Message) -> None:
        now, at = self._clock.now(), self._clock.monotonic()
        try:
            reading = watched.layout.decoder.read(message.topic, message.payload)
            self._facts.extend(self._apply(watched, reading, message, now))
        except UnreadablePayload as error:
            self.counts.unreadable += 1
            self._facts.extend(self._unreadable(watched, message, str(error)))
        else:
            self.counts.read += 1
            self._facts.extend(watched.bay.settle(now, at))

    def _apply(
        self, watched: _Watched, reading: Reading, message: Message, now: datetime
    ) -> Iterable[Event]:
        sensor = watched.sensor
        if reading.is_online is False:
            return sensor.fall_silent(now)
        if not message.is_retained:
            sensor.hear(now, self._clock.monotonic())
        facts: list[Event] = []
        if reading.is_occupied is not None:
            facts += self._believe(watched, reading, message, now)
        if reading.battery_ratio is not None:
            facts += sensor.battery(reading.battery_ratio, now)
        return facts

    def _believe(
        self, watched: _Watched, reading: Reading, message: Message, now: datetime
    ) -> list[Event]:
        sensor, is_occupied = watched.sensor, bool(reading.is_occupied)
        use = use_of(
            is_retained=message.is_retained,
            observed_at=reading.observed_at,
            silent_after_s=watched.layout.silent_after_s,
            is_contradiction=sensor.memory.is_occupied is (not is_occupied),
            now=now,
        )
        if use is Use.TOO_OLD:
            raise UnreadablePayload(f"taken at {reading.observed_at}, too long ago to be live")
        if use is Use.DOUBT:
            return sensor.fall_silent(now)
        if use is Use.IGNORE:
            return []
        observed_at = dated(reading.observed_at, now)
        if message.is_retained:
            known_at = sensor.memory.observed_at
            if known_at is not None and observed_at <= known_at:
                return []
            age_s = (now - observed_at).total_seconds()
            sensor.hear(observed_at, self._clock.monotonic() - age_s)
        return sensor.read(
            is_occupied=is_occupied,
            confidence=reading.confidence,
            observed_at=observed_at,
            now=now,
        )

    def _unreadable(self, watched: _Watched, message: Message, error: str) -> list[Event]:
        told, at = watched.unreadable, self._clock.monotonic()
        told.count += 1
        if at - told.told_at < UNREADABLE_EVERY_S:
            return []
        fact = SensorUnreadable(
            sensor_id=watched.layout.sensor_id,
            bay_id=watched.layout.bay_id,
            vendor=watched.layout.vendor,
            topic=message.topic[:2_000],
            error=error[:500],
            sample=message.payload[:_SAMPLE_BYTES].decode(errors="replace"),
            count=told.count,
            observed_at=self._clock.now(),
        )
        told.told_at, told.count = at, 0
        return [fact]

    # What is known from before.

    def _watch(self, layout: BayLayout, memory: Memory) -> None:
        now, at = self._clock.now(), self._clock.monotonic()
        saved = memory.kept(_KIND)
        sensors = []
        for one in layout.sensors:
            sensor = Sensor(one.sensor_id, one.bay_id, one.silent_after_s, heard_at=at)
            if one.sensor_id in saved:
                sensor.restore(_MEMORY.decode(saved[one.sensor_id]), now, at)
            sensors.append(sensor)
        told = memory.kept("state").get(f"bay/{layout.bay_id}")
        bay = Bay(layout.bay_id, tuple(sensors))
        if told is not None:
            bay.told = _OCCUPANCY.decode(told).is_occupied
        self._bays.append(bay)
        for one, sensor in zip(layout.sensors, sensors, strict=True):
            self._watched[one.sensor_id] = _Watched(one, sensor, bay)
