"""Sensors' messages to facts: debounced, remembered, and never made up."""

import asyncio
import json
from datetime import timedelta

import pytest

from contracts.events import (
    BayOccupancyChanged,
    SensorBatteryReported,
    SensorFellSilent,
    SensorHeardAgain,
    SensorUnreadable,
)
from station_agent.domain.occupancy import FLAPS
from station_agent.mqtt import Message
from station_agent.outbox import Outbox
from station_agent.sensors import Sensors
from station_agent.station_file import parse_station
from tests.station_agent.fakes import NOON, FakeMemory, ManualClock, until

STATION = parse_station("""\
station: dundee
bays:
  - id: b1
    charger: C1
    evse: 1
    sensors: [{id: plain-1, vendor: plain, topic: sensors/plain-1}]
  - id: b2
    charger: C1
    evse: 2
    sensors:
      - {id: esp, vendor: esphome, topic: node/binary_sensor/bay/state}
""")


class House:
    """Sensors, running, with all they need."""

    def __init__(self, memory=None, clock=None):
        self.memory = memory or FakeMemory()
        self.clock = clock or ManualClock()
        self.sensors = Sensors(STATION, self.memory, self.clock)
        self.running = asyncio.create_task(self.sensors.run())

    def say(self, topic, payload, *, is_retained=False):
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        self.sensors.received(Message(topic, body, is_retained))

    def plain(self, occupied, *, is_retained=False, **more):
        self.say("sensors/plain-1", {"occupied": occupied} | more, is_retained=is_retained)

    async def facts(self, count):
        await until(lambda: len(self.memory.facts) >= count)
        await self.quiet()
        assert len(self.memory.facts) == count, self.memory.facts
        return self.memory.facts

    async def quiet(self):
        """Let the loop run a few times, so that what would come has come."""
        for _ in range(8):
            await asyncio.sleep(0.001)

    async def stop(self):
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


@pytest.fixture
async def house():
    made = House()
    yield made
    await made.stop()


async def test_a_change_is_told_with_its_sensor_and_the_devices_time(house):
    at = NOON - timedelta(seconds=2)
    house.plain(True, confidence=0.9, at=at.isoformat())

    assert await house.facts(1) == [
        BayOccupancyChanged(
            bay_id="b1",
            is_occupied=True,
            confidence=0.9,
            sensor_ids=["plain-1"],
            observed_at=at,
        )
    ]
    assert house.sensors.counts.read == 1


async def test_a_repeated_report_is_no_change(house):
    for _ in range(3):
        house.plain(True)
        house.clock.advance(30)

    assert len(await house.facts(1)) == 1


async def test_the_last_of_many_changes_is_told_when_the_quiet_time_is_over(house):
    for number in range(4):
        house.plain(number % 2 == 0)
        house.clock.advance(0.25)
    await house.facts(1)
    house.clock.advance(2)
    facts = await house.facts(2)

    assert [fact.is_occupied for fact in facts] == [True, False]


async def test_a_flapping_sensor_has_no_say_until_it_has_come_to_rest(house):
    def told(kind):
        return [fact for fact in house.memory.facts if isinstance(fact, kind)]

    house.plain(False)
    await house.facts(1)
    for number in range(FLAPS):
        house.clock.advance(0.1)
        house.plain(number % 2 == 0)
    await until(lambda: told(SensorFellSilent))
    assert [(one.sensor_id, one.why) for one in told(SensorFellSilent)] == [("plain-1", "flapping")]
    assert house.sensors.silent_sensors() == ["plain-1"]
    house.clock.advance(30)
    house.plain(True)
    house.clock.advance(60)
    await until(lambda: told(SensorHeardAgain))

    assert house.sensors.silent_sensors() == []
    assert told(BayOccupancyChanged)[-1].is_occupied


async def test_silence_and_being_heard_again_are_told(house):
    house.plain(True)
    await house.facts(1)
    house.clock.advance(91)
    facts = await house.facts(2)
    assert facts[1] == SensorFellSilent(
        sensor_id="plain-1",
        bay_id="b1",
        last_heard_at=NOON,
        observed_at=NOON + timedelta(seconds=91),
    )
    assert house.sensors.silent_sensors() == ["plain-1"]
    house.plain(False)
    facts = await house.facts(4)

    assert [type(fact) for fact in facts[2:]] == [SensorHeardAgain, BayOccupancyChanged]
    assert house.sensors.silent_sensors() == []


async def test_a_jump_of_the_wall_clock_is_no_silence(house):
    """T06."""
    house.plain(True)
    await house.facts(1)
    house.clock.step_wall(3_600)
    await house.quiet()

    assert house.sensors.silent_sensors() == []


async def test_a_goodbye_is_silence_at_once(house):
    house.say("node/binary_sensor/bay/state", b"ON")
    await house.facts(1)
    house.say("node/status", b"offline")
    facts = await house.facts(2)
    house.say("node/status", b"online")
    await house.quiet()

    assert isinstance(facts[1], SensorFellSilent)
    assert house.sensors.silent_sensors() == ["esp"]


