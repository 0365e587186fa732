"""Bay sensors speak as their vendors do, and misbehave as told."""

import json
from datetime import timedelta
from itertools import pairwise

import pytest

from firmware_bridge.vendors import SENSOR_VENDORS, sensor_vendor
from simulator.faults import Way, Weather
from simulator.journal import Kind
from simulator.payloads import FORMATS
from simulator.sensors import Mood, Sensor, SensorSpec
from tests.simulator.builders import a_world


def _a_sensor(vendor="plain"):
    world, journal = a_world()
    sent = []
    sensor = Sensor(world, SensorSpec("s-1", vendor), sent.append)
    return world, journal, sensor, sent


def _verdicts(vendor, sent):
    """What the agent's own decoder makes of the messages."""
    spec = SensorSpec("s-1", vendor)
    decoder = sensor_vendor(vendor).decoder(spec.topic, {})
    assert {message.topic for message in sent} <= set(decoder.topics)
    readings = [decoder.read(message.topic, message.payload) for message in sent]
    return [one.is_occupied for one in readings if one.is_occupied is not None]


def test_every_vendor_the_agent_knows_is_simulated():
    assert set(FORMATS) == {vendor.name for vendor in SENSOR_VENDORS}


@pytest.mark.parametrize("vendor", list(FORMATS))
def test_the_agent_understands_what_a_sensor_says(vendor):
    world, _, sensor, sent = _a_sensor(vendor)
    sensor.power_on()
    sensor.see(True)
    world.run_for(1)
    sensor.see(False)
    world.run_for(1)

    assert _verdicts(vendor, sent) == [False, True, False]


@pytest.mark.parametrize("vendor", [one.name for one in SENSOR_VENDORS if one.silent_after_s])
def test_a_sensor_reports_before_its_vendor_counts_as_silent(vendor):
    world, journal, sensor, _ = _a_sensor(vendor)
    sensor.power_on()
    silent_after_s = sensor_vendor(vendor).silent_after_s
    world.run_for(4 * silent_after_s)

    times = [entry.at for entry in journal.of(Kind.SENSOR_SAID)]
    gaps = [(after - before).total_seconds() for before, after in pairwise(times)]
    assert max(gaps) < silent_after_s


def test_hello_and_goodbye_are_heard_where_the_family_has_them():
    for vendor in ("zigbee2mqtt", "esphome", "tasmota"):
        _, _, sensor, sent = _a_sensor(vendor)
        sensor.power_on()
        sensor.power_off()
        decoder = sensor_vendor(vendor).decoder(sensor.spec.topic, {})
        online = [decoder.read(one.topic, one.payload).is_online for one in sent]

        assert [word for word in online if word is not None] == [True, False]


def test_a_stuck_sensor_goes_on_telling_what_it_told():
    world, _, sensor, sent = _a_sensor()
    sensor.power_on()
    sensor.become(Mood.STUCK)
    sensor.see(True)
    world.run_for(100)

    assert set(_verdicts("plain", sent)) == {False}
    assert len(sent) > 2


def test_a_silent_sensor_says_nothing_and_recovers_with_the_truth():
    world, _, sensor, sent = _a_sensor()
    sensor.power_on()
    sensor.become(Mood.SILENT)
    sensor.see(True)
    world.run_for(300)
    while_silent = len(sent)
    sensor.become(Mood.WELL)

    assert while_silent == 1
    assert _verdicts("plain", sent) == [False, True]


def test_a_flapping_sensor_tells_changes_that_are_none():
    world, journal, sensor, sent = _a_sensor()
    sensor.power_on()
    sensor.become(Mood.FLAPPING)
    world.run_for(7.5)
    sensor.become(Mood.WELL)

    verdicts = _verdicts("plain", sent)
    assert verdicts[1:11] == [True, False] * 5
    assert len(journal.of(Kind.SENSOR_SAID)) == len(sent)


def test_a_sensor_with_a_skewed_clock_writes_its_own_time():

    world, _ = a_world()
    sent = []
    spec = SensorSpec("s-1", "plain")
    Sensor(world, spec, sent.append, clock_skew=timedelta(hours=1)).power_on()

    assert json.loads(sent[0].payload)["at"].startswith("2026-01-05T09:00")


def test_weather_loses_doubles_and_delays_as_often_as_it_says():
    world, _ = a_world()
    way = Way(world, "x", Weather(lost_ratio=0.2, doubled_ratio=0.1, late_ratio=0.5, late_s=4))
    arrived = []
    for number in range(1_000):
        way.carry(lambda number=number: arrived.append((number, world.now())))
    at_once = len(arrived)
    world.run_for(5)

    numbers = [number for number, _ in arrived]
    assert 750 < len(set(numbers)) < 850
    assert 50 < len(numbers) - len(set(numbers)) < 120
    assert 380 < at_once < 520
    assert numbers != sorted(numbers)
    assert (max(at for _, at in arrived) - min(at for _, at in arrived)).total_seconds() <= 4
