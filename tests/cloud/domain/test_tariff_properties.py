"""What holds of every charge under every tariff."""

from datetime import timedelta
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from cloud.domain.bill_lines import Kind
from cloud.domain.charges import Charge, Point, Stretch, periods
from cloud.domain.errors import NotValid
from cloud.domain.tariff_data import tariff_of
from cloud.domain.tariffs import charge_lines, marks_of
from tests.cloud.domain.charging import BERLIN, a_charge, a_tariff, at, energy, flat, sums, time
from tests.support.tariff_oracle import a_body, a_case

SEEDS = st.integers(0, 2**32)
STEPS = st.lists(st.tuples(st.integers(1, 1800), st.integers(0, 4_000)), min_size=1, max_size=8)
"""Pieces of a curve: twice so many seconds, twice so many watt-hours."""


def a_random_tariff(seed):
    random = Random(seed)
    try:
        return tariff_of(a_body(random, "EUR"), "EUR")
    except NotValid:
        assume(False)


def charge_of(points, parked_s=0, watts=None):
    starts_at, full_at = at("10:00"), points[-1][0]
    curve = [
        Point(starts_at + timedelta(seconds=second), wh, watts if place == 0 else None)
        for place, (second, wh) in enumerate(points)
    ]
    return Charge(
        (
            Stretch(
                starts_at=starts_at,
                ends_at=starts_at + timedelta(seconds=full_at + parked_s),
                charging_ended_at=starts_at + timedelta(seconds=full_at),
                points=tuple(curve),
            ),
        )
    )


@given(SEEDS, STEPS, st.integers(0, 7200), st.none() | st.integers(0, 60_000))
def test_splitting_readings_changes_nothing(seed, steps, parked_s, watts):
    tariff = a_random_tariff(seed)
    whole, split = [(0, 0)], [(0, 0)]
    for seconds, wh in steps:
        second, so_far = whole[-1]
        whole.append((second + 2 * seconds, so_far + 2 * wh))
        split += [(second + seconds, so_far + wh), whole[-1]]

    lines = [
        charge_lines(tariff, charge_of(points, parked_s, watts), BERLIN)
        for points in (whole, split)
    ]

    assert lines[0] == lines[1]


@given(SEEDS)
def test_the_parts_of_a_charge_sum_to_the_whole(seed):
    case = a_case(Random(seed))
    tariff = a_random_tariff(seed)
    charge = charge_of([(0, 0), *((one, wh) for one, wh, _ in case.readings)], case.parked_s)

    parts = periods(charge, marks_of(tariff.elements), case.zone)

    assert sum(one.energy_wh for one in parts) == charge.energy_wh
    stretch = charge.stretches[0]
    assert sum(one.length_s for one in parts) == (stretch.ends_at - stretch.starts_at).seconds
    assert all(one.energy_wh >= 0 and one.length_s >= 0 for one in parts)


@given(SEEDS, STEPS, st.integers(0, 7200))
def test_a_bill_is_never_negative_and_never_has_a_negative_tax(seed, steps, parked_s):
    points = [(0, 0)]
    for seconds, wh in steps:
        points.append((points[-1][0] + seconds, points[-1][1] + wh))

    lines = charge_lines(a_random_tariff(seed), charge_of(points, parked_s), BERLIN)

    net, gross = sums(lines)
    assert 0 <= net <= gross
    assert all(one.net_minor >= 0 for one in lines if one.kind is not Kind.MAXIMUM)


TIERS = st.lists(st.tuples(st.integers(1, 60_000), st.integers(0, 20_000)), max_size=4)


@given(TIERS, st.integers(0, 20_000), st.integers(0, 80_000), st.integers(0, 5_000))
def test_more_energy_never_costs_less(tiers, price_e4, wh, more_wh):
    elements = [
        (energy(f"{price / 10_000:.4f}", vat=20), {"max_kwh": f"{limit / 1000:.3f}"})
        for limit, price in sorted(tiers)
    ]
    tariff = a_tariff(flat(1), *elements, energy(f"{price_e4 / 10_000:.4f}", vat=20))

    less, more = (
        sums(charge_lines(tariff, a_charge(kwh=one / 1000), BERLIN)) for one in (wh, wh + more_wh)
    )

    assert less[0] <= more[0]
    assert less[1] <= more[1]


@given(st.integers(1, 2_000), st.integers(0, 20_000), st.integers(0, 80_000), st.integers(0, 500))
def test_more_energy_never_costs_less_in_blocks_either(step, price_e4, wh, more_wh):
    tariff = a_tariff(energy(f"{price_e4 / 10_000:.4f}", step=step))

    less, more = (
        sums(charge_lines(tariff, a_charge(kwh=one / 1000), BERLIN)) for one in (wh, wh + more_wh)
    )

    assert less <= more


@given(st.integers(0, 20_000), st.integers(0, 600), st.integers(0, 600))
def test_more_time_never_costs_less(price_e4, minutes, more):
    tariff = a_tariff(time(f"{price_e4 / 10_000:.4f}", step=60))

    less, more = (
        sums(charge_lines(tariff, a_charge(charged_min=one), BERLIN))
        for one in (minutes, minutes + more)
    )

    assert less <= more
