"""One connection: order, pairing, retransmission, what a bad disk, a slow cloud or a bug leaves of it."""

import asyncio
import json
import threading
from contextlib import asynccontextmanager
from dataclasses import replace

import msgspec
import pytest

from contracts.events import (
    ChargerBooted,
    ChargerConnected,
    ConnectorStateReported,
    DataTransferred,
    MessageQuarantined,
    MeterSampled,
    OddityObserved,
    SessionEnded,
    SessionStarted,
)
from contracts.plan import Registration
from station_agent.ocpp import v16, v21, v201
from station_agent.ocpp.answering import Services, Timing
from station_agent.ocpp.connection import ChargerConnection, NotAnswered
from station_agent.ocpp.outcome import Route
from station_agent.ocpp.rpc import Answered, AnsweredWithError
from station_agent.outbox import Outbox
from station_agent.outbox.file import OutboxFile
from station_agent.ports import DecidedBy, Verdict
from tests.station_agent.ocpp.fakes import (
    REFUSED,
    FakeAuthorizer,
    FakeClock,
    FakeOutbox,
    FakeSocket,
    a_view,
)

BOOT = {"chargePointVendor": "V", "chargePointModel": "M"}
STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}
START = {
    "connectorId": 1,
    "idTag": "04A1",
    "meterStart": 100,
    "timestamp": "2026-11-22T12:00:00Z",
}
BOOT_201 = {"reason": "PowerUp", "chargingStation": {"model": "M", "vendorName": "V"}}
LONG_STATION = {"model": "M" * 3_000, "vendorName": "V" * 51, "modem": None}
TOKEN_201 = {"idToken": "04A1", "type": "Central"}
SECURITY = {"type": "TamperDetectionActivated", "timestamp": "2026-11-22T12:00:00Z"}
EVENTS = {
    "generatedAt": "2026-11-22T12:00:00Z",
    "seqNo": 0,
    "eventData": [
        {
            "eventId": 1,
            "timestamp": "2026-11-22T12:00:00Z",
            "trigger": "Alerting",
            "actualValue": "x" * 3_000,
            "eventNotificationType": "HardWiredNotification",
            "component": {"name": "C" * 3_000, "instance": "I" * 51},
            "variable": {"name": "V" * 3_000},
        }
    ],
}
VALUE = {"timestamp": "2026-11-22T12:00:00Z", "sampledValue": [{"value": "1500"}]}


STOP = {"transactionId": 1, "meterStop": 200, "timestamp": "2026-11-22T12:00:00Z"}


class Rig:
    """A connection with all its surroundings in the test's hand."""

    def __init__(
        self,
        version=v16.VERSION,
        timing=None,
        speed=1.0,
        other=None,
        *,
        is_agreed=False,
        outbox=None,
    ) -> None:
        self.clock = FakeClock()
        self.clock.speed = speed
        self.outbox = outbox or FakeOutbox()
        self.authorizer = FakeAuthorizer()
        self.socket = FakeSocket()
        self.services = Services(
            self.outbox, self.outbox, self.authorizer, self.clock, timing or Timing()
        )
        self.view = a_view(self.outbox)
        self.connection = ChargerConnection(
            self.socket, version, self.view, self.services, other, is_agreed=is_agreed
        )

    async def say(self, action: str, payload, message_id: str = "1") -> list:
        self.socket.put([2, message_id, action, payload])
        return await self.socket.reply()


@asynccontextmanager
async def a_rig(
    version=v16.VERSION, timing=None, speed=1.0, other=None, *, is_agreed=False, outbox=None
):
    rig = Rig(version, timing, speed, other, is_agreed=is_agreed, outbox=outbox)
    running = asyncio.create_task(rig.connection.run())
    try:
        yield rig
    finally:
        rig.socket.hang_up()
        async with asyncio.timeout(60):
            await running


async def until(is_so) -> None:
    """Wait for a condition."""
    async with asyncio.timeout(60):
        while not is_so():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0)


