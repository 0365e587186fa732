"""The truth table, over every combination of words there is (FAULTS T10)."""

from dataclasses import replace
from pathlib import Path

import pytest

from cloud.domain.reconcile import (
    ENGAGED,
    MEANING,
    ROWS,
    UNSEEN,
    AgentSays,
    ChargerSays,
    ConnectorSays,
    ReservationSays,
    SensorSays,
    SessionSays,
    Situation,
    Status,
    Words,
    every_combination,
    reconcile,
)
from cloud.domain.truth_table import document
from cloud.domain.witnesses import CONNECTOR_WORDS
from contracts.events import ConnectorState

ALL = list(every_combination())
CAR_AT_CABLE = {
    ConnectorSays.PREPARING,
    ConnectorSays.PLUGGED,
    ConnectorSays.CHARGING,
    ConnectorSays.SUSPENDED_BY_CAR,
    ConnectorSays.SUSPENDED_BY_CHARGER,
    ConnectorSays.FINISHING,
}


def said(**words) -> Words:
    """Return a free bay's words, but for these."""
    known = {
        "agent": AgentSays.HEARD,
        "charger": ChargerSays.HEARD,
        "connector": ConnectorSays.FREE,
        "session": SessionSays.NONE,
        "sensor": SensorSays.EMPTY,
    }
    return Words(**(known | words))


def test_every_combination_has_a_meaning():
    found = {reconcile(one).situation for one in ALL}

    assert len(ALL) == 3 * 4 * 11 * 7 * 6 * 5
    assert found == set(Situation) == set(MEANING)


def test_every_row_decides_something():
    deciding = {next(row for row in ROWS if row.fits(one)) for one in ALL}

    assert deciding == set(ROWS)


def test_a_bay_is_available_only_if_every_witness_that_is_believed_says_so():
    available = [one for one in ALL if reconcile(one).status is Status.AVAILABLE]

    assert available
    for one in available:
        assert one.agent is AgentSays.HEARD
        assert one.charger is ChargerSays.HEARD
        assert one.connector is ConnectorSays.FREE
        assert one.session in {SessionSays.NONE, SessionSays.ENDED}
        assert one.sensor not in {SensorSays.OCCUPIED, SensorSays.NEVER_HEARD}
        assert one.reservation is ReservationSays.NONE


def test_who_is_not_heard_makes_the_bay_unknown_whatever_else_is_said():
    silent = [
        one
        for one in ALL
        if one.agent is not AgentSays.HEARD
        or one.charger in {ChargerSays.SILENT, ChargerSays.NEVER_HEARD}
    ]

    found = {reconcile(one).status for one in silent if one.charger is not ChargerSays.ABSENT}
    assert found == {Status.UNKNOWN}


def test_faulted_and_unavailable_win_over_everybody_who_is_heard():
    out = {ConnectorSays.FAULTED, ConnectorSays.UNAVAILABLE}
    heard = [
        one
        for one in ALL
        if one.agent is AgentSays.HEARD
        and one.charger is ChargerSays.HEARD
        and one.connector in out
    ]

    assert {reconcile(one).status for one in heard} == {Status.OUTOFORDER}


def test_where_sensor_and_charger_contradict_the_charger_wins_and_the_bay_is_not_free():
    contradictory = [
        one
        for one in ALL
        if one.agent is AgentSays.HEARD
        and one.charger is ChargerSays.HEARD
        and one.connector in CAR_AT_CABLE
        and one.sensor is SensorSays.EMPTY
    ]

    found = {reconcile(one).situation for one in contradictory}
    assert found == UNSEEN
    assert UNSEEN < ENGAGED


def test_a_sensor_that_is_silent_or_suspect_changes_nothing_of_what_the_charger_says():
    for one in ALL:
        if one.sensor in {SensorSays.SILENT, SensorSays.SUSPECT}:
            words = (one.agent, one.charger, one.connector, one.session)
            without = reconcile(Words(*words, SensorSays.ABSENT, one.reservation))

            assert reconcile(one).status is without.status


