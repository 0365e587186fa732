"""How much one driver may have reserved at a time, all stations together."""

import pytest

from cloud.domain.driver_limits import Limits, check_number, check_places
from cloud.domain.errors import BookedElsewhere, TooManyInAll
from cloud.domain.terms import Terms
from tests.cloud.builders import a_reservation

LIMITS = Limits(single=2, in_series=3)
TERMS = Terms(max_live_per_driver=1, max_live_in_series=1)
HOUR = 3_600


def some(number, **more):
    return [a_reservation(id=f"r-{one}", **more) for one in range(number)]


@pytest.mark.parametrize(("series_id", "most"), [(None, 2), ("s-1", 3)])
def test_a_driver_has_so_many_in_all_those_of_series_apart(series_id, most):
    wanted = a_reservation(id="wanted", series_id=series_id)
    others = some(9, series_id=None if series_id else "s-2")

    check_number(wanted, [*others, *some(most - 1, series_id=series_id)], LIMITS, TERMS)
    with pytest.raises(TooManyInAll):
        check_number(wanted, some(most, series_id=series_id), LIMITS, TERMS)


def test_a_station_that_allows_more_is_not_overruled():
    generous = Terms(max_live_per_driver=5)

    check_number(a_reservation(id="wanted"), some(4), LIMITS, generous)
    with pytest.raises(TooManyInAll):
        check_number(a_reservation(id="wanted"), some(5), LIMITS, generous)


@pytest.mark.parametrize(
    ("station_id", "start_s", "is_refused"),
    [
        ("elsewhere", 0, True),
        ("elsewhere", HOUR - 900, True),
        ("elsewhere", HOUR, False),
        ("elsewhere", -HOUR, False),
        ("here", 0, False),
    ],
)
def test_nobody_is_at_two_stations_at_a_time(station_id, start_s, is_refused):
    wanted = a_reservation(id="wanted", station_id="here", start_s=10 * HOUR)
    other = a_reservation(
        id="other", station_id=station_id, start_s=10 * HOUR + start_s, buffer_s=1_800
    )
    if not is_refused:
        check_places(wanted, [other])
        return
    with pytest.raises(BookedElsewhere) as refused:
        check_places(wanted, [other])
    assert refused.value.reservation_ids == ["other"]