async def turns(count: int = 20) -> None:
    """Let everything that can go on do so."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_facts_are_on_disk_before_the_reply_leaves():
    async with a_rig() as rig:
        rig.outbox.is_held = asyncio.Event()
        rig.socket.put([2, "1", "BootNotification", BOOT])
        await turns()
        assert rig.socket.sent.empty()
        rig.outbox.is_held.set()

        assert (await rig.socket.reply())[2]["status"] == "Accepted"
        assert len(rig.outbox.told(ChargerBooted)) == 1


async def test_l10_what_cannot_be_stored_is_not_answered_and_the_connection_stays():
    async with a_rig() as rig:
        rig.outbox.is_broken = True
        rig.socket.put([2, "1", "StartTransaction", START])
        await turns()
        assert rig.socket.sent.empty()
        rig.outbox.is_broken = False

        assert (await rig.say("StartTransaction", START))[2]["transactionId"] > 0


async def test_f03_a_retransmitted_start_gets_the_stored_answer_also_on_a_new_connection():
    async with a_rig() as rig:
        first = await rig.say("StartTransaction", START)
    again = Rig()
    again.outbox.answers = rig.outbox.answers
    running = asyncio.create_task(again.connection.run())
    again.authorizer.verdict = REFUSED

    assert await again.say("StartTransaction", START) == first
    assert again.outbox.facts == []
    assert again.authorizer.asked == []
    again.socket.hang_up()
    await running


async def test_quirk_9_a_message_sent_again_while_the_first_is_pending_has_one_effect():
    async with a_rig() as rig:
        rig.authorizer.is_held = asyncio.Event()
        for _ in range(3):
            rig.socket.put([2, "1", "StartTransaction", START])
        await turns()
        rig.authorizer.is_held.set()

        replies = [await rig.socket.reply() for _ in range(3)]
        assert replies[0] == replies[1] == replies[2]
        assert len(rig.outbox.told(SessionStarted)) == 1


@asynccontextmanager
async def redialled(rig: Rig):
    """The charger's next connection, while its last one is not through with what it began."""
    socket = FakeSocket()
    connection = ChargerConnection(socket, v16.VERSION, rig.view, rig.services)
    running = asyncio.create_task(connection.run())
    try:
        yield socket
    finally:
        socket.hang_up()
        async with asyncio.timeout(5):
            await running


@pytest.mark.parametrize("message_id", ["1", "2"])
async def test_quirk_9_23_a_start_told_again_on_a_new_connection_while_the_disk_stalls_is_one(
    message_id,
):
    async with a_rig() as rig, redialled(rig) as new:
        rig.outbox.is_held = asyncio.Event()
        rig.socket.put([2, "1", "StartTransaction", START])
        await turns()
        new.put([2, message_id, "StartTransaction", START])
        await turns()
        rig.outbox.is_held.set()

        first, second = await rig.socket.reply(), await new.reply()
        assert first[2] == second[2]
        assert second[1] == message_id
        assert len(rig.outbox.told(SessionStarted)) == 1


@pytest.mark.parametrize("message_id", ["1", "2"])
async def test_quirk_9_23_a_start_told_again_while_both_wait_for_the_cloud_is_one(message_id):
    async with a_rig() as rig, redialled(rig) as new:
        rig.authorizer.is_held = asyncio.Event()
        rig.socket.put([2, "1", "StartTransaction", START])
        new.put([2, message_id, "StartTransaction", START])
        await turns()
        assert len(rig.authorizer.asked) == 2
        rig.outbox.is_held = asyncio.Event()
        rig.authorizer.is_held.set()
        await turns()
        rig.outbox.is_held.set()

        assert (await rig.socket.reply())[2] == (await new.reply())[2]
        assert len(rig.outbox.told(SessionStarted)) == 1


async def test_quirk_23_a_start_told_again_while_the_outbox_itself_stalls_is_one(
    tmp_path, monkeypatch
):
    may_write, store = threading.Event(), OutboxFile.store
    monkeypatch.setattr(
        OutboxFile, "store", lambda self, group: may_write.wait(5) and store(self, group)
    )
    outbox = Outbox(tmp_path / "agent.db", FakeClock())
    async with a_rig(outbox=outbox) as rig, redialled(rig) as new:
        rig.socket.put([2, "1", "StartTransaction", START])
        await turns()
        new.put([2, "2", "StartTransaction", START])
        await turns()
        may_write.set()

        assert (await rig.socket.reply())[2] == (await new.reply())[2]
        kinds = [msgspec.json.decode(fact)["kind"] for fact in await outbox.read(0)]
        assert kinds.count("session_started") == 1
        await outbox.close()


async def test_quirk_23_a_start_nobody_can_read_told_again_gets_the_number_it_had():
    unreadable = {"connectorId": {}, "idTag": []}
    async with a_rig() as rig, redialled(rig) as new:
        rig.outbox.is_held = asyncio.Event()
        rig.socket.put([2, "1", "StartTransaction", unreadable])
        await turns()
        new.put([2, "1", "StartTransaction", unreadable])
        await turns()
        rig.outbox.is_held.set()

        assert await rig.socket.reply() == await new.reply()
        assert len(rig.outbox.told(MessageQuarantined)) == 1


async def test_quirk_4_a_status_on_the_new_connection_opens_no_session_the_old_one_ends():
    async with a_rig() as rig, redialled(rig) as new:
        await rig.say("StartTransaction", START)
        rig.outbox.is_held = asyncio.Event()
        rig.socket.put([2, "2", "StopTransaction", STOP])
        await turns()
        new.put([2, "3", "StatusNotification", STATUS])
        await turns()
        rig.outbox.is_held.set()
        await rig.socket.reply()
        await new.reply()

        assert rig.outbox.open_on("CP-1", 1) is None


async def test_quirk_11_while_the_old_connection_waits_for_the_cloud_the_new_one_is_served():
    async with a_rig() as rig, redialled(rig) as new:
        rig.authorizer.is_held = asyncio.Event()
        rig.socket.put([2, "1", "StartTransaction", START])
        await turns()
        for message_id, action, payload in (
            ("2", "BootNotification", BOOT),
            ("3", "StatusNotification", STATUS),
            ("4", "Heartbeat", {}),
        ):
            new.put([2, message_id, action, payload])
            assert (await new.reply())[:2] == [3, message_id]
        rig.authorizer.is_held.set()

        assert (await rig.socket.reply())[1] == "1"


