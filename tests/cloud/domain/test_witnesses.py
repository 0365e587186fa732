"""From what is held of a bay to one word of each witness: what time and trust make of it."""

from datetime import timedelta

import pytest

from cloud.domain.bays import judged
from cloud.domain.policy import Policy
from cloud.domain.reconcile import SessionSays, Situation, Status
from cloud.domain.reservations import Status as Standing
from cloud.domain.witnesses import connector_word, evidence, find
from tests.cloud.builders import (
    NOON,
    a_bay,
    a_charger,
    a_connector,
    a_link,
    a_reservation,
    a_scene,
    a_sensor,
    a_session,
    after,
)

POLICY = Policy()


def found(scene, at=NOON):
    return find(scene, POLICY, at)


def test_a_free_bay_with_everybody_heard_is_available():
    assert found(a_scene()).status is Status.AVAILABLE


@pytest.mark.parametrize(
    ("age_s", "status"),
    [(0, Status.AVAILABLE), (79.9, Status.AVAILABLE), (80, Status.UNKNOWN), (9e6, Status.UNKNOWN)],
)
def test_news_older_than_the_policy_allows_is_no_news(age_s, status):
    scene = a_scene(link=a_link(heard_at=NOON - timedelta(seconds=age_s)))

    assert found(scene).status is status


def test_a_charger_the_beat_calls_silent_is_no_witness():
    scene = a_scene(link=a_link(silent_chargers=frozenset({"DD-GREEN-01"})))

    assert found(scene).situation is Situation.CHARGER_SILENT


def test_a_charger_that_is_not_connected_is_no_witness():
    assert found(a_scene(charger=a_charger(is_connected=False))).status is Status.UNKNOWN


def test_a_charger_that_never_came_has_its_own_situation():
    scene = a_scene(charger=a_charger(is_connected=False, connection_changed_at=None))

    assert found(scene).situation is Situation.CHARGER_NEVER_HEARD


def test_a_bay_without_a_charger_is_inoperative():
    assert found(a_scene(charger=None, connectors=())).status is Status.INOPERATIVE


def test_a_silent_sensor_leaves_the_bay_to_the_chargers_word():
    occupied = a_bay(is_occupied=True)

    by_fact = a_scene(bay=occupied, sensors=(a_sensor(is_silent=True),))
    by_beat = a_scene(bay=occupied, link=a_link(silent_sensors=frozenset({"gm-1"})))

    assert found(by_fact).situation is Situation.FREE_SENSOR_SILENT
    assert found(by_beat).situation is Situation.FREE_SENSOR_SILENT


def test_one_sensor_that_is_heard_is_enough():
    sensors = (a_sensor(is_silent=True), a_sensor(id="gm-2"))

    assert found(a_scene(bay=a_bay(is_occupied=True), sensors=sensors)).status is Status.BLOCKED


def test_a_suspect_sensor_is_not_believed():
    scene = a_scene(bay=a_bay(is_occupied=True, is_sensor_suspect=True))

    assert found(scene).situation is Situation.FREE_SENSOR_SUSPECT


def test_a_bay_without_a_sensor_goes_by_the_charger():
    scene = a_scene(bay=a_bay(has_sensor=False, is_occupied=None), sensors=())

    assert found(scene).situation is Situation.FREE_BY_CHARGER


def test_of_several_connectors_the_busiest_speaks():
    connectors = (a_connector("free"), a_connector("charging", connector_id=2))

    assert found(a_scene(connectors=connectors)).situation is Situation.CHARGING_UNSEEN


def test_a_broken_connector_leaves_the_evse_to_the_other():
    connectors = (a_connector("faulted"), a_connector("free", connector_id=2))

    assert found(a_scene(connectors=connectors)).status is Status.AVAILABLE


@pytest.mark.parametrize("whole", ["faulted", "unavailable"])
def test_a_fault_of_the_whole_charger_counts_where_the_connector_is_idle(whole):
    charger = a_charger(state=whole)

    idle = found(a_scene(charger=charger))
    busy = found(a_scene(charger=charger, connectors=(a_connector("charging"),)))

    assert idle.status is Status.OUTOFORDER
    assert busy.status is Status.CHARGING