async def test_a_battery_is_told(house):
    house.plain(True, battery_pct=55)
    facts = await house.facts(2)

    assert facts[0] == SensorBatteryReported(
        sensor_id="plain-1", bay_id="b1", battery_ratio=0.55, is_low=False, observed_at=NOON
    )


async def test_unreadable_payloads_are_told_once_a_minute_with_their_count(house):
    for _ in range(5):
        house.say("sensors/plain-1", b"\xff{" + b"x" * 1_000)
    first = (await house.facts(1))[0]
    house.clock.advance(60)
    house.say("sensors/plain-1", b"{}")
    second = (await house.facts(2))[1]

    assert isinstance(first, SensorUnreadable)
    assert (first.count, second.count) == (1, 5)
    assert (first.sensor_id, first.vendor, first.topic) == ("plain-1", "plain", "sensors/plain-1")
    assert len(first.sample) == 256
    assert house.sensors.counts.unreadable == 6


async def test_a_flood_of_foreign_topics_costs_nothing(house):
    """P12."""
    for number in range(10_000):
        house.say(f"sensors/{number}", {"occupied": True})
    await house.quiet()

    assert house.sensors.counts.foreign == 10_000
    assert house.memory.facts == []


async def test_a_retained_message_without_a_date_is_not_believed(house):
    """T09."""
    house.plain(True, is_retained=True)
    await house.quiet()

    assert house.memory.facts == []


@pytest.mark.parametrize(("age_s", "told"), [(89, 1), (91, 0)])
async def test_a_retained_message_is_as_fresh_as_its_date(house, age_s, told):
    """T09."""
    at = NOON - timedelta(seconds=age_s)
    house.plain(True, is_retained=True, at=at.isoformat())
    await house.quiet()

    assert len(house.memory.facts) == told


async def test_a_live_message_from_long_ago_is_told_as_unreadable(house):
    house.plain(True, at="1970-01-01T00:00:00Z")
    facts = await house.facts(1)

    assert isinstance(facts[0], SensorUnreadable)


async def test_after_a_restart_nothing_is_told_that_did_not_change(house):
    house.plain(True)
    house.say("node/binary_sensor/bay/state", b"ON")
    await house.facts(2)
    memory = FakeMemory(house.memory._kept)  # noqa: SLF001 - as a restart finds it
    for bay in ("b1", "b2"):
        told = next(fact for fact in house.memory.facts if fact.bay_id == bay)
        memory._kept["state", f"bay/{bay}"] = json.dumps(  # noqa: SLF001
            {
                "kind": "bay_occupancy_changed",
                "bay_id": bay,
                "is_occupied": told.is_occupied,
                "confidence": 1,
                "observed_at": NOON.isoformat(),
            }
        ).encode()
    again = House(memory, house.clock)
    again.plain(True)
    again.say("node/binary_sensor/bay/state", b"ON", is_retained=True)
    await again.quiet()
    assert memory.facts == []
    again.plain(False)
    facts = await again.facts(1)
    await again.stop()

    assert facts[0].is_occupied is False


async def test_what_changed_while_we_were_away_makes_an_undated_memory_doubtful(house):
    """And the first live word after it is told with the return, however soon: the old one is wrong."""
    house.say("node/binary_sensor/bay/state", b"ON")
    await house.facts(1)
    house.say("node/binary_sensor/bay/state", b"OFF", is_retained=True)
    facts = await house.facts(2)
    assert isinstance(facts[1], SensorFellSilent)
    house.say("node/binary_sensor/bay/state", b"OFF")
    facts = await house.facts(4)

    assert isinstance(facts[2], SensorHeardAgain)
    assert facts[3].is_occupied is False


async def test_facts_wait_for_a_disk_that_refuses(house):
    house.memory.is_refusing = True
    house.plain(True)
    await house.quiet()
    house.clock.advance(1)
    house.memory.is_refusing = False
    facts = await house.facts(1)

    assert facts[0].is_occupied


async def test_what_sensors_said_is_saved_though_nothing_changed(house):
    house.plain(True)
    await house.facts(1)
    house.clock.advance(59)
    house.plain(True)
    house.clock.advance(2)
    await until(lambda: len(house.memory.records) == 2)
    saved = json.loads(house.memory.kept("sensor")["plain-1"])

    assert saved["heard_at"] == (NOON + timedelta(seconds=59)).isoformat().replace("+00:00", "Z")


async def test_with_a_real_outbox_a_restart_goes_on_where_it_was(tmp_path):
    clock = ManualClock()
    outbox = Outbox(tmp_path / "agent.db", clock)
    house = House(outbox, clock)
    house.plain(True)
    await until(lambda: outbox.head_seq == 1)
    await house.stop()
    await outbox.close()
    outbox = Outbox(tmp_path / "agent.db", clock)
    house = House(outbox, clock)
    house.plain(True)
    await house.quiet()
    assert outbox.head_seq == 1
    house.plain(False)
    await until(lambda: outbox.head_seq == 2)
    await house.stop()
    await outbox.close()
