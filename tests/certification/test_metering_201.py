"""OCPP 2.0.1, block J: meter values; test cases of part 6."""

from datetime import UTC, datetime

import pytest

from simulator.chargers.quirks import Quirk
from simulator.chargers.spec import Behaviour, Point
from simulator.journal import Kind
from tests.certification.sessions import begun, ended, events, samples, signed_readings, state_of
from tests.support.stack import TOKEN

pytestmark = pytest.mark.real

EVERY_S = 0.2


def metering(**more):
    usual = {"heartbeat_s": 3_600, "sample_s": 3_600, "reboot_s": 0.5}
    return Behaviour(**usual | more)


async def charging(post):
    post.charger.plug_in(1, post.car())
    post.charger.present(1, TOKEN)
    return await state_of(post, "charging")


def instants(payloads):
    return [datetime.fromisoformat(one["timestamp"]) for one in payloads]


def contexts(event):
    return [one["sampledValue"][0]["context"] for one in event.get("meterValue", [])]


def go_on(found):
    """Whether each of these instants is later than the one before."""
    return found == sorted(set(found))


async def known(post, session, count):
    """Wait until the cloud keeps so many readings of a session."""

    async def enough():
        kept = await samples(post, session["session_id"])
        return kept if len(kept) >= count else None

    return await post.until(enough, f"{count} readings are kept")


async def nothing_odd(post):
    assert await post.facts("message_quarantined") == []
    assert await post.facts("oddity_observed") == []


async def align(post, interval_s):
    command = await post.ask(
        "SetVariables",
        {
            "setVariableData": [
                {
                    "component": {"name": "AlignedDataCtrlr"},
                    "variable": {"name": "Interval"},
                    "attributeValue": str(interval_s),
                }
            ]
        },
    )
    assert command["state"] == "accepted"


async def test_TC_J_01_CSMS_meters_are_told_of_by_the_clock_without_a_session(post_of):
    async with post_of() as post:
        await post.booted()
        await align(post, 1)
        answered = lambda: post.tape.of(Kind.ACKNOWLEDGED, "MeterValues")  # noqa: E731
        await post.until(lambda: len(answered()) >= 9, "three rounds of three meters")

        sent = post.sent("MeterValues")[:9]
        assert [one["evseId"] for one in sent] == [1, 2, 0] * 3
        assert {contexts(one)[0] for one in sent} == {"Sample.Clock"}
        assert all(go_on(instants(one["meterValue"][0] for one in sent[n::3])) for n in range(3))
        assert all(one.body == {} for one in answered())
        await nothing_odd(post)


async def test_TC_J_01_CSMS_meters_may_be_told_of_as_events_too(post_of):
    async with post_of() as post:
        await post.booted()
        for number in range(3):
            for evse_id in (1, 2, 0):
                assert await post.call("NotifyEvent", metered(evse_id, str(number))) == {}

        async def told():
            facts = await post.facts("component_event_reported")
            return facts if len(facts) == 9 else None

        facts = await post.until(told, "nine events")
        places = [(one.get("evse_id", 0), one["value"]) for one in reversed(facts)]
        assert places == [(evse_id, str(number)) for number in range(3) for evse_id in (1, 2, 0)]
        assert {(one["component"], one["trigger"]) for one in facts} == {
            ("FiscalMetering", "Periodic")
        }
        await nothing_odd(post)


def metered(evse_id, value):
    now = datetime.now(UTC).isoformat()
    place = {"evse": {"id": evse_id}} if evse_id else {}
    event = {
        "eventId": 1,
        "timestamp": now,
        "trigger": "Periodic",
        "actualValue": value,
        "eventNotificationType": "HardWiredNotification",
        "component": {"name": "FiscalMetering", **place},
        "variable": {"name": "EnergyImportRegister"},
    }
    return {"generatedAt": now, "seqNo": 0, "tbc": False, "eventData": [event]}


async def test_TC_J_02_CSMS_a_sessions_meter_is_told_of_by_the_clock_in_the_session(post_of):
    async with post_of(behaviour=metering(aligned_s=EVERY_S)) as post:
        await post.booted()
        session = await charging(post)
        aligned = lambda: [  # noqa: E731
            one for one in events(post) if one["triggerReason"] == "MeterValueClock"
        ]
        await post.until(lambda: len(aligned()) >= 3, "three aligned readings")

        assert {one["eventType"] for one in aligned()} == {"Updated"}
        assert {contexts(one)[0] for one in aligned()} == {"Sample.Clock"}
        assert go_on(instants(aligned()))
        await known(post, session, 3)
        kept = [one for one in post.sent("MeterValues") if one["evseId"] == 1]
        assert all(
            at <= instants(events(post))[0] for one in kept for at in instants(one["meterValue"])
        )
        await nothing_odd(post)


async def repeats_its_readings(post_of, how, context, *, signs=False):
    behaviour = metering(repeats_samples=True, signs=signs, **{how: EVERY_S})
    async with post_of(behaviour=behaviour) as post:
        await post.booted()
        session = await charging(post)
        await post.until(lambda: len(events(post)) >= 4, "readings meanwhile")
        post.charger.unplug(1)

        over = await ended(post)
        last = events(post)[-1]
        assert last["eventType"] == "Ended"
        *before, end = contexts(last)
        assert len(before) >= 2
        assert set(before) == {context}
        assert end == "Transaction.End"
        assert go_on(instants(last["meterValue"])[:-1])
        await known(post, session, len(before))
        begin_wh, end_wh = (
            one["meterValue"][-1]["sampledValue"][0]["value"] for one in (events(post)[0], last)
        )
        assert over["energy_wh"] == end_wh - begin_wh
        await nothing_odd(post)
        if signs:
            told = {
                one["sampledValue"][0]["signedMeterValue"]["signedMeterData"]
                for one in last["meterValue"]
            }
            kept = await signed_readings(post, session["session_id"])
            assert told <= {one["data"] for one in kept}
            assert {context, "Transaction.End"} <= {one["context"] for one in kept}