async def test_t01_a_data_transfer_sent_again_is_told_once():
    async with a_rig() as rig:
        first = await rig.say("DataTransfer", {"vendorId": "V"})
        second = await rig.say("DataTransfer", {"vendorId": "V"})

        assert first == second
        assert len(rig.outbox.told(DataTransferred)) == 1


async def test_a_heartbeat_sent_again_tells_the_time_of_now():
    async with a_rig() as rig:
        first = await rig.say("Heartbeat", {})
        rig.clock.advance(100)

        assert (await rig.say("Heartbeat", {}))[2] != first[2]


async def test_p05_calls_are_answered_in_order_whoever_waits():
    async with a_rig() as rig:
        rig.authorizer.is_held = asyncio.Event()
        rig.socket.put([2, "1", "Authorize", {"idTag": "04A1"}])
        rig.socket.put([2, "2", "Heartbeat", {}])
        await turns()
        assert rig.socket.sent.empty()
        rig.authorizer.is_held.set()

        assert [(await rig.socket.reply())[1] for _ in range(2)] == ["1", "2"]


async def test_quirk_11_a_slow_call_of_theirs_does_not_hold_up_the_answer_to_ours():
    async with a_rig() as rig:
        await rig.say("BootNotification", BOOT)
        rig.authorizer.is_held = asyncio.Event()
        rig.socket.put([2, "2", "Authorize", {"idTag": "04A1"}])
        ours = asyncio.create_task(rig.connection.call("ClearCache", {}, 30))
        frame = await rig.socket.reply()
        rig.socket.put([3, frame[1], {"status": "Accepted"}])

        assert await ours == Answered({"status": "Accepted"})
        rig.authorizer.is_held.set()
        assert (await rig.socket.reply())[1] == "2"


async def test_quirk_13_no_call_of_ours_before_their_first_message_is_answered():
    async with a_rig() as rig:
        ours = asyncio.create_task(rig.connection.call("ClearCache", {}, 30))
        await turns()
        assert rig.socket.sent.empty()
        rig.socket.put([2, "1", "BootNotification", BOOT])

        assert (await rig.socket.reply())[:2] == [3, "1"]
        frame = await rig.socket.reply()
        assert frame[2] == "ClearCache"
        rig.socket.put([4, frame[1], "NotSupported", "", {}])
        assert await ours == AnsweredWithError("NotSupported", "", {})


async def test_quirk_12_a_charger_that_says_nothing_is_called_after_ten_seconds():
    async with a_rig() as rig:
        rig.clock.advance(10)
        ours = asyncio.create_task(rig.connection.call("ClearCache", {}, 30))
        frame = await rig.socket.reply()
        rig.socket.put([3, frame[1], {"status": "Accepted"}])

        assert await ours == Answered({"status": "Accepted"})


async def test_calls_of_ours_go_out_one_at_a_time():
    async with a_rig() as rig:
        await rig.say("BootNotification", BOOT)
        ours = [asyncio.create_task(rig.connection.call("ClearCache", {}, 30)) for _ in range(3)]
        for _ in ours:
            frame = await rig.socket.reply()
            await turns()
            assert rig.socket.sent.empty()
            rig.socket.put([3, frame[1], {"status": "Accepted"}])

        assert await asyncio.gather(*ours) == [Answered({"status": "Accepted"})] * 3


async def test_p06_a_call_never_answered_gives_way_to_the_next():
    async with a_rig(timing=Timing(call_timeout_s=0.05)) as rig:
        await rig.say("BootNotification", BOOT)
        first = await rig.connection.call("ClearCache", {}, 30)
        late = await rig.socket.reply()
        second = asyncio.create_task(rig.connection.call("ClearCache", {}, 30))
        frame = await rig.socket.reply()
        rig.socket.put([3, late[1], {"status": "Rejected"}])
        rig.socket.put([3, frame[1], {"status": "Accepted"}])

        assert first == NotAnswered(was_sent=True)
        assert await second == Answered({"status": "Accepted"})


async def test_p13_a_call_whose_time_is_over_before_its_turn_is_never_sent():
    async with a_rig() as rig:
        await rig.say("BootNotification", BOOT)
        first = asyncio.create_task(rig.connection.call("ClearCache", {}, 30))
        frame = await rig.socket.reply()
        assert await rig.connection.call("Reset", {"type": "Hard"}, 0.02) == NotAnswered(
            was_sent=False
        )
        rig.socket.put([3, frame[1], {"status": "Accepted"}])

        assert await first == Answered({"status": "Accepted"})
        await turns()
        assert rig.socket.sent.empty()


async def test_a_call_in_flight_ends_with_the_connection():
    async with a_rig() as rig:
        await rig.say("BootNotification", BOOT)
        ours = asyncio.create_task(rig.connection.call("ClearCache", {}, 30))
        await rig.socket.reply()
        rig.socket.hang_up()

        assert await ours == NotAnswered(was_sent=True)


