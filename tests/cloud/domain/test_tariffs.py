"""Which price counts when, what is rounded how, and what never happens to an amount."""

from datetime import UTC, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloud.domain.bill_lines import Kind, duration_text, quantity_text
from cloud.domain.charges import Charge, Point, Stretch
from cloud.domain.tariffs import by_the_kwh, charge_lines, cost_minor, reservation_lines
from tests.cloud.domain.charging import (
    BERLIN,
    LONDON,
    a_charge,
    a_curve,
    a_tariff,
    at,
    billed,
    energy,
    flat,
    parking,
    sums,
    time,
)


def lines_of(tariff, charge, zone=BERLIN, **more):
    return billed(charge_lines(tariff, charge, zone, **more))


# --- restrictions ---------------------------------------------------------------------------------


def test_of_each_dimension_the_first_that_holds_counts_by_itself():
    tariff = a_tariff(
        ([energy(1)], {"max_kwh": 1}),
        ([energy(2), time(60)], {"max_kwh": 2}),
        [energy(3), time(120), flat(9)],
    )

    # 3 kWh in an hour: a third of it each
    assert lines_of(tariff, a_charge(kwh=3)) == [
        ("FLAT", 1, 900),
        ("ENERGY", 1000, 100),
        ("ENERGY", 1000, 200),
        ("ENERGY", 1000, 300),
        ("TIME", 2400, 4000),
        ("TIME", 1200, 4000),
    ]


def test_what_no_element_prices_costs_nothing():
    tariff = a_tariff((energy(1), {"min_kwh": 5}))

    assert lines_of(tariff, a_charge(kwh=4, parked_min=30)) == []
    assert lines_of(tariff, a_charge(kwh=6)) == [("ENERGY", 1000, 100)]


NIGHT = {"start_time": "22:00", "end_time": "06:00"}


@pytest.mark.parametrize(
    ("restrictions", "start", "priced_min"),
    [
        (NIGHT, "21:30", 90),
        (NIGHT, "23:00", 120),
        (NIGHT, "05:00", 60),
        (NIGHT, "12:00", 0),
        ({"start_time": "11:00"}, "10:00", 60),
        ({"start_time": "22:00"}, "23:30", 30),
        ({"end_time": "11:00"}, "10:00", 60),
        ({"end_time": "00:00"}, "23:30", 120),
        ({"start_time": "23:00", "end_time": "00:00"}, "22:30", 60),
        ({"start_time": "08:00", "end_time": "08:00"}, "07:00", 120),
        ({"day_of_week": ["MONDAY"]}, "23:30", 30),
        ({"day_of_week": ["TUESDAY", "SUNDAY"]}, "23:30", 90),
        ({"start_date": "2026-01-06"}, "23:30", 90),
        ({"end_date": "2026-01-06"}, "23:30", 30),
        ({"start_date": "2026-01-01", "end_date": "2026-01-05"}, "10:00", 0),
        (NIGHT | {"day_of_week": ["MONDAY"]}, "23:00", 60),
        ({"min_duration": 3600}, "10:00", 60),
        ({"max_duration": 3600}, "10:00", 60),
        ({"min_duration": 1800, "max_duration": 5400}, "10:00", 60),
        ({"min_kwh": 5}, "10:00", 60),
        ({"max_kwh": 2.5}, "10:00", 30),
        ({"min_power": 5}, "10:00", 120),
        ({"min_power": 5.001}, "10:00", 0),
        ({"max_power": 5}, "10:00", 0),
        ({"max_power": 5.001}, "10:00", 120),
    ],
)
def test_an_element_holds_only_while_all_it_says_is_so(restrictions, start, priced_min):
    # two hours from a Monday on, 10 kWh at an even 5 kW
    lines = lines_of(a_tariff((time(60), restrictions)), a_charge(start, 120, kwh=10))

    assert sum(quantity for _, quantity, _ in lines) == priced_min * 60


