"""Rules, and how what they say opens, counts, closes and reopens alerts."""

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest
from ocpp.v16.enums import ChargePointErrorCode

from cloud.domain.alerts import RULES, Snapshot, check
from cloud.domain.alerts.fault_catalogue import COMPONENTS, ERROR_CODES, fault_of
from cloud.domain.alerts.handling import acknowledged, resolved
from cloud.domain.alerts.rule import Happening, Raised, Severity, Verdict, is_within, key_of, settle
from cloud.domain.alerts.snapshots import (
    ChargerSnapshot,
    ComponentSnapshot,
    QuarantineSnapshot,
    SensorSnapshot,
    StationSnapshot,
)
from cloud.domain.errors import AlertAlreadyHandled
from cloud.domain.policy import Policy
from cloud.domain.reconcile import Situation
from cloud.domain.reservations import Trouble
from tests.cloud.builders import (
    CHARGER,
    NOON,
    STATION,
    a_bay,
    a_charger,
    a_connector,
    a_link,
    a_reservation,
    a_scene,
    a_sensor,
    a_station,
    after,
)

POLICY = Policy()


def raised_by(snapshot: Snapshot, at=NOON) -> list[Raised]:
    return [one for verdict in check(snapshot, POLICY, at) for one in verdict.raised]


def recheck_of(snapshot: Snapshot, at=NOON):
    return [verdict.recheck_at for verdict in check(snapshot, POLICY, at) if verdict.recheck_at]


def test_every_error_code_of_1_6_says_how_urgent_it_is_and_what_to_do():
    assert set(ERROR_CODES) == {code.value for code in ChargePointErrorCode}
    for fault in [*ERROR_CODES.values(), *COMPONENTS.values(), fault_of("MadeUpByItsMaker")]:
        assert fault.title
        assert fault.what_to_do


def test_rules_have_names_of_their_own():
    names = [rule.name for rules in RULES.values() for rule in rules]

    assert len(names) == len(set(names))


@pytest.mark.parametrize("code", list(ERROR_CODES))
def test_a_faulted_connector_is_an_alert_by_its_code(code):
    told = "" if code == "NoError" else code
    plug = a_connector("faulted", error_code=told, vendor_error_code="E42", info="hot")
    (alert,) = raised_by(ChargerSnapshot(a_charger(), (plug,)))

    assert alert.severity is ERROR_CODES[code].severity
    assert alert.key == f"charger_fault/{CHARGER}/1/1/{code}"
    assert alert.what_to_do
    assert "E42" in alert.detail


def test_an_error_code_without_the_fault_is_only_told():
    plug = a_connector("finishing", error_code="HighTemperature")
    (alert,) = raised_by(ChargerSnapshot(a_charger(), (plug,)))

    assert alert.severity is Severity.INFO


@pytest.mark.parametrize("code", ["EVCommunicationError", "OtherError"])
def test_quirk_38_that_the_car_hangs_up_at_the_end_is_not_told(code):
    plug = a_connector("finishing", error_code=code)

    assert raised_by(ChargerSnapshot(a_charger(), (plug,))) == []


def test_a_fault_of_the_whole_charger_is_one_alert():
    charger = a_charger(state="faulted", error_code="GroundFailure")
    (alert,) = raised_by(ChargerSnapshot(charger, (a_connector(),)))

    assert alert.severity is Severity.CRITICAL
    assert "whole charger" in alert.title


def test_a_charger_that_is_away_takes_no_fault_back():
    away = a_charger(is_connected=False, connection_changed_at=after(-10))
    scopes = [one.scope for one in check(ChargerSnapshot(away, ()), POLICY, NOON)]

    assert scopes == [f"charger_offline/{CHARGER}"]


def test_a_charger_is_missed_after_a_while_and_not_before():
    away = ChargerSnapshot(a_charger(is_connected=False, connection_changed_at=NOON), ())

    assert recheck_of(away, after(119)) == [after(120)]
    assert raised_by(away, after(119)) == []
    assert [one.rule for one in raised_by(away, after(120))] == ["charger_offline"]


def test_a_charger_that_never_came_is_missed_once_its_agent_says_so():
    never = a_charger(is_connected=False, connection_changed_at=None)
    silent = replace(never, silent_since=NOON)

    assert raised_by(ChargerSnapshot(never, ()), after(9_999)) == []
    (alert,) = raised_by(ChargerSnapshot(silent, ()), after(120))
    assert "never connected" in alert.detail


def test_a_station_is_missed_after_a_while_and_not_before():
    snapshot = StationSnapshot(a_station(), a_link())

    assert recheck_of(snapshot, after(10)) == []
    assert recheck_of(snapshot, after(85)) == [after(90)]
    (alert,) = raised_by(snapshot, after(90))
    assert alert.severity is Severity.CRITICAL
    assert raised_by(StationSnapshot(a_station(), a_link(heard_at=None))) == []