async def test_a_call_that_waited_its_turn_when_the_connection_ended_was_never_sent():
    async with a_rig() as rig:
        await rig.say("BootNotification", BOOT)
        first = asyncio.create_task(rig.connection.call("ClearCache", {}, 30))
        await rig.socket.reply()
        second = asyncio.create_task(rig.connection.call("Reset", {"type": "Hard"}, 30))
        rig.socket.hang_up()

        assert await first == NotAnswered(was_sent=True)
        assert await second == NotAnswered(was_sent=False)
        assert rig.socket.sent.empty()


async def test_what_came_before_the_hang_up_is_still_stored():
    async with a_rig() as rig:
        rig.socket.put([2, "1", "BootNotification", BOOT])
        rig.socket.put([2, "2", "StatusNotification", STATUS])

    assert len(rig.outbox.told(ConnectorStateReported)) == 1


@pytest.mark.parametrize(
    ("version", "action", "code"),
    [
        (v16.VERSION, "Reset", "NotSupported"),
        (v16.VERSION, "TransactionEvent", "NotImplemented"),
        (v16.VERSION, "heartbeat", "NotImplemented"),
        (v201.VERSION, "ReserveNow", "NotSupported"),
        (v201.VERSION, "StartTransaction", "NotImplemented"),
        (v21.VERSION, "BatterySwap", "NotSupported"),
        (v21.VERSION, "x" * 5000, "NotImplemented"),
    ],
)
async def test_p03_other_actions_get_the_error_the_standard_asks_for(version, action, code):
    async with a_rig(version) as rig:
        reply = await rig.say(action, {})

        assert reply[:3] == [4, "1", code]
        assert len(reply[3]) <= 255


@pytest.mark.parametrize(
    ("version", "action", "payload", "code"),
    [
        (v16.VERSION, "BootNotification", {}, "ProtocolError"),
        (v16.VERSION, "BootNotification", BOOT | {"iccid": 1}, "TypeConstraintViolation"),
        (
            v16.VERSION,
            "BootNotification",
            BOOT | {"chargePointModel": None, "bogus": 1},
            "TypeConstraintViolation",
        ),
        (v16.VERSION, "Authorize", {"idTag": ["x"], "bogus": 1}, "TypeConstraintViolation"),
        (v16.VERSION, "Authorize", {"idTag": None}, "TypeConstraintViolation"),
        (v201.VERSION, "NotifyEvent", EVENTS | {"eventData": []}, "OccurrenceConstraintViolation"),
        (v16.VERSION, "Authorize", {"idTag": 5}, "TypeConstraintViolation"),
        (v16.VERSION, "Heartbeat", {"x": 1}, "FormationViolation"),
        (v16.VERSION, "Heartbeat", [], "FormationViolation"),
        (
            v16.VERSION,
            "StatusNotification",
            STATUS | {"status": "Sleeping"},
            "PropertyConstraintViolation",
        ),
        (
            v16.VERSION,
            "StatusNotification",
            STATUS | {"connectorId": -1},
            "PropertyConstraintViolation",
        ),
        (
            v16.VERSION,
            "StatusNotification",
            STATUS | {"connectorId": "one"},
            "TypeConstraintViolation",
        ),
        (v201.VERSION, "StatusNotification", {}, "OccurrenceConstraintViolation"),
        (v201.VERSION, "BootNotification", BOOT, "OccurrenceConstraintViolation"),
    ],
)
async def test_p02_what_does_not_fit_is_refused_and_tells_nothing(version, action, payload, code):
    async with a_rig(version) as rig:
        assert (await rig.say(action, payload))[:3] == [4, "1", code]
        assert rig.outbox.facts == []


@pytest.mark.parametrize(
    ("version", "action", "payload"),
    [
        (v16.VERSION, "BootNotification", BOOT | {"chargePointSerialNumber": "9" * 26}),
        (v16.VERSION, "BootNotification", BOOT | {"chargePointModel": "M" * 3_000}),
        (v16.VERSION, "BootNotification", BOOT | {"iccid": None, "imsi": "1" * 21}),
        (v16.VERSION, "BootNotification", BOOT | {f"own{number}": 1 for number in range(20)}),
        (v16.VERSION, "Authorize", {"idTag": "x" * 21}),
        (v16.VERSION, "Authorize", {"idTag": "x" * 3_000, "connectorId": 1}),
        (v16.VERSION, "SecurityEventNotification", SECURITY | {"techInfo": "x" * 3_000}),
        (v16.VERSION, "SecurityEventNotification", SECURITY | {"type": "x" * 3_000}),
        (v201.VERSION, "BootNotification", {**BOOT_201, "bogus": {}}),
        (v201.VERSION, "BootNotification", BOOT_201 | {"chargingStation": LONG_STATION}),
        (v201.VERSION, "Authorize", {"idToken": TOKEN_201 | {"additionalInfo": None}}),
        (v201.VERSION, "NotifyEvent", EVENTS | {"tbc": None}),
        (v21.VERSION, "Authorize", {"idToken": TOKEN_201 | {"idToken": "x" * 3_000}}),
        (v21.VERSION, "NotifyEvent", EVENTS | {"bogus": 1}),
    ],
)
async def test_what_is_but_too_long_null_or_of_no_such_name_keeps_no_charger_out(
    version, action, payload
):
    async with a_rig(version) as rig:
        reply = await rig.say(action, payload)

    assert reply[:2] == [3, "1"]
    assert version.schemas.response(action).fits(reply[2])
    assert [one.oddity for one in rig.outbox.told(OddityObserved)] == ["payload_mended"]