@pytest.mark.parametrize("zone", [BERLIN, LONDON])
def test_times_of_day_are_the_stations_own(zone):
    tariff = a_tariff((energy(1), {"start_time": "17:00"}), energy(2))
    charge = a_charge("16:30", 60, kwh=10, zone=zone)

    assert lines_of(tariff, charge, zone) == [("ENERGY", 5000, 1000), ("ENERGY", 5000, 500)]


@pytest.mark.parametrize(
    ("start", "hours", "cheap_s", "dear_s"),
    [
        # clocks go forward at 02:00: there is no 02:30, from 02:00 it is 03:00
        ("2026-03-29 01:00", 3, 3600, 7200),
        # clocks go back at 03:00: 02:30 to 03:00 is there twice, and so is 02:00 to 02:30
        ("2026-10-25 01:00", 4, 3600 + 1800 + 1800, 1800 + 1800 + 3600),
        # a leap day
        ("2028-02-29 02:00", 1, 1800, 1800),
    ],
)
def test_t07_the_wall_clock_counts_also_when_it_is_set(start, hours, cheap_s, dear_s):
    tariff = a_tariff((time(1), {"end_time": "02:30"}), time(2))
    lines = charge_lines(tariff, a_charge(start, hours * 60), BERLIN)

    assert {one.price_e4: one.quantity for one in lines} == {10_000: cheap_s, 20_000: dear_s}


def test_energy_is_shared_out_where_a_price_changes_and_none_is_lost():
    tariff = a_tariff((energy(1), {"end_time": "10:20"}), energy(2))

    lines = charge_lines(tariff, a_charge("10:00", 60, kwh=10), BERLIN)

    # a third of 10,000 Wh, rounded down to the watt-hour
    assert [one.quantity for one in lines] == [3333, 6667]


def test_a_power_that_was_told_holds_until_the_next():
    tariff = a_tariff((energy(1), {"min_power": 10}), energy(2))
    charge = a_curve((0, 0), (30, 5), (60, 10), watts=(11_000, 9_000))

    assert lines_of(tariff, charge) == [("ENERGY", 5000, 500), ("ENERGY", 5000, 1000)]


def test_without_a_word_of_power_the_meter_says_it():
    tariff = a_tariff((energy(1), {"min_power": 10}), energy(2))

    # 10 kW, then 9.998 kW
    assert lines_of(tariff, a_curve((30, 5), (60, 9.999))) == [
        ("ENERGY", 5000, 500),
        ("ENERGY", 4999, 1000),
    ]


def test_a_parked_car_has_no_power():
    tariff = a_tariff((parking(1), {"max_power": 1}), parking(2))
    charge = Charge(
        (
            Stretch(
                starts_at=at("10:00"),
                ends_at=at("11:00"),
                charging_ended_at=at("10:30"),
                points=(Point(at("10:10"), 1000, 50_000),),
            ),
        )
    )

    assert lines_of(tariff, charge) == [("PARKING_TIME", 1800, 50)]


# --- flat fees ------------------------------------------------------------------------------------


def test_a_flat_fee_is_taken_once_by_the_first_that_holds():
    tariff = a_tariff((flat(1), {"end_time": "10:30"}), flat(2))

    assert lines_of(tariff, a_charge("10:00", 60)) == [("FLAT", 1, 100)]
    assert lines_of(tariff, a_charge("10:30", 60)) == [("FLAT", 1, 200)]


def test_a_flat_fee_is_due_as_soon_as_it_holds():
    tariff = a_tariff((flat(1), {"min_kwh": 5}))

    assert lines_of(tariff, a_charge(kwh=4.999)) == []
    assert lines_of(tariff, a_charge(kwh=6)) == [("FLAT", 1, 100)]


def test_a_charge_that_ended_as_it_began_costs_its_flat_fee():
    nothing = Charge((Stretch(starts_at=at("10:00"), ends_at=at("10:00")),))
    tariff = a_tariff((flat(3), {"end_time": "10:00"}), [flat(1), time(1), energy(1)])

    assert lines_of(tariff, nothing) == [("FLAT", 1, 100)]