def test_a_bay_is_blocked_after_a_while_and_not_before():
    bay = a_bay(situation=Situation.OCCUPIED_UNPLUGGED, status="BLOCKED", since=NOON)
    scene = a_scene(bay=bay)

    assert recheck_of(scene, after(179)) == [after(180)]
    assert [one.rule for one in raised_by(scene, after(180))] == ["blocked_bay"]
    assert raised_by(a_scene(bay=a_bay(situation="free", status="AVAILABLE"))) == []


def test_of_a_bay_that_is_unknown_nothing_can_be_said():
    assert check(a_scene(bay=a_bay(status="UNKNOWN")), POLICY, NOON) == []


def test_a_contradiction_is_told_within_a_minute_and_a_suspect_sensor_for_as_long_as_it_is():
    bay = a_bay(situation=Situation.CHARGING_UNSEEN, status="CHARGING", since=NOON)
    suspect = replace(bay, is_sensor_suspect=True, contradictions=3)

    assert raised_by(a_scene(bay=bay), after(29)) == []
    (minor,) = raised_by(a_scene(bay=bay), after(30))
    (major,) = raised_by(a_scene(bay=suspect), after(30))
    assert (minor.severity, major.severity) == (Severity.MINOR, Severity.MAJOR)
    assert minor.key == major.key


def test_a_silent_sensor_and_a_low_battery_are_minor():
    sensor = a_sensor(is_battery_low=True, battery_ratio=0.12)
    alerts = raised_by(SensorSnapshot(sensor, a_bay(), is_silent=True))

    assert [one.rule for one in alerts] == ["silent_sensor", "low_battery"]
    assert {one.severity for one in alerts} == {Severity.MINOR}
    assert "12% left" in alerts[1].detail
    assert raised_by(SensorSnapshot(a_sensor(), None, is_silent=False)) == []


def test_a_flapping_sensor_is_told_as_what_it_is():
    snapshot = SensorSnapshot(a_sensor(last_error="flapping"), a_bay(), is_silent=True)
    (alert,) = raised_by(snapshot)

    assert alert.title.startswith("Sensor flaps")
    assert "faster than cars" in alert.detail


def a_component(**more) -> ComponentSnapshot:
    known = {
        "station_id": STATION,
        "charger_id": CHARGER,
        "evse_id": 1,
        "component": "RCD",
        "variable": "Tripped",
        "value": "true",
        "trigger": "Alerting",
        "severity": None,
        "is_cleared": False,
        "at": NOON,
    }
    return ComponentSnapshot(**(known | more))


@pytest.mark.parametrize(
    ("told", "severities"),
    [
        ({}, [Severity.CRITICAL]),
        ({"severity": 0}, [Severity.CRITICAL]),
        ({"severity": 3}, [Severity.MAJOR]),
        ({"severity": 5}, [Severity.MAJOR]),
        ({"component": "Display", "variable": "Problem", "severity": 4}, [Severity.MINOR]),
        ({"value": "false"}, []),
        ({"is_cleared": True}, []),
    ],
)
def test_a_components_trouble_is_an_alert_until_it_is_taken_back(told, severities):
    (verdict,) = check(a_component(**told), POLICY, NOON)

    assert [one.severity for one in verdict.raised] == severities


@pytest.mark.parametrize(
    "told",
    [
        {"variable": "Temperature", "value": "41", "trigger": "Periodic"},
        {"variable": "State", "value": "x", "severity": 9},
        {"component": "FancyLight", "variable": "State", "value": "x"},
    ],
)
def test_news_that_are_no_trouble_say_nothing(told):
    assert check(a_component(**told), POLICY, NOON) == []


def test_a_message_in_quarantine_is_an_alert():
    (alert,) = raised_by(QuarantineSnapshot(STATION, "meter_sampled", "too long", NOON))

    assert "too long" in alert.detail


# --- from verdicts to alerts -------------------------------------------------------------------------


def a_raised(key: str = "rule/x", **more) -> Raised:
    known = {
        "key": key,
        "rule": "rule",
        "severity": Severity.MAJOR,
        "station_id": STATION,
        "title": "It is broken",
    }
    return Raised(**(known | more))


def settled(verdicts, known=(), at=NOON):
    numbers = itertools.count(1)
    return settle(verdicts, list(known), POLICY, at, lambda: f"a-{next(numbers)}")


def an_alert(at=NOON, **more):
    (one,) = settled([Verdict("rule/x", (a_raised(**more),))], at=at)
    return one.alert


def test_what_is_raised_first_opens():
    (one,) = settled([Verdict("rule/x", (a_raised(),))])

    assert one.happening is Happening.OPENED
    assert (one.alert.count, one.alert.opened_at, one.alert.changed_version) == (1, NOON, 1)