def test_the_whole_charger_being_free_hides_no_fault_of_a_connector():
    scene = a_scene(charger=a_charger(state="free"), connectors=(a_connector("faulted"),))

    assert found(scene).status is Status.OUTOFORDER


def test_no_connector_told_of_is_nothing_said():
    word, spoke = connector_word(a_scene(connectors=()))

    assert (word, spoke) == ("nothing yet", None)


# --- sessions ------------------------------------------------------------------------------------


def test_a_session_told_of_after_the_connector_was_free_means_somebody_plugged_in():
    session = a_session(started_at=after(-60), state="charging", state_at=after(-50))
    scene = a_scene(bay=a_bay(is_occupied=True), session=session)

    assert found(scene).situation is Situation.CHARGING


def test_a_connector_free_again_while_its_session_is_open_lingers_and_then_counts():
    session = a_session(started_at=after(-900), state_at=after(-800))
    freed = a_connector(state_at=after(-100), state_since=after(-100))
    scene = a_scene(session=session, connectors=(freed,))

    lingering, over = found(scene), found(scene, after(20))

    assert lingering.situation is Situation.SESSION_LINGERS
    assert lingering.recheck_at == after(20)
    assert over.situation is Situation.FREE


def test_a_car_still_there_after_its_session_has_finished():
    session = a_session(state="ended", ended_at=after(-60), end_reason="Local")
    stayed = a_bay(is_occupied=True, occupancy_at=after(-900))
    came = a_bay(is_occupied=True, occupancy_at=after(-30))

    assert found(a_scene(bay=stayed, session=session)).situation is Situation.FINISHED_STILL_THERE
    assert found(a_scene(bay=came, session=session)).situation is Situation.OCCUPIED_UNPLUGGED


def test_a_cable_left_in_after_the_session_is_finished_a_new_one_is_a_new_visit():
    session = a_session(state="ended", ended_at=after(-60), end_reason="Local")
    bay = a_bay(is_occupied=True)
    left_in = a_connector("plugged", state_since=after(-900))
    put_in = a_connector("plugged", state_since=after(-20))

    stayed = a_scene(bay=bay, session=session, connectors=(left_in,))
    new = a_scene(bay=bay, session=session, connectors=(put_in,))

    assert found(stayed).situation is Situation.FINISHED_STILL_THERE
    assert found(new).situation is Situation.PLUGGED


# --- trust in the sensor ---------------------------------------------------------------------------


def contradicted(**more):
    return a_scene(bay=a_bay(**more), connectors=(a_connector("charging"),))


def test_a_contradiction_is_looked_at_again_when_it_has_lasted():
    finding = found(contradicted())

    assert finding.situation is Situation.CHARGING_UNSEEN
    assert finding.recheck_at == NOON + POLICY.contradiction_after


def test_a_contradiction_counts_once_a_visit_and_only_when_it_has_lasted():
    bay = a_bay(situation=Situation.CHARGING_UNSEEN, since=NOON)

    early = judged(bay, bay, POLICY, after(29))
    late = judged(bay, bay, POLICY, after(30))
    again = judged(late, late, POLICY, after(300))

    assert (early.contradictions, late.contradictions, again.contradictions) == (0, 1, 1)


def test_a_sensor_is_suspect_after_so_many_visits():
    bay = a_bay(situation=Situation.CHARGING_UNSEEN, since=NOON, contradictions=2)

    assert judged(bay, bay, POLICY, after(30)).is_sensor_suspect


def test_the_end_of_a_visit_lets_the_next_contradiction_count():
    before = a_bay(
        situation=Situation.CHARGING_UNSEEN, contradictions=1, is_contradiction_counted=True
    )
    freed = a_bay(situation=Situation.FREE, contradictions=1, is_contradiction_counted=True)

    ended = judged(before, freed, POLICY, NOON)

    assert (ended.contradictions, ended.is_contradiction_counted) == (1, False)


