"""What is remembered of one connection."""

import pytest

from contracts.plan import Registration
from station_agent.ocpp.conversation import Conversation
from tests.station_agent.ocpp.fakes import FakeOutbox, a_view

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
def test_p09_who_waits_may_boot_and_say_what_it_was_asked_for(call, allowed):
    view = a_view(FakeOutbox(), registration=lambda: Registration.PENDING)

    assert view.may_say("BootNotification")
    assert not view.may_say(allowed)
    view.talk.note(*call)
    assert view.may_say(allowed)
    assert not view.may_say("StatusNotification")


def test_p09_who_was_rejected_may_boot_and_nothing_else():
    view = a_view(FakeOutbox(), registration=lambda: Registration.REJECTED)
    view.talk.note("TriggerMessage", {"requestedMessage": "Heartbeat"})

    assert view.may_say("BootNotification")
    assert not view.may_say("Heartbeat")


def test_quirk_12_who_is_let_in_by_the_plan_may_say_anything_without_a_boot():
    assert a_view(FakeOutbox()).may_say("StatusNotification")


def test_p09_the_plan_decides_until_a_boot_is_answered_and_then_that_answer():
    plan = [Registration.PENDING]
    view = a_view(FakeOutbox(), registration=lambda: plan[0])
    assert view.standing is Registration.PENDING
    plan[0] = Registration.ACCEPTED
    assert view.standing is Registration.ACCEPTED
    view.talk.registration = Registration.ACCEPTED
    plan[0] = Registration.REJECTED

    assert view.standing is Registration.ACCEPTED