@pytest.mark.parametrize(
    ("words", "situation"),
    [
        ({}, Situation.FREE),
        ({"sensor": SensorSays.OCCUPIED}, Situation.OCCUPIED_UNPLUGGED),
        (
            {"sensor": SensorSays.OCCUPIED, "session": SessionSays.ENDED},
            Situation.FINISHED_STILL_THERE,
        ),
        (
            {"connector": ConnectorSays.FINISHING, "sensor": SensorSays.OCCUPIED},
            Situation.FINISHED_STILL_THERE,
        ),
        (
            {
                "connector": ConnectorSays.PLUGGED,
                "session": SessionSays.ENDED,
                "sensor": SensorSays.OCCUPIED,
            },
            Situation.FINISHED_STILL_THERE,
        ),
        ({"connector": ConnectorSays.PLUGGED, "sensor": SensorSays.OCCUPIED}, Situation.PLUGGED),
        (
            {
                "connector": ConnectorSays.PLUGGED,
                "session": SessionSays.CHARGING,
                "sensor": SensorSays.OCCUPIED,
            },
            Situation.CHARGING,
        ),
        (
            {
                "connector": ConnectorSays.NOTHING,
                "session": SessionSays.CHARGING,
                "sensor": SensorSays.ABSENT,
            },
            Situation.CHARGING,
        ),
        ({"session": SessionSays.CHARGING}, Situation.SESSION_LINGERS),
        ({"connector": ConnectorSays.RESERVED}, Situation.HELD_BY_CHARGER),
        ({"connector": ConnectorSays.NOTHING}, Situation.CONNECTOR_NEVER_HEARD),
        ({"sensor": SensorSays.NEVER_HEARD}, Situation.SENSOR_NEVER_HEARD),
        ({"charger": ChargerSays.ABSENT}, Situation.NO_CHARGER),
        ({"reservation": ReservationSays.AWAITED}, Situation.AWAITED),
        (
            {"reservation": ReservationSays.AWAITED, "connector": ConnectorSays.RESERVED},
            Situation.AWAITED,
        ),
        (
            {"reservation": ReservationSays.AWAITED, "sensor": SensorSays.SILENT},
            Situation.AWAITED_UNSEEN,
        ),
        (
            {"reservation": ReservationSays.ARRIVING, "sensor": SensorSays.OCCUPIED},
            Situation.ARRIVING,
        ),
        ({"reservation": ReservationSays.TAKEN, "sensor": SensorSays.OCCUPIED}, Situation.TAKEN),
        (
            {"reservation": ReservationSays.MET, "sensor": SensorSays.OCCUPIED},
            Situation.DRIVER_THERE,
        ),
        (
            {
                "reservation": ReservationSays.MET,
                "session": SessionSays.ENDED,
                "sensor": SensorSays.OCCUPIED,
            },
            Situation.FINISHED_STILL_THERE,
        ),
        (
            {"reservation": ReservationSays.TAKEN, "connector": ConnectorSays.CHARGING},
            Situation.CHARGING_UNSEEN,
        ),
    ],
)
def test_the_situations_of_the_design(words, situation):
    assert reconcile(said(**words)).situation is situation


def test_a_promised_bay_is_reserved_while_it_is_awaited_and_blocked_while_somebody_else_is_there():
    idle = {ConnectorSays.FREE, ConnectorSays.RESERVED}
    heard = [
        one
        for one in ALL
        if one.agent is AgentSays.HEARD
        and one.charger is ChargerSays.HEARD
        and one.connector in idle
        and one.session is SessionSays.NONE
        and one.sensor is not SensorSays.NEVER_HEARD
        and one.reservation is not ReservationSays.NONE
    ]

    for one in heard:
        is_taken = one.sensor is SensorSays.OCCUPIED and one.reservation is ReservationSays.TAKEN
        assert reconcile(one).status is (Status.BLOCKED if is_taken else Status.RESERVED)


def test_a_promise_makes_nothing_known_that_is_not_and_nothing_whole_that_is_broken():
    unchanged = {Status.UNKNOWN, Status.OUTOFORDER, Status.INOPERATIVE, Status.CHARGING}
    for one in ALL:
        without = reconcile(replace(one, reservation=ReservationSays.NONE))
        if without.status in unchanged:
            assert reconcile(one).status in {without.status, Status.RESERVED}
            is_unseen = without.situation is Situation.SENSOR_NEVER_HEARD
            assert reconcile(one).status is without.status or is_unseen


def test_the_document_is_written_from_the_code():
    written = Path(__file__).parents[3] / "docs" / "truth-table.md"

    assert written.read_text() == document()


def test_connectors_speak_the_words_of_the_contract():
    assert set(CONNECTOR_WORDS) == {"", *ConnectorState}
    assert set(CONNECTOR_WORDS.values()) == set(ConnectorSays)
