"""One process for the chargers of many stations, each station as if it were alone."""

import sqlite3

import pytest
from websockets.exceptions import InvalidStatus

from contracts.commands import ResetCharger
from contracts.events import (
    AgentStarted,
    ChargerConnected,
    ChargerDisconnected,
    CommandAnswered,
    SecurityEventReported,
    SessionStarted,
)
from tests.integration.hosted_site import HostedSite, key_of
from tests.station_agent.hosted import station_text, write_station
from tests.support.brokers import Broker
from tests.support.waiting import eventually_async

pytestmark = pytest.mark.real

START = {"connectorId": 1, "idTag": "T1", "meterStart": 0, "timestamp": "2026-11-28T12:00:00Z"}


@pytest.fixture
def site(tmp_path):
    names = ("north", "south", "west", "rival", "locked")
    broker = Broker("mosquitto", tmp_path / "broker", {one: key_of(one) for one in names}).start()
    made = HostedSite(broker, tmp_path)
    for name in ("north", "south"):
        made.add(name, [f"{name}-1", f"{name}-2"])
    yield made
    made.close()
    broker.stop()


async def connects(site, charger_id):
    """Return whether a charger is let in now."""
    try:
        async with site.charger(charger_id) as charger:
            await charger.call("Heartbeat", {})
    except (InvalidStatus, OSError):
        return False
    return True


def told(site, station_id, kind):
    return site.clouds.facts_of(station_id, kind)


async def test_each_charger_is_served_as_one_of_its_own_station(site):
    site.start()
    site.wait_for_plan("north", "south")
    async with site.charger("north-1") as one, site.charger("south-2", "ocpp2.0.1") as other:
        assert (await one.call("StartTransaction", START))["idTagInfo"]["status"] == "Accepted"
        await other.call("Heartbeat", {})
        other.answers["Reset"] = lambda _: {"status": "Accepted"}
        site.clouds.command("south", "c1", ResetCharger(charger_id="south-2"))
        await eventually_async(lambda: told(site, "south", CommandAnswered))
    await eventually_async(lambda: told(site, "north", ChargerDisconnected))

    assert [one.charger_id for one in told(site, "north", ChargerConnected)] == ["north-1"]
    assert [one.charger_id for one in told(site, "south", ChargerConnected)] == ["south-2"]
    assert len(told(site, "north", SessionStarted)) == 1
    assert told(site, "south", SessionStarted) == []
    assert told(site, "south", CommandAnswered)[0].outcome == "accepted"


async def test_a_wrong_key_is_told_to_the_chargers_own_station_only(site):
    site.start()
    site.wait_for_plan("north", "south")
    with pytest.raises(InvalidStatus):
        async with site.charger("north-1", key="wrong"):
            pass
    await eventually_async(lambda: told(site, "north", SecurityEventReported))

    assert told(site, "south", SecurityEventReported) == []
    with pytest.raises(InvalidStatus):
        async with site.charger("nobody-1"):
            pass


async def test_stations_come_change_and_go_while_the_others_are_served(site):
    site.start()
    site.wait_for_plan("north", "south")
    async with site.charger("north-1") as there:
        site.add("west", ["west-1"])
        site.wait_for_plan("west")
        assert await connects(site, "west-1")
        site.add("west", ["west-1", "west-2"])
        await eventually_async(lambda: len(told(site, "west", AgentStarted)) == 2)
        async with site.charger("west-1") as leaving:
            (site.folder / "west.yaml").unlink()
            assert await leaving.closed() == 1012
        assert not await connects(site, "west-1")

        await there.call("Heartbeat", {})
    await eventually_async(lambda: told(site, "north", ChargerDisconnected))
    assert len(told(site, "north", AgentStarted)) == 1


async def test_what_is_wrong_with_one_station_harms_no_other(site):
    (site.folder / "broken.yaml").write_text("station: broken\nchargers: 7\n")
    (site.folder / "named.yaml").write_text(station_text("other", ["O-1"]))
    site.add("rival", ["north-1", "rival-1"])
    (site.data_dir / "locked").mkdir(parents=True)
    site.add("locked", ["locked-1"])
    holder = sqlite3.connect(site.data_dir / "locked" / "agent.db", isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("CREATE TABLE held (id INTEGER)")
    site.start()
    site.wait_for_plan("north", "south", "rival")

    for charger_id in ("north-1", "south-1", "rival-1"):
        assert await connects(site, charger_id)
    log = site.agent.log_text()
    for event in ("file_wrong", "not_started"):
        assert f"hosting.{event}" in log
    assert "roster.charger_of_two_stations" in log
    await eventually_async(lambda: told(site, "north", ChargerConnected))
    (connected,) = await eventually_async(lambda: told(site, "rival", ChargerConnected))
    assert connected.charger_id == "rival-1"
    holder.close()
    site.wait_for_plan("locked")
    assert await connects(site, "locked-1")


async def test_a_file_that_no_longer_makes_sense_leaves_its_station_as_it_was(site):
    site.start()
    site.wait_for_plan("north")
    async with site.charger("north-1") as charger:
        (site.folder / "north.yaml").write_text("station: north\nbays: none\n")
        await eventually_async(lambda: "hosting.file_wrong" in site.agent.log_text())
        await charger.call("Heartbeat", {})
        write_station(site.folder, "north", ["north-1", "north-2"])
        await charger.closed()
    await eventually_async(lambda: connects(site, "north-1"))


async def test_p1_killed_and_started_again_nothing_answered_is_lost(site):
    site.start()
    site.wait_for_plan("north", "south")
    async with site.charger("north-1") as one, site.charger("south-1") as other:
        await one.call("StartTransaction", START)
        await other.call("StartTransaction", START)
        site.agent.kill()
    site.start()

    for name in ("north", "south"):
        await eventually_async(lambda name=name: told(site, name, SessionStarted))
        await eventually_async(lambda name=name: len(told(site, name, AgentStarted)) == 2)
        assert len(told(site, name, SessionStarted)) == 1


def test_a_folder_that_is_not_there_is_said_in_a_line(site):
    site.folder.rename(site.folder.with_name("elsewhere"))
    site.agent.start()

    assert site.agent.wait_for_end() == 2
    assert "AGENT_STATIONS_DIR: " in site.agent.log_text()
    assert "Traceback" not in site.agent.log_text()