def test_a_visit_in_which_both_agree_clears_the_sensors_name():
    suspect = {"is_sensor_suspect": True, "contradictions": 3, "is_occupied": True}
    before = a_bay(situation=Situation.CHARGING, **suspect)
    freed = a_bay(situation=Situation.FREE, **suspect)

    cleared = judged(before, freed, POLICY, NOON)

    assert not cleared.is_sensor_suspect
    assert cleared.contradictions == 0


def test_a_visit_the_suspect_sensor_did_not_notice_keeps_it_suspect():
    suspect = {"is_sensor_suspect": True, "contradictions": 3, "is_contradiction_counted": True}
    before = a_bay(situation=Situation.CHARGING, **suspect)
    freed = a_bay(situation=Situation.FREE_SENSOR_SUSPECT, **suspect)

    assert judged(before, freed, POLICY, NOON).is_sensor_suspect


# --- who is out of hearing ---------------------------------------------------------------------------

CUT_OFF = a_charger(is_connected=False, connection_changed_at=after(-500))
PLUGGED_IN = (a_connector(state="charging"),)
NEVER = a_charger(is_connected=False, connection_changed_at=None)


@pytest.mark.parametrize(
    ("more", "since_s"),
    [
        ({}, None),
        ({"charger": None}, None),
        ({"link": a_link(heard_at=after(-100))}, -100),
        ({"link": a_link(heard_at=None)}, -600),
        ({"charger": CUT_OFF}, -500),
        ({"charger": NEVER}, -600),
        ({"charger": NEVER, "bay": a_bay(since=None)}, 0),
        (
            {
                "link": a_link(silent_chargers=frozenset({"DD-GREEN-01"})),
                "charger": a_charger(silent_since=after(-400)),
            },
            -400,
        ),
    ],
)
def test_since_when_a_station_or_charger_has_not_been_heard(more, since_s):
    seen, _ = evidence(a_scene(**more), POLICY, NOON)

    assert seen.unheard_since == (None if since_s is None else after(since_s))


@pytest.mark.parametrize("more", [{"link": a_link(heard_at=NOON)}, {"charger": CUT_OFF}])
def test_a_session_of_a_station_nobody_will_hear_any_more_is_over(more):
    scene = a_scene(session=a_session(), connectors=PLUGGED_IN, **more)
    silent_since = NOON if "link" in more else after(-500)
    at = silent_since + POLICY.unseen_after

    assert (
        evidence(scene, POLICY, at - timedelta(seconds=1))[0].said.session is SessionSays.CHARGING
    )
    assert evidence(scene, POLICY, at)[0].said.session is SessionSays.NONE


def test_a_session_of_a_charger_that_was_taken_down_is_over_as_long_after_its_last_word():
    scene = a_scene(
        session=a_session(),
        connectors=PLUGGED_IN,
        charger=None,
        link=a_link(heard_at=after(300_000)),
    )
    at = after(-300) + POLICY.unseen_after

    assert (
        evidence(scene, POLICY, at - timedelta(seconds=1))[0].said.session is SessionSays.CHARGING
    )
    assert evidence(scene, POLICY, at)[0].said.session is SessionSays.NONE


def test_what_goes_on_at_another_bay_and_is_still_heard_of_is_known():
    here = a_session(id="s-2")
    away = a_session(id="s-3", bay_id="greenmarket-2")
    over = a_session(id="s-4", bay_id="greenmarket-2", ended_at=NOON)
    scene = a_scene(late_sessions=(here, away, over))

    assert evidence(scene, POLICY, NOON)[0].elsewhere == (away,)
    assert evidence(scene, POLICY, NOON + POLICY.unseen_after)[0].elsewhere == ()


def test_a_bay_is_its_drivers_no_more_once_their_slot_is_over_and_they_are_at_another():
    away = a_session(id="s-3", bay_id="greenmarket-2", reservation_id="r-1", state_at=NOON)
    known = {"status": Standing.CHARGING, "session_id": "s-3", "ends_at": after(60)}
    promised = a_reservation(start_s=-3600, **known)
    scene = a_scene(reservations=(promised,), late_sessions=(away,))

    assert (found(scene).situation, found(scene).recheck_at) == (Situation.AWAITED, after(60))
    assert found(scene, after(60)).situation is Situation.FREE