def test_plugged_in_again_is_one_charge_with_one_flat_fee():
    again = Charge(
        tuple(
            Stretch(
                starts_at=at(start),
                ends_at=at(end),
                points=(Point(at(end), 1500),),
            )
            for start, end in (("10:00", "10:30"), ("12:00", "12:30"))
        )
    )
    tariff = a_tariff(
        (flat(1)),
        (energy(1, step=500), {"max_kwh": 2}),
        energy(2, step=500),
        (time(1, step=900), {"max_duration": 2700}),
    )

    # the time between, when nobody was plugged in, counts for nothing
    assert lines_of(tariff, again) == [
        ("FLAT", 1, 100),
        ("ENERGY", 2000, 200),
        ("ENERGY", 1000, 200),
        ("TIME", 2700, 75),
    ]
    assert again.energy_wh == 3000


# --- amounts --------------------------------------------------------------------------------------


def test_equal_prices_are_one_line_and_rounded_once():
    third = energy("0.0333")
    tariff = a_tariff((third, {"max_kwh": 1}), (third, {"max_kwh": 2}), third)

    # 3 kWh at 0.0333: 9.99 cents, not three times 3.33
    assert lines_of(tariff, a_charge(kwh=3)) == [("ENERGY", 3000, 10)]


def test_halves_are_rounded_up():
    assert sums(charge_lines(a_tariff(flat("0.005")), a_charge(), BERLIN)) == (1, 1)
    assert sums(charge_lines(a_tariff(flat("0.0049")), a_charge(), BERLIN)) == (0, 0)


@pytest.mark.parametrize(
    ("tax_included", "net", "gross"), [("NO", 1000, 1200), ("YES", 833, 1000), ("N/A", 1000, 1000)]
)
def test_taxes_come_on_top_or_are_in_the_price_or_there_are_none(tax_included, net, gross):
    tariff = a_tariff(flat(10, vat=20), tax_included=tax_included)

    (line,) = charge_lines(tariff, a_charge(), BERLIN)

    assert (line.net_minor, line.gross_minor, line.tax_minor) == (net, gross, gross - net)


def test_no_tax_is_not_a_tax_of_nothing():
    (none,) = charge_lines(a_tariff(flat(1)), a_charge(), BERLIN)
    (nothing,) = charge_lines(a_tariff(flat(1, vat=0)), a_charge(), BERLIN)

    assert (none.vat_ppm, nothing.vat_ppm) == (None, 0)
    assert none.gross_minor == nothing.gross_minor == 100


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 3), ("EUR", 275), ("KWD", 2750)])
def test_amounts_are_of_the_currencys_own_smallest_unit(currency, minor):
    tariff = a_tariff(energy(0.25), currency=currency)

    assert sums(charge_lines(tariff, a_charge(kwh=11), BERLIN)) == (minor, minor)


def test_a_discount_is_taken_before_it_is_rounded():
    tariff = a_tariff([energy("0.333", vat=20), flat(1)])

    lines = charge_lines(tariff, a_charge(kwh=10), BERLIN, {Kind.ENERGY: 15})

    # 3.33 less 15 % is 2.8305
    assert [(one.kind, one.discount_pct, one.net_minor) for one in lines] == [
        (Kind.FLAT, 0, 100),
        (Kind.ENERGY, 15, 283),
    ]
    assert lines[1].gross_minor == 340


@pytest.mark.parametrize(
    ("limit", "kwh", "net", "gross"),
    [
        ({"min_price": {"before_taxes": 1}}, 1, 100, 110),
        ({"min_price": {"before_taxes": 1}}, 0, 100, 100),
        ({"min_price": {"before_taxes": 1, "after_taxes": "1.30"}}, 1, 100, 130),
        ({"min_price": {"before_taxes": 1, "after_taxes": "1.30"}}, 40, 1000, 1100),
        ({"max_price": {"before_taxes": 5}}, 40, 500, 550),
        ({"max_price": {"before_taxes": 5, "after_taxes": "5.20"}}, 40, 500, 520),
        ({"max_price": {"before_taxes": 10, "after_taxes": "10.50"}}, 40, 1000, 1050),
        ({"max_price": {"before_taxes": 0}}, 40, 0, 0),
        ({"min_price": {"before_taxes": 1}, "max_price": {"before_taxes": 1}}, 40, 100, 110),
    ],
)
def test_a_charge_never_costs_less_or_more_than_the_tariff_says(limit, kwh, net, gross):
    tariff = a_tariff(energy(0.25, vat=10), **limit)

    assert sums(charge_lines(tariff, a_charge(kwh=kwh), BERLIN)) == (net, gross)


