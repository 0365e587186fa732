"""OCPP 1.6, Core and Remote Trigger: what is asked of chargers from afar; cases of the certification list."""

from functools import partial

import pytest

from simulator.chargers.spec import Behaviour
from simulator.journal import Kind
from tests.certification.sessions import begun, ended, state_of
from tests.support.stack import TOKEN

pytestmark = pytest.mark.real


def slow(**more):
    return Behaviour(heartbeat_s=3_600, sample_s=3_600, reboot_s=0.5, **more)


@pytest.fixture
def post_16(post_of):
    """A maker of posts that speak 1.6."""
    return partial(post_of, "1.6")


async def started_afar(post):
    command = await post.command("start_session", evse_id=1, token=TOKEN)
    assert await post.asked("RemoteStartTransaction") == {"connectorId": 1, "idTag": TOKEN}
    return command


async def charging(post):
    await post.booted()
    post.charger.plug_in(1, post.car())
    post.charger.present(1, TOKEN)
    return await state_of(post, "charging")


async def connector(post, state, evse_id=1):
    """Wait until the cloud shows a connector so."""

    async def shown():
        detail = await post.get(f"/chargers/{post.charger_id}")
        return any(
            one["evse_id"] == evse_id and one["state"] == state for one in detail["connectors"]
        )

    await post.until(shown, f"connector {evse_id} {state}")


def answers(post, action):
    return [one.body for one in post.tape.of(Kind.ACKNOWLEDGED, action)]


async def test_TC_010_CSMS_a_session_begins_from_afar_once_the_cable_is_in(post_16):
    async with post_16(behaviour=slow(asks_for_remote_start=True)) as post:
        await post.booted()
        post.charger.plug_in(1, post.car())
        await connector(post, "preparing")
        command = await started_afar(post)
        session = await state_of(post, "charging")

        assert command["state"] == "accepted"
        assert session["is_live"]
        assert answers(post, "Authorize")[0]["idTagInfo"]["status"] == "Accepted"
        assert answers(post, "StartTransaction")[0]["idTagInfo"]["status"] == "Accepted"


async def test_TC_011_1_CSMS_a_session_begins_from_afar_before_the_cable(post_16):
    async with post_16(behaviour=slow(asks_for_remote_start=True)) as post:
        await post.booted()
        command = await started_afar(post)
        await connector(post, "preparing")
        post.charger.plug_in(1, post.car())
        await state_of(post, "charging")

        assert command["state"] == "accepted"
        assert answers(post, "Authorize")[0]["idTagInfo"]["status"] == "Accepted"
        assert answers(post, "StartTransaction")[0]["idTagInfo"]["status"] == "Accepted"


async def test_TC_011_2_CSMS_a_start_from_afar_is_over_when_no_cable_comes(post_16):
    async with post_16(behaviour=slow(connection_timeout_s=0.5)) as post:
        await post.booted()
        await started_afar(post)
        await post.until(
            lambda: (
                [one["status"] for one in post.sent("StatusNotification")][-2:]
                == ["Preparing", "Available"]
            ),
            "available again",
        )
        await connector(post, "free")

        assert await post.sessions() == []


async def test_TC_012_CSMS_a_session_ends_from_afar(post_16):
    async with post_16() as post:
        session = await charging(post)
        number = post.charger.evses[1].session.transaction_id
        command = await post.command(
            "stop_session", session_id=session["session_id"], transaction_id=number
        )
        over = await ended(post)

        assert await post.asked("RemoteStopTransaction") == {"transactionId": int(number)}
        assert command["state"] == "accepted"
        assert over["end_reason"] == "Remote"


async def test_TC_013_CSMS_a_hard_reset_boots_the_charger(post_16):
    await booted_again(post_16, "hard")


async def test_TC_014_CSMS_a_soft_reset_boots_the_charger(post_16):
    await booted_again(post_16, "soft")


async def booted_again(post_16, reset):
    async with post_16() as post:
        await charging(post)
        boots = len(answers(post, "BootNotification"))
        command = await post.command("reset_charger", reset=reset)
        assert await post.asked("Reset") == {"type": reset.capitalize()}
        assert command["state"] == "accepted"
        over = await ended(post)
        await post.until(lambda: len(answers(post, "BootNotification")) > boots, "booted again")

        assert over["end_reason"] == f"{reset.capitalize()}Reset"
        assert answers(post, "BootNotification")[-1]["status"] == "Accepted"


async def unlocked(post):
    command = await post.command("unlock_connector", evse_id=1)
    assert await post.asked("UnlockConnector") == {"connectorId": 1}
    return command


