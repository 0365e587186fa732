"""Every story plays in virtual time, tells the truth, and is the same for the same seed."""

import json
from collections import Counter

import pytest

from simulator.check import compare, told_sessions
from simulator.clock import VirtualClock
from simulator.faults import FAIR
from simulator.journal import Kind, MemoryJournal
from simulator.load import Load
from simulator.scenarios import SCENARIOS, scenario
from simulator.scenarios.stations import CORNER
from simulator.sensors import Mood
from simulator.site import station_file
from simulator.story import rehearse
from simulator.world import World
from station_agent.station_file import parse_station
from tests.simulator.builders import MONDAY, SCHEMAS
from tests.simulator.fakes import FakeCsms
from tests.simulator.ideal_cloud import rows_of

SHORT = [one.name for one in SCENARIOS if one.duration_s <= 1_800]


def played(name, seed=1):
    """Play a scenario with a central system for each charger, dialled again after each cut."""
    journal = MemoryJournal()
    world = World(VirtualClock(MONDAY), seed, journal)
    sent = []
    centrals = {}

    def keep_connected(stage):
        for charger in stage.site.chargers.values():
            if not charger.line.is_connected and not stage.is_dark(charger.charger_id):
                central = centrals.setdefault(
                    charger.charger_id, FakeCsms(SCHEMAS[charger.spec.version])
                )
                central.connect(charger.line)

    told = scenario(name)
    stage = rehearse(told, world, sent.append, keep_connected)
    for charger in stage.site.chargers.values():
        charger.line.under(FAIR)
    keep_connected(stage)
    world.run_for(600)
    return journal.entries, stage, sent, centrals


def test_scenarios_have_names_of_their_own_and_say_what_happens():
    names = Counter(one.name for one in SCENARIOS)

    assert set(names.values()) == {1}
    assert all(one.about.strip() for one in SCENARIOS)
    assert scenario("no such story") is None


@pytest.mark.parametrize("name", SHORT)
def test_an_ideal_cloud_agrees_with_every_story(name):
    entries, stage, _, _ = played(name)
    sessions, samples, statuses = rows_of(entries)

    assert compare(entries, sessions, samples, statuses=statuses) == []
    assert all(charger.line.backlog == 0 for charger in stage.site.chargers.values())


@pytest.mark.parametrize("name", SHORT)
def test_the_same_seed_tells_the_same_story(name):
    first, second = played(name)[0], played(name)[0]

    assert first == second


def test_a_quiet_charge_ends_at_its_limit():
    entries, _, _, _ = played("quiet_charge")

    (told,) = told_sessions(entries).values()
    expected_wh = 58_000 * 0.25 / 0.95
    assert told.energy_wh == pytest.approx(expected_wh, rel=0.001)


def test_a_blocked_bay_is_never_charged_at():
    entries, _, _, _ = played("blocked_bay")

    truth = [one.body["is_occupied"] for one in entries if one.kind is Kind.OCCUPANCY]
    assert truth == [True, False]
    assert told_sessions(entries) == {}


def test_sessions_begin_and_end_while_the_link_is_lost():
    entries, _, _, centrals = played("link_lost")
    cut = next(one.at for one in entries if one.kind is Kind.DISCONNECTED)
    back = max(one.at for one in entries if one.kind is Kind.CONNECTED)
    begun = [one for one in entries if one.kind is Kind.SESSION_BEGUN and cut < one.at < back]
    ended = [one for one in entries if one.kind is Kind.SESSION_ENDED and cut < one.at < back]
    flagged = [
        payload["offline"]
        for central in centrals.values()
        for payload in central.told("TransactionEvent")
    ]

    assert begun
    assert ended
    assert set(flagged) == {True, False}


def test_sensors_recover_from_their_dropout():
    _, stage, sent, _ = played("sensor_dropout")

    assert all(sensor.mood is Mood.WELL for sensor in stage.site.sensors.values())
    last = {message.topic: message.payload for message in sent}
    bay = stage.site.bays["sim-corner-1"]
    said = json.loads(last[bay.sensors[0].spec.topic])
    assert said["occupied"] is bay.is_occupied


def test_a_broken_charger_is_repaired_and_a_dark_one_comes_back():
    entries, stage, _, centrals = played("fault_and_recovery")

    causes = [one.body["cause"] for one in entries if one.kind is Kind.SESSION_ENDED]
    assert "fault" in causes
    assert all(not bay.evse.fault for bay in stage.site.bays.values())
    dark = stage.site.bays["sim-corner-4"].charger.charger_id
    assert len(centrals[dark].told("BootNotification")) == 2


def test_bad_weather_repeats_but_loses_nothing():
    entries, _, _, _ = played("bad_weather")

    attempts = Counter(one.attempt for one in entries if one.kind is Kind.SENT)
    assert max(attempts) > 1
    assert [one for one in entries if one.kind is Kind.DROPPED] == []


def test_the_station_file_of_a_scenario_is_one_the_agent_takes():
    layout = parse_station(station_file(CORNER, "mqtt://u:p@localhost:1883"))

    assert set(layout.chargers) == {one.charger_id for one in CORNER.chargers}
    assert set(layout.bays) == {one.bay_id for one in CORNER.bays}
    assert {one.vendor for one in layout.sensors.values()} == {"plain", "zigbee2mqtt"}


def test_the_station_file_of_a_load_is_one_the_agent_takes():
    load = Load("ws://localhost", chargers=3, rate=1, seconds=1)
    layout = parse_station(station_file(load.station))

    assert list(layout.chargers) == load.charger_ids()
