"""OCPP 2.0.1, block O: messages on the display; test cases of part 6."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.stack import TOKEN

pytestmark = pytest.mark.real

TEXT = {"format": "UTF8", "language": "en", "content": "Bay 2 closes at ten"}


def a_message(number=1, **changes):
    return {"id": number, "priority": "NormalCycle", "message": TEXT} | changes


def soon(**after):
    return (datetime.now(UTC) + timedelta(**after)).isoformat(timespec="seconds")


async def shown(post, message):
    """Have a message set that the charger takes, and check what it was asked."""
    command = await post.ask("SetDisplayMessage", {"message": message})
    assert await post.asked("SetDisplayMessage") == {"message": message}
    assert command["state"] == "accepted"


async def refused(post, message, status):
    """Have a message set that the charger does not take: nothing is held to be shown."""
    command = await post.ask("SetDisplayMessage", {"message": message})
    assert await post.asked("SetDisplayMessage") == {"message": message}
    assert command["state"] == "rejected"
    assert command["answer"]["status"] == status
    assert await post.inventory("display_message") == {}


async def reported(post, filters, request_id=7):
    """Have messages reported; return what the charger told, once the report is over."""
    asked = {"requestId": request_id} | filters
    command = await post.ask("GetDisplayMessages", asked)
    assert await post.asked("GetDisplayMessages") == asked
    assert command["answer"]["status"] == "Accepted"

    async def is_over():
        jobs = [one for one in await post.jobs("display_messages") if one["is_over"]]
        return [one for one in jobs if one["request_id"] == request_id]

    await post.until(is_over, "the report's end")
    return [one["id"] for part in post.sent("NotifyDisplayMessages") for one in part["messageInfo"]]


async def charging(post):
    """Begin a session on EVSE 1 and return what the charger calls it."""
    post.charger.plug_in(1, post.car())
    await post.command("start_session", evse_id=1, token=TOKEN)
    await post.until(post.sessions, "the session")
    return post.charger.evses[1].session.transaction_id


async def test_TC_O_01_CSMS_a_message_is_set(post_of):
    async with post_of() as post:
        await post.booted()
        made = await post.command(
            "show_message", text="Bay 2 closes at ten", language="en", state="idle"
        )

        (asked,) = (await post.asked("SetDisplayMessage")).values()
        assert made["state"] == "accepted"
        assert asked["id"] > 0
        assert asked["priority"] == "NormalCycle"
        assert asked["state"] == "Idle"
        assert asked["message"] == TEXT
        assert await post.inventory("display_message") == {str(asked["id"]): asked}


async def test_TC_O_02_CSMS_all_messages_are_reported(post_of):
    async with post_of() as post:
        await post.booted()
        await shown(post, a_message(1))
        post.charger.device.messages[2] = a_message(2)
        assert await reported(post, {}) == [1, 2]

        assert set(await post.inventory("display_message")) == {"1", "2"}


async def test_TC_O_03_CSMS_no_messages_are_reported(post_of):
    async with post_of() as post:
        await post.booted()
        await shown(post, a_message(1))
        post.charger.device.messages.clear()
        command = await post.ask("GetDisplayMessages", {"requestId": 3})

        assert await post.asked("GetDisplayMessages") == {"requestId": 3}
        assert command["answer"]["status"] == "Unknown"
        assert await post.inventory("display_message") == {}


async def test_TC_O_04_CSMS_a_message_is_cleared(post_of):
    async with post_of() as post:
        await post.booted()
        await shown(post, a_message(4))
        made = await post.command("clear_message", message_id=4)

        assert await post.asked("ClearDisplayMessage") == {"id": 4}
        assert made["state"] == "accepted"
        assert await post.inventory("display_message") == {}
        assert post.charger.device.messages == {}


async def test_TC_O_05_CSMS_a_message_that_is_not_there_cannot_be_cleared(post_of):
    async with post_of() as post:
        await post.booted()
        made = await post.command("clear_message", message_id=99)

        assert await post.asked("ClearDisplayMessage") == {"id": 99}
        assert made["answer"]["status"] == "Unknown"


async def test_TC_O_06_CSMS_a_message_is_shown_during_a_transaction(post_of):
    async with post_of() as post:
        await post.booted()
        message = a_message(6, priority="InFront", transactionId=await charging(post))
        await shown(post, message)

        assert await post.inventory("display_message") == {"6": message}
        post.charger.unplug(1)
        await post.until(lambda: not post.charger.device.messages, "the message's end")


async def some_reported(post, filters, found):
    """Have some of three messages reported, and check that the others are not taken for gone."""
    await post.booted()
    await shown(post, a_message(1))
    await shown(post, a_message(2, priority="InFront"))
    await shown(post, a_message(3, state="Charging"))
    assert await reported(post, filters) == found

    assert set(await post.inventory("display_message")) == {"1", "2", "3"}


async def test_TC_O_07_CSMS_one_message_is_reported_by_its_number(post_of):
    async with post_of() as post:
        await some_reported(post, {"id": [1]}, [1])


async def test_TC_O_08_CSMS_messages_of_a_priority_are_reported(post_of):
    async with post_of() as post:
        await some_reported(post, {"priority": "InFront"}, [2])


async def test_TC_O_09_CSMS_messages_of_a_state_are_reported(post_of):
    async with post_of() as post:
        await some_reported(post, {"state": "Charging"}, [3])


async def test_TC_O_10_CSMS_a_message_for_an_unknown_transaction_is_not_taken_for_shown(post_of):
    async with post_of() as post:
        await post.booted()
        await charging(post)
        await refused(post, a_message(transactionId="unheard-of"), "UnknownTransaction")


async def test_TC_O_11_CSMS_a_message_that_is_not_there_is_not_reported(post_of):
    async with post_of() as post:
        await post.booted()
        await shown(post, a_message(1))
        asked = {"requestId": 8, "id": [2]}
        command = await post.ask("GetDisplayMessages", asked)

        assert await post.asked("GetDisplayMessages") == asked
        assert command["answer"]["status"] == "Unknown"
        assert set(await post.inventory("display_message")) == {"1"}


async def test_TC_O_12_CSMS_a_message_is_replaced(post_of):
    async with post_of() as post:
        await post.booted()
        await shown(post, a_message(1))
        other = a_message(1, priority="InFront", message=TEXT | {"content": "Closed"})
        await shown(post, other)

        assert await post.inventory("display_message") == {"1": other}


async def test_TC_O_13_CSMS_a_message_begins_later(post_of):
    async with post_of() as post:
        await post.booted()
        message = a_message(13, startDateTime=soon(minutes=5))
        await shown(post, message)

        assert await post.inventory("display_message") == {"13": message}


async def test_TC_O_14_CSMS_a_message_ends_by_itself(post_of):
    async with post_of() as post:
        await post.booted()
        message = a_message(14, endDateTime=soon(seconds=8))
        await shown(post, message)

        assert await post.inventory("display_message") == {"14": message}
        await post.until(lambda: not post.charger.device.messages, "the message's end")


async def test_TC_O_17_CSMS_a_priority_the_display_does_not_know_is_refused(post_of):
    async with post_of() as post:
        await post.booted()
        await refused(post, a_message(17, priority="AlwaysFront"), "NotSupportedPriority")


async def test_TC_O_18_CSMS_a_state_the_display_does_not_know_is_refused(post_of):
    async with post_of() as post:
        await post.booted()
        await refused(post, a_message(18, state="Faulted"), "NotSupportedState")


async def test_TC_O_19_CSMS_a_format_the_display_does_not_know_is_refused(post_of):
    async with post_of() as post:
        await post.booted()
        message = a_message(19, message=TEXT | {"format": "HTML"})
        await refused(post, message, "NotSupportedMessageFormat")


async def test_TC_O_25_CSMS_a_message_is_shown_in_one_state(post_of):
    async with post_of() as post:
        await post.booted()
        message = a_message(25, state="Charging")
        await shown(post, message)

        assert await post.inventory("display_message") == {"25": message}


async def test_TC_O_26_CSMS_a_message_the_charger_rejects_is_not_taken_for_shown(post_of):
    async with post_of() as post:
        await post.booted()
        post.answers("SetDisplayMessage", {"status": "Rejected"})
        await refused(post, a_message(26), "Rejected")


async def test_TC_O_27_CSMS_a_message_of_a_transaction_begins_later(post_of):
    async with post_of() as post:
        await post.booted()
        transaction_id = await charging(post)
        message = a_message(27, startDateTime=soon(minutes=5), transactionId=transaction_id)
        await shown(post, message)

        assert await post.inventory("display_message") == {"27": message}


async def test_TC_O_28_CSMS_a_message_of_a_transaction_ends_by_itself(post_of):
    async with post_of() as post:
        await post.booted()
        transaction_id = await charging(post)
        message = a_message(28, endDateTime=soon(seconds=8), transactionId=transaction_id)
        await shown(post, message)

        assert await post.inventory("display_message") == {"28": message}
        await post.until(lambda: not post.charger.device.messages, "the message's end")
