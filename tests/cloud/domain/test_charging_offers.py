"""A car that says what it needs is offered all its bay gives and it takes, until it departs."""

from datetime import UTC, datetime, timedelta

import pytest

from cloud.domain.schedules import Need, offer

NOW = datetime(2026, 5, 4, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("max_power_w", "bay_power_w", "offered_w"),
    [
        (None, 11_000, 11_000),
        (7_400.0, 11_000, 7_400),
        (50_000.0, 11_000, 11_000),
        (None, 0, 22_000),
    ],
)
def test_neither_the_bay_nor_the_car_is_asked_for_more_than_it_can(
    max_power_w, bay_power_w, offered_w
):
    assert offer(Need(max_power_w=max_power_w), bay_power_w, NOW).power_w == offered_w


@pytest.mark.parametrize(
    ("departs_in", "duration_s"),
    [
        (None, None),
        (timedelta(hours=2), 7_200),
        (timedelta(seconds=5), None),
        (-timedelta(1), None),
    ],
)
def test_an_offer_lasts_until_a_departure_that_is_ahead(departs_in, duration_s):
    departs_at = None if departs_in is None else NOW + departs_in

    assert offer(Need(departs_at=departs_at), 11_000, NOW).duration_s == duration_s
