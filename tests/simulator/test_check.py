"""The checker finds each kind of difference, and none where there is none."""

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec.structs import replace as changed

from simulator.check import Wrong, compare
from simulator.journal import Entry, Kind
from tests.simulator.builders import MONDAY, SCHEMAS, a_car, a_charger, a_world
from tests.simulator.fakes import FakeCsms
from tests.simulator.ideal_cloud import rows_of


@pytest.fixture(params=["1.6", "2.0.1"])
def truth(request):
    """A finished session and one going on, with what an ideal cloud made of them."""
    world, journal = a_world()
    charger = a_charger(world, request.param, evses=2)
    FakeCsms(SCHEMAS[request.param]).connect(charger.line)
    for evse_id in (1, 2):
        charger.plug_in(evse_id, a_car())
        charger.present(evse_id, f"TOKEN-{evse_id}")
    world.run_for(300)
    charger.unplug(1)
    world.run_for(30)
    return journal.entries, *rows_of(journal.entries)


def _kinds(differences):
    return [one.wrong for one in differences]


def test_an_ideal_cloud_has_no_differences(truth):
    entries, sessions, samples, statuses = truth

    assert len(sessions) == 2
    assert len(samples) >= 20
    assert compare(entries, sessions, samples, statuses=statuses) == []


def test_a_lost_session_is_found(truth):
    entries, sessions, _, _ = truth

    assert _kinds(compare(entries, sessions[1:])) == [Wrong.LOST_SESSION]


def test_a_doubled_session_is_found_under_the_same_or_another_transaction(truth):
    entries, sessions, _, _ = truth
    copy = replace(sessions[0], session_id="copy")
    under_another = replace(copy, transaction_id="other")

    assert _kinds(compare(entries, [*sessions, copy])) == [Wrong.DOUBLED_SESSION]
    assert _kinds(compare(entries, [*sessions, under_another])) == [Wrong.DOUBLED_SESSION]


def test_an_invented_session_is_found(truth):
    entries, sessions, _, _ = truth
    at = sessions[0].started_at + timedelta(minutes=1)
    ghost = replace(sessions[0], session_id="ghost", transaction_id="ghost", started_at=at)

    assert _kinds(compare(entries, [*sessions, ghost])) == [Wrong.INVENTED_SESSION]


def test_sessions_of_chargers_outside_the_journal_are_not_looked_at(truth):
    entries, sessions, _, _ = truth
    foreign = replace(sessions[0], charger_id="ELSEWHERE")

    assert compare(entries, [*sessions, foreign]) == []


def test_another_energy_is_found(truth):
    entries, sessions, _, _ = truth
    wrong = replace(sessions[0], energy_wh=sessions[0].energy_wh + 1)
    (difference,) = compare(entries, [wrong, sessions[1]])

    assert difference.wrong is Wrong.ENERGY
    assert int(difference.found) - int(difference.expected) == 1


def test_another_meter_start_is_found(truth):
    entries, sessions, _, _ = truth
    wrong = replace(sessions[1], meter_start_wh=0)

    assert _kinds(compare(entries, [sessions[0], wrong])) == [Wrong.METER_START]


def test_a_lost_end_and_an_invented_one_are_found(truth):
    entries, sessions, _, _ = truth
    unended = replace(sessions[0], ended_at=None)
    ended = replace(sessions[1], ended_at=sessions[1].started_at)

    assert _kinds(compare(entries, [unended, ended])) == [Wrong.LOST_END, Wrong.INVENTED_END]


def test_a_lost_sample_and_a_wrong_one_are_found(truth):
    entries, sessions, samples, _ = truth
    wrong = replace(samples[1], energy_wh=samples[1].energy_wh + 3)
    differences = compare(entries, sessions, [wrong, *samples[2:]])

    assert sorted(_kinds(differences)) == [Wrong.LOST_SAMPLE, Wrong.SAMPLE_ENERGY]


def test_a_lost_status_is_found(truth):
    entries, sessions, _, statuses = truth
    lost = statuses[-1]
    kept = [one for one in statuses if one != lost]

    assert set(_kinds(compare(entries, sessions, statuses=kept))) == {Wrong.LOST_STATUS}


def test_a_start_whose_answer_never_came_may_be_there_once():
    world, journal = a_world()
    charger = a_charger(world, "1.6")
    csms = FakeCsms("v16")
    csms.connect(charger.line)
    csms.is_mute = True
    charger.plug_in(1, a_car())
    charger.present(1, "TOKEN-1")
    world.run_for(60)
    (begun,) = [one for one in journal.entries if one.kind == "session_begun"]
    sent = [one for one in journal.entries if one.action == "StartTransaction"]
    row = rows_of([*_answered(sent[:1], 7)])[0][0]

    assert begun.transaction_id == ""
    assert compare(journal.entries, []) == []
    assert compare(journal.entries, [row]) == []
    twice = [row, replace(row, session_id="copy", transaction_id="8")]
    assert _kinds(compare(journal.entries, twice)) == [Wrong.DOUBLED_SESSION]


def _answered(sent, number):

    yield from sent
    for entry in sent:
        body = {"transactionId": number, "idTagInfo": {"status": "Accepted"}}
        yield changed(entry, kind=Kind.ACKNOWLEDGED, body=body)


def test_a_bay_taken_for_what_it_is_not_is_found():

    told = [
        Entry(at=MONDAY, kind=Kind.OCCUPANCY, bay_id=bay, body={"is_occupied": is_occupied})
        for bay, is_occupied in (("b-1", True), ("b-1", False), ("b-2", True))
    ]
    differences = compare(told, [], occupancy={"b-1": True, "b-2": True})

    assert [(one.wrong, one.subject) for one in differences] == [(Wrong.OCCUPANCY, "b-1")]
    assert "b-1" in str(differences[0])