async def test_quirk_18_a_tag_too_long_is_asked_for_as_the_same_in_authorize_and_at_a_start():
    tag = "04A1" + "\x10\x0e" * 10
    async with a_rig() as rig:
        await rig.say("Authorize", {"idTag": tag})
        await rig.say("StartTransaction", START | {"idTag": tag}, "2")

    assert [token for _, _, token in rig.authorizer.asked] == [tag, tag]


async def test_quirk_7_a_boot_of_another_version_tells_which_also_with_a_text_too_long():
    async with a_rig(v201.VERSION, other=v16.VERSION, is_agreed=True) as rig:
        boot = BOOT | {"chargePointSerialNumber": "9" * 26}
        assert (await rig.say("BootNotification", boot))[2]["status"] == "Accepted"

    assert rig.connection.version is v16.VERSION


@pytest.mark.parametrize(
    "payload",
    [
        {"connectorId": 1, "meterValue": VALUE},
        {"connectorId": "1", "meterValue": [VALUE]},
        {"connectorId": 1.0, "meterValue": [VALUE], "bogus": 1},
        {"connectorId": 1, "transactionId": None, "meterValue": [VALUE, {}, None]},
        {
            "connectorId": 1,
            "meterValue": [VALUE | {"sampledValue": [{"value": 1500, "unit": "Hz"}]}],
        },
    ],
)
async def test_quirk_33_readings_in_a_wrong_shape_are_read_and_flagged(payload):
    async with a_rig() as rig:
        assert await rig.say("MeterValues", payload) == [3, "1", {}]

    assert [one.energy_wh for one in rig.outbox.told(MeterSampled)] == [1500]
    assert [one.oddity for one in rig.outbox.told(OddityObserved)] == ["payload_mended"]


@pytest.mark.parametrize(
    ("action", "payload"),
    [
        ("StartTransaction", START | {"meterStart": "100.4"}),
        ("StartTransaction", START | {"idTag": "x" * 30}),
        ("StartTransaction", {"connectorId": 1}),
    ],
)
async def test_the_rule_a_transaction_message_that_can_be_read_is_not_refused(action, payload):
    async with a_rig() as rig:
        reply = await rig.say(action, payload)

        assert reply[0] == 3
        assert len(rig.outbox.told(SessionStarted)) == 1


@pytest.mark.parametrize(
    ("version", "action", "payload", "reply"),
    [
        (
            v16.VERSION,
            "StartTransaction",
            {"connectorId": "one"},
            {"transactionId": 1, "idTagInfo": {"status": "Invalid"}},
        ),
        (v16.VERSION, "StartTransaction", START | {"connectorId": 10**30}, None),
        (v16.VERSION, "MeterValues", {"connectorId": -1}, {}),
        (v201.VERSION, "TransactionEvent", {}, {}),
        (v201.VERSION, "TransactionEvent", {"eventType": "Paused"}, {}),
        (v201.VERSION, "MeterValues", {"evseId": -5, "meterValue": []}, {}),
    ],
)
async def test_the_rule_one_nobody_can_read_is_thanked_for_and_quarantined(
    version, action, payload, reply
):
    async with a_rig(version) as rig:
        answered = await rig.say(action, payload)

        assert answered[0] == 3
        assert reply is None or answered[2] == reply
    (kept,) = rig.outbox.told(MessageQuarantined)
    assert kept.action == action
    assert json.loads(kept.frame)[3] == payload


EVENT_201 = {
    "eventType": "Started",
    "timestamp": "2026-11-22T12:00:00Z",
    "triggerReason": "CablePluggedIn",
    "seqNo": 0,
    "transactionInfo": {"transactionId": "t"},
    "evse": {"id": 1, "connectorId": 1},
}


@pytest.mark.parametrize(
    ("version", "frame"),
    [
        (v16.VERSION, [2, "1", "StartTransaction", START, {}]),
        (v16.VERSION, [2, 17, "StartTransaction", START, {}]),
        (v201.VERSION, [2, "1", "TransactionEvent", EVENT_201, None, 5]),
        (v201.VERSION, [2, 17, "TransactionEvent", EVENT_201]),
        (v201.VERSION, [2, "{" + "a" * 36 + "}", "TransactionEvent", EVENT_201]),
    ],
)
async def test_the_rule_a_transaction_message_in_an_odd_frame_is_read_and_flagged(version, frame):
    async with a_rig(version) as rig:
        rig.socket.put(frame)
        reply = await rig.socket.reply()

    assert reply[:2] == [3, frame[1]]
    assert version.schemas.response(frame[2]).fits(reply[2])
    assert len(rig.outbox.told(SessionStarted)) == 1
    (odd,) = rig.outbox.told(OddityObserved)
    assert odd.oddity == "payload_mended"


