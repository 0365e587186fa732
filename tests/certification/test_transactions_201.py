"""OCPP 2.0.1, block E: transactions; test cases of part 6."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from uuid import uuid4

import pytest

from simulator.chargers.spec import Behaviour, Point
from simulator.faults import FAIR, Weather
from tests.certification.sessions import (
    begun,
    ended,
    events,
    on_evse,
    samples,
    signed_readings,
    state_of,
    token_info,
)
from tests.support.stack import TOKEN

pytestmark = pytest.mark.real

DEFAULT = Behaviour().stops_at


@dataclass(frozen=True, slots=True)
class Slow(Weather):
    """Every message takes its time."""

    def delays(self, chance: Random) -> list[float]:
        """See Weather.delays."""
        del chance
        return [0.6]


def at(*starts, stops=None, **more):
    return Behaviour(
        heartbeat_s=3_600,
        sample_s=3_600,
        reboot_s=0.5,
        step_s=0.1,
        starts_at=frozenset(starts),
        stops_at=DEFAULT if stops is None else frozenset(stops),
        **more,
    )


POWER_PATH = (Point.POWER_PATH_CLOSED,)


def told(post, *names):
    """Return, of each event, its type, trigger and charging state, or what else is named."""
    wanted = names or ("eventType", "triggerReason", "chargingState")
    return [
        tuple(one.get(name) or one["transactionInfo"].get(name) for name in wanted)
        for one in events(post)
    ]


async def charging(post, token=TOKEN, evse_id=1):
    """Begin to charge, as a driver who plugs in first."""
    post.charger.plug_in(evse_id, post.car())
    post.charger.present(evse_id, token)
    return await state_of(post, "charging", evse_id)


async def limit(post, limit_w):
    schedule = {
        "id": 1,
        "chargingRateUnit": "W",
        "chargingSchedulePeriod": [{"startPeriod": 0, "limit": limit_w}],
    }
    profile = {
        "id": 5,
        "stackLevel": 0,
        "chargingProfilePurpose": "TxDefaultProfile",
        "chargingProfileKind": "Relative",
        "chargingSchedule": [schedule],
    }
    await post.ask("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})


# --- where sessions begin -------------------------------------------------------------------------


async def test_TC_E_01_CSMS_a_session_begins_as_the_power_path_closes(post_of):
    async with post_of(behaviour=at(*POWER_PATH)) as post:
        await post.booted()
        await limit(post, 0.0)
        post.charger.present(1, TOKEN)
        await post.until(lambda: post.charger.evses[1].awaited_token, "authorised")
        post.charger.plug_in(1, post.car())

        await state_of(post, "suspended_by_charger")
        await limit(post, 11_000.0)
        await state_of(post, "charging")
        assert [one[0::2] for one in told(post)] == [
            ("Started", "SuspendedEVSE"),
            ("Updated", "Charging"),
        ]
        assert events(post)[1]["triggerReason"] == "ChargingStateChanged"
        sent = events(post)[0]
        assert sent["idToken"]["idToken"] == TOKEN
        assert (await token_info(post, sent["triggerReason"]))["status"] == "Accepted"


async def test_TC_E_02_CSMS_a_session_begins_as_energy_flows(post_of):
    async with post_of(behaviour=at(Point.ENERGY_TRANSFER)) as post:
        await post.booted()
        await charging(post)

        assert told(post) == [("Started", "ChargingStateChanged", "Charging")]
        assert (await token_info(post, "ChargingStateChanged"))["status"] == "Accepted"


async def test_TC_E_03_CSMS_the_cable_may_come_before_the_token(post_of):
    async with post_of(behaviour=at(Point.EV_CONNECTED)) as post:
        await post.booted()
        post.charger.plug_in(1, post.car())
        session = await state_of(post, "plugged")
        post.charger.present(1, TOKEN)

        assert (await token_info(post, "Authorized"))["status"] == "Accepted"
        assert (await state_of(post, "charging"))["session_id"] == session["session_id"]
        assert told(post) == [
            ("Started", "CablePluggedIn", "EVConnected"),
            ("Updated", "Authorized", "EVConnected"),
            ("Updated", "ChargingStateChanged", "Charging"),
        ]


async def test_TC_E_04_CSMS_the_token_may_come_before_the_cable(post_of):
    async with post_of(behaviour=at(Point.AUTHORIZED)) as post:
        await post.booted()
        post.charger.present(1, TOKEN)
        session = await begun(post)
        post.charger.plug_in(1, post.car())

        assert (await state_of(post, "charging"))["session_id"] == session["session_id"]
        assert told(post) == [
            ("Started", "Authorized", "Idle"),
            ("Updated", "CablePluggedIn", "EVConnected"),
            ("Updated", "ChargingStateChanged", "Charging"),
        ]


async def test_TC_E_09_CSMS_a_session_begins_as_a_car_is_plugged_in(post_of):
    async with post_of(behaviour=at(Point.EV_CONNECTED)) as post:
        await post.booted()
        post.charger.plug_in(1, post.car())

        await state_of(post, "plugged")
        assert told(post) == [("Started", "CablePluggedIn", "EVConnected")]
        assert events(post)[0]["evse"] == {"id": 1, "connectorId": 1}
        (fact,) = await post.facts("session_started")
        assert "token" not in fact


async def test_TC_E_10_CSMS_a_session_begins_as_its_driver_is_authorised(post_of):
    async with post_of(behaviour=at(Point.AUTHORIZED)) as post:
        await post.booted()
        post.charger.present(1, TOKEN)

        assert (await token_info(post, "Authorized"))["status"] == "Accepted"
        await begun(post)
        assert told(post, "eventType", "triggerReason") == [("Started", "Authorized")]
        (fact,) = await post.facts("session_started")
        assert fact["token"] == TOKEN


async def test_TC_E_11_CSMS_a_session_begins_as_the_meter_signs(post_of):
    async with post_of(behaviour=at(Point.DATA_SIGNED, signs=True)) as post:
        await post.booted()
        session = await charging(post)

        first = events(post)[0]
        assert (first["eventType"], first["triggerReason"]) == ("Started", "SignedDataReceived")
        assert (await token_info(post, "SignedDataReceived"))["status"] == "Accepted"
        value = first["meterValue"][0]["sampledValue"][0]
        assert value["context"] == "Transaction.Begin"
        (kept,) = await signed_readings(post, session["session_id"])
        assert kept["data"] == value["signedMeterValue"]["signedMeterData"]


async def test_TC_E_12_CSMS_a_session_begins_as_a_car_stands_in_the_bay(post_of):
    async with post_of(behaviour=at(Point.PARKING_BAY)) as post:
        await post.booted()
        post.charger.park(1)

        await begun(post)
        assert told(post) == [("Started", "EVDetected", "Idle")]


async def test_TC_E_38_CSMS_a_car_may_not_want_energy_yet(post_of):
    async with post_of(behaviour=at(Point.AUTHORIZED)) as post:
        await post.booted()
        car = post.car()
        car.limit_pct = 30.0
        post.charger.present(1, TOKEN)
        await begun(post)
        post.charger.plug_in(1, car)

        await state_of(post, "suspended_by_car")
        assert told(post)[-1] == ("Updated", "ChargingStateChanged", "SuspendedEV")


# --- where sessions end ---------------------------------------------------------------------------

STOPPED = ("eventType", "triggerReason", "stoppedReason", "chargingState")


async def test_TC_E_39_CSMS_a_session_ends_if_no_cable_comes(post_of):
    async with post_of(behaviour=at(Point.AUTHORIZED, connection_timeout_s=0.5)) as post:
        await post.booted()
        post.charger.present(1, TOKEN)

        assert (await ended(post))["end_reason"] == "Timeout"
        assert told(post, *STOPPED)[-1] == ("Ended", "EVConnectTimeout", "Timeout", "Idle")


async def ends_by_its_driver(post_of, stops):
    async with post_of(behaviour=at(*POWER_PATH, stops=stops)) as post:
        await post.booted()
        await charging(post)
        post.charger.present(1, TOKEN)

        assert (await ended(post))["end_reason"] == "Local"
        assert told(post, *STOPPED)[-1] == ("Ended", "StopAuthorized", "Local", "EVConnected")


async def test_TC_E_07_CSMS_the_driver_opens_the_power_path_which_ends_the_session(post_of):
    await ends_by_its_driver(post_of, POWER_PATH)


async def test_TC_E_15_CSMS_the_driver_ends_the_session(post_of):
    await ends_by_its_driver(post_of, [Point.AUTHORIZED])


async def test_TC_E_08_CSMS_a_session_ends_with_the_flow_its_driver_stopped(post_of):
    async with post_of(behaviour=at(*POWER_PATH, stops=[Point.ENERGY_TRANSFER])) as post:
        await post.booted()
        await charging(post)
        post.charger.present(1, TOKEN)

        assert (await ended(post))["end_reason"] == "Local"
        assert told(post, *STOPPED)[-2:] == [
            ("Updated", "StopAuthorized", None, "Charging"),
            ("Ended", "ChargingStateChanged", "Local", "EVConnected"),
        ]


async def test_TC_E_14_CSMS_a_session_ends_as_the_cable_is_pulled(post_of):
    async with post_of(behaviour=at(*POWER_PATH, stops=[Point.EV_CONNECTED])) as post:
        await post.booted()
        await charging(post)
        post.charger.present(1, TOKEN)
        await state_of(post, "plugged")
        post.charger.unplug(1)

        assert (await ended(post))["end_reason"] == "EVDisconnected"
        assert told(post, *STOPPED)[-1] == (
            "Ended",
            "EVCommunicationLost",
            "EVDisconnected",
            "Idle",
        )


async def ends_as_the_car_goes(post_of, stops):
    async with post_of(behaviour=at(*POWER_PATH, stops=stops)) as post:
        await post.booted()
        car = post.car()
        post.charger.plug_in(1, car)
        post.charger.present(1, TOKEN)
        await state_of(post, "charging")
        car.limit_pct = 10.0
        await state_of(post, "suspended_by_car")
        post.charger.unplug(1)

        assert (await ended(post))["end_reason"] == "EVDisconnected"
        assert told(post, *STOPPED)[-1] == (
            "Ended",
            "EVCommunicationLost",
            "EVDisconnected",
            "Idle",
        )


async def test_TC_E_17_CSMS_a_session_that_rests_is_over_as_the_car_goes(post_of):
    await ends_as_the_car_goes(post_of, POWER_PATH)


async def test_TC_E_20_CSMS_a_session_that_rests_ends_as_the_cars_cable_is_pulled(post_of):
    await ends_as_the_car_goes(post_of, [Point.EV_CONNECTED])


async def test_TC_E_21_CSMS_a_session_is_ended_from_afar(post_of):
    async with post_of() as post:
        await post.booted()
        session = await charging(post)
        number = events(post)[0]["transactionInfo"]["transactionId"]
        command = await post.command(
            "stop_session", session_id=session["session_id"], transaction_id=number
        )

        assert await post.asked("RequestStopTransaction") == {"transactionId": number}
        assert command["state"] == "accepted"
        assert (await ended(post))["end_reason"] == "Remote"
        assert told(post, *STOPPED)[-1] == ("Ended", "RemoteStop", "Remote", "EVConnected")


async def test_TC_E_16_CSMS_a_session_of_a_refused_token_ends(post_of):
    async with post_of() as post:
        await post.booted()
        token = uuid4().hex[:14].upper()
        post.charger.cards.asks_first = False
        post.charger.cards.note(token, is_accepted=True)
        post.charger.plug_in(1, post.car())
        post.charger.present(1, token)

        assert (await token_info(post, "Authorized"))["status"] in {"Invalid", "Unknown"}
        assert (await ended(post))["end_reason"] == "DeAuthorized"
        assert told(post, *STOPPED)[-1][:3] == ("Ended", "Deauthorized", "DeAuthorized")


async def test_TC_E_22_CSMS_a_session_ends_as_the_car_takes_no_more(post_of):
    async with post_of(behaviour=at(*POWER_PATH, stops=[Point.ENERGY_TRANSFER])) as post:
        await post.booted()
        car = post.car()
        post.charger.plug_in(1, car)
        post.charger.present(1, TOKEN)
        await state_of(post, "charging")
        car.limit_pct = 10.0

        assert (await ended(post))["end_reason"] == "StoppedByEV"
        assert told(post, *STOPPED)[-1] == (
            "Ended",
            "ChargingStateChanged",
            "StoppedByEV",
            "SuspendedEV",
        )


async def test_TC_E_19_CSMS_a_session_ends_as_the_car_leaves_the_bay(post_of):
    async with post_of(behaviour=at(*POWER_PATH, stops=[Point.PARKING_BAY])) as post:
        await post.booted()
        await charging(post)
        post.charger.present(1, TOKEN)
        post.charger.unplug(1)
        await state_of(post, "idle")
        post.charger.leave(1)

        assert (await ended(post))["end_reason"] == "Local"
        assert told(post, *STOPPED)[-1] == ("Ended", "EVDeparted", "Local", "Idle")


async def test_TC_E_26_CSMS_a_session_goes_on_once_the_car_is_back(post_of):
    async with post_of(behaviour=at(*POWER_PATH, stops=[Point.AUTHORIZED])) as post:
        await post.booted()
        session = await charging(post)
        car = post.charger.unplug(1)
        await state_of(post, "idle")

        async def is_free():
            seen = await post.get(f"/chargers/{post.charger_id}")
            states = {one["evse_id"]: one["state"] for one in seen["connectors"]}
            return states[1] == "free"

        await post.until(is_free, "the connector is free")
        post.charger.plug_in(1, car)

        again = await state_of(post, "charging")
        assert again["session_id"] == session["session_id"]
        assert told(post)[-3:] == [
            ("Updated", "EVCommunicationLost", "Idle"),
            ("Updated", "CablePluggedIn", "EVConnected"),
            ("Updated", "ChargingStateChanged", "Charging"),
        ]


# --- how a transaction stands ---------------------------------------------------------------------


def same_instant(one, other):
    return datetime.fromisoformat(one) == datetime.fromisoformat(other)


async def backlog(post):
    """Have the charger go away, sample meanwhile, and come back with much to tell, slowly."""
    post.dialer.cut(0.3)
    await post.until(lambda: not post.charger.line.is_connected, "away")
    post.charger.sample_now(1)
    await post.until(lambda: post.charger.line.backlog, "a message waits")
    post.charger.line.under(Slow())
    await post.until(lambda: post.charger.line.is_up, "back")

    async def is_known():
        charger = (await post.get(f"/chargers/{post.charger_id}"))["charger"]
        return charger["is_connected"]

    await post.until(is_known, "known to be back")


async def tells_what_waits(post_of, *, is_named):
    async with post_of() as post:
        await post.booted()
        session = await charging(post)
        number = events(post)[0]["transactionInfo"]["transactionId"]
        asked = {"transactionId": number} if is_named else {}
        await backlog(post)
        command = await post.ask("GetTransactionStatus", asked)

        assert await post.asked("GetTransactionStatus") == asked
        ongoing = {"ongoingIndicator": True} if is_named else {}
        assert command["answer"] == {"messagesInQueue": True, **ongoing}
        post.charger.line.under(FAIR)
        await post.until(lambda: not post.charger.line.backlog, "all told")
        late = next(one for one in events(post) if one["offline"])
        assert late["eventType"] == "Updated"
        assert late["meterValue"]

        async def kept():
            seen = [one["at"] for one in await samples(post, session["session_id"])]
            return any(same_instant(one, late["timestamp"]) for one in seen)

        await post.until(kept, "what was measured meanwhile is known")


async def test_TC_E_29_CSMS_what_waits_of_a_session_is_asked_for_and_comes(post_of):
    await tells_what_waits(post_of, is_named=True)


async def test_TC_E_33_CSMS_what_waits_at_all_is_asked_for_and_comes(post_of):
    await tells_what_waits(post_of, is_named=False)


async def has_told_all(post_of, *, is_named):
    async with post_of() as post:
        await post.booted()
        asked = {}
        if is_named:
            await charging(post)
            asked = {"transactionId": events(post)[0]["transactionInfo"]["transactionId"]}
        command = await post.ask("GetTransactionStatus", asked)

        assert await post.asked("GetTransactionStatus") == asked
        ongoing = {"ongoingIndicator": True} if is_named else {}
        assert command["answer"] == {"messagesInQueue": False, **ongoing}


async def test_TC_E_30_CSMS_nothing_waits_of_a_session(post_of):
    await has_told_all(post_of, is_named=True)


async def test_TC_E_34_CSMS_nothing_waits_at_all(post_of):
    await has_told_all(post_of, is_named=False)


async def test_TC_E_31_CSMS_what_comes_after_the_end_completes_the_session(post_of):
    async with post_of() as post:
        await post.booted()
        session = await charging(post)
        last = events(post)[-1]
        number, seq_no = last["transactionInfo"]["transactionId"], last["seqNo"]

        begun_wh = events(post)[0]["meterValue"][0]["sampledValue"][0]["value"]

        def event(kind, trigger, later, energy_wh, **info):
            instant = datetime.fromisoformat(last["timestamp"]) + timedelta(milliseconds=later)
            said = instant.isoformat()
            return {
                "eventType": kind,
                "timestamp": said,
                "triggerReason": trigger,
                "seqNo": seq_no + later,
                "offline": True,
                "transactionInfo": {"transactionId": number, **info},
                "meterValue": [
                    {"timestamp": said, "sampledValue": [{"value": begun_wh + energy_wh}]}
                ],
            }

        gone = event("Ended", "EVCommunicationLost", 3, 30, chargingState="Idle")
        assert await post.call("TransactionEvent", gone) == {}
        post.answers("GetTransactionStatus", {"ongoingIndicator": False, "messagesInQueue": True})
        command = await post.ask("GetTransactionStatus", {"transactionId": number})
        assert await post.asked("GetTransactionStatus") == {"transactionId": number}
        assert command["state"] == "accepted"
        await ended(post)
        stop = event("Updated", "StopAuthorized", 1, 10)
        rest = event("Updated", "ChargingStateChanged", 2, 20, chargingState="EVConnected")
        assert await post.call("TransactionEvent", stop) == {}
        assert await post.call("TransactionEvent", rest) == {}

        async def complete():
            kept = await samples(post, session["session_id"])
            return {10, 20} <= {one["energy_wh"] for one in kept}

        await post.until(complete, "what came late is known")
        now = await on_evse(post)
        assert (now["session_id"], now["state"]) == (session["session_id"], "ended")


async def test_TC_E_53_CSMS_each_session_counts_from_nought(post_of):
    async with post_of() as post:
        await post.booted()
        for _ in range(2):
            await charging(post)
            post.charger.unplug(1)
            await ended(post)

        starts = [one for one in events(post) if one["eventType"] == "Started"]
        assert [one["seqNo"] for one in starts] == [0, 0]
        found = await post.sessions()
        assert len({one["session_id"] for one in found}) == 2
        assert {one["state"] for one in found} == {"ended"}
