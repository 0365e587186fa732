"""A small hosted agent is held to what the large one promises (FAULTS L01, L02); `make bench` has that one."""

import pytest

from benchmarks.hosted import measure
from benchmarks.hosted.home import Size

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("hosted")]

SMALL = Size(stations=4, chargers=80, seconds=2, settle_s=0.5)


@pytest.fixture(scope="module")
def outcome():
    return measure.run(SMALL)


def test_l01_all_come_back_at_once_and_nothing_is_lost(outcome):
    assert outcome.storm_s <= measure.STORM_S
    assert (outcome.tally.refused, outcome.tally.dropped) == (0, 0)
    assert outcome.tally.answered == outcome.tally.asked
    assert outcome.told == outcome.heard > 2 * SMALL.chargers


def test_l01_memory_is_bounded(outcome):
    allowed_mb = measure.BASE_MB + measure.KB_A_CHARGER * SMALL.chargers / 1024

    assert outcome.most_mb <= allowed_mb


def test_l02_wrong_keys_are_all_turned_away(outcome):
    assert outcome.turned_away == SMALL.chargers
