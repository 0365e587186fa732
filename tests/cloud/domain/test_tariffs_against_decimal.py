"""Random charges under random tariffs, reckoned twice: by the engine, and by `decimal` (R13)."""

from datetime import timedelta
from random import Random

import pytest

from cloud.domain.bill_lines import Kind
from cloud.domain.charges import Charge, Point, Stretch
from cloud.domain.errors import NotValid
from cloud.domain.tariff_data import tariff_of
from cloud.domain.tariffs import charge_lines
from tests.cloud.domain.charging import sums
from tests.support.tariff_oracle import Case, a_case, total_of

SEEDS = 10
MANY = 100_000
SOME = 2_000


def engine(case: Case) -> tuple[int, int]:
    """Return net and gross as the house bills."""

    def at(second: int):
        return case.starts_at + timedelta(seconds=second)

    stretch = Stretch(
        starts_at=case.starts_at,
        ends_at=at(case.charged_s + case.parked_s),
        charging_ended_at=at(case.charged_s),
        points=tuple(Point(at(second), wh, watts) for second, wh, watts in case.readings),
    )
    discounts = {Kind(name): percent for name, percent in case.discounts.items()}
    tariff = tariff_of(case.body, case.currency)
    return sums(charge_lines(tariff, Charge((stretch,)), case.zone, discounts))


def compare(seed: int, count: int) -> None:
    random = Random(seed)
    reckoned, costly = 0, 0
    while reckoned < count:
        case = a_case(random)
        try:
            billed = engine(case)
        except NotValid:  # made up so wildly that it is none
            continue
        reckoned += 1
        costly += billed[1] > 0
        assert billed == total_of(case), f"seed {seed}, case {reckoned}: {case}"
    # nearly all cost something, or nothing would be compared
    assert costly > count * 0.5


@pytest.mark.slow
@pytest.mark.parametrize("seed", list(range(SEEDS)))
def test_r13_twenty_thousand_charges_cost_the_same_by_both_reckonings(seed):
    compare(seed, SOME)


@pytest.mark.faults
@pytest.mark.parametrize("seed", [1000 + one for one in range(SEEDS)])
def test_r13_a_million_charges_cost_the_same_by_both_reckonings(seed):
    compare(seed, MANY)
