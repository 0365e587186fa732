"""When a reading counts as news."""

from datetime import timedelta

import pytest

from station_agent.domain.readings import Use, dated, use_of
from tests.station_agent.fakes import NOON

FRESH, OLD = NOON - timedelta(seconds=30), NOON - timedelta(seconds=91)


@pytest.mark.parametrize(
    ("is_retained", "observed_at", "is_contradiction", "use"),
    [
        (False, None, True, Use.BELIEVE),
        (False, FRESH, True, Use.BELIEVE),
        (False, OLD, False, Use.TOO_OLD),
        (True, FRESH, True, Use.BELIEVE),
        (True, OLD, True, Use.IGNORE),
        (True, None, False, Use.IGNORE),
        (True, None, True, Use.DOUBT),
    ],
)
def test_a_retained_message_is_fresh_only_by_its_own_date(
    is_retained, observed_at, is_contradiction, use
):
    """T09."""
    assert use is use_of(
        is_retained=is_retained,
        observed_at=observed_at,
        silent_after_s=90,
        is_contradiction=is_contradiction,
        now=NOON,
    )


def test_where_silence_has_no_bound_a_day_is():
    ages = [timedelta(hours=23), timedelta(hours=25)]
    uses = [
        use_of(
            is_retained=False,
            observed_at=NOON - age,
            silent_after_s=None,
            is_contradiction=False,
            now=NOON,
        )
        for age in ages
    ]

    assert uses == [Use.BELIEVE, Use.TOO_OLD]


@pytest.mark.parametrize(
    ("offset_s", "expected_s"), [(None, 0), (-30, -30), (30, 0), (61, 0), (1e9, 0)]
)
def test_a_reading_is_never_from_the_future(offset_s, expected_s):
    observed_at = None if offset_s is None else NOON + timedelta(seconds=offset_s)

    assert dated(observed_at, NOON) == NOON + timedelta(seconds=expected_s)
