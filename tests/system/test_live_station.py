"""What happens at a station is seen by whoever watches, at once and right."""

import asyncio
import signal
from datetime import datetime, timedelta

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.ocpp import Charger
from tests.support.stack import TOKEN
from tests.support.waiting import eventually_async
from tests.system.acts import Acts

pytestmark = pytest.mark.real


async def session_at(scene) -> dict:
    """Return the station's newest session as the API lists it."""

    def newest():
        listed = scene.stack.get("/sessions", limit=50)["sessions"]
        return [one for one in listed if one["station_id"] == scene.station.station_id]

    found = await eventually_async(newest, what="a session")
    return found[0]


async def test_a_connectors_word_and_a_sensors_word_reach_who_watches_the_station(scene):
    first, second = scene.bay_ids
    async with scene.station_viewer() as viewer, scene.charger() as charger:
        acts = Acts(charger)
        await acts.boot()
        with scene.stack.sensors() as sensors:
            for bay in scene.bay_ids:
                scene.occupy(sensors, bay, is_occupied=False)
            await acts.status("Available")
            await acts.status("Available", connector_id=2)
            for bay in scene.bay_ids:
                await eventually_async(
                    lambda bay=bay: scene.shown(viewer, bay)["status"] == "AVAILABLE",
                    retry_on=(TypeError,),
                )

            scene.occupy(sensors, second, is_occupied=True)
            blocked = await eventually_async(
                lambda: (bay := scene.shown(viewer, second))["status"] == "BLOCKED" and bay
            )

        assert viewer.events[0].name == "snapshot"
        assert blocked["situation"] == "occupied_unplugged"
        assert {one["witness"]: one["says"] for one in blocked["witnesses"]} == {
            "sensor": "occupied",
            "connector": "free",
        }
        assert scene.shown(viewer, first)["status"] == "AVAILABLE"
        assert scene.stack.bay(scene.station.station_id, second)["status"] == "BLOCKED"


async def test_meter_values_reach_who_watches_the_session_and_its_energy_is_right(scene):
    async with scene.charger() as charger:
        acts = Acts(charger)
        await acts.boot()
        await acts.status("Preparing")
        transaction_id, _ = await acts.start(5_000)
        await acts.status("Charging")
        session_id = (await session_at(scene))["session_id"]
        async with scene.viewer(f"/sessions/{session_id}/events") as viewer:
            for register_wh in (5_040, 5_100, 5_170):
                await acts.meter(transaction_id, register_wh)
            live = await eventually_async(
                lambda: [
                    one.data
                    for one in viewer.named("session")
                    if one.data["energy_wh"] == 170 and one.data["power_w"]
                ]
            )
            await acts.stop(transaction_id, 5_200)
            await eventually_async(lambda: viewer.is_over, what="the end of the stream")

        last = viewer.named("session")[-1].data
        assert live[0]["power_w"] == 11_000
        assert live[0]["is_live"]
        assert (last["state"], last["energy_wh"], last["is_live"]) == ("ended", 200, False)
        assert last["cost_minor"] == 10
        detail = scene.stack.get(f"/sessions/{session_id}")
        assert detail["session"]["energy_wh"] == 200


async def test_a_fault_is_an_alert_at_once(scene):
    async with scene.viewer("/alerts/events") as viewer, scene.charger() as charger:
        acts = Acts(charger)
        await acts.boot()
        await acts.status("Faulted", "GroundFailure")
        alert = await eventually_async(
            lambda: [
                one.data
                for one in viewer.named("alert")
                if one.data["charger_id"] == scene.charger_id and one.data["rule"]
            ]
        )

        assert alert[0]["status"] == "open"
        assert alert[0]["what_to_do"]
        assert "GroundFailure" in alert[0]["title"] + alert[0]["detail"]
        bay = scene.stack.bay(scene.station.station_id, scene.bay_ids[0])
        assert bay["status"] == "OUTOFORDER"


@pytest.mark.parametrize("who", ["unknown", "wrong key", "no key"])
async def test_who_has_no_right_key_gets_the_same_401(scene, who):
    port = int(scene.stack.agents[scene.station.station_id].env["AGENT_OCPP_PORT"])
    charger_id = "NOBODY-01" if who == "unknown" else scene.charger_id
    key = {"unknown": "x" * 40, "wrong key": "y" * 40, "no key": ""}[who]

    with pytest.raises(InvalidStatus) as refused:
        async with Charger(port, charger_id, key):
            pass

    assert refused.value.response.status_code == 401


async def test_a_charger_is_reset_from_afar_and_its_answer_comes_back(scene):
    async with scene.charger() as charger:
        charger.answers["Reset"] = lambda _: {"status": "Accepted"}
        acts = Acts(charger)
        await acts.boot()
        await a_connected_charger(scene)
        body = {"kind": "reset_charger", "reset": "hard"}
        answer = await ask(scene, "commands", body)

        assert (answer["state"], answer["answer"]) == ("accepted", {"status": "Accepted"})
        assert ("Reset", {"type": "Hard"}) in charger.asked


