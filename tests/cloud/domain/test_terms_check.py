"""Terms that no booking could keep are refused by their field."""

from dataclasses import replace

import pytest

from cloud.domain.errors import NotValid
from cloud.domain.terms import Blackout, OpenHours, RefundStep, Terms
from cloud.domain.terms_check import BOUNDS, check
from tests.cloud.builders import after

DAY = OpenHours(weekday=0, opens_min=8 * 60, closes_min=20 * 60)
WRONG = [
    ("min_s", {"min_s": 1000}),
    ("buffer_s", {"buffer_s": 60}),
    ("min_s", {"min_s": 7200, "max_s": 3600}),
    ("hours", {"hours": (replace(DAY, weekday=7),)}),
    ("hours", {"hours": (replace(DAY, opens_min=1440),)}),
    ("hours", {"hours": (replace(DAY, closes_min=2881),)}),
    ("hours", {"hours": (replace(DAY, closes_min=8 * 60),)}),
    ("hours", {"hours": (replace(DAY, closes_min=8 * 60 + 1441),)}),
    ("hours", {"hours": (DAY, replace(DAY, opens_min=19 * 60, closes_min=21 * 60))}),
    ("refunds", {"refunds": (RefundStep(before_s=-1, refund_pct=50),)}),
    ("refunds", {"refunds": (RefundStep(before_s=0, refund_pct=101),)}),
    ("refunds", {"refunds": (RefundStep(before_s=0, refund_pct=1),) * 2}),
    (
        "refunds",
        {
            "refunds": (
                RefundStep(before_s=0, refund_pct=90),
                RefundStep(before_s=60, refund_pct=50),
            )
        },
    ),
    ("blackouts", {"blackouts": (Blackout(starts_at=after(60), ends_at=after(60)),)}),
    ("blackouts", {"unbookable_bays": tuple(f"bay-{number}" for number in range(501))}),
]


def test_the_terms_of_a_station_that_set_none_can_be_kept():
    check(Terms())


def test_hours_past_midnight_and_twice_a_day_can_be_kept():
    night = OpenHours(weekday=5, opens_min=22 * 60, closes_min=30 * 60)
    evening = replace(DAY, opens_min=20 * 60, closes_min=22 * 60)

    check(Terms(hours=(evening, DAY, night)))


@pytest.mark.parametrize(("field", "more"), WRONG)
def test_terms_nobody_could_keep_are_refused_by_their_field(field, more):
    with pytest.raises(NotValid) as refused:
        check(Terms(**more))

    assert refused.value.subject == field


@pytest.mark.parametrize("name", sorted(BOUNDS))
def test_every_figure_has_a_least_and_a_most(name):
    least, most = BOUNDS[name]
    for wrong in (least - 1, most + 1):
        with pytest.raises(NotValid) as refused:
            check(replace(Terms(), **{name: wrong}))

        assert refused.value.subject == name
