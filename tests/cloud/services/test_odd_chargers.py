"""What is odd about a charger is kept, and is an alert where somebody must know."""

import pytest

from contracts.events import ComponentEventReported, OddityObserved
from tests.cloud.builders import CHARGER, NOON


def odd(word, charger_id=CHARGER):
    return OddityObserved(charger_id=charger_id, oddity=word, detail="", observed_at=NOON)


def test_p07_a_flood_is_one_alert_however_often_it_is_told(rig):
    rig.agent.tell(odd("flooding"), odd("flooding"))

    assert rig.open_alerts() == [f"security_event/{CHARGER}/flooding"]


@pytest.mark.parametrize("fact", [odd("payload_mended"), odd("flooding", "SOMEBODY-ELSES")])
def test_other_oddities_and_other_stations_are_none(rig, fact):
    rig.agent.tell(fact)

    assert rig.open_alerts() == []


def test_a_component_that_fails_and_recovers_within_a_batch_is_no_alert(rig):
    def component(*, is_cleared):
        return ComponentEventReported(
            charger_id=CHARGER,
            component="ConnectorPlugRetentionLock",
            variable="Problem",
            value="true",
            trigger="Alerting",
            is_cleared=is_cleared,
            observed_at=NOON,
        )

    rig.agent.tell(component(is_cleared=False), component(is_cleared=False))
    twice = rig.open_alerts()
    rig.agent.tell(component(is_cleared=False), component(is_cleared=True))

    assert len(twice) == 1
    assert rig.open_alerts() == []
