"""Chargers over real sockets: they log in, stay connected, and lose nothing when cut off."""

import asyncio
import contextlib
import time

import pytest

from contracts.clock import FastClock, SystemClock
from simulator.chargers.dialer import Address
from simulator.chargers.quirks import quirk
from simulator.check import compare
from simulator.journal import Kind, MemoryJournal
from simulator.load import Load, run
from simulator.running import connect_all, dial
from simulator.scenarios import scenario
from simulator.story import Cast, play
from simulator.world import World
from tests.simulator.builders import MONDAY, a_car, a_charger
from tests.simulator.ideal_cloud import rows_of
from tests.simulator.loopback import basic, loopback

pytestmark = pytest.mark.real

KEY = "0123456789abcdef"


async def _until(condition, within_s=60):
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def _connected(place, version="1.6", speed=20, **more):
    """A charger dialling the loopback server in a world that runs."""
    journal = MemoryJournal()
    clock = FastClock(speed, MONDAY) if speed != 1 else SystemClock()
    world = World(clock, 1, journal)
    charger = a_charger(world, version, **more)
    (dialled,) = dial(world, [charger], lambda _: Address(place.url, KEY, ping_interval_s=None))
    tasks = [asyncio.create_task(one) for one in (world.run(), connect_all([dialled]))]
    try:
        yield world, journal, charger, dialled.dialer
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.mark.parametrize("version", ["1.6", "2.0.1", "2.1"])
async def test_a_charger_offers_its_version_and_proves_who_it_is(version):
    async with loopback() as place, _connected(place, version) as at:
        await _until(lambda: at[2].line.is_up)

        assert place.logins == [basic("SIM-1", KEY)]
        assert place.protocols == [f"ocpp{version}"]


async def test_a_charger_may_offer_no_subprotocol():
    more = {"quirks": (quirk("no_subprotocol"),)}
    async with loopback() as place, _connected(place, **more) as (_, _, charger, _):
        await _until(lambda: charger.line.is_up)

        assert place.protocols == [None]


async def test_a_refused_charger_keeps_trying_ever_more_slowly():
    async with loopback() as place:
        place.refuses = True
        async with _connected(place, speed=100) as (_, _, charger, dialer):
            await _until(lambda: dialer.refusals >= 4)
            place.refuses = False
            await _until(lambda: charger.line.is_up)


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_what_happens_while_cut_off_arrives_afterwards_whole_and_once(version):
    async with (
        loopback() as place,
        _connected(place, version, sample_s=5) as (_, journal, charger, dialer),
    ):
        await _until(lambda: charger.line.is_up)
        charger.plug_in(1, a_car())
        charger.present(1, "TOKEN-1")
        await _until(lambda: len(journal.of(Kind.METER)) >= 2)
        dialer.cut(40)
        await _until(lambda: charger.line.backlog >= 3)
        charger.unplug(1)
        charger.plug_in(1, a_car())
        charger.present(1, "TOKEN-2")
        await _until(lambda: charger.line.is_up and charger.line.backlog == 0)
        charger.unplug(1)
        await _until(lambda: charger.line.backlog == 0)
        sessions, samples, statuses = rows_of(journal.entries)

        assert len(sessions) == 2
        assert compare(journal.entries, sessions, samples, statuses=statuses) == []
        assert len(place.protocols) == 2
        if version == "2.0.1":
            flags = [one["offline"] for one in place.central("SIM-1").told("TransactionEvent")]
            assert set(flags) == {True, False}


async def test_a_mute_peer_gets_the_same_message_again_after_a_reconnect():
    async with loopback() as place, _connected(place) as (_, _, charger, dialer):
        await _until(lambda: charger.line.is_up)
        central = place.central("SIM-1")
        charger.plug_in(1, a_car())
        charger.present(1, "TOKEN-1")
        await _until(lambda: "StartTransaction" in central.actions())
        central.is_mute = True
        charger.unplug(1)
        await _until(lambda: "StopTransaction" in central.actions())
        dialer.hang_up()
        central.is_mute = False
        await _until(lambda: charger.line.backlog == 0)

        stops = [call for call in central.calls if call[1] == "StopTransaction"]
        assert len(stops) == 2
        assert stops[0] == stops[1]


async def test_a_reset_from_afar_drops_the_connection_and_boots_again():
    async with loopback() as place, _connected(place, "2.0.1") as (_, _, charger, _):
        await _until(lambda: charger.line.is_up)
        place.central("SIM-1").ask_later("Reset", {"type": "Immediate"})
        await _until(lambda: len(place.central("SIM-1").told("BootNotification")) == 2)
        await _until(lambda: charger.line.is_up)

        reasons = [one["reason"] for one in place.central("SIM-1").told("BootNotification")]
        assert reasons == ["PowerUp", "RemoteReset"]
        assert len(place.protocols) == 2


async def test_a_scenario_plays_over_real_sockets():
    journal = MemoryJournal()
    async with loopback() as place:
        told = scenario("fault_and_recovery")
        cast = Cast(agent_url=place.url, clock=FastClock(100, MONDAY), settle_s=120)
        await asyncio.wait_for(play(told, cast, journal), timeout=120)
        sessions, samples, _ = rows_of(journal.entries)

        assert set(place.centrals) == {one.charger_id for one in told.station.chargers}
        assert len(sessions) >= 4
        assert compare(journal.entries, sessions, samples) == []


@pytest.mark.parametrize("version", ["1.6", "2.0.1"])
async def test_load_sends_at_its_rate_and_counts_every_answer(version):
    async with loopback() as place:
        load = Load(place.url, chargers=10, rate=100, seconds=2, version=version)
        tally = await asyncio.wait_for(run(load, lambda _: KEY), timeout=60)

        assert (tally.connected, tally.refused, tally.lost, tally.errors) == (10, 0, 0, 0)
        samples = tally.sent - 10 * 3
        # what could not be sent in time is not made up for
        assert 0 < samples <= 220
        assert 0 < tally.percentile_ms(0.5) <= tally.percentile_ms(0.99)


async def test_load_counts_what_is_lost_and_refused():
    async with loopback() as place:
        place.refuses = True
        refused = await run(Load(place.url, 3, 10, 1), lambda _: "")

        assert (refused.connected, refused.refused) == (0, 3)


async def test_overlapping_cuts_last_as_long_as_the_longest():
    async with loopback() as place, _connected(place) as (world, _, charger, dialer):
        await _until(lambda: charger.line.is_up)
        began = world.now()
        dialer.cut(60)
        dialer.cut(5)
        await _until(lambda: not charger.line.is_connected)
        await _until(lambda: charger.line.is_up)

        assert (world.now() - began).total_seconds() >= 60