async def test_TC_017_1_CSMS_a_connector_without_a_session_is_unlocked(post_16):
    async with post_16() as post:
        await post.booted()
        command = await unlocked(post)

        assert (command["state"], command["answer"]["status"]) == ("accepted", "Unlocked")


async def test_TC_017_2_CSMS_a_fixed_cable_is_not_unlocked(post_16):
    async with post_16() as post:
        await post.booted()
        post.answers("UnlockConnector", {"status": "NotSupported"})
        command = await unlocked(post)

        assert (command["state"], command["answer"]["status"]) == ("rejected", "NotSupported")


async def test_TC_018_1_CSMS_a_connector_with_a_session_is_unlocked_and_the_session_ends(post_16):
    async with post_16() as post:
        await charging(post)
        command = await unlocked(post)
        over = await ended(post)

        assert command["state"] == "accepted"
        assert over["end_reason"] == "UnlockCommand"


async def test_TC_026_CSMS_a_start_from_afar_may_be_refused(post_16):
    async with post_16() as post:
        await charging(post)
        command = await started_afar(post)

        assert (command["state"], command["answer"]["status"]) == ("rejected", "Rejected")
        assert len(await post.sessions()) == 1


async def test_TC_028_CSMS_a_stop_from_afar_may_be_refused(post_16):
    async with post_16() as post:
        session = await charging(post)
        number = int(post.charger.evses[1].session.transaction_id) + 1
        command = await post.command(
            "stop_session", session_id=session["session_id"], transaction_id=str(number)
        )

        assert await post.asked("RemoteStopTransaction") == {"transactionId": number}
        assert (command["state"], command["answer"]["status"]) == ("rejected", "Rejected")
        assert (await begun(post))["is_live"]


async def test_TC_030_CSMS_a_lock_that_does_not_open_is_told(post_16):
    async with post_16() as post:
        await post.booted()
        post.charger.break_down(1, "ConnectorLockFailure")
        await connector(post, "faulted")
        command = await unlocked(post)

        assert (command["state"], command["answer"]["status"]) == ("rejected", "UnlockFailed")


async def test_TC_031_CSMS_a_connector_nobody_knows_is_not_unlocked(post_16):
    async with post_16() as post:
        await post.booted()
        command = await post.command("unlock_connector", evse_id=9)

        assert await post.asked("UnlockConnector") == {"connectorId": 9}
        assert (command["state"], command["answer"]["status"]) == ("rejected", "NotSupported")


@pytest.mark.parametrize(
    "message",
    [
        "MeterValues",
        "Heartbeat",
        "StatusNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "BootNotification",
    ],
)
async def test_TC_054_CSMS_a_message_is_asked_for(post_16, message):
    async with post_16() as post:
        await post.booted()
        before = len(answers(post, message))
        place = {"connectorId": 1} if message in {"MeterValues", "StatusNotification"} else {}
        more = {"evse_id": 1} if place else {}
        command = await post.command("trigger_message", message=message, **more)
        assert await post.asked("TriggerMessage") == {"requestedMessage": message, **place}
        await post.until(lambda: len(answers(post, message)) > before, f"{message} answered")

        assert command["state"] == "accepted"
        if message == "MeterValues":
            told = post.sent("MeterValues")[-1]
            assert told["connectorId"] == 1
            assert told["meterValue"][0]["sampledValue"][0]["context"] == "Trigger"


async def test_TC_055_CSMS_a_message_of_no_connector_is_refused(post_16):
    async with post_16() as post:
        await post.booted()
        command = await post.command("trigger_message", message="MeterValues", evse_id=9)

        assert (command["state"], command["answer"]["status"]) == ("rejected", "Rejected")


@pytest.mark.parametrize("evse_id", [0, 1])
async def test_16_5_2_a_connector_or_all_go_out_of_service_and_come_back(post_16, evse_id):
    async with post_16() as post:
        await post.booted()
        for is_available, kind, state in (
            (False, "Inoperative", "unavailable"),
            (True, "Operative", "free"),
        ):
            command = await post.command(
                "change_availability", evse_id=evse_id, is_available=is_available
            )
            asked = await post.asked("ChangeAvailability")
            assert asked == {"connectorId": evse_id, "type": kind}
            assert command["state"] == "accepted"
            await connector(post, state)
            await connector(post, state if evse_id == 0 else "free", 2)


async def test_16_5_2_a_connector_in_use_goes_out_of_service_once_it_is_free(post_16):
    async with post_16() as post:
        await charging(post)
        command = await post.command("change_availability", evse_id=1, is_available=False)
        post.charger.present(1, TOKEN)
        await ended(post)
        post.charger.unplug(1)

        assert (command["state"], command["answer"]["status"]) == ("accepted", "Scheduled")
        await connector(post, "unavailable")
