"""A charger's list is kept in step with our tokens from when it is switched on, whatever happens to it."""

import pytest

from cloud.domain.access import Role, Viewer
from cloud.domain.errors import NotAllowed, NotFound
from cloud.services.local_lists import LOOK_EVERY, LocalListService
from cloud.services.tokens import TokenService, TokenSetting
from contracts.events import (
    ChargerBooted,
    ChargerConnected,
    CommandAnswered,
    CommandOutcome,
    InventoryEntry,
    InventoryKind,
    InventoryReported,
)
from tests.cloud.builders import CHARGER, NOON

STAFF = Viewer("staff", Role.MAINTENANCE)
ADMIN = Viewer("root", Role.ADMIN)


@pytest.fixture
def lists(rig):
    rig.pass_by(10)
    made = LocalListService(rig.open_work, rig.clock)
    rig.deadlines = type(rig.deadlines)(
        rig.open_work,
        rig.clock,
        rig.deadlines.settling,
        rig.deadlines.publisher,
        rig.clock.now(),
        listing=made,
    )
    rig.agent.tell(
        ChargerConnected(
            charger_id=CHARGER, ocpp_version="1.6", security_profile=1, observed_at=NOON
        )
    )
    return made


def put(rig, token, **more):
    TokenService(rig.open_work, rig.clock).put(ADMIN, token, TokenSetting(**more))
    rig.deadlines.do_due()


def sent(rig):
    """Return the lists the charger was sent, the last first."""
    with rig.open_work(is_read_only=True) as work:
        found = work.commands.latest(CHARGER, 20)
    lists = [one for one in found if one.kind == "send_local_list"]
    return sorted(lists, key=lambda one: (one.issued_at, one.request["version"]), reverse=True)


def told(version):
    return InventoryReported(
        charger_id=CHARGER,
        inventory=InventoryKind.LOCAL_LIST,
        entries=[InventoryEntry(key="list", body={"version": version})],
        observed_at=NOON,
    )


def answers(rig, outcome=CommandOutcome.ACCEPTED):
    """Have the charger answer the last list, and the clock see to what follows."""
    command = sent(rig)[0]
    answer = CommandAnswered(
        command_id=command.command_id, outcome=outcome, observed_at=rig.clock.now()
    )
    taken = [told(command.request["version"])] if outcome is CommandOutcome.ACCEPTED else []
    rig.agent.tell(*taken, answer)
    view = LocalListService(rig.open_work, rig.clock)
    with rig.open_work() as work:
        view.tend(work, CHARGER, rig.clock.now())
        work.commit()


def kept(rig, lists):
    put(rig, "04a1")
    lists.keep(STAFF, CHARGER, is_kept=True)
    rig.deadlines.do_due()
    answers(rig)


def test_a_list_is_sent_whole_at_first_and_then_what_changed(rig, lists):
    kept(rig, lists)
    for number in range(4):
        put(rig, f"04b{number}")
        answers(rig)
    changes = [one.request for one in sent(rig)]

    assert changes[-1]["is_whole"]
    assert not changes[0].get("is_whole")
    assert [one["token"] for one in changes[0]["entries"]] == ["04b3"]
    assert changes[0]["version"] > changes[1]["version"]
    shown = lists.get(STAFF, CHARGER)
    assert (shown.version, shown.told_version) == (changes[0]["version"],) * 2
    assert not shown.is_sending


def test_tokens_are_listed_with_their_types_where_those_do_not_go_without_saying(rig, lists):
    kept(rig, lists)
    put(rig, "gbbayc12345678x")
    answers(rig)
    put(rig, "1234", token_type="KeyCode")
    answers(rig)
    TokenService(rig.open_work, rig.clock).remove(ADMIN, "1234")
    rig.deadlines.do_due()
    gone, *put_before = [one.request["entries"] for one in sent(rig)]

    types = {one["token"]: one.get("token_type") for part in put_before for one in part}
    assert types == {"04aabb": None, "04a1": None, "gbbayc12345678x": "eMAID", "1234": "KeyCode"}
    assert gone == [{"token": "1234", "token_type": "KeyCode", "is_gone": True}]


def test_a_charger_that_has_another_list_gets_all_of_it(rig, lists):
    kept(rig, lists)
    rig.agent.tell(told(0))
    rig.deadlines.do_due()

    assert [one.request["is_whole"] for one in sent(rig)] == [True, True]


def test_a_charger_that_restarted_is_asked_which_list_it_has_and_gets_a_lost_one_anew(rig, lists):
    kept(rig, lists)
    rig.pass_by(60)
    booted = rig.clock.now()
    rig.agent.tell(ChargerBooted(charger_id=CHARGER, vendor="v", model="m", observed_at=booted))
    rig.pass_by(LOOK_EVERY.total_seconds())
    rig.deadlines.do_due()
    with rig.open_work(is_read_only=True) as work:
        asked = [one.request for one in work.commands.latest(CHARGER, 20)]
    before = len(sent(rig))
    rig.agent.tell(told(0))
    rig.deadlines.do_due()

    assert [one["action"] for one in asked if one["kind"] == "call_charger"] == [
        "GetLocalListVersion"
    ]
    assert len(sent(rig)) == before + 1
    assert sent(rig)[0].request["is_whole"]


def test_a_list_that_was_refused_is_sent_whole_after_a_while(rig, lists):
    kept(rig, lists)
    put(rig, "04b1")
    answers(rig, CommandOutcome.REJECTED)
    before = len(sent(rig))
    rig.pass_by(301)
    rig.agent.tell(told(1))
    rig.deadlines.do_due()

    assert len(sent(rig)) == before + 1
    assert sent(rig)[0].request["is_whole"]


def test_nothing_is_sent_to_a_charger_whose_list_is_its_own_affair(rig, lists):
    put(rig, "04a1")
    shown = lists.get(STAFF, CHARGER)

    assert not shown.is_kept
    assert sent(rig) == []


def test_a_list_is_left_as_it_is_once_it_is_switched_off(rig, lists):
    kept(rig, lists)
    lists.keep(STAFF, CHARGER, is_kept=False)
    put(rig, "04b1")

    assert len(sent(rig)) == 1


def test_drivers_keep_no_lists_and_nobody_keeps_those_of_strangers(rig, lists):
    with pytest.raises(NotAllowed):
        lists.keep(Viewer("d", Role.DRIVER), CHARGER, is_kept=True)
    with pytest.raises(NotFound):
        lists.keep(Viewer("o", Role.OWNER), CHARGER, is_kept=True)
    with pytest.raises(NotFound):
        lists.get(STAFF, "NOBODY")
