"""What is remembered of one connection."""

import pytest

from station_agent.ocpp.conversation import Conversation

BASE = {"requestId": 7, "reportBase": "FullInventory"}


def test_what_was_asked_is_found_by_its_number_and_only_for_its_action():
    talk = Conversation()
    talk.note("GetBaseReport", BASE)

    assert talk.asked("GetBaseReport", 7) == BASE
    assert talk.asked("GetReport", 7) is None
    assert talk.asked("GetBaseReport", 8) is None


def test_the_oldest_requests_are_forgotten():
    talk = Conversation()
    for number in range(65):
        talk.note("GetReport", {"requestId": number})

    assert talk.asked("GetReport", 0) is None
    assert talk.asked("GetReport", 64) == {"requestId": 64}


@pytest.mark.parametrize(
    ("call", "allowed"),
    [
        (("TriggerMessage", {"requestedMessage": "Heartbeat"}), "Heartbeat"),
        (("TriggerMessage", {"requestedMessage": "SignV2GCertificate"}), "SignCertificate"),
        (("GetBaseReport", BASE), "NotifyReport"),
        (("GetReport", {"requestId": 1}), "NotifyReport"),
    ],
)
def test_who_is_held_may_boot_and_say_what_it_was_asked_for(call, allowed):
    talk = Conversation()
    talk.is_held = True

    assert talk.may_say("BootNotification")
    assert not talk.may_say(allowed)
    talk.note(*call)
    assert talk.may_say(allowed)
    assert not talk.may_say("StatusNotification")


def test_who_is_not_held_may_say_anything():
    assert Conversation().may_say("StatusNotification")
