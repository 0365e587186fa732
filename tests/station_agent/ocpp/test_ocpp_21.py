"""What 2.1 adds: its own messages from chargers, what answers to ours teach, and SENDs."""

import json

import pytest

from contracts.events import (
    InventoryKind,
    InventoryReported,
    MessageQuarantined,
    OddityObserved,
    StreamSampled,
)
from station_agent.ocpp import v21
from station_agent.ocpp.answering import Answering, Services, Timing
from station_agent.ocpp.rpc import Call, Rpc
from station_agent.ocpp.v21 import grid_controls
from station_agent.ocpp.versions import Outbound
from tests.station_agent.ocpp.fakes import NOW, FakeAuthorizer, FakeClock, FakeOutbox, a_view
from tests.support.schema_payloads import fullest, spoiled

VERSION = v21.VERSION
STREAM = "NotifyPeriodicEventStream"
A_CURVE = {"isDefault": False, "controlId": "c-1", "controlType": "VoltVar"}


def learnt(action, asked, answer):
    return list(VERSION.learn(Outbound(action, asked), answer, "CP-1", NOW))


async def send(payload, *, kind=6, action=STREAM) -> tuple[list | None, FakeOutbox]:
    """Let a charger send this; return the reply and what the outbox holds."""
    outbox, rpc = FakeOutbox(), Rpc(VERSION.dialect)
    services = Services(outbox, outbox, FakeAuthorizer(), FakeClock(), Timing())
    frame = json.dumps([kind, "1", action, payload]).encode()
    received = rpc.receive(frame)
    assert isinstance(received, Call)
    reply = await Answering(VERSION, a_view(outbox), rpc, services).reply(received, frame)
    return (json.loads(reply) if reply else None), outbox


def test_a_control_the_charger_took_is_held_by_its_id():
    (fact,) = learnt("SetDERControl", A_CURVE, {"status": "Accepted", "supersededIds": ["c-0"]})

    assert fact.inventory is InventoryKind.GRID_CONTROL
    assert [(one.key, one.body) for one in fact.entries] == [
        ("c-1", {"isDefault": False, "controlType": "VoltVar"})
    ]
    assert fact.gone == []


@pytest.mark.parametrize("status", ["Rejected", "NotSupported", "NotFound"])
def test_a_control_the_charger_did_not_take_is_not_held(status):
    assert learnt("SetDERControl", A_CURVE, {"status": status}) == []


@pytest.mark.parametrize(
    ("asked", "status", "gone"),
    [
        ({"isDefault": False, "controlId": "c-1"}, "Accepted", [["c-1"]]),
        ({"isDefault": False, "controlId": "c-1"}, "NotFound", [["c-1"]]),
        ({"isDefault": False, "controlId": "c-1"}, "Rejected", []),
        ({"isDefault": True, "controlType": "VoltVar"}, "Accepted", []),
    ],
)
def test_a_control_that_was_cleared_is_gone(asked, status, gone):
    facts = learnt("ClearDERControl", asked, {"status": status})

    assert [one.gone for one in facts] == gone


def test_the_streams_a_charger_lists_are_all_it_has():
    stream = {"id": 3, "variableMonitoringId": 12, "params": {"interval": 5}}
    (some,) = learnt("GetPeriodicEventStream", {}, {"constantStreamData": [stream]})
    (none,) = learnt("GetPeriodicEventStream", {}, {})

    assert (some.entries[0].key, some.entries[0].body, some.is_whole) == ("3", stream, True)
    assert (none.entries, none.is_whole) == ([], True)


def test_every_kind_of_control_a_report_can_hold_is_read():
    payload = fullest(VERSION.schemas.request("ReportDERControl").definition)
    lists = {name for name, value in payload.items() if isinstance(value, list)}

    assert lists == {"curve", *grid_controls.KINDS}


async def test_a_report_of_controls_is_kept_each_by_its_id():
    payload = fullest(VERSION.schemas.request("ReportDERControl").definition)
    for number, name in enumerate(sorted(grid_controls.KINDS)):
        payload[name][0]["id"] = f"{name}-{number}"

    reply, outbox = await send(payload, kind=2, action="ReportDERControl")
    (held,) = outbox.told(InventoryReported)

    assert reply == [3, "1", {}]
    assert len({one.key for one in held.entries}) == len(grid_controls.KINDS) + 1
    assert all(one.body["controlType"] for one in held.entries)


async def test_values_of_a_stream_are_kept_and_never_answered():
    payload = fullest(VERSION.schemas.request(STREAM).definition)

    reply, outbox = await send(payload)

    assert reply is None
    assert len(outbox.told(StreamSampled)) == 1


async def test_p02_a_stream_that_breaks_its_schema_is_dropped_without_an_answer():
    for case in spoiled(VERSION.schemas.request(STREAM).definition):
        reply, outbox = await send(case.payload)

        assert reply is None
        assert outbox.told(StreamSampled) == []
        assert outbox.told(MessageQuarantined) == []


@pytest.mark.parametrize("offset_s", [1e300, -1e300, 1e9])
async def test_a_value_from_beyond_all_time_is_left_out_and_told(offset_s):
    payload = fullest(VERSION.schemas.request(STREAM).definition)
    payload["data"] = [{"t": offset_s, "v": "lost"}, {"t": 1, "v": "kept"}]

    _, outbox = await send(payload)

    assert [one.value for one in outbox.told(StreamSampled)[0].values] == ["kept"]
    assert [one.oddity for one in outbox.told(OddityObserved)] == ["clock_unusable"]


async def test_a_battery_swap_is_refused_as_not_supported():
    payload = fullest(VERSION.schemas.request("BatterySwap").definition)

    reply, outbox = await send(payload, kind=2, action="BatterySwap")

    assert reply[:3] == [4, "1", "NotSupported"]
    assert outbox.facts == []


async def test_a_dynamic_limit_nobody_holds_is_not_given():
    reply, _ = await send({"chargingProfileId": 1}, kind=2, action="PullDynamicScheduleUpdate")

    assert reply[2]["status"] == "Rejected"