async def test_quirk_8_who_numbers_its_messages_is_answered_by_number_and_flagged_once():
    async with a_rig() as rig:
        for number, action, payload in ((0, "StartTransaction", START), (1, "Heartbeat", {})) * 2:
            rig.socket.put([2, number, action, payload])
            assert (await rig.socket.reply())[:2] == [3, number]

    assert len(rig.outbox.told(SessionStarted)) == 1
    assert [one.oddity for one in rig.outbox.told(OddityObserved)] == ["number_for_message_id"]


@pytest.mark.parametrize("frame", [[2, "1", "Heartbeat", {}, {}], [2, 1.5, "Heartbeat", {}]])
async def test_p01_any_other_message_in_an_odd_frame_is_refused_and_tells_nothing(frame):
    async with a_rig() as rig:
        rig.socket.put(frame)

        assert (await rig.socket.reply())[2] == "FormationViolation"
        assert rig.outbox.facts == []


@pytest.mark.parametrize(
    "frame",
    [
        [2, "1", "StopTransaction"],
        [2, "1", "StopTransaction", [], {}],
        [2, None, "StopTransaction", {"transactionId": 5}],
        [2, "x" * 300, "StopTransaction", {"transactionId": 5}],
    ],
)
async def test_a_transaction_message_in_a_frame_nobody_can_read_is_refused_but_kept(frame):
    async with a_rig() as rig:
        rig.socket.put(frame)

        assert (await rig.socket.reply())[2] == "FormationViolation"
    (kept,) = rig.outbox.told(MessageQuarantined)
    assert kept.action == "StopTransaction"
    assert json.loads(kept.frame) == frame


async def test_broken_json_of_a_transaction_message_is_refused_but_kept():
    async with a_rig() as rig:
        rig.socket.put('[2,"1","StopTransaction",{"transactionId":5,"meterStop"')

        assert (await rig.socket.reply())[:3] == [4, "1", "FormationViolation"]
    assert len(rig.outbox.told(MessageQuarantined)) == 1


async def test_quirk_22_a_stop_with_a_hole_in_its_json_is_served():
    async with a_rig() as rig:
        await rig.say("StartTransaction", START, "0")
        rig.socket.put(
            '[2,"1","StopTransaction",{"transactionId":,"meterStop":200,'
            '"timestamp":"2026-11-22T12:00:00Z"}]'
        )

        assert await rig.socket.reply() == [3, "1", {}]
        assert rig.outbox.open_on("CP-1", 1) is None


async def test_mended_json_is_refused_where_nothing_would_be_lost():
    async with a_rig() as rig:
        rig.socket.put('[2,"1","Authorize",{"idTag":}]')

        assert (await rig.socket.reply())[:3] == [4, "1", "TypeConstraintViolation"]
        rig.socket.put('[2,"1","Heartbeat",{}')
        assert (await rig.socket.reply())[:3] == [4, "1", "FormationViolation"]


async def test_an_error_in_our_own_code_is_an_internal_error_and_the_data_is_kept():
    def fail(_request, _context):
        raise ZeroDivisionError

    route = v16.ROUTES["Heartbeat"]
    version = replace(v16.VERSION, routes=v16.ROUTES | {"Heartbeat": Route(route.request, fail)})
    async with a_rig(version) as rig:
        assert (await rig.say("Heartbeat", {}))[:3] == [4, "1", "InternalError"]
        assert len(rig.outbox.told(MessageQuarantined)) == 1
        assert (await rig.say("BootNotification", BOOT))[0] == 3


async def test_quirk_37_a_skewed_clock_is_told_now_and_then_not_with_each_message():
    late = STATUS | {"timestamp": "2026-11-22T11:00:00Z"}
    async with a_rig() as rig:
        for number in range(5):
            await rig.say("StatusNotification", late, str(number))
        assert [one.oddity for one in rig.outbox.told(OddityObserved)] == ["clock_skewed"]
        rig.clock.advance(601)
        await rig.say("StatusNotification", late, "9")

        assert len(rig.outbox.told(OddityObserved)) == 2
        assert len(rig.outbox.told(ConnectorStateReported)) == 6


async def test_p07_a_flood_is_slowed_down_and_told_once():
    timing = Timing(max_messages_per_s=1000, max_message_burst=10)
    async with a_rig(timing=timing) as rig:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        for number in range(110):
            rig.socket.put([2, str(number), "Heartbeat", {}])
        for _ in range(110):
            await rig.socket.reply()

        assert loop.time() - began_s >= 0.09
        assert [one.oddity for one in rig.outbox.told(OddityObserved)] == ["flooding"]