async def test_TC_J_03_CSMS_an_end_repeats_the_readings_by_the_clock(post_of):
    await repeats_its_readings(post_of, "aligned_s", "Sample.Clock")


async def test_TC_J_04_CSMS_an_end_repeats_the_signed_readings_by_the_clock(post_of):
    await repeats_its_readings(post_of, "aligned_s", "Sample.Clock", signs=True)


async def test_TC_J_10_CSMS_an_end_repeats_the_samples(post_of):
    await repeats_its_readings(post_of, "sample_s", "Sample.Periodic")


async def test_TC_J_11_CSMS_an_end_repeats_the_signed_samples(post_of):
    await repeats_its_readings(post_of, "sample_s", "Sample.Periodic", signs=True)


async def test_TC_J_07_CSMS_a_session_begins_with_a_reading(post_of):
    behaviour = metering(starts_at=frozenset({Point.EV_CONNECTED}))
    async with post_of(behaviour=behaviour) as post:
        await post.booted()
        post.charger.plug_in(1, post.car())

        await begun(post)
        first = events(post)[0]
        assert contexts(first) == ["Transaction.Begin"]
        (fact,) = await post.facts("session_started")
        assert fact["meter_start_wh"] == first["meterValue"][0]["sampledValue"][0]["value"]


async def test_TC_J_08_CSMS_a_session_without_a_place_begins_with_a_later_reading(post_of):
    behaviour = metering(starts_at=frozenset({Point.AUTHORIZED}), knows_evse_at_start=False)
    async with post_of(behaviour=behaviour) as post:
        await post.booted()
        post.charger.present(1, TOKEN)

        async def is_told():
            return await post.facts("session_started")

        await post.until(is_told, "a session somewhere")
        assert "evse" not in events(post)[0]
        assert contexts(events(post)[0]) == []
        post.charger.plug_in(1, post.car())

        await state_of(post, "charging")
        begin = events(post)[1]
        assert contexts(begin) == ["Transaction.Begin"]
        newest, _ = await post.facts("session_started")
        assert newest["evse_id"] == 1
        assert newest["meter_start_wh"] == begin["meterValue"][0]["sampledValue"][0]["value"]
        assert len(await post.sessions()) == 1


async def test_TC_J_09_CSMS_a_session_is_sampled_at_its_interval(post_of):
    async with post_of(behaviour=metering(sample_s=EVERY_S)) as post:
        await post.booted()
        session = await charging(post)
        sampled = lambda: [  # noqa: E731
            one for one in events(post) if one["triggerReason"] == "MeterValuePeriodic"
        ]
        await post.until(lambda: len(sampled()) >= 3, "three samples")

        assert {one["eventType"] for one in sampled()} == {"Updated"}
        assert {contexts(one)[0] for one in sampled()} == {"Sample.Periodic"}
        assert go_on(instants(sampled()))
        kept = await known(post, session, 3)
        assert [one["energy_wh"] for one in kept] == sorted(one["energy_wh"] for one in kept)
        await nothing_odd(post)


REGISTER = "Energy.Active.Import.Register"


def by_the_interval():
    """Return a charger's way to tell what flowed between its samples in place of a register.

    It tells a register of what its car gave back, too: a tenth of what it took.
    """
    registers: dict[str, float] = {}

    def alter(action, payload):
        if action != "TransactionEvent":
            return payload
        told = [interval(one) for one in payload.get("meterValue", [])]
        return payload | ({"meterValue": told} if told else {})

    def interval(one):
        at, values = one["timestamp"], one["sampledValue"]
        register = next(value for value in values if value["measurand"] == REGISTER)
        registers[at] = register["value"]
        before = max((other for other in registers if other < at), default=at)
        flowed = register | {
            "measurand": "Energy.Active.Import.Interval",
            "value": registers[at] - registers[before],
        }
        back = register | {
            "measurand": "Energy.Active.Export.Register",
            "value": registers[at] // 10,
        }
        others = [value for value in values if value["measurand"] != REGISTER]
        return one | {"sampledValue": [*others, flowed, back]}

    return Quirk("by_the_interval", "tells intervals and no register", alter)


async def test_a_charger_without_a_register_is_billed_by_its_intervals(post_of):
    behaviour = metering(sample_s=EVERY_S, repeats_samples=True)
    async with post_of(behaviour=behaviour, quirks=[by_the_interval()]) as post:
        await post.booted()
        session = await charging(post)
        await known(post, session, 4)
        post.charger.unplug(1)

        over = await ended(post)
        end = post.tape.of(Kind.SESSION_ENDED)[-1]
        assert over["energy_wh"] == end.register_wh - end.meter_start_wh > 0
        assert over["export_wh"] == end.register_wh // 10 - end.meter_start_wh // 10
        assert over["flags"] == ["counted_by_intervals"]
        await nothing_odd(post)
