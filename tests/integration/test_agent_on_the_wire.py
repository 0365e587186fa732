"""A real agent on a real broker, before a cloud that this test plays: the contract, word by word."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from contracts.commands import ResetCharger, ResetKind
from contracts.events import (
    AgentStarted,
    BayOccupancyChanged,
    CommandAnswered,
    CommandOutcome,
    ConnectorState,
    ConnectorStateReported,
    MeterSampled,
    SessionEnded,
    SessionStarted,
)
from tests.integration.cloudlike import CHARGER, STATION, CloudLike
from tests.integration.site import Site
from tests.support.chaos import ChaosProxy, Way
from tests.support.ports import LOOPBACK
from tests.support.waiting import eventually_async
from tests.system.acts import Acts

pytestmark = pytest.mark.real


@pytest.fixture
def cloud(broker):
    with CloudLike(broker) as one:
        one.plan()
        yield one


@pytest.fixture
def site(broker, cloud, tmp_path):
    made = Site(broker, tmp_path)
    yield made
    made.agent.stop()


def facts_of(kind, events):
    return [one for one in events if isinstance(one, kind)]


async def test_facts_come_numbered_from_one_and_an_acknowledged_one_never_again(site, cloud):
    site.start()
    async with site.charger() as charger:
        await Acts(charger).boot("Available")
        await eventually_async(lambda: facts_of(ConnectorStateReported, cloud.commit()))
    events = cloud.commit()
    committed, seen = cloud.committed_seq, len(cloud.batches())
    await eventually_async(lambda: len(cloud.batches()) >= seen + 3, what="three more beats")

    assert isinstance(events[0], AgentStarted)
    state = facts_of(ConnectorStateReported, events)[0]
    assert (state.charger_id, state.evse_id, state.state) == (CHARGER, 1, ConnectorState.FREE)
    later = [one for one in cloud.batches()[seen:] if one.events]
    assert all(one.first_seq > committed for one in later)


async def test_what_is_not_acknowledged_is_sent_again_the_same(site, cloud):
    site.start()
    await eventually_async(cloud.batches, what="a beat")
    cloud.epoch = cloud.batches()[0].epoch
    cloud.acknowledge(0)
    first = await eventually_async(lambda: [one for one in cloud.batches() if one.events])
    again = await eventually_async(
        lambda: [one for one in cloud.batches() if one.events and one.first_seq == 1][1:]
    )

    assert again[0].events == first[0].events
    assert again[0].epoch == first[0].epoch


async def test_a_charger_is_answered_while_nobody_acknowledges_and_all_arrives_in_order(
    site, cloud
):
    site.start()
    async with site.charger() as charger:
        acts = Acts(charger)
        await acts.boot("Available")
        transaction_id, verdict = await acts.start(0)
        for register_wh in range(100, 3_100, 100):
            await acts.meter(transaction_id, register_wh)
        await acts.stop(transaction_id, 3_100)
    events = await eventually_async(
        lambda: (told := cloud.commit()) and facts_of(SessionEnded, told) and told
    )

    assert verdict == "Accepted"
    registers = [one.energy_wh for one in facts_of(MeterSampled, events)]
    assert registers == list(range(100, 3_100, 100))
    started, ended = facts_of(SessionStarted, events), facts_of(SessionEnded, events)
    assert [one.session_id for one in started] == [one.session_id for one in ended]
    assert ended[0].meter_stop_wh == 3_100


async def test_a_killed_agent_says_goodbye_by_its_will_and_goes_on_where_it_was(site, cloud):
    site.start()
    async with site.charger() as charger:
        acts = Acts(charger)
        await acts.boot("Available")
        transaction_id, _ = await acts.start(1_000)
    site.agent.kill()
    await eventually_async(lambda: cloud.links()[-1] == "offline")
    site.start()
    async with site.charger() as charger:
        acts = Acts(charger)
        await acts.boot("Available")
        await acts.stop(transaction_id, 2_000)
    events = await eventually_async(
        lambda: (told := cloud.commit()) and facts_of(SessionEnded, told) and told
    )

    assert len(facts_of(AgentStarted, events)) == 2
    assert facts_of(SessionEnded, events)[0].session_id == (
        facts_of(SessionStarted, events)[0].session_id
    )
    assert len({one.epoch for one in cloud.batches()}) == 1
    assert cloud.links()[-1] == "online"


async def test_a_crash_of_the_broker_costs_a_moment_and_no_fact(site, cloud, broker):
    site.start()
    async with site.charger() as charger:
        acts = Acts(charger)
        await acts.boot("Available")
        await eventually_async(lambda: facts_of(ConnectorStateReported, cloud.commit()))
        broker.kill()
        await acts.status("Faulted", "GroundFailure")
        await eventually_async(lambda: cloud.connections >= 2)
        cloud.subscribe_again()
        told = await eventually_async(
            lambda: [
                one
                for one in facts_of(ConnectorStateReported, cloud.commit())
                if one.error_code == "GroundFailure"
            ]
        )

    assert len(told) == 1


async def test_a_token_nobody_here_knows_is_asked_for_and_answered_in_time(site, cloud):
    site.start(AGENT_AUTHORIZE_WAIT_S="60")
    await eventually_async(cloud.commit, what="the link")
    async with site.charger() as charger:
        await Acts(charger).boot("Available")
        asking = asyncio.create_task(charger.call("Authorize", {"idTag": "STRANGER"}))
        asks = await eventually_async(lambda: [a for b in cloud.batches() for a in b.asks])
        cloud.answer(asks[0].ask_id, is_accepted=True)
        answer = await asking

    assert (asks[0].charger_id, asks[0].token) == (CHARGER, "STRANGER")
    assert answer["idTagInfo"]["status"] == "Accepted"


async def test_a_command_is_carried_out_once_and_an_expired_one_never(site, cloud):
    site.start()
    now = datetime.now(UTC)
    reset = ResetCharger(charger_id=CHARGER, reset=ResetKind.HARD)
    async with site.charger() as charger:
        charger.answers["Reset"] = lambda _: {"status": "Accepted"}
        await Acts(charger).boot("Available")
        cloud.command("c-late", reset, now - timedelta(minutes=10))
        for _ in range(2):
            cloud.command("c-1", reset, now + timedelta(seconds=30))
        answers = await eventually_async(
            lambda: (
                (told := facts_of(CommandAnswered, cloud.commit()))
                and {one.command_id for one in told} == {"c-late", "c-1"}
                and told
            )
        )

    outcomes = {one.command_id: one.outcome for one in answers}
    assert outcomes == {"c-late": CommandOutcome.EXPIRED, "c-1": CommandOutcome.ACCEPTED}
    assert [action for action, _ in charger.asked].count("Reset") == 1


async def test_a_sensors_change_is_told_within_the_second(site, cloud, broker):
    site.start()
    with broker.client("sensors", "bay-sensors") as sensors:
        sensors.publish("sensors/s-1", b'{"occupied": false}')
        await eventually_async(lambda: facts_of(BayOccupancyChanged, cloud.commit()))
        sensors.publish("sensors/s-1", b'{"occupied": true}')
        told = await eventually_async(
            lambda: [
                one for one in facts_of(BayOccupancyChanged, cloud.commit()) if one.is_occupied
            ]
        )

    assert (told[0].bay_id, told[0].sensor_ids) == (f"{STATION}-1", ["s-1"])


@pytest.mark.parametrize("ways", [(), (Way.UP,), (Way.DOWN,)], ids=["both", "up", "down"])
async def test_what_was_said_while_a_link_hung_arrives_in_order_once_it_broke(
    site, cloud, broker, ways
):
    async with ChaosProxy(broker.port) as proxy:
        address = f"mqtt://{LOOPBACK}:{proxy.port}"
        await asyncio.to_thread(site.start, AGENT_BROKER_URL=address)
        async with site.charger() as charger:
            acts = Acts(charger)
            await acts.boot("Available")
            await eventually_async(lambda: facts_of(ConnectorStateReported, cloud.commit()))
            proxy.half_open(*ways)
            for code in ("GroundFailure", "OverVoltage"):
                await acts.status("Faulted", code)
            proxy.drop()
            proxy.mend()
            codes = await eventually_async(
                lambda: (
                    (
                        told := [
                            one.error_code
                            for one in facts_of(ConnectorStateReported, cloud.commit())
                        ]
                    )[-1:]
                    == ["OverVoltage"]
                    and told
                )
            )

    assert codes == ["", "GroundFailure", "OverVoltage"]
