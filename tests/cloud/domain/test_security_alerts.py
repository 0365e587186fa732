"""Security events: the table says which need a person, and how soon."""

import pytest

from cloud.domain.alerts import check
from cloud.domain.alerts.rule import Severity
from cloud.domain.alerts.security_event import CONCERNS
from cloud.domain.alerts.snapshots import SecuritySnapshot
from cloud.domain.policy import Policy
from tests.cloud.builders import CHARGER, NOON, STATION


def told(event, info=""):
    return check(SecuritySnapshot(STATION, CHARGER, event, info, NOON), Policy(), NOON)


@pytest.mark.parametrize("event", sorted(CONCERNS))
def test_an_event_that_needs_a_person_is_one_alert_a_charger_with_what_to_do(event):
    (verdict,) = told(event, "by the door")
    (raised,) = verdict.raised

    assert raised.key == verdict.scope
    assert (raised.station_id, raised.charger_id) == (STATION, CHARGER)
    assert CHARGER in raised.title
    assert raised.detail == f"{event}: by the door"
    assert raised.what_to_do


def test_tampering_is_what_cannot_wait():
    assert [one for one, what in CONCERNS.items() if what.severity is Severity.CRITICAL] == [
        "TamperDetectionActivated"
    ]
    assert told("TamperDetectionActivated")[0].raised[0].detail == "TamperDetectionActivated"


@pytest.mark.parametrize("event", ["StartupOfTheDevice", "ResetOrReboot", "login_refused", "Own"])
def test_other_events_are_kept_and_need_nobody(event):
    assert told(event) == []