def test_a_limit_is_a_line_of_its_own():
    tariff = a_tariff(energy(1), max_price={"before_taxes": 5})

    assert lines_of(tariff, a_charge(kwh=7)) == [("ENERGY", 7000, 700), ("MAXIMUM", 1, -200)]


# --- reservations ---------------------------------------------------------------------------------


def test_a_tariff_that_says_nothing_of_reservations_asks_nothing_for_them():
    tariff = a_tariff([energy(1), time(1), flat(1)])

    assert reservation_lines(tariff, a_charge(), BERLIN) == ()
    assert reservation_lines(tariff, a_charge(), BERLIN, is_expired=True) == ()


def test_what_prices_a_reservation_never_prices_a_charge():
    tariff = a_tariff(([flat(5), time(60)], {"reservation": "RESERVATION"}), energy(1))

    assert lines_of(tariff, a_charge(kwh=1)) == [("ENERGY", 1000, 100)]


def test_an_expired_reservation_costs_both_fees_and_the_expirys_time():
    tariff = a_tariff(
        ([flat(1), time(1)], {"reservation": "RESERVATION"}),
        ([flat(2), time(2)], {"reservation": "RESERVATION_EXPIRES"}),
    )

    lines = reservation_lines(tariff, a_charge(charged_min=60), BERLIN, is_expired=True)

    assert billed(lines) == [
        ("RESERVATION", 1, 100),
        ("RESERVATION_TIME", 3600, 200),
        ("EXPIRED", 1, 200),
    ]


def test_reservation_time_may_cost_more_by_day():
    tariff = a_tariff(
        (time(2), {"reservation": "RESERVATION", "end_time": "10:30"}),
        (time(4), {"reservation": "RESERVATION"}),
    )

    lines = reservation_lines(tariff, a_charge("10:00", 60), BERLIN)

    assert billed(lines) == [("RESERVATION_TIME", 1800, 100), ("RESERVATION_TIME", 1800, 200)]


# --- the price alone ------------------------------------------------------------------------------


@given(st.integers(0, 10**7), st.integers(0, 10**5))
def test_a_price_by_the_kilowatt_hour_is_a_tariff_like_any_other(energy_wh, price_minor):
    tariff = by_the_kwh("GBP", price_minor)
    charge = a_charge(kwh=energy_wh / 1000)

    net, gross = sums(charge_lines(tariff, charge, UTC))

    assert net == gross == cost_minor(energy_wh, price_minor)


# --- words ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (2705, "45 min 5 s"),
        (7200, "2 h"),
        (7205, "2 h 0 min 5 s"),
    ],
)
def test_durations_are_written_exactly(seconds, said):
    assert duration_text(seconds) == said


def test_quantities_are_written_in_their_units():
    said = [quantity_text(one, 3600) for one in (Kind.ENERGY, Kind.OVERSTAY, Kind.FLAT)]

    assert said == ["3.6 kWh", "1 h", ""]


def test_readings_out_of_bounds_are_bent_into_them():
    late, early = timedelta(minutes=90), timedelta(minutes=-5)
    starts_at = at("10:00")
    stretch = Stretch(
        starts_at=starts_at,
        ends_at=at("11:00"),
        points=(
            Point(starts_at + early, 100),
            Point(at("10:30"), 50),
            Point(starts_at + late, 900),
        ),
    )
    tariff = a_tariff((energy(1), {"end_time": "10:30"}), energy(2))

    # no more than was told in all, and never backwards
    lines = charge_lines(tariff, Charge((stretch,)), BERLIN)

    assert [one.quantity for one in lines] == [100, 800]