def test_what_stands_already_is_told_once_and_counted_when_seen_again():
    standing = an_alert()

    same = settled([Verdict("rule/x", (a_raised(),))], [standing], after(60))
    newer = settled([Verdict("rule/x", (a_raised(seen_at=after(50)),))], [standing], after(60))

    assert same == []
    assert [(one.happening, one.alert.count) for one in newer] == [(Happening.SEEN, 2)]


def test_what_is_raised_no_more_clears_by_itself():
    standing = an_alert()

    (one,) = settled([Verdict("rule/x")], [standing], after(60))

    assert one.happening is Happening.CLEARED
    assert (one.alert.resolved_at, one.alert.resolved_by) == (after(60), None)


def test_alerts_of_other_scopes_are_left_alone():
    assert settled([Verdict("rule/y")], [an_alert()], after(60)) == []
    assert is_within("rule/x/1", "rule/x")
    assert not is_within("rule/x1", "rule/x")


def test_what_comes_back_soon_is_the_same_alert_and_later_a_new_one():
    (cleared,) = settled([Verdict("rule/x")], [an_alert()], after(60))
    again = Verdict("rule/x", (a_raised(),))

    (soon,) = settled([again], [cleared.alert], after(120))
    (late,) = settled([again], [cleared.alert], NOON + timedelta(hours=1))

    assert (soon.happening, soon.alert.id, soon.alert.count) == (
        Happening.REOPENED,
        cleared.alert.id,
        2,
    )
    assert soon.alert.is_open
    assert late.happening is Happening.OPENED


def test_what_somebody_resolved_and_comes_back_is_a_new_alert():
    done = resolved(an_alert(), "u-1", after(10))

    (one,) = settled([Verdict("rule/x", (a_raised(),))], [done], after(20))

    assert one.happening is Happening.OPENED


def test_an_alert_flapping_for_ten_minutes_is_one_incident():
    known, opened = [], 0
    for second in range(600):
        verdict = Verdict("rule/x", (a_raised(),) if second % 2 == 0 else ())
        for one in settled([verdict], known, after(second)):
            known = [one.alert]
            opened += one.happening is Happening.OPENED

    assert opened == 1
    assert known[0].count == 300


def test_who_is_second_to_handle_an_alert_hears_who_was_first():
    taken = acknowledged(an_alert(), "u-1", NOON)

    with pytest.raises(AlertAlreadyHandled, match="u-1"):
        acknowledged(taken, "u-2", NOON)
    over = resolved(taken, "u-1", NOON)
    with pytest.raises(AlertAlreadyHandled, match="u-1"):
        resolved(over, "u-2", NOON)
    (cleared,) = settled([Verdict("rule/x")], [taken], NOON)
    with pytest.raises(AlertAlreadyHandled, match="by itself"):
        resolved(cleared.alert, "u-2", NOON)


def test_keys_fit_their_column_whatever_a_sensor_is_called():
    key = key_of("silent_sensor", "a" * 63, "Zähler\n" * 18)

    assert key.isascii()
    assert len(key) <= 160


# --- promised bays -----------------------------------------------------------------------------------


def stolen(**more) -> Snapshot:
    return a_scene(**({"bay": a_bay(status="BLOCKED", situation="taken")} | more))


@pytest.mark.parametrize("trouble", [Trouble.STOLEN, Trouble.STILL_OCCUPIED, Trouble.OUT_OF_ORDER])
def test_a_promised_bay_that_is_not_there_for_its_driver_is_an_alert_at_once(trouble):
    waits = stolen(reservations=(a_reservation(trouble=trouble),))
    moved = stolen(trouble=trouble)

    for snapshot in (waits, moved):
        (alert,) = raised_by(snapshot)
        assert alert.key == "stolen_bay/greenmarket-1"
        assert alert.severity is Severity.MAJOR
        assert "a reservation waits" in alert.detail


@pytest.mark.parametrize(
    ("status", "stands"),
    [
        ("BLOCKED", True),
        ("CHARGING", True),
        ("UNKNOWN", True),
        ("AVAILABLE", False),
        ("RESERVED", False),
    ],
)
def test_it_stands_until_the_bay_is_free_again_though_the_driver_was_moved(status, stands):
    said = check(stolen(bay=a_bay(status=status)), POLICY, NOON)

    assert any(one.scope == "stolen_bay/greenmarket-1" for one in said) is not stands


@pytest.mark.parametrize("trouble", [Trouble.NONE, Trouble.SILENT, Trouble.WITHDRAWN])
def test_other_troubles_are_nothing_for_staff_to_clear(trouble):
    assert raised_by(stolen(reservations=(a_reservation(trouble=trouble),))) == []
