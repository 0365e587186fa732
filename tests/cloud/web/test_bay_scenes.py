"""What a bay shows: never what is no longer known."""

from datetime import UTC, datetime, timedelta

import pytest

from cloud.web.bays import Scene, fresh, fresh_station, scene
from tests.cloud.web.fakes import SITUATIONS, a_bay, a_station

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)

SCENES = {
    "free": Scene(has_car=False, has_cable=False, is_flowing=False),
    "charging": Scene(has_car=True, has_cable=True, is_flowing=True),
    "suspended": Scene(has_car=True, has_cable=True, is_flowing=False),
    "overstay": Scene(has_car=True, has_cable=True, is_flowing=False),
    "squatter": Scene(has_car=True, has_cable=False, is_flowing=False),
    "faulted": Scene(has_car=False, has_cable=False, is_flowing=False),
    "reserved": Scene(has_car=False, has_cable=False, is_flowing=False),
    "silent": Scene(has_car=False, has_cable=False, is_flowing=False),
}


@pytest.mark.parametrize("told", list(SITUATIONS))
def test_every_situation_has_its_drawing(told):
    assert scene(a_bay("here", 1, told, NOW)) == SCENES[told]


def test_nothing_is_drawn_in_a_bay_nobody_knows_of():
    bay = a_bay("here", 1, "charging", NOW, status="UNKNOWN")

    assert scene(bay) == SCENES["silent"]


def test_a_witness_that_is_not_trusted_is_not_drawn():
    bay = a_bay("here", 1, "squatter", NOW)
    doubted = [
        type(one)(witness=one.witness, says=one.says, observed_at=NOW, is_trusted=False)
        for one in bay.witnesses
    ]

    assert not scene(a_bay("here", 1, "squatter", NOW, witnesses=doubted)).has_car


@pytest.mark.parametrize(
    ("after_s", "status"), [(86, "AVAILABLE"), (87, "UNKNOWN"), (900, "UNKNOWN")]
)
def test_d1_a_word_that_no_longer_holds_is_unknown(after_s, status):
    bay = a_bay("here", 1, "free", NOW)

    assert fresh(bay, NOW + timedelta(seconds=after_s)).status == status


def test_a_bay_without_any_news_is_unknown():
    assert fresh(a_bay("here", 1, "free", NOW, valid_until=None), NOW).status == "UNKNOWN"


def test_d3_a_stations_counts_are_of_what_is_shown():
    bays = [
        a_bay("here", 1, "free", NOW),
        a_bay("here", 2, "free", NOW, valid_until=NOW),
        a_bay("here", 3, "charging", NOW),
    ]

    shown = fresh_station(a_station("here", bays, NOW), NOW)

    assert (shown.bays_available, shown.bays_total) == (1, 3)
    assert shown.statuses == {"AVAILABLE": 1, "UNKNOWN": 1, "CHARGING": 1}