async def test_p07_who_dials_anew_goes_on_with_the_burst_it_had_left():
    first = Rig(timing=Timing(max_messages_per_s=4, max_message_burst=5))
    running = asyncio.create_task(first.connection.run())
    for number in range(5):
        await first.say("Heartbeat", {}, str(number))
    first.socket.hang_up()
    await running
    calm = list(first.outbox.told(OddityObserved))
    again = FakeSocket()
    connection = ChargerConnection(again, v16.VERSION, a_view(first.outbox), first.services)
    running = asyncio.create_task(connection.run())
    for number in range(3):
        again.put([2, str(number), "Heartbeat", {}])
    again.hang_up()
    await running

    assert calm == []
    assert [one.oddity for one in first.outbox.told(OddityObserved)] == ["flooding"]


async def test_the_token_is_asked_for_at_the_evse_it_was_shown_at():
    async with a_rig(v201.VERSION) as rig:
        event = {
            "eventType": "Started",
            "timestamp": "2026-11-22T12:00:00Z",
            "triggerReason": "Authorized",
            "seqNo": 0,
            "transactionInfo": {"transactionId": "t"},
            "evse": {"id": 2, "connectorId": 1},
            "idToken": {"idToken": "04A1", "type": "ISO14443"},
        }
        await rig.say("TransactionEvent", event)

        assert rig.authorizer.asked == [("CP-1", 2, "04A1")]


async def test_who_only_shows_a_token_begins_nothing_yet():
    async with a_rig() as rig:
        await rig.say("Authorize", {"idTag": "04A1"})
        await rig.say("StartTransaction", START | {"connectorId": 2}, "2")

        assert rig.authorizer.begins_on == [None, 2]


BUSY = Verdict(is_accepted=False, decided_by=DecidedBy.CLOUD, reason="concurrent")


async def test_a_transaction_too_many_is_told_to_be_so_and_kept_in_1_6():
    async with a_rig() as rig:
        rig.authorizer.verdict = BUSY
        answer = await rig.say("StartTransaction", START | {"connectorId": 2})
        await rig.say(
            "StopTransaction",
            {
                "transactionId": answer[2]["transactionId"],
                "meterStop": 110,
                "timestamp": START["timestamp"],
            },
            "2",
        )

        (began,) = rig.outbox.told(SessionStarted)
        assert answer[2]["idTagInfo"] == {"status": "ConcurrentTx"}
        assert (began.evse_id, began.is_authorized) == (2, False)
        assert [one.meter_stop_wh for one in rig.outbox.told(SessionEnded)] == [110]


def an_event(kind, seq_no, trigger, **more):
    return {
        "eventType": kind,
        "timestamp": "2026-11-22T12:00:00Z",
        "triggerReason": trigger,
        "seqNo": seq_no,
        "transactionInfo": {"transactionId": "t"},
        **more,
    }


async def test_a_session_in_2_0_1_begins_where_it_was_plugged_in_and_a_token_that_ends_it_does_not():
    card = {"idToken": {"idToken": "04A1", "type": "ISO14443"}}
    async with a_rig(v201.VERSION) as rig:
        rig.authorizer.verdict = BUSY
        plug = an_event("Started", 0, "CablePluggedIn", evse={"id": 2, "connectorId": 1})
        await rig.say("TransactionEvent", plug)
        answer = await rig.say(
            "TransactionEvent", an_event("Updated", 1, "Authorized", **card), "2"
        )
        await rig.say("TransactionEvent", an_event("Updated", 2, "StopAuthorized", **card), "3")
        await rig.say("TransactionEvent", an_event("Ended", 3, "StopAuthorized", **card), "4")
        lost = an_event("Updated", 1, "RemoteStart", **card) | {
            "transactionInfo": {"transactionId": "u"}
        }
        await rig.say("TransactionEvent", lost, "5")

        late = an_event("Started", 0, "Authorized", offline=True, **card)
        await rig.say("TransactionEvent", late | {"transactionInfo": {"transactionId": "v"}}, "6")

        assert answer[2] == {"idTokenInfo": {"status": "ConcurrentTx"}}
        assert rig.authorizer.begins_on == [2, None, None, 0, None]
        assert not rig.outbox.told(SessionStarted)[1].is_authorized


async def test_a_send_of_21_is_not_answered():
    async with a_rig(v21.VERSION) as rig:
        rig.socket.put([6, "1", "NotifyPeriodicEventStream", {}])

        assert (await rig.say("Heartbeat", {}, "2"))[1] == "2"


async def a_ping(rig: Rig) -> None:
    """Let one ping go out, and its answer come or its time pass."""
    await until(lambda: rig.clock.has_sleepers)
    rig.clock.advance(20)
    await until(lambda: rig.clock.has_sleepers or rig.socket.closed)


QUICK_PONGS = Timing(min_pong_s=0.01)


async def test_n02_a_charger_that_stops_answering_pings_is_closed():
    async with a_rig(timing=QUICK_PONGS, speed=1e6) as rig:
        await a_ping(rig)
        assert rig.socket.closed is None
        assert rig.connection.heard_s == 20
        rig.socket.answers_pings = False
        await a_ping(rig)

        assert rig.socket.closed == (1011, "no pong")


