"""The demonstration's parts: ports that are said, a city that lives, programs that end."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contracts.batch import Batch, decode_batch
from contracts.events import ConnectorStateReported
from contracts.wire import encode
from simulator.bookings import PaperDesk
from simulator.chargers.evse import State
from simulator.clock import VirtualClock
from simulator.demo import city, life, offline, setting_up
from simulator.demo.children import ChildDied, Children
from simulator.demo.guests import GUESTS
from simulator.demo.ports import Ports, PortTrouble
from simulator.journal import Kind, MemoryJournal
from simulator.sensors import Mood
from simulator.site import station_file
from station_agent.station_file import parse_station

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def rehearsed():
    journal = MemoryJournal()
    lively = life.City(journal, 20260105, datetime(2026, 1, 5, 12, tzinfo=UTC))
    lively.rehearse()
    return lively, journal


def _bays(lively):
    return {bay_id: bay for place in lively.sites for bay_id, bay in place.bays.items()}


def test_ports_are_settings_with_defaults():
    ports = Ports.of({"BAYWATT_DEMO_PORT": "8123", "BAYWATT_DEMO_OCPP_PORT": ""})

    assert (ports.http, ports.broker, ports.ocpp) == (8123, 18883, 19000)
    assert len(ports.named()) == 8


@pytest.mark.parametrize("value", ["web", "0", "70000", "-1"])
def test_a_port_that_is_none_names_its_setting(value):
    with pytest.raises(PortTrouble, match="BAYWATT_DEMO_BROKER_PORT"):
        Ports.of({"BAYWATT_DEMO_BROKER_PORT": value})


def test_two_parts_may_not_share_a_port():
    with pytest.raises(PortTrouble, match="share"):
        Ports.of({"BAYWATT_DEMO_PORT": "19003"})


def test_a_busy_port_names_the_setting_that_changes_it():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PortTrouble, match=f"port {port} .* set BAYWATT_DEMO_PORT"):
            Ports(http=port).refuse_busy()


def test_the_city_has_six_stations_and_about_forty_bays_of_every_kind():
    bays = [bay for spec in city.STATIONS for bay in spec.bays]
    versions = Counter(charger.version for spec in city.STATIONS for charger in spec.chargers)
    powers = {spec.evse_of(bay).max_power_w for spec in city.STATIONS for bay in spec.bays}

    assert len(city.STATIONS) == 6
    assert 38 <= len(bays) <= 42
    assert set(versions) == {"1.6", "2.0.1", "2.1"}
    assert powers == {7_000, 22_000, 50_000, 150_000}
    assert len({bay.bay_id for bay in bays}) == len(bays)


def test_every_station_file_is_one_the_agent_takes():
    for spec in city.STATIONS:
        layout = parse_station(station_file(spec))
        assert set(layout.bays) == {bay.bay_id for bay in spec.bays}


def test_chargers_are_set_up_with_every_bay_and_plug():
    spec = city.PRINCES
    bodies = [setting_up.charger_body(spec, charger) for charger in spec.chargers]

    evses = [evse for body in bodies for evse in body["evses"]]
    assert {evse["bay_id"] for evse in evses} == {bay.bay_id for bay in spec.bays}
    plugs = {(one["standard"], one["power_type"]) for evse in evses for one in evse["connectors"]}
    assert plugs == {
        ("IEC_62196_T2", "AC_3_PHASE"),
        ("IEC_62196_T2_COMBO", "DC"),
        ("CHADEMO", "DC"),
    }


def test_the_doors_open_on_a_living_city(rehearsed):
    lively, journal = rehearsed
    states = Counter(bay.evse.state for bay in _bays(lively).values())

    assert states[State.CHARGING] >= 6
    assert states[State.FREE] >= 6
    assert len(journal.of(Kind.SESSION_ENDED)) >= 2
    assert any(charger.line.backlog for charger in lively.chargers)


def test_the_driver_who_can_log_in_is_charging(rehearsed):
    lively, _ = rehearsed
    own = [bay.evse.session for bay in _bays(lively).values() if bay.evse.session is not None]

    assert city.DRIVER_TOKEN in {session.token for session in own}


def test_each_promised_trouble_is_there(rehearsed):
    lively, _ = rehearsed
    bays = _bays(lively)

    blocked, broken = bays[life.BLOCKED_BAY], bays[life.BROKEN_BAY]
    assert blocked.is_occupied
    assert blocked.evse.state is State.FREE
    assert broken.evse.state is State.FAULTED
    assert bays[life.FINISHED_BAY].is_occupied
    assert bays[life.FINISHED_BAY].evse.state is State.FINISHING
    assert bays[life.BROKEN_SENSOR_BAY].sensors
    assert city.OFFLINE not in city.LIVE


def test_sensors_speak_once_their_agent_hears_them_but_the_broken_one():
    lively = life.City(MemoryJournal(), 1, datetime.now(UTC))
    lively.rehearse()
    heard = []
    lively.open(heard.append, PaperDesk(lively.world, lively.sites))
    before = list(heard)
    lively.world.go_on_under(VirtualClock(datetime.now(UTC)))
    for charger in lively.chargers:
        charger.line.opened(lambda _: None)
    lively.world.run_for(20)

    spoke = {part for message in heard for part in message.topic.split("/")}
    sensors = {sensor.spec.sensor_id for place in lively.sites for sensor in place.sensors.values()}
    broken = _bays(lively)[life.BROKEN_SENSOR_BAY].sensors[0]
    assert before == []
    assert sensors <= spoke
    assert broken.mood is Mood.SILENT
    last = {message.topic: message.payload for message in heard}
    assert last[f"{broken.spec.sensor_id}/status"] == b"offline"


@pytest.mark.slow
def test_guests_book_come_and_book_again():
    journal = MemoryJournal()
    lively = life.City(journal, 1, datetime.now(UTC))
    lively.rehearse()
    lively.open(lambda _: None, PaperDesk(lively.world, lively.sites))
    lively.world.go_on_under(VirtualClock(datetime.now(UTC)))
    lively.world.run_for(4 * 3_600)

    tokens = {one.token for one in GUESTS}
    deeds = [one for one in journal.of(Kind.DRIVER) if one.token in tokens]
    booked = Counter(one.token for one in deeds if one.body["what"] == "has booked")
    charged = {one.token for one in journal.of(Kind.SESSION_BEGUN)} & tokens
    assert set(booked) == tokens
    assert max(booked.values()) > 1
    assert len(charged) > 1


def test_the_offline_station_was_heard_with_every_plug_free():
    told = offline.facts(city.OFFLINE, datetime.now(UTC))

    plugs = [fact for fact in told if isinstance(fact, ConnectorStateReported)]
    assert len(plugs) == sum(
        len(evse.outlets) for one in city.OFFLINE.chargers for evse in one.evses
    )
    assert (
        decode_batch(
            encode(Batch(station="s", epoch=1, first_seq=1, sent_at=datetime.now(UTC), events=told))
        ).events
        == told
    )


def test_the_driver_charges_again_and_again():
    journal = MemoryJournal()
    lively = life.City(journal, 3, datetime(2026, 1, 5, 12, tzinfo=UTC))
    lively.rehearse()
    lively.world.run_for(3 * 3600)

    own = [one for one in journal.of(Kind.SESSION_BEGUN) if one.token == city.DRIVER_TOKEN]
    assert len(own) >= 3
    assert {one.charger_id for one in own} == {"DD-GREEN-01", "DD-GREEN-02"}


@pytest.mark.real
async def test_programs_are_ended_by_their_pid_last_started_first(tmp_path):
    children = Children(tmp_path)
    first = await children.start("cloud", ("http.server", "0", "--bind", "127.0.0.1"), {})
    second = await children.start("agent-1", ("http.server", "0", "--bind", "127.0.0.1"), {})
    await children.stop()

    assert first.process.returncode is not None
    assert second.process.returncode is not None
    for child in (first, second):
        with pytest.raises(ProcessLookupError):
            os.kill(child.process.pid, 0)


@pytest.mark.real
async def test_a_program_that_ends_by_itself_is_named_with_its_last_words(tmp_path):
    children = Children(tmp_path)
    await children.start("cloud", ("http.server", "--no-such-option"), {})

    with pytest.raises(ChildDied, match=r"(?s)cloud ended by itself.*no-such-option"):
        await asyncio.wait_for(children.watch(), timeout=20)
    await children.stop()


@pytest.mark.real
async def test_a_failing_call_tells_what_it_printed(tmp_path):
    with pytest.raises(ChildDied, match="no-such-option"):
        await Children(tmp_path).call(("http.server", "--no-such-option"), {}, "")


@pytest.mark.real
async def test_programs_do_not_outlive_a_killed_parent(tmp_path):
    script = (
        "import asyncio, pathlib, sys\n"
        "from simulator.demo.children import Children\n"
        "async def main():\n"
        f"    children = Children(pathlib.Path({str(tmp_path)!r}))\n"
        "    child = await children.start('cloud', ('http.server', '0'), {})\n"
        "    print(child.process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        script,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    child_pid = int(await asyncio.wait_for(parent.stdout.readline(), timeout=20))
    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    deadline = time.monotonic() + 10
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.kill(child_pid, 0)
            await asyncio.sleep(0.02)
        pytest.fail("the program outlived its parent")
