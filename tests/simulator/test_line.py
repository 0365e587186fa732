"""A charger's line: one call in flight, transaction messages kept until answered."""

import json

import pytest

from simulator.chargers.line import Call, Line
from simulator.chargers.manners import Manners
from simulator.faults import Weather
from simulator.journal import Kind
from tests.simulator.builders import a_world


class Peer:
    """The other end of a line: frames as they come, answers when told to."""

    def __init__(self, line):
        self.line = line
        self.frames = []

    def connect(self):
        self.line.opened(lambda text: self.frames.append(json.loads(text)))

    def answer(self, at=-1, payload=None):
        self.line.received(json.dumps([3, self.frames[at][1], payload or {}]))

    def refuse(self, at=-1):
        self.line.received(json.dumps([4, self.frames[at][1], "InternalError", "", {}]))


def _a_line(**manners):
    world, journal = a_world()
    line = Line(world, "SIM-1", lambda *_: {}, lambda: None, Manners(**manners))
    line.is_booted = True
    return world, journal, line, Peer(line)


def _kept(number, **more):
    return Call("MeterValues", lambda: {"number": number}, is_kept=True, **more)


def test_the_next_call_waits_for_the_answer_of_the_one_before():
    _, _, line, peer = _a_line()
    peer.connect()
    line.call(_kept(1))
    line.call(_kept(2))
    before = len(peer.frames)
    peer.answer()

    assert before == 1
    assert [frame[3] for frame in peer.frames] == [{"number": 1}, {"number": 2}]


def test_kept_calls_survive_connections_in_order_and_others_do_not():
    _, _, line, peer = _a_line()
    lost = []
    line.call(_kept(1))
    line.call(Call("Heartbeat", dict, on_failure=lost.append))
    line.call(_kept(2))
    peer.connect()
    peer.answer()
    peer.answer()

    assert lost == ["no connection"]
    assert [frame[3]["number"] for frame in peer.frames] == [1, 2]
    assert line.backlog == 0


@pytest.mark.parametrize("renews", [True, False])
def test_an_unanswered_kept_call_is_repeated_with_the_same_content(renews):
    world, _, line, peer = _a_line(renews_message_ids=renews, answer_timeout_s=30)
    peer.connect()
    line.call(_kept(1))
    world.run_for(31)

    assert len(peer.frames) == 2
    assert peer.frames[0][2:] == peer.frames[1][2:]
    assert (peer.frames[0][1] != peer.frames[1][1]) is renews


def test_after_a_reconnect_the_same_id_is_used_again():
    _, _, line, peer = _a_line()
    peer.connect()
    line.call(_kept(1))
    line.closed()
    peer.connect()

    assert peer.frames[0] == peer.frames[1]


def test_a_late_answer_to_an_earlier_attempt_counts():
    world, journal, line, peer = _a_line()
    peer.connect()
    line.call(_kept(1))
    world.run_for(31)
    peer.answer(at=0)

    assert line.backlog == 0
    assert len(journal.of(Kind.ACKNOWLEDGED)) == 1


def test_an_answer_to_nothing_is_ignored():
    _, journal, line, peer = _a_line()
    peer.connect()
    line.received(json.dumps([3, "unheard-of", {}]))
    line.received("no json")
    line.received(json.dumps({"a": 1}))

    assert journal.of(Kind.ACKNOWLEDGED) == []
    assert peer.frames == []


def test_an_unanswered_other_call_is_given_up():
    world, _, line, peer = _a_line()
    peer.connect()
    lost = []
    line.call(Call("Authorize", dict, on_failure=lost.append))
    world.run_for(31)

    assert lost == ["no answer in time"]
    assert len(peer.frames) == 1


def test_a_refused_kept_call_is_tried_thrice_and_dropped_so_that_the_rest_goes_on():
    world, journal, line, peer = _a_line(attempts_after_error=3, retry_after_s=10)
    peer.connect()
    line.call(_kept(1))
    line.call(_kept(2))
    for wait_s in (11, 21, 1):
        peer.refuse()
        world.run_for(wait_s)

    assert [frame[3]["number"] for frame in peer.frames] == [1, 1, 1, 2]
    assert len(journal.of(Kind.DROPPED)) == 1


def test_a_payload_is_made_when_it_is_first_sent():
    _, _, line, peer = _a_line()
    truth = {"id": 0}
    line.call(Call("StopTransaction", lambda: dict(truth), is_kept=True))
    truth["id"] = 42
    peer.connect()

    assert peer.frames[0][3] == {"id": 42}


def test_a_meter_sample_is_the_truth_once_acknowledged():
    _, journal, line, peer = _a_line()
    peer.connect()
    line.call(_kept(1, register_wh=1234, session_ref="s"))
    before = journal.of(Kind.METER)
    peer.answer()

    (sample,) = journal.of(Kind.METER)
    assert before == []
    assert sample.register_wh == 1234


def test_nothing_but_boot_leaves_before_the_boot_is_accepted():
    _, _, line, peer = _a_line()
    line.must_boot()
    peer.connect()
    line.call(_kept(1))
    line.call(Call("BootNotification", dict))
    held = [frame[2] for frame in peer.frames]
    peer.answer()
    line.booted()

    assert held == ["BootNotification"]
    assert [frame[2] for frame in peer.frames] == ["BootNotification", "MeterValues"]


def test_an_impatient_charger_sends_on_while_booting():
    _, _, line, peer = _a_line(waits_for_boot=False)
    line.must_boot()
    peer.connect()
    for action in ("BootNotification", "StatusNotification"):
        line.call(Call(action, dict))

    assert [frame[2] for frame in peer.frames] == ["BootNotification", "StatusNotification"]


def test_lost_frames_are_sent_again_and_doubled_ones_answered_once():
    world, journal, line, peer = _a_line()
    peer.connect()
    line.under(Weather(lost_ratio=1))
    line.call(_kept(1))
    line.under(Weather(doubled_ratio=1))
    world.run_for(31)
    peer.answer(at=0)
    peer.answer(at=1)

    assert len(peer.frames) == 2
    assert peer.frames[0] == peer.frames[1]
    assert len(journal.of(Kind.ACKNOWLEDGED)) == 1


def test_a_late_frame_does_not_cross_into_another_connection():
    world, _, line, peer = _a_line()
    peer.connect()
    line.under(Weather(late_ratio=1, late_s=5))
    line.call(Call("Heartbeat", dict))
    line.closed()
    peer.connect()
    world.run_for(10)

    assert peer.frames == []


def test_calls_of_the_other_side_are_answered_late_when_the_charger_is_slow():
    world, _, line, peer = _a_line(answers_after_s=35)
    peer.connect()
    line.received(json.dumps([2, "q1", "ClearCache", {}]))
    at_once = list(peer.frames)
    world.run_for(36)

    assert at_once == []
    assert peer.frames == [[3, "q1", {}]]