async def test_quirk_5_a_charger_that_never_answered_a_ping_is_left_alone():
    async with a_rig(timing=QUICK_PONGS, speed=1e6) as rig:
        rig.socket.answers_pings = False
        await a_ping(rig)
        await a_ping(rig)

        assert rig.socket.closed is None
        assert rig.connection.heard_s == 0


async def test_s02_who_answers_a_ping_is_alive():
    async with a_rig() as rig:
        assert await rig.connection.is_alive()


async def test_quirk_1_who_offered_nothing_is_served_in_the_version_it_speaks():
    async with a_rig(other=v201.VERSION) as rig:
        assert (await rig.say("Heartbeat", {}))[0] == 3
        assert (await rig.say("BootNotification", BOOT_201, "2"))[0] == 3
        assert (await rig.say("BootNotification", BOOT, "3"))[2] == "OccurrenceConstraintViolation"

    (connected,) = rig.outbox.told(ChargerConnected)
    assert connected.ocpp_version == "2.0.1"


async def test_quirk_1_once_it_spoke_16_it_stays_so():
    async with a_rig(other=v201.VERSION) as rig:
        assert (await rig.say("BootNotification", BOOT))[0] == 3
        assert (await rig.say("BootNotification", BOOT_201, "2"))[2] == "ProtocolError"

    assert rig.outbox.told(ChargerConnected) == []


async def test_quirk_7_who_speaks_both_ways_is_understood_both_ways():
    async with a_rig(v201.VERSION, other=v16.VERSION, is_agreed=True) as rig:
        assert (await rig.say("BootNotification", BOOT))[0] == 3
        assert (await rig.say("BootNotification", BOOT_201, "2"))[0] == 3
        assert (await rig.say("BootNotification", {}, "3"))[2] == "OccurrenceConstraintViolation"

    assert [one.ocpp_version for one in rig.outbox.told(ChargerConnected)] == ["1.6", "2.0.1"]
    assert "speaks_another_version" in [one.oddity for one in rig.outbox.told(OddityObserved)]


async def test_p02_a_vendors_own_data_does_not_change_the_version():
    transfer = {"vendorId": "v", "data": {"a": "b"}}
    async with a_rig(v16.VERSION, other=v201.VERSION, is_agreed=True) as rig:
        assert (await rig.say("DataTransfer", transfer))[2] == "TypeConstraintViolation"

    assert rig.outbox.told(ChargerConnected) == []


async def test_quirk_21_another_identity_at_the_next_boot_is_told():
    async with a_rig() as rig:
        for number, model in enumerate(("One", "One", "Two")):
            boot = {"chargePointVendor": "Maker", "chargePointModel": model}
            assert (await rig.say("BootNotification", boot, str(number)))[0] == 3

    assert [one.oddity for one in rig.outbox.told(OddityObserved)] == ["identity_changed"]


async def test_what_was_settled_in_the_handshake_is_kept_to():
    async with a_rig() as rig:
        assert (await rig.say("BootNotification", BOOT_201))[2] == "ProtocolError"


async def test_quirk_8_empty_frames_are_ignored():
    async with a_rig() as rig:
        rig.socket.put("")
        rig.socket.put(b"\0")

        assert (await rig.say("Heartbeat", {}))[:2] == [3, "1"]


async def test_who_was_not_let_in_is_refused_what_nobody_asked_for():
    status = {
        "timestamp": "2026-11-22T12:00:00Z",
        "connectorStatus": "Available",
        "evseId": 1,
        "connectorId": 1,
    }
    async with a_rig(v201.VERSION) as rig:
        talk = rig.connection.charger.talk
        talk.registration = Registration.PENDING
        refused = await rig.say("StatusNotification", status)
        talk.note("TriggerMessage", {"requestedMessage": "StatusNotification"})
        triggered = await rig.say("StatusNotification", status, "2")
        metered = await rig.say("MeterValues", {"evseId": 1, "meterValue": [VALUE]}, "3")
        boot = {"reason": "PowerUp", "chargingStation": {"vendorName": "V", "model": "M"}}
        booted = await rig.say("BootNotification", boot, "4")

        assert refused[:3] == [4, "1", "SecurityError"]
        assert triggered == [3, "2", {}]
        assert metered[:2] == [3, "3"]
        assert booted[2]["status"] == "Accepted"
        assert talk.registration is Registration.ACCEPTED


async def test_what_an_answer_teaches_stands_before_what_comes_after_it():
    async with a_rig(v201.VERSION) as rig:
        learnt = asyncio.Event()
        order: list[str] = []

        async def learn(_answer) -> None:
            await learnt.wait()
            order.append("answer")

        calling = asyncio.create_task(rig.connection.call("ClearCache", {}, 5, learn))
        await rig.say("Heartbeat", {}, "0")
        call = await rig.socket.reply()
        rig.socket.put([3, call[1], {"status": "Accepted"}])
        rig.socket.put([2, "1", "Heartbeat", {}])
        learnt.set()
        reply = await rig.socket.reply()
        order.append("message")
        answered = await calling

        assert order == ["answer", "message"]
        assert reply[1] == "1"
        assert answered == Answered({"status": "Accepted"})