async def test_any_action_of_the_chargers_version_can_be_called(scene):
    configuration = {
        "configurationKey": [{"key": "HeartbeatInterval", "readonly": False, "value": "300"}]
    }
    async with scene.charger() as charger:
        charger.answers["GetConfiguration"] = lambda _: configuration
        acts = Acts(charger)
        await acts.boot()
        await a_connected_charger(scene)
        answer = await ask(
            scene,
            "calls",
            {"action": "GetConfiguration", "payload": {"key": ["HeartbeatInterval"]}},
        )

        assert answer["answer"] == configuration


async def test_a_session_is_started_and_stopped_from_afar(scene):
    async with scene.charger() as charger:
        charger.answers["RemoteStartTransaction"] = lambda _: {"status": "Accepted"}
        charger.answers["RemoteStopTransaction"] = lambda _: {"status": "Accepted"}
        acts = Acts(charger)
        await acts.boot()
        await a_connected_charger(scene)
        begun = await ask(
            scene, "commands", {"kind": "start_session", "evse_id": 1, "token": TOKEN}
        )
        transaction_id, _ = await acts.start(1_000)
        session = await session_at(scene)
        ended = await ask(
            scene,
            "commands",
            {
                "kind": "stop_session",
                "session_id": session["session_id"],
                "transaction_id": str(transaction_id),
            },
        )

        assert (begun["state"], ended["state"]) == ("accepted", "accepted")
        asked = dict(charger.asked)
        assert asked["RemoteStartTransaction"]["idTag"] == TOKEN
        assert asked["RemoteStopTransaction"] == {"transactionId": transaction_id}


async def test_a_charger_that_is_away_is_said_to_be_so(scene):
    async with scene.charger() as charger:
        acts = Acts(charger)
        await acts.boot()
        await a_connected_charger(scene)
    answer = await asyncio.to_thread(
        scene.stack.api.post,
        f"/chargers/{scene.charger_id}/commands",
        json={"kind": "reset_charger"},
    )

    assert answer.status_code == 409
    assert answer.json()["code"] == "charger_offline"


async def test_an_agent_killed_in_a_session_goes_on_with_it_and_nothing_is_lost(scene):
    agent = scene.stack.agents[scene.station.station_id]
    async with scene.charger() as charger:
        acts = Acts(charger)
        await acts.boot()
        transaction_id, _ = await acts.start(1_000)
        await acts.meter(transaction_id, 1_400)
    agent.send_signal(signal.SIGKILL)
    agent.wait_for_end()
    scene.stack.restart_agent(scene.station)
    async with scene.charger() as charger:
        acts = Acts(charger)
        await acts.boot()
        await acts.meter(transaction_id, 1_900)
        await acts.stop(transaction_id, 2_250)

    ended = await eventually_async(
        lambda: (one := session_of(scene)) and not one["is_live"] and one, what="the session's end"
    )
    assert ended["energy_wh"] == 1_250


def session_of(scene) -> dict | None:
    listed = scene.stack.get("/sessions", limit=50)["sessions"]
    found = [one for one in listed if one["station_id"] == scene.station.station_id]
    assert len(found) <= 1
    return found[0] if found else None


async def test_a_cloud_killed_and_started_again_catches_up(scene):
    async with scene.charger() as charger:
        acts = Acts(charger)
        await acts.boot()
        transaction_id, _ = await acts.start(0)
        scene.stack.kill_cloud()
        for register_wh in range(100, 1_100, 100):
            await acts.meter(transaction_id, register_wh)
        await acts.stop(transaction_id, 1_234)
        await asyncio.to_thread(scene.stack.start_cloud)
        ended = await eventually_async(
            lambda: (one := session_of(scene)) and not one["is_live"] and one,
            what="the session's end",
        )

        assert ended["energy_wh"] == 1_234


async def a_connected_charger(scene) -> None:
    """Wait until the cloud knows that the charger is connected."""
    await eventually_async(
        lambda: scene.stack.get(f"/chargers/{scene.charger_id}")["charger"]["is_connected"],
        what="the charger in the cloud",
    )


async def ask(scene, path: str, body: dict) -> dict:
    return await asyncio.to_thread(scene.stack.post, f"/chargers/{scene.charger_id}/{path}", body)


async def test_a_station_that_beats_keeps_its_bays_for_a_while_and_no_longer(scene):
    async with scene.charger() as charger, scene.station_viewer() as viewer:
        acts = Acts(charger)
        await acts.boot()
        await acts.status("Available")
        heard = await eventually_async(lambda: viewer.named("heard"))

        until = datetime.fromisoformat(heard[-1].data["valid_until"])
        at = datetime.fromisoformat(heard[-1].data["heard_at"])
        assert until - at <= timedelta(seconds=90)
